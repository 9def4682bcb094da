/** The bar with a button for each verdict, its key beside it. */

import { add, fill, icon, keycap, make, nameOf, shown } from "./dom.js";
import { CANT_SAY, CONTROL, VERDICT_KEYS } from "./keys.js";
import { Picker, closes, openBeside } from "./picker.js";
import { VERDICT_NAMES, VERDICT_SHORT, count } from "./text.js";

/** Buttons of a judge; there are two bars, under the grid and under the large image. */
export class VerdictBar {
  #judge;
  #close = () => {};
  /** What had the focus before a class was chosen. @type {Element | null} */
  #before = null;

  /**
   * @param {HTMLElement} element
   * @param {import("./judge.js").Judge} judge
   * @param {boolean} forViewer Whether it is the one of the large image.
   */
  constructor(element, judge, forViewer) {
    this.element = element;
    this.#judge = judge;
    this.forViewer = forViewer;
    this.target = make("p", { class: "target" });
    this.buttons = new Map(
      VERDICT_KEYS.map(([verdict, key]) => [verdict, this.#button(verdict, key)]),
    );
    this.verdicts = make("div", { class: "verdicts", role: "group", "aria-label": "Verdict" });
    this.verdicts.append(...this.buttons.values());
    this.clear = tool("Clear", "C", "close", () => judge.choose(null));
    this.undo = tool("Undo", "\u232b", "undo", () => judge.decisions.undo());
    this.redo = tool("Redo", `${CONTROL} Y`, "redo", () => judge.decisions.redo());
    this.tools = make("div", { class: "tools" }, this.clear, this.undo, this.redo);
    this.select = forViewer ? null : this.#selectButton();
    if (this.select) this.tools.append(this.select);
    this.labels = make("div", {
      class: "labels",
      role: "group",
      "aria-label": "Right class",
      tabindex: "-1",
      hidden: true,
    });
    element.append(this.target, this.verdicts, this.labels, this.tools);
    judge.addEventListener("change", () => this.draw());
    judge.addEventListener("labelling", () => this.#label());
    this.draw();
  }

  /**
   * @param {import("./types.js").Verdict} verdict
   * @param {string} key
   */
  #button(verdict, key) {
    const button = make("button", {
      type: "button",
      class: "verdict",
      "data-verdict": verdict,
      "aria-pressed": "false",
      "aria-keyshortcuts": key.toUpperCase(),
      "aria-label": VERDICT_NAMES[verdict],
      on: {
        click: () => {
          if (!closes(button)) this.#judge.choose(verdict);
        },
      },
    });
    add(
      button,
      make("span", { class: "long" }, VERDICT_NAMES[verdict]),
      make("span", { class: "brief" }, VERDICT_SHORT[verdict]),
      keycap(key.toUpperCase()),
    );
    return button;
  }

  #selectButton() {
    const { grid } = this.#judge;
    const button = make(
      "button",
      {
        type: "button",
        class: "tool",
        "aria-pressed": "false",
        "aria-label": "Select",
        title: "A click selects (X)",
      },
      icon("select"),
      make("span", {}, "Select"),
      keycap("X"),
    );
    button.addEventListener("click", () => {
      grid.selecting = !grid.selecting;
      button.setAttribute("aria-pressed", String(grid.selecting));
      grid.element.classList.toggle("selecting", grid.selecting);
      if (!grid.selecting) grid.unselect();
    });
    return button;
  }

  /** Show what a verdict would be given to, and what is decided about it. */
  draw() {
    if (this.#judge.viewer.isOpen !== this.forViewer) return;
    const { decision, size } = this.#judge;
    for (const [verdict, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(verdict === decision.verdict));
      button.disabled = size === 0 || !this.#judge.boot.writable;
    }
    this.clear.disabled = size === 0 || !this.#judge.boot.writable;
    this.#drawTarget();
  }

  #drawTarget() {
    const { grid, item, decision, boot } = this.#judge;
    const chosen = this.forViewer ? 0 : grid.selection.size;
    this.element.classList.toggle("has-selection", chosen > 0);
    if (!boot.writable) {
      fill(this.target, "Read-only study");
      this.target.title = "This study can't be written to: verdicts can't be kept.";
    } else if (chosen > 0) {
      const drop = make(
        "button",
        {
          type: "button",
          class: "drop",
          "aria-label": "Select nothing",
          on: { click: () => grid.unselect() },
        },
        icon("close"),
      );
      fill(this.target, make("strong", {}, count(chosen)), " selected ", drop);
    } else if (item) {
      fill(this.target, make("span", { class: "target-name" }, `#${item.index}`));
      if (decision.verdict === "label" && decision.label !== null) {
        add(this.target, " is ", nameOf(boot.classes[decision.label]));
      }
    } else {
      fill(this.target, "No image chosen");
    }
  }

  #label() {
    const { labelling, keys, viewer } = this.#judge;
    const here = labelling && viewer.isOpen === this.forViewer;
    this.element.classList.toggle("labelling", here);
    this.verdicts.hidden = here;
    this.labels.hidden = !here;
    if (!here) {
      const had = this.labels.contains(document.activeElement);
      this.labels.replaceChildren();
      this.#close();
      this.#close = () => {};
      // A button that is gone must not take the focus with it.
      if (had) this.#giveBack();
      return;
    }
    if (!keys) {
      this.#openPicker();
      return;
    }
    if (!this.labels.contains(document.activeElement)) this.#before = document.activeElement;
    this.#drawClasses(keys);
    // Wherever the focus was: Enter takes what is suggested, nothing else.
    const suggested = this.labels.querySelector(".suggested");
    (suggested instanceof HTMLElement ? suggested : this.labels).focus({ preventScroll: true });
  }

  /** The focus goes back to where it was before the choice of a class. */
  #giveBack() {
    const { grid, viewer } = this.#judge;
    const home = this.forViewer ? viewer.dialog : grid.element;
    const known = this.#before instanceof HTMLElement && this.#before !== document.body;
    (known ? /** @type {HTMLElement} */ (this.#before) : home).focus({ preventScroll: true });
  }

  /** @param {string[]} keys */
  #drawClasses(keys) {
    const { boot, suggestedLabel, item } = this.#judge;
    fill(this.labels, make("span", { class: "labels-title" }, "Which is right?"));
    boot.classes.forEach((name, number) => {
      const button = make("button", {
        type: "button",
        class: "class-choice",
        "data-class": number,
        "aria-keyshortcuts": keys[number],
        "aria-label": shown(name),
        disabled: item?.given === number,
        on: { click: () => this.#judge.label(number) },
      });
      if (keys[number] === name)
        add(button, make("kbd", { "aria-hidden": "true", class: "own-key" }, name));
      else add(button, nameOf(name), keycap(keys[number]));
      if (suggestedLabel === number) {
        button.classList.add("suggested");
        button.title = "Suggested: Enter takes it";
        add(button, keycap("\u21b5"));
      }
      this.labels.append(button);
    });
    this.labels.append(
      this.#choice("Can't say", CANT_SAY, () => this.#judge.label(null)),
      this.#choice("Cancel", "Esc", () => this.#judge.cancel()),
    );
  }

  /**
   * @param {string} text
   * @param {string} key
   * @param {() => void} act
   */
  #choice(text, key, act) {
    return make(
      "button",
      { type: "button", class: "class-choice plain", on: { click: act } },
      text,
      keycap(key),
    );
  }

  #openPicker() {
    const { boot, suggestedLabel, item } = this.#judge;
    const options = boot.classes.map((name, number) => ({
      value: String(number),
      text: name,
      hint: [number === suggestedLabel && "suggested", number === item?.given && "given"]
        .filter(Boolean)
        .join(", "),
    }));
    const all = [...options, { value: "", text: "Can't say", hint: "none of these for sure" }];
    const picker = new Picker(
      "Right class",
      all,
      (value) => this.#judge.label(value === "" ? null : Number(value)),
      { first: suggestedLabel === null ? null : String(suggestedLabel), field: true },
    );
    const anchor = /** @type {HTMLElement} */ (this.buttons.get("label"));
    // Hidden, a button has no place beside which to open.
    this.verdicts.hidden = false;
    this.labels.hidden = true;
    this.#close = openBeside(anchor, "Which class is right?", picker.element, {
      closed: () => this.#judge.cancel(),
    });
    picker.focus();
  }
}

/**
 * @param {string} text
 * @param {string} key
 * @param {string} symbol
 * @param {() => void} act
 */
function tool(text, key, symbol, act) {
  return make(
    "button",
    {
      type: "button",
      class: "tool",
      "aria-label": text,
      title: `${shown(text)} (${key})`,
      on: { click: act },
    },
    icon(symbol),
    make("span", {}, text),
    keycap(key),
  );
}
