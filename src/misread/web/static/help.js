/** The list of all keys, and of the marks. */

import { byId, fill, make } from "./dom.js";
import { CANT_SAY, CONTROL, VERDICT_KEYS, classKeys } from "./keys.js";
import { mark } from "./tile.js";
import { VERDICT_NAMES } from "./text.js";

/** What each verdict means. @type {Record<string, string>} */
const MEANING = {
  model: "the label stands, the model misread it",
  label: "the label is wrong; then choose the right class",
  ambiguous: "it could be either, even to people",
  unreadable: "nobody could say what it is",
  fine: "looked at, and nothing is wrong with the label",
};

/**
 * Fill the dialog.
 * @param {import("./types.js").Boot} boot
 */
export function setUpHelp(boot) {
  const keys = classKeys(boot.classes);
  const choose = keys
    ? boot.classes.length <= 12
      ? [keys[0], keys[keys.length - 1]].join(" to ").replace("1 to 0", "1 to 9 or 0")
      : "its character"
    : "type its name, then Enter";
  const columns = make("div", { class: "help-columns" });
  fill(
    columns,
    block("Verdicts: one key, and the next image comes", [
      ...VERDICT_KEYS.map(
        ([verdict, key]) =>
          /** @type {[string, string]} */ ([
            key.toUpperCase(),
            `${VERDICT_NAMES[verdict]}: ${MEANING[verdict]}`,
          ]),
      ),
      ["C", "Take the verdict away"],
      [`\u232b or ${CONTROL} Z`, "Undo what this tab did last, as often as you like"],
      [`${CONTROL} Shift Z or ${CONTROL} Y`, "Redo"],
    ]),
    block("After L, the right class", [
      [choose, "The right class"],
      ["\u21b5", "The suggested one"],
      ...(keys && !keys.some((key) => /[mauf]/i.test(key))
        ? [/** @type {[string, string]} */ (["M, A, U, F", "Another verdict after all"])]
        : []),
      [CANT_SAY, "Wrong, but I can't say what is right"],
      ["Esc", "Not after all"],
    ]),
    block("Moving", [
      ["\u2190 \u2191 \u2192 \u2193", "Move"],
      ["Home, End, Page Up, Page Down", "Move further"],
      ["\u21b5", "Show the image large"],
      ["\u2190 \u2192", "Large: the one before, the next one in the sort"],
      ["Esc", "Back to the grid; select nothing"],
    ]),
    block("Several at once", [
      ["X", "Select the image, or not"],
      ["Shift and arrows or click", "Select all between"],
      [`${CONTROL} click`, "Select one more"],
      [`${CONTROL} A`, "Select all images of the view"],
    ]),
    block("The page", [
      ["+ and \u2212", "Larger and smaller tiles"],
      ["V", "Confusions"],
      ["?", "This list"],
    ]),
    marks(boot),
  );
  fill(byId("help-body"), columns, about(boot));
  const dialog = /** @type {HTMLDialogElement} */ (byId("help"));
  byId("help-open").addEventListener("click", () => openHelp());
  byId("help-close").addEventListener("click", () => dialog.close());
}

/** Show the list. */
export function openHelp() {
  const dialog = /** @type {HTMLDialogElement} */ (byId("help"));
  if (!dialog.open) dialog.showModal();
}

/**
 * @param {string} title
 * @param {[string, string][]} rows
 */
function block(title, rows) {
  const list = make("dl", { class: "keys" });
  for (const [keys, text] of rows) {
    const parts = keys
      .split(/( or | and |, )/)
      .map((part, place) => (place % 2 ? part : make("kbd", {}, part)));
    list.append(make("dt", {}, ...parts), make("dd", {}, text));
  }
  return make("section", {}, make("h3", {}, title), list);
}

/** @param {import("./types.js").Boot} boot */
function about({ study, version }) {
  return make(
    "p",
    { class: "about quiet" },
    make("bdi", {}, study.path),
    study.note && `. ${study.note}`,
    `. misread ${version}`,
  );
}

/** @param {import("./types.js").Boot} boot */
function marks({ classes }) {
  const list = make("dl", { class: "keys" });
  list.append(
    make("dt", {}, mark({ verdict: "model", label: null }, classes)),
    make("dd", {}, "A full mark: a verdict that somebody gave"),
    make("dt", {}, mark({ verdict: "label", label: null }, classes, true)),
    make("dd", {}, "A hollow mark: what the panel suggests, nobody has decided"),
  );
  list.append(
    make("dt", {}, "0.982"),
    make("dd", {}, "Sorted by suspicion or difficulty: that score, higher is more"),
    make("dt", {}, "62%"),
    make("dd", {}, "Sorted otherwise: the probability of the predicted class"),
  );
  return make("section", {}, make("h3", {}, "Marks on and below the images"), list);
}
