/** One tile of the grid: an image, what it was read as, and what was decided about it. */

import { icon, make, shown } from "./dom.js";
import { SORT_NAMES, VERDICT_NAMES, probability, score } from "./text.js";

/**
 * @typedef {import("./types.js").Item} Item
 * @typedef {import("./types.js").Decision} Decision
 */

/** The letter that stands for a verdict in a corner. @type {Record<string, string>} */
const LETTERS = { model: "M", label: "L", ambiguous: "A", unreadable: "U", fine: "F" };

/** What the number of a tile is where the view isn't sorted by a score. */
const CHANCE = "Probability of the predicted class";

/**
 * The number below an image and what it is: of the score that the view is sorted by, or else the
 * probability of the predicted class.
 * @param {Item} item
 * @param {"difficulty" | "suspicion" | null} by
 * @returns {{text: string, title: string}}
 */
function number(item, by) {
  const value = by && item[by];
  if (by === null || value === null) return { text: probability(item.pPredicted), title: CHANCE };
  const title = `${SORT_NAMES[by]}. ${CHANCE}: ${probability(item.pPredicted)}`;
  return { text: score(/** @type {number} */ (value)), title };
}

/**
 * What a tile says to those who don't see it.
 * @param {Item} item
 * @param {Decision} decision
 * @param {string[]} classes
 * @param {"difficulty" | "suspicion" | null} [by] The score that the view is sorted by.
 */
export function describe(item, decision, classes, by = null) {
  const parts = [`Image ${item.index}`, `given ${shown(classes[item.given])}`];
  if (item.predicted !== null) {
    parts.push(`read as ${shown(classes[item.predicted])} with ${probability(item.pPredicted)}`);
  }
  const value = by && item[by];
  if (by && typeof value === "number") parts.push(`${by} ${score(value)}`);
  parts.push(decided(decision, classes));
  if (!decision.verdict && item.suggested) {
    parts.push(`suggested: ${VERDICT_NAMES[item.suggested].toLowerCase()}`);
  }
  return parts.join(", ");
}

/**
 * A decision in words.
 * @param {Decision} decision
 * @param {string[]} classes
 */
export function decided({ verdict, label }, classes) {
  if (!verdict) return "no verdict";
  const name = VERDICT_NAMES[verdict].toLowerCase();
  return label === null
    ? `verdict: ${name}`
    : `verdict: ${name}, right is ${shown(classes[label])}`;
}

/**
 * The mark of a verdict; hollow for a suggested one.
 * @param {Decision} decision
 * @param {string[]} classes
 * @param {boolean} suggested
 */
export function mark({ verdict, label }, classes, suggested = false) {
  if (!verdict) return null;
  const name = label === null ? "" : shown(classes[label]);
  const text = verdict === "label" && name && !suggested ? name.slice(0, 9) : LETTERS[verdict];
  return make(
    "bdi",
    { class: `mark ${suggested ? "suggested" : "decided"}`, "data-verdict": verdict },
    text,
  );
}

/** A tile, used again for one image after another. */
export class Tile {
  /**
   * @param {string[]} classes
   * @param {boolean} sprites Whether images come drawn, or as pictures of their own.
   */
  constructor(classes, sprites) {
    this.classes = classes;
    this.sprites = sprites;
    this.position = -1;
    /** The score that the view is sorted by. @type {"difficulty" | "suspicion" | null} */
    this.by = null;
    this.canvas = sprites ? make("canvas", { class: "pixels", "aria-hidden": "true" }) : null;
    this.picture = sprites ? null : this.#makePicture();
    this.frame = make("div", { class: "frame" }, this.canvas ?? this.picture);
    this.caption = make("div", { class: "caption", "aria-hidden": "true" });
    this.corner = make("div", { class: "corner", "aria-hidden": "true" });
    this.check = make("div", { class: "check", "aria-hidden": "true" }, icon("check"));
    this.element = make("div", { class: "tile", role: "gridcell", "aria-selected": "false" });
    this.element.append(this.frame, this.caption, this.corner, this.check);
  }

  #makePicture() {
    const picture = make("img", {
      class: "pixels",
      alt: "",
      decoding: "async",
      draggable: "false",
    });
    picture.addEventListener("load", () => {
      // A small image is enlarged by whole pixels, a large one scaled down smoothly.
      const box = this.frame.clientWidth || 1;
      picture.classList.toggle(
        "enlarged",
        picture.naturalWidth <= box && picture.naturalHeight <= box,
      );
      this.element.dataset.drawn = "yes";
    });
    return picture;
  }

  /**
   * Make it the tile of a place, with nothing known of its image yet.
   * @param {number} position
   * @param {number} column
   */
  place(position, column) {
    if (this.position !== position) this.blank();
    this.position = position;
    this.element.id = `tile-${position}`;
    this.element.dataset.position = String(position);
    this.element.setAttribute("aria-colindex", String(column + 1));
  }

  /** Forget the image. */
  blank() {
    this.position = -1;
    delete this.element.dataset.drawn;
    delete this.element.dataset.known;
    delete this.element.dataset.index;
    this.element.setAttribute("aria-label", "Loading");
    this.caption.replaceChildren();
    this.corner.replaceChildren();
    const context = this.canvas?.getContext("2d", { willReadFrequently: true });
    if (this.canvas && context) context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    // Taking the address away gives up a request that is still under way.
    this.picture?.removeAttribute("src");
  }

  /**
   * Show the image and what is known of it, as far as it has come.
   * @param {import("./source.js").Source} source
   * @param {(split: string, index: number) => Decision | null} newer
   */
  show(source, newer) {
    const item = source.item(this.position);
    if (!item) return;
    // Suggestions may come later than the rest.
    this.by = source.score;
    const known = item.suggested ?? "yes";
    if (this.element.dataset.known !== known) {
      if (this.picture && !this.element.dataset.known)
        this.picture.src = source.address(item.index);
      this.element.dataset.known = known;
      this.element.dataset.index = String(item.index);
      this.caption.replaceChildren(...this.#caption(item));
    }
    this.decide(item, newer(item.split, item.index) ?? item.decided);
    if (this.canvas && this.element.dataset.drawn !== "yes") {
      if (source.draw(this.position, this.canvas)) this.element.dataset.drawn = "yes";
    }
  }

  /**
   * Show what is decided, or else suggested.
   * @param {Item} item
   * @param {Decision} decision
   */
  decide(item, decision) {
    const decidedMark = mark(decision, this.classes);
    this.corner.replaceChildren(...(decidedMark ? [decidedMark] : []));
    this.element.dataset.verdict = decision.verdict ?? "";
    this.element.setAttribute("aria-label", describe(item, decision, this.classes, this.by));
  }

  /** @param {Item} item */
  #caption(item) {
    const given = make("bdi", { class: "given" }, shown(this.classes[item.given]));
    if (item.predicted === null) return [given];
    const right = item.predicted === item.given;
    // Beside the image, not on it: nothing hides pixels that nobody has judged yet.
    const suggestion = { verdict: item.suggested, label: item.suggestedLabel };
    const hint = item.suggested === "fine" ? null : mark(suggestion, this.classes, true);
    const read = make(
      "bdi",
      { class: right ? "read right" : "read" },
      shown(this.classes[item.predicted]),
    );
    const { text, title } = number(item, this.by);
    const chance = make("span", { class: "chance", title }, text);
    const parts = right
      ? [read, chance]
      : [given, make("span", { class: "arrow" }, "→"), read, chance];
    return hint ? [...parts, hint] : parts;
  }
}
