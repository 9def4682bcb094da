/** What is said beside a large image. */

import { imageAddress } from "./api.js";
import { add, fill, isolate, make, nameOf, shown } from "./dom.js";
import { drawings } from "./drawings.js";
import { decided, mark } from "./tile.js";
import { VERDICT_NAMES, counted, probability, score } from "./text.js";

/**
 * @typedef {import("./types.js").Details} Details
 * @typedef {import("./types.js").Boot} Boot
 * @typedef {import("./types.js").Item} Item
 * @typedef {import("./types.js").Decision} Decision
 * @typedef {import("./types.js").ModelReading} ModelReading
 */

/** Bars of one model at most, besides that of the given label. */
const MOST_BARS = 3;
/** Less likely classes have no bar, unless they are the given or the predicted one. */
const LEAST = 0.005;

/**
 * The title: what it is given as, what it is read as, and with which probabilities.
 * @param {HTMLElement} title
 * @param {HTMLElement} sub
 * @param {Item} item
 * @param {Decision} decision
 * @param {string[]} classes
 * @param {Details | null} details
 * @returns {string} The same as plain text.
 */
export function drawTitle(title, sub, item, decision, classes, details) {
  const given = classes[item.given];
  fill(title, "Given ", nameOf(given, "strong"));
  let spoken = `Image ${item.index}, given ${shown(given)}`;
  if (item.predicted !== null) {
    const read = classes[item.predicted];
    add(title, ", read as ", nameOf(read, "strong"));
    spoken += `, read as ${shown(read)}`;
  }
  fill(sub, make("span", {}, `#${item.index} of ${item.split}`));
  if (details?.file) add(sub, make("bdi", { class: "file", title: details.file }, details.file));
  const sign = mark(decision, classes);
  if (sign)
    add(sub, make("span", { class: "title-verdict" }, sign, decidedText(decision, classes)));
  return `${spoken}, ${decided(decision, classes)}`;
}

/**
 * @param {Decision} decision
 * @param {string[]} classes
 */
function decidedText({ verdict, label }, classes) {
  const name = VERDICT_NAMES[/** @type {string} */ (verdict)];
  return label === null ? name : `${name}: right is ${shown(classes[label])}`;
}

/**
 * @param {HTMLElement} box
 * @param {Details} details
 * @param {Boot} boot
 * @param {string | null} run The model of the view.
 */
export function drawDetails(box, details, boot, run) {
  const { classes } = boot;
  fill(
    box,
    suggestion(details, classes),
    readings(details, classes),
    models(details, classes, run),
    seen(details, boot, run),
    neighbours(details, boot),
    facts(details),
  );
}

/**
 * @param {string} title
 * @param {...import("./dom.js").Child} content
 */
function section(title, ...content) {
  return make("section", { class: "detail" }, make("h3", {}, title), ...content);
}

/**
 * @param {Details} details
 * @param {string[]} classes
 */
function suggestion(details, classes) {
  const { suggested, suggested_label: label, evidence, reason, scores } = details;
  if (scores.state === "pending") {
    return section(
      "Suggested verdict",
      make("p", { class: "quiet" }, "Being worked out. It shows here when it is ready."),
    );
  }
  if (!suggested) {
    return scores.reason
      ? section("Suggested verdict", make("p", { class: "quiet" }, `None: ${scores.reason}`))
      : null;
  }
  const line = make("p", { class: "suggestion" });
  add(
    line,
    mark({ verdict: suggested, label }, classes, true),
    make("strong", {}, VERDICT_NAMES[suggested], label !== null && ":"),
  );
  if (label !== null) add(line, " right would be ", nameOf(classes[label], "strong"));
  return section(
    "Suggested verdict",
    line,
    evidence && make("p", { class: "evidence" }, isolate(sentence(evidence), classes)),
    reason &&
      make("p", { class: "reason" }, isolate(`Why the label isn't flagged: ${reason}.`, classes)),
  );
}

/** @param {string} text */
function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/**
 * @param {Details} details
 * @param {string[]} classes
 * @param {string | null} run
 */
function models(details, classes, run) {
  if (details.models.length === 0) {
    return section("Models", make("p", { class: "quiet" }, "No model has predicted this split."));
  }
  const ordered = [...details.models].sort((a, b) => Number(b.run === run) - Number(a.run === run));
  const title =
    ordered.length === 1 ? "Probabilities" : `Probabilities of ${counted(ordered.length, "model")}`;
  return section(title, ...ordered.map((model) => bars(model, details.given, classes)));
}

/**
 * The bars of one model.
 * @param {ModelReading} model
 * @param {number} given
 * @param {string[]} classes
 */
function bars(model, given, classes) {
  const rows = model.top
    .filter(([label, p]) => p >= LEAST || label === model.predicted)
    .slice(0, MOST_BARS);
  if (!rows.some(([label]) => label === given)) rows.push([given, model.p_given]);
  const long = classes.some((name) => name.length > 8);
  const table = make("table", { class: "bars", "data-names": long ? "long" : "short" });
  add(
    table,
    make(
      "caption",
      {},
      make("bdi", { class: "run" }, model.run),
      make("span", { class: "origin" }, model.origin),
    ),
  );
  const body = make("tbody", {});
  for (const [label, p] of rows) body.append(bar(label, p, model.predicted, given, classes));
  table.append(body);
  return table;
}

/**
 * @param {number} label
 * @param {number} p
 * @param {number} predicted
 * @param {number} given
 * @param {string[]} classes
 */
function bar(label, p, predicted, given, classes) {
  const kinds = [label === predicted && "read as", label === given && "given"].filter(Boolean);
  const kind = label === given ? "given" : label === predicted ? "read" : "other";
  const fillBar = make("span", { class: "bar-fill" });
  fillBar.style.width = `${100 * p}%`;
  return make(
    "tr",
    { class: `reading ${kind}` },
    make("th", { scope: "row" }, nameOf(classes[label])),
    make(
      "td",
      { class: "bar-cell" },
      make("span", { class: "bar-track", "aria-hidden": "true" }, fillBar),
    ),
    make("td", { class: "bar-value" }, probability(p)),
    make("td", { class: "bar-kind" }, kinds.join(", ")),
  );
}

/**
 * @param {Details} details
 * @param {Boot} boot
 * @param {string | null} run
 */
function seen(details, boot, run) {
  const found = drawings(details, boot, run);
  return found.length === 0 ? null : section("What the network thinks it saw", ...found);
}

/**
 * @param {Details} details
 * @param {Boot} boot
 */
function neighbours(details, boot) {
  if (details.neighbours.length === 0) return null;
  const list = make("ul", { class: "neighbours" });
  for (const { split, index, given } of details.neighbours) {
    const name = boot.classes[given];
    const address = imageAddress(split, index, "thumb", boot.study.id);
    const picture = make("img", {
      src: address,
      alt: "",
      loading: "lazy",
      class: "neighbour-image",
    });
    picture.addEventListener("load", () => {
      picture.classList.toggle("pixels", picture.naturalWidth <= 64);
    });
    const link = make(
      "a",
      {
        href: `/?split=${encodeURIComponent(split)}&image=${index}`,
        "aria-label": `Image ${index} of ${split}, given ${shown(name)}`,
      },
      picture,
      nameOf(name),
    );
    list.append(make("li", { class: given === details.given ? "same" : "other" }, link));
  }
  return section("Nearest training images, with their labels", list);
}

/**
 * What people read, without being shown label or prediction.
 * @param {Details} details
 * @param {string[]} classes
 */
function readings(details, classes) {
  const found = details.readings;
  if (found.length === 0) return null;
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const { answer } of found) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  const list = make("ul", { class: "readings" });
  for (const [answer, readers] of [...counts].sort((a, b) => b[1] - a[1])) {
    const unsure = found.filter((one) => one.answer === answer && one.unsure).length;
    const calls = readers === 1 ? " calls it " : " call it ";
    const item = make("li", {}, `${readers} of ${counted(found.length, "reader")}${calls}`);
    add(item, nameOf(classes[answer], answer === details.given ? "span" : "strong"));
    if (answer === details.given) add(item, ", as given");
    if (unsure > 0) add(item, `, ${unsure} unsure`);
    list.append(item);
  }
  if (found.some((one) => one.simulated)) {
    const warning = "SIMULATED readers: this is evidence of nothing";
    list.append(make("li", {}, make("strong", {}, warning)));
  }
  const seen = found.filter((one) => !one.blind && !one.simulated).length;
  if (seen > 0) {
    list.append(make("li", {}, `${seen} not blind: saw images or mistakes before, or did not say`));
  }
  return section(seen > 0 ? "What readers call it" : "Read blind", list);
}

/** @param {Details} details */
function facts(details) {
  const list = make("dl", { class: "facts" });
  const fact = (/** @type {string} */ name, /** @type {string | null} */ value) =>
    add(
      list,
      make("dt", {}, make("bdi", {}, name)),
      make(
        "dd",
        {},
        value === null ? make("span", { class: "quiet" }, "missing") : make("bdi", {}, value),
      ),
    );
  if (details.file) fact("File", details.file);
  const [height, width, channels] = details.shape;
  const size = `${width} × ${height}${channels === 3 ? ", colour" : ", grey"}`;
  fact("Size", details.shape.length > 0 ? size : null);
  if (details.suspicion !== null) fact("Suspicion", score(details.suspicion));
  if (details.difficulty !== null) fact("Difficulty", score(details.difficulty));
  for (const [name, value] of details.metadata) fact(name, value);
  return section("About this image", list);
}
