/** Choosing one of many: a field to type in, and the list of what fits. */

import { add, fill, make, shown } from "./dom.js";
import { narrowerThan } from "./sizes.js";
import { count as countText } from "./text.js";

/**
 * @typedef {{value: string, text: string, hint?: string, key?: string}} Option
 */

/** Options in the page at once; typing narrows them down. */
const MOST = 60;

/**
 * Options whose text fits what was typed: those that are it, then those that begin with it, then
 * those that hold it.
 * @param {Option[]} options
 * @param {string} typed
 */
export function fitting(options, typed) {
  const wanted = fold(typed);
  if (!wanted) return options;
  /** @type {Option[][]} */
  const ranks = [[], [], []];
  for (const option of options) {
    const text = fold(option.text);
    if (text === wanted) ranks[0].push(option);
    else if (text.startsWith(wanted)) ranks[1].push(option);
    else if (text.includes(wanted)) ranks[2].push(option);
  }
  return ranks.flat();
}

/** @param {string} text */
function fold(text) {
  return text.trim().normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

let opened = 0;

/** A list of options, with a field above it if there are more than a few. */
export class Picker {
  #options;
  #picked;
  /** @type {Option[]} */
  #found = [];
  #at = 0;
  #id;

  /**
   * @param {string} label What is chosen.
   * @param {Option[]} options
   * @param {(value: string) => void} picked
   * @param {{first?: string | null, field?: boolean}} [how] The value to begin at; whether there is
   *   a field even for a few options.
   */
  constructor(label, options, picked, { first = null, field = options.length > 10 } = {}) {
    this.#options = options;
    this.#picked = picked;
    this.#id = `picker-${(opened += 1)}`;
    this.list = make("div", {
      class: "options",
      role: "listbox",
      id: this.#id,
      "aria-label": label,
    });
    this.more = make("p", { class: "options-more" });
    this.field = field
      ? make("input", {
          type: "text",
          class: "field",
          role: "combobox",
          placeholder: "Type to find",
          "aria-label": label,
          "aria-expanded": "true",
          "aria-autocomplete": "list",
          "aria-controls": this.#id,
          autocomplete: "off",
          spellcheck: "false",
        })
      : null;
    if (!this.field) this.list.tabIndex = 0;
    this.element = make("div", { class: "picker" }, this.field, this.list, this.more);
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.field?.addEventListener("input", () => this.#narrow(null));
    this.list.addEventListener("click", (event) => this.#click(event));
    this.#narrow(first);
  }

  /** Put the focus where keys work. */
  focus() {
    (this.field ?? this.list).focus();
  }

  /** @param {string | null} first */
  #narrow(first) {
    this.#found = fitting(this.#options, this.field?.value ?? "");
    this.#at = Math.max(
      0,
      this.#found.findIndex((option) => option.value === first),
    );
    this.#draw();
  }

  #draw() {
    // The option that is pointed at is always among those shown.
    const from = Math.max(0, Math.min(this.#at - MOST / 2, this.#found.length - MOST));
    const shownOptions = this.#found.slice(from, from + MOST);
    this.list.replaceChildren(
      ...shownOptions.map((option, row) => this.#option(option, from + row)),
    );
    const hidden = this.#found.length - shownOptions.length;
    if (this.#found.length === 0) fill(this.more, "Nothing of this name.");
    else fill(this.more, hidden > 0 ? `${countText(hidden)} more: type to find them.` : null);
    this.more.hidden = this.more.childNodes.length === 0;
    this.#point();
  }

  /**
   * @param {Option} option
   * @param {number} place
   */
  #option(option, place) {
    const element = make("div", {
      class: "option",
      role: "option",
      id: `${this.#id}-${place}`,
      "data-place": place,
      "aria-selected": String(place === this.#at),
    });
    add(
      element,
      make("bdi", { class: "name" }, shown(option.text)),
      option.hint && make("span", { class: "hint" }, option.hint),
    );
    return element;
  }

  #point() {
    for (const option of this.list.children) {
      const at = /** @type {HTMLElement} */ (option).dataset.place === String(this.#at);
      option.setAttribute("aria-selected", String(at));
      if (at) option.scrollIntoView({ block: "nearest" });
    }
    const owner = this.field ?? this.list;
    if (this.#found.length) owner.setAttribute("aria-activedescendant", `${this.#id}-${this.#at}`);
    else owner.removeAttribute("aria-activedescendant");
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const last = this.#found.length - 1;
    /** @type {Record<string, number>} */
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
    if (event.key in moves && last >= 0) {
      this.#at = Math.max(0, Math.min(last, this.#at + moves[event.key]));
      this.#draw();
    } else if (event.key === "Enter" && last >= 0 && !event.isComposing) {
      this.#picked(this.#found[this.#at].value);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {Event} event */
  #click(event) {
    const option = /** @type {Element} */ (event.target).closest(".option");
    if (option instanceof HTMLElement)
      this.#picked(this.#found[Number(option.dataset.place)].value);
  }
}

/** What is open. @type {{anchor: HTMLElement, close: () => void} | null} */
let current = null;
/** The anchor of what was open when the pointer last went down on it. @type {HTMLElement | null} */
let pressed = null;

document.addEventListener(
  "pointerdown",
  ({ target }) => {
    const anchor = current?.anchor ?? null;
    pressed = target instanceof Node && anchor?.contains(target) ? anchor : null;
  },
  { capture: true },
);

/**
 * Whether this click on an anchor is a second one, which closes what is open beside it. As the
 * pointer goes up the browser closes it by itself, before the click.
 * @param {HTMLElement} anchor
 */
export function closes(anchor) {
  const open = current?.anchor === anchor;
  const second = open || pressed === anchor;
  pressed = null;
  if (open) current?.close();
  return second;
}

/**
 * Open something beside what was pressed; Escape or a click elsewhere closes it.
 * @param {HTMLElement} anchor
 * @param {string} label
 * @param {Node} content
 * @param {{closed?: () => void}} [how]
 * @returns {() => void} Closes it.
 */
export function openBeside(anchor, label, content, { closed } = {}) {
  current?.close();
  // What lies outside an open dialog can't be used: it belongs inside.
  const home = anchor.closest("dialog") ?? document.body;
  const pop = make("div", { class: "pop", popover: "auto", role: "dialog", "aria-label": label });
  pop.append(content);
  home.append(pop);
  anchor.setAttribute("aria-expanded", "true");
  let open = true;
  const ended = () => {
    if (!open) return;
    open = false;
    if (current?.close === close) current = null;
    anchor.setAttribute("aria-expanded", "false");
    closed?.();
  };
  const leave = () => {
    if (!pop.isConnected) return;
    const inside = pop.contains(document.activeElement) || document.activeElement === document.body;
    pop.remove();
    if (inside && anchor.isConnected) anchor.focus({ preventScroll: true });
  };
  const close = () => {
    if (!open) return;
    pop.hidePopover();
    leave();
  };
  // The next key may come before `toggle` does: what a key means is another from `beforetoggle` on,
  // which is told as it closes. The focus is given back after the browser has given it back itself.
  pop.addEventListener("beforetoggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState === "closed") ended();
  });
  pop.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState === "closed") leave();
  });
  pop.showPopover();
  beside(pop, anchor);
  current = { anchor, close };
  return close;
}

/**
 * @param {HTMLElement} pop
 * @param {HTMLElement} anchor
 */
function beside(pop, anchor) {
  if (narrowerThan(600)) return; // a sheet at the bottom: the style sheet's business
  const box = anchor.getBoundingClientRect();
  const { width, height } = pop.getBoundingClientRect();
  const left = Math.max(8, Math.min(box.left, window.innerWidth - width - 8));
  const below = box.bottom + 6;
  const top = below + height > window.innerHeight - 8 ? Math.max(8, box.top - height - 6) : below;
  pop.style.left = `${left}px`;
  pop.style.top = `${top}px`;
}
