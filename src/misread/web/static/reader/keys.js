/** From a key that was pressed to what it means. */

/** @typedef {import("./types.js").Choice} Choice */

/**
 * @typedef {{ kind: "answer", answer: number } | { kind: "undo" } | { kind: "unsure" }
 *   | { kind: "stay" } | { kind: "find" } | null} Meaning
 */

/**
 * What a key means while an image is shown; null for a key that means nothing.
 * @param {KeyboardEvent} event
 * @param {Choice[]} classes
 * @returns {Meaning}
 */
export function meaning(event, classes) {
  // A key that is held down would answer for the images to come.
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return null;
  const key = pressed(event);
  const answer = classes.findIndex((choice) => choice.key !== "" && choice.key === key);
  if (answer >= 0) return { kind: "answer", answer };
  if (key === "backspace") return { kind: "undo" };
  if (key === "escape") return { kind: "stay" };
  if (key === "/") return { kind: "find" };
  if (key === " ") return { kind: "unsure" };
  return null;
}

/**
 * The key, in lower case. Digits of the number pad count whatever Num Lock says.
 * @param {KeyboardEvent} event
 */
function pressed(event) {
  const pad = /^Numpad(\d)$/.exec(event.code);
  return pad ? pad[1] : event.key.toLowerCase();
}

/**
 * The name of a key as it stands on a keyboard.
 * @param {string} key
 */
export function keyName(key) {
  return key.length === 1 ? key.toUpperCase() : key;
}
