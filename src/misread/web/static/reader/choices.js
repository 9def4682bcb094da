/** The classes to choose from: a button each with its key, or a field to type in where they are many. */

import { add, fill, make } from "../dom.js";
import { keyName } from "./keys.js";

/** @typedef {import("./types.js").Choice} Choice */

/**
 * @typedef {object} Choices
 * @property {HTMLElement} element
 * @property {() => void} focus To be called when an image is shown.
 * @property {() => boolean} find Go to the field in which names are typed; whether there is one.
 * @property {(answer: number | null) => void} mark Show which class was chosen before; null for none.
 */

// More classes than this can be looked for by typing.
const FEW = 12;
const MOST_FOUND = 12;

/**
 * @param {Choice[]} classes
 * @param {(answer: number) => boolean} choose Whether it could be answered.
 * @returns {Choices}
 */
export function choices(classes, choose) {
  if (!classes.every((choice) => choice.key !== "")) return search(classes, choose);
  return classes.length > FEW ? filtered(classes, choose) : buttons(classes, choose);
}

/**
 * @param {Choice[]} classes
 * @param {(answer: number) => boolean} choose
 * @returns {Choices}
 */
function buttons(classes, choose) {
  const made = classes.map((choice, answer) => button(choice, () => choose(answer)));
  const element = make("div", { class: "choices", role: "group", "aria-label": "Classes" }, ...made);
  return { element, focus: () => {}, find: () => false, mark: (answer) => mark(made, answer) };
}

/**
 * @param {Choice} choice
 * @param {() => void} take
 */
function button(choice, take) {
  const same = choice.name.toLowerCase() === choice.key;
  return make(
    "button",
    {
      type: "button",
      class: same ? "choice plain" : "choice",
      "aria-keyshortcuts": choice.key || null,
      // The focus stays where it is: Space and Enter must not choose the last class again.
      on: { pointerdown: (/** @type {Event} */ e) => e.preventDefault(), click: take },
    },
    same || !choice.key ? null : make("kbd", {}, keyName(choice.key)),
    make("bdi", {}, choice.name),
  );
}

/**
 * @param {HTMLElement[]} made
 * @param {number | null} answer
 */
function mark(made, answer) {
  made.forEach((button, number) => {
    if (number === answer) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  });
}

/**
 * Buttons with their keys, of which those stay that hold what is typed.
 * @param {Choice[]} classes
 * @param {(answer: number) => boolean} choose
 * @returns {Choices}
 */
function filtered(classes, choose) {
  const keyboard = matchMedia("(any-hover: hover), (any-pointer: fine)").matches;
  const field = typing(
    "Type to find a class, then Enter",
    keyboard ? "Press / and type, then Enter" : "Type to find",
  );
  const plain = buttons(classes, take);
  const made = /** @type {HTMLElement[]} */ ([...plain.element.children]);
  plain.element.classList.add("many");
  /** @param {number} answer */
  function take(answer) {
    const taken = choose(answer);
    if (taken) leave();
    return taken;
  }
  const update = () => {
    const found = new Set(find(classes, field.value));
    made.forEach((button, answer) => (button.hidden = !found.has(answer)));
  };
  const leave = () => {
    field.value = "";
    update();
    // From here on letters are keys again.
    field.blur();
  };
  field.addEventListener("input", update);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      leave();
    }
    onEnter(event, field, () => find(classes, field.value)[0], take);
  });
  const element = make("div", { class: "search" }, field, plain.element);
  return { element, focus: () => {}, find: () => (field.focus(), true), mark: plain.mark };
}

/**
 * A field in which a name is typed, and what is found: there are more classes than keys.
 * @param {Choice[]} classes
 * @param {(answer: number) => boolean} choose
 * @returns {Choices}
 */
function search(classes, choose) {
  const field = typing("Type the name of the class, then Enter", "Type what you see, then Enter");
  const before = make("p", { class: "before", hidden: true });
  const list = make("div", { class: "found", role: "group", "aria-label": "Classes found" });
  /** @param {number} answer */
  const take = (answer) => {
    const taken = choose(answer);
    if (taken) field.value = "";
    update();
    return taken;
  };
  const update = () => {
    const found = find(classes, field.value).slice(0, MOST_FOUND);
    fill(list, ...found.map((answer) => button(classes[answer], () => take(answer))));
  };
  field.addEventListener("input", update);
  field.addEventListener("keydown", (event) => {
    onEnter(event, field, () => find(classes, field.value)[0], take);
  });
  update();
  const focus = () => field.focus();
  return {
    element: make("div", { class: "search" }, field, before, list),
    focus,
    find: () => (focus(), true),
    mark: (answer) => {
      before.hidden = answer === null;
      fill(before);
      if (answer !== null) add(before, "Your answer was ", make("bdi", {}, classes[answer].name));
    },
  };
}

/**
 * @param {string} label
 * @param {string} placeholder
 */
function typing(label, placeholder) {
  return make("input", {
    type: "text",
    autocomplete: "off",
    spellcheck: "false",
    "aria-label": label,
    placeholder,
  });
}

/**
 * Enter takes the first that was found.
 * @param {KeyboardEvent} event
 * @param {HTMLInputElement} field
 * @param {() => number | undefined} first
 * @param {(answer: number) => boolean} take
 */
function onEnter(event, field, first, take) {
  if (event.key !== "Enter" || event.repeat || !field.value.trim()) return;
  event.preventDefault();
  const found = first();
  if (found !== undefined) take(found);
}

/**
 * Classes whose names hold a text, those that begin with it first.
 * @param {Choice[]} classes
 * @param {string} text
 */
function find(classes, text) {
  const wanted = text.trim().toLowerCase();
  const names = classes.map((choice) => choice.name.toLowerCase());
  const starts = names.flatMap((name, at) => (name.startsWith(wanted) ? [at] : []));
  const holds = names.flatMap((name, at) =>
    !name.startsWith(wanted) && name.includes(wanted) ? [at] : [],
  );
  return [...starts, ...holds];
}
