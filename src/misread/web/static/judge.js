/** Giving verdicts: to the large image, to the selected ones, or to the one under the cursor. */

import { byId, fill, shown } from "./dom.js";
import { VERDICT_KEYS, classKeys } from "./keys.js";
import { announce, notify } from "./messages.js";
import { VERDICT_NAMES, counted } from "./text.js";

/**
 * @typedef {import("./types.js").Verdict} Verdict
 * @typedef {import("./types.js").Decision} Decision
 * @typedef {import("./types.js").Item} Item
 */

/** Selected images above which one is asked whether one means it. */
const ASK_ABOVE = 100;
/** Images of one event, as many as the server takes. */
const MOST_ITEMS = 100_000;
const NONE = /** @type {Decision} */ ({ verdict: null, label: null });

/**
 * Emits `change` when what a verdict would be given to, or what is decided about it, may be
 * another, and `labelling` when the choice of a class begins or ends.
 */
export class Judge extends EventTarget {
  /** Whether the right class is being chosen. */
  labelling = false;
  /** Of which image, null for several. @type {number | null} */
  #labelled = null;

  /**
   * @param {import("./types.js").Boot} boot
   * @param {import("./grid.js").Grid} grid
   * @param {import("./viewer.js").Viewer} viewer
   * @param {import("./decisions.js").Decisions} decisions
   */
  constructor(boot, grid, viewer, decisions) {
    super();
    this.boot = boot;
    this.grid = grid;
    this.viewer = viewer;
    this.decisions = decisions;
    this.keys = classKeys(boot.classes);
    const changed = () => this.dispatchEvent(new Event("change"));
    const moved = () => {
      this.cancel();
      changed();
    };
    viewer.addEventListener("image", moved);
    grid.addEventListener("selection", moved);
    grid.addEventListener("cursor", () => {
      // A class that was asked for one image must not go to another.
      if (this.labelling && (this.item?.index ?? null) !== this.#labelled) this.cancel();
      changed();
    });
    decisions.addEventListener("change", changed);
  }

  /** The one image that a verdict would be given to, null if there are several or none. */
  get item() {
    if (this.viewer.isOpen) return this.viewer.item;
    return this.grid.selection.size > 0 ? null : this.grid.item;
  }

  /** Number of images that a verdict would be given to. */
  get size() {
    if (this.viewer.isOpen) return this.viewer.item ? 1 : 0;
    return this.grid.selection.size || (this.grid.item ? 1 : 0);
  }

  /** What is decided about the one image. @returns {Decision} */
  get decision() {
    const { item } = this;
    return item ? this.#decisionOf(item) : NONE;
  }

  /** The label that is suggested for the one image. @returns {number | null} */
  get suggestedLabel() {
    return this.item?.suggestedLabel ?? null;
  }

  /** @param {Item} item */
  #decisionOf(item) {
    return this.decisions.get(item.split, item.index) ?? item.decided;
  }

  /**
   * A verdict was chosen by key or button; for a wrong label the class comes next.
   * @param {Verdict | null} verdict
   */
  choose(verdict) {
    if (!this.#may()) return;
    if (verdict !== "label") {
      this.#give({ verdict, label: null });
      return;
    }
    this.labelling = true;
    this.#labelled = this.item?.index ?? null;
    this.dispatchEvent(new Event("labelling"));
    announce("Which class is right?");
  }

  #may() {
    if (this.size === 0) return false;
    if (this.boot.writable) return true;
    notify("This study can't be written to: verdicts can't be kept.", "bad");
    return false;
  }

  /**
   * The right class, null for "can't say".
   * @param {number | null} label
   */
  label(label) {
    const { item } = this;
    if (label !== null && item && item.given === label) {
      notify(
        `${shown(this.boot.classes[label])} is the label it has; F says that it is fine.`,
        "bad",
      );
      return;
    }
    this.cancel();
    this.#give({ verdict: "label", label });
  }

  /**
   * A key was pressed while a class is being chosen.
   * @param {string} key The key, or `suggested`.
   */
  labelByKey(key) {
    if (key === "suggested") {
      if (this.suggestedLabel !== null) this.label(this.suggestedLabel);
      else notify("No class is suggested: press its key.");
      return;
    }
    if (key === "-") {
      this.label(null);
      return;
    }
    const exact = this.keys?.indexOf(key) ?? -1;
    const loose = this.keys?.findIndex((own) => own.toLowerCase() === key.toLowerCase()) ?? -1;
    if (exact >= 0 || loose >= 0) {
      this.label(exact >= 0 ? exact : loose);
      return;
    }
    // Another verdict after all, unless its key is that of a class.
    const other = VERDICT_KEYS.find(([, own]) => own === key.toLowerCase())?.[0] ?? "label";
    if (other === "label") return;
    this.cancel();
    this.choose(other);
  }

  /** Choose no class after all. */
  cancel() {
    if (!this.labelling) return;
    this.labelling = false;
    this.dispatchEvent(new Event("labelling"));
  }

  /** @param {Decision} decision */
  async #give(decision) {
    if (this.viewer.isOpen) {
      const { item } = this.viewer;
      if (!item) return;
      this.#one(item, decision);
      this.viewer.next();
    } else if (this.grid.selection.size > 0) {
      await this.#several(decision);
    } else if (this.grid.item) {
      this.#one(this.grid.item, decision);
      this.grid.moveTo(this.grid.cursor + 1);
    }
  }

  /**
   * @param {Item} item
   * @param {Decision} decision
   */
  #one(item, decision) {
    const before = this.#decisionOf(item);
    if (before.verdict === decision.verdict && before.label === decision.label) return;
    const spot = { view: this.grid.source?.view.query ?? "", position: item.position };
    this.decisions.decide(item.split, [item.index], [before], decision, spot);
    announce(`Image ${item.index}: ${this.#inWords(decision)}`);
  }

  /** @param {Decision} decision */
  #inWords({ verdict, label }) {
    if (!verdict) return "verdict taken away";
    const name = VERDICT_NAMES[verdict].toLowerCase();
    return label === null ? name : `${name}, right is ${shown(this.boot.classes[label])}`;
  }

  /** @param {Decision} decision */
  async #several(decision) {
    const { source, selection } = this.grid;
    if (!source) return;
    const { size, last, list: ranges } = selection;
    if (size > MOST_ITEMS) {
      notify(`At most ${counted(MOST_ITEMS)} at once. Narrow the view down.`, "bad");
      return;
    }
    const asked = `Give ${counted(size)} the verdict "${this.#inWords(decision)}"?`;
    if (size > ASK_ABOVE && !(await confirm(asked))) return;
    /** @type {{items: number[], before: (Decision | null)[]}} */
    let chosen;
    try {
      chosen = await this.#gather(source, ranges, decision.label);
    } catch {
      notify("The server doesn't answer: which images these are isn't known here.", "bad");
      return;
    }
    if (this.grid.source !== source) return;
    const { items, before } = chosen;
    const left = size - items.length;
    this.grid.unselect();
    this.grid.moveTo(last + 1);
    const leftOut = left > 0 ? `; ${counted(left)} left out that have this label already` : "";
    notify(`${counted(items.length)}: ${this.#inWords(decision)}${leftOut}`);
    if (items.length === 0) return;
    const spot = { view: source.view.query, position: ranges[0][0] };
    this.decisions.decide(source.split, items, before, decision, spot);
  }

  /**
   * The selected images, but for those whose given label is the one that is said to be right.
   * @param {import("./source.js").Source} source
   * @param {[number, number][]} ranges
   * @param {number | null} label
   */
  async #gather(source, ranges, label) {
    const items = [];
    const before = [];
    for (const [start, end] of ranges) {
      const indices = await source.indices(start, end);
      const given = label === null ? [] : await source.given(start, end);
      for (let place = start; place < end; place += 1) {
        if (label !== null && given[place - start] === label) continue;
        const item = source.item(place);
        items.push(indices[place - start]);
        before.push(item ? this.#decisionOf(item) : null);
      }
    }
    return { items, before };
  }
}

/**
 * Ask before something large.
 * @param {string} question
 * @returns {Promise<boolean>}
 */
function confirm(question) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("confirm"));
  fill(byId("confirm-question"), question);
  dialog.showModal();
  const asked = new AbortController();
  return new Promise((resolve) => {
    const answer = (/** @type {boolean} */ yes) => {
      asked.abort();
      resolve(yes);
    };
    // Not on `close`, which comes later, when the next question may be open already.
    const { signal } = asked;
    dialog.addEventListener("cancel", () => answer(false), { signal });
    dialog.addEventListener(
      "submit",
      (event) => {
        const button = /** @type {HTMLButtonElement | null} */ (
          /** @type {SubmitEvent} */ (event).submitter
        );
        answer(button?.value === "yes");
      },
      { signal },
    );
  });
}
