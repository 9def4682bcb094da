/** The classes to choose from: a button each with its key, or a field to type in where they are many. */

import { add, fill, make } from "../dom.js";
import { keyName } from "./keys.js";

/** @typedef {import("./types.js").Choice} Choice */

const MOST_FOUND = 12;

/**
 * @param {Choice[]} classes
 * @param {(answer: number) => void} choose
 * @returns {{ element: HTMLElement, focus: () => void }}
 */
export function choices(classes, choose) {
  return classes.every((choice) => choice.key !== "")
    ? buttons(classes, choose)
    : search(classes, choose);
}

/**
 * @param {Choice[]} classes
 * @param {(answer: number) => void} choose
 */
function buttons(classes, choose) {
  const element = make("div", { class: "choices", role: "group", "aria-label": "Classes" });
  classes.forEach((choice, answer) => {
    const same = choice.name.toLowerCase() === choice.key;
    add(
      element,
      make(
        "button",
        {
          type: "button",
          class: same ? "choice plain" : "choice",
          "aria-keyshortcuts": choice.key,
          // The focus stays where it is: Space and Enter must not choose the last class again.
          on: { pointerdown: (/** @type {Event} */ e) => e.preventDefault(), click: () => choose(answer) },
        },
        same ? null : make("kbd", {}, keyName(choice.key)),
        make("bdi", {}, choice.name),
      ),
    );
  });
  return { element, focus: () => {} };
}

/**
 * @param {Choice[]} classes
 * @param {(answer: number) => void} choose
 */
function search(classes, choose) {
  const field = make("input", {
    type: "text",
    autocomplete: "off",
    spellcheck: "false",
    "aria-label": "Type the name of the class, then Enter",
    placeholder: "Type what you see, then Enter",
  });
  const list = make("div", { class: "found", role: "listbox", "aria-label": "Classes found" });
  const names = classes.map((choice) => choice.name.toLowerCase());
  /** @param {number} answer */
  const take = (answer) => {
    field.value = "";
    update();
    choose(answer);
  };
  const find = () => {
    const wanted = field.value.trim().toLowerCase();
    const starts = names.flatMap((name, at) => (name.startsWith(wanted) ? [at] : []));
    const holds = names.flatMap((name, at) =>
      !name.startsWith(wanted) && name.includes(wanted) ? [at] : [],
    );
    return [...starts, ...holds].slice(0, MOST_FOUND);
  };
  const update = () => {
    fill(
      list,
      ...find().map((answer) =>
        make(
          "button",
          { type: "button", class: "choice", role: "option", on: { click: () => take(answer) } },
          make("bdi", {}, classes[answer].name),
        ),
      ),
    );
  };
  field.addEventListener("input", update);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.repeat && field.value.trim()) {
      event.preventDefault();
      const [first] = find();
      if (first !== undefined) take(first);
    }
  });
  update();
  return { element: make("div", { class: "search" }, field, list), focus: () => field.focus() };
}
