/** Numbers and counts in words. */

const whole = new Intl.NumberFormat("en");

/**
 * A number with separators: 70,000.
 * @param {number} value
 */
export function count(value) {
  return whole.format(value);
}

/**
 * "1 image", "70,000 images".
 * @param {number} value
 * @param {string} [one]
 * @param {string} [many]
 */
export function counted(value, one = "image", many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/**
 * A probability in per cent, as in the report: never rounded to certainty.
 * @param {number | null | undefined} value
 */
export function probability(value) {
  if (value === null || value === undefined) return "?";
  const share = 100 * value;
  if (share < 0.1) return "<0.1%";
  if (share > 99.9) return ">99.9%";
  return `${share.toFixed(share < 10 || share > 99 ? 1 : 0)}%`;
}

/**
 * A difficulty or suspicion.
 * @param {number} value
 */
export function score(value) {
  return value.toFixed(3);
}

/**
 * A rate in per cent with its digits fit for the number of images behind it.
 * @param {number | null} rate null of no images.
 * @param {number} [images]
 */
export function percent(rate, images = 10000) {
  if (rate === null) return "?";
  return `${(100 * rate).toFixed(images >= 1000 ? 2 : 1)}%`;
}

/** The verdicts, as they are written on buttons and read out. @type {Record<string, string>} */
export const VERDICT_NAMES = {
  model: "Model wrong",
  label: "Label wrong",
  ambiguous: "Ambiguous",
  unreadable: "Unreadable",
  fine: "Fine",
};

/** The same for where there is little room. @type {Record<string, string>} */
export const VERDICT_SHORT = {
  model: "Model",
  label: "Label",
  ambiguous: "Ambiguous",
  unreadable: "Unreadable",
  fine: "Fine",
};

/** @type {Record<string, string>} */
export const SORT_NAMES = {
  index: "Index",
  difficulty: "Difficulty",
  suspicion: "Suspicion",
  confidence: "Confidence",
  random: "Random",
};
