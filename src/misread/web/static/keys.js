/** What a key means. Pure: events in, names of actions out. */

/**
 * @typedef {{typing: boolean, onControl: boolean, viewer: boolean, labelling: boolean}} Where
 * `typing`: the event came from a field; `onControl`: from a button or a link, to which Enter and
 * the space bar belong; `viewer`: an image is large; `labelling`: a class is being chosen.
 */

/** Verdicts and their keys. @type {[import("./types.js").Verdict, string][]} */
export const VERDICT_KEYS = [
  ["model", "m"],
  ["label", "l"],
  ["ambiguous", "a"],
  ["unreadable", "u"],
  ["fine", "f"],
];

/** What the control key is called here. */
export const CONTROL = /Mac|iPhone|iPad/.test(navigator.platform) ? "\u2318" : "Ctrl";

/** Key for "wrong, but I can't say what is right". */
export const CANT_SAY = "-";

/** Single keys that do something, apart from verdicts. @type {Record<string, string>} */
const SINGLE = {
  c: "clear",
  x: "select",
  "+": "larger",
  "=": "larger",
  "-": "smaller",
  "?": "help",
  v: "confusions",
  Backspace: "undo",
};

const MOVES = [
  "ArrowLeft",
  "ArrowRight",
  "ArrowUp",
  "ArrowDown",
  "PageUp",
  "PageDown",
  "Home",
  "End",
];

/** Actions that a key held down may repeat. */
const REPEATABLE = ["move", "next", "previous"];

/**
 * The letter of a key on any keyboard layout: by what it types, or where that is no Latin letter by
 * where it lies.
 * @param {{key: string, code?: string}} event
 */
export function letterOf({ key, code = "" }) {
  if (key.length !== 1 || /[ -~]/.test(key)) return key.length === 1 ? key.toLowerCase() : key;
  return /^Key[A-Z]$/.test(code) ? code[3].toLowerCase() : key;
}

/**
 * The action of a key, null if it has none here.
 * @param {{key: string, code?: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean,
 *   shiftKey: boolean, repeat: boolean, isComposing?: boolean}} event
 * @param {Where} where
 * @returns {string | null} `verdict:NAME`, `move`, `label:KEY` or a plain name.
 */
export function actionOf(event, where) {
  if (where.typing || event.isComposing || event.altKey) return null;
  const action = event.ctrlKey || event.metaKey ? withControl(event, where) : alone(event, where);
  return action !== null && event.repeat && !REPEATABLE.includes(action) ? null : action;
}

/**
 * @param {{key: string, code?: string, shiftKey: boolean}} event
 * @param {Where} where
 */
function withControl(event, where) {
  const letter = letterOf(event);
  if (letter === "z") return event.shiftKey ? "redo" : "undo";
  if (letter === "y" && !event.shiftKey) return "redo";
  if (letter === "a" && !event.shiftKey && !where.viewer) return "select-all";
  return null;
}

/**
 * @param {{key: string, code?: string, shiftKey: boolean}} event
 * @param {Where} where
 */
function alone(event, where) {
  const { key } = event;
  if (key === "Escape") return where.labelling ? "cancel" : "close";
  if (where.labelling) return duringLabel(event, where);
  if (key === "Enter") return where.onControl || where.viewer ? null : "open";
  if (where.viewer && !event.shiftKey) {
    if (key === "ArrowRight") return "next";
    if (key === "ArrowLeft") return "previous";
  }
  if (MOVES.includes(key)) return where.viewer ? null : "move";
  const letter = letterOf(event);
  if (/^[a-z]$/.test(letter) && event.shiftKey) return null;
  const verdict = VERDICT_KEYS.find(([, own]) => own === letter);
  if (verdict) return `verdict:${verdict[0]}`;
  const action = SINGLE[letter] ?? null;
  const ofGrid = ["select", "larger", "smaller", "confusions"];
  return where.viewer && action && ofGrid.includes(action) ? null : action;
}

/**
 * @param {{key: string}} event
 * @param {Where} where
 */
function duringLabel({ key }, where) {
  if (key === "Enter") return where.onControl ? null : "label:suggested";
  if (key === "Backspace") return "cancel";
  if (key === "?") return "help";
  return key.length === 1 && key !== " " ? `label:${key}` : null;
}

/**
 * The key of each class when a label is put right: names of one character are their own keys; up to
 * ten classes go by the digits as they lie on a keyboard, from 1 to 0, as on readers' pages; more are
 * found by typing their name.
 * @param {string[]} classes
 * @returns {string[] | null} One key per class, null where names are typed.
 */
export function classKeys(classes) {
  const plain = classes.every((name) => /^[!-,.-~]$/.test(name) && name !== "?");
  if (plain && classes.length <= 40 && new Set(classes).size === classes.length) return classes;
  if (classes.length <= 10) return classes.map((_, number) => String((number + 1) % 10));
  return null;
}
