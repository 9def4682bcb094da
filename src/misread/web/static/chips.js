/** The chips that say which filters are on, and take them away. */

import { byId, fill, icon, make, nameOf, shown } from "./dom.js";
import { isFilter } from "./state.js";
import { VERDICT_NAMES } from "./text.js";

/** @typedef {import("./filters.js").Filters} Filters */

/** @type {Record<string, string>} */
export const DECIDED_NAMES = { ...VERDICT_NAMES, any: "Any verdict", none: "No verdict yet" };

/**
 * What a filter says, as the two parts of its chip.
 * @param {string} key
 * @param {string} value
 * @param {string[]} classes
 * @returns {[string, string]}
 */
export function describeFilter(key, value, classes) {
  const named = /** @type {Record<string, string>} */ (VERDICT_NAMES)[value] ?? value;
  if (key === "right") return ["", value === "no" ? "Misread" : "Read right"];
  if (key === "given") return ["Given", shown(classes[Number(value)] ?? value)];
  if (key === "predicted") return ["Read as", shown(classes[Number(value)] ?? value)];
  if (key === "suggested") return ["Suggested", named];
  if (key === "decided") return ["Verdict", DECIDED_NAMES[value] ?? value];
  return [key.slice("meta.".length), value === "" ? "(missing)" : value];
}

/**
 * Show which filters are on.
 * @param {Filters} filters
 * @param {Record<string, string>} query
 */
export function drawChips(filters, query) {
  const box = byId("chips");
  const keys = Object.keys(query).filter(isFilter);
  fill(box, ...keys.map((key) => chip(filters, key, query[key])));
  if (query.as_of) box.append(asOf(filters, query.as_of));
  if (keys.length > 1) {
    const all = { type: "button", class: "link", on: { click: () => filters.clear() } };
    box.append(make("button", all, "Remove all"));
  }
}

/**
 * @param {Filters} filters
 * @param {string} key
 * @param {string} value
 */
function chip(filters, key, value) {
  const [what, which] = describeFilter(key, value, filters.boot.classes);
  const text = what ? `${what}: ${which}` : which;
  const parts = [what && make("span", { class: "chip-what" }, what, " "), nameOf(which)];
  const drop = dropButton(`Remove the filter ${text}`, () => {
    filters.remove(key);
    // The button is gone with its filter: the focus goes to the next one.
    (byId("chips").querySelector("button") ?? byId("grid")).focus({ preventScroll: true });
  });
  return make("span", { class: "chip", "data-filter": key }, ...parts, drop);
}

/**
 * @param {Filters} filters
 * @param {string} revision
 */
function asOf(filters, revision) {
  const drop = dropButton("Show verdicts as they are now", () => filters.set({}));
  return make("span", { class: "chip" }, `As of verdict ${revision}`, drop);
}

/**
 * @param {string} label
 * @param {() => void} act
 */
function dropButton(label, act) {
  const attributes = { type: "button", class: "chip-remove", "aria-label": label };
  return make("button", { ...attributes, on: { click: act } }, icon("close"));
}
