/** The rows of the grid that are in the page, and their tiles, which are used again and again. */

import { fill, make, nameOf, shown } from "./dom.js";
import { counted } from "./text.js";
import { Tile } from "./tile.js";

/**
 * @typedef {import("./layout.js").Layout} Layout
 * @typedef {import("./types.js").Group} Group
 */

/** Tiles that are kept for the next rows. */
const MOST_SPARE = 200;

/**
 * What stands above or beside a group.
 * @param {Group} group
 */
function groupTitle({ label, count }) {
  return [
    make("span", { class: "group-word" }, "given"),
    nameOf(label, "group-name"),
    make("span", { class: "group-count" }, counted(count)),
  ];
}

/**
 * Show a group's title in an element that may show it already.
 * @param {HTMLElement} element
 * @param {string} key Of the group.
 * @param {Group} group
 */
export function keepTitle(element, key, group) {
  if (element.dataset.key === key) return;
  element.dataset.key = key;
  fill(element, ...groupTitle(group));
}

/** Rows in an element as tall as the whole grid. */
export class Rows {
  /** @type {Map<number, {element: HTMLElement, tiles: Tile[]}>} */
  #rows = new Map();
  /** @type {Tile[]} */
  #spare = [];
  #space;
  #classes;
  #show;
  #sprites = true;
  /** @type {Group[]} */
  #groups = [];

  /**
   * @param {HTMLElement} space
   * @param {string[]} classes
   * @param {(tile: Tile) => void} show Shows what is known of the image of a tile.
   */
  constructor(space, classes, show) {
    this.#space = space;
    this.#classes = classes;
    this.#show = show;
  }

  /**
   * Begin another view.
   * @param {Group[]} groups
   * @param {boolean} sprites Whether images come drawn, or as pictures of their own.
   */
  begin(groups, sprites) {
    this.clear();
    if (sprites !== this.#sprites) this.#spare = [];
    this.#groups = groups;
    this.#sprites = sprites;
  }

  /** @returns {Generator<Tile>} */
  *tiles() {
    for (const { tiles } of this.#rows.values()) yield* tiles;
  }

  /**
   * Have these rows in the page and no others.
   * @param {Layout} layout
   * @param {number} first
   * @param {number} last
   * @param {number} shift How much higher the content is than its element.
   */
  draw(layout, first, last, shift) {
    for (const [number, row] of this.#rows) {
      if (number < first || number > last) this.#remove(number, row);
    }
    // In the page's order too, for those who read it from top to bottom.
    /** @type {HTMLElement | null} */
    let before = null;
    for (let number = first; number <= last; number += 1) {
      const { top } = layout.row(number);
      /** @type {HTMLElement} */
      const element = this.#rows.get(number)?.element ?? this.#add(layout, number, before);
      element.style.transform = `translateY(${top - shift}px)`;
      before = element;
    }
  }

  /**
   * @param {Layout} layout
   * @param {number} number
   * @param {HTMLElement | null} before The row above it.
   * @returns {HTMLElement}
   */
  #add(layout, number, before) {
    const row = layout.row(number);
    const element = make("div", { class: "row", role: "row", "aria-rowindex": number + 1 });
    const tiles = [];
    const group = this.#groups[row.group];
    // Above the group in a row of its own, or beside its first row.
    const begins = row.kind === "header" || (layout.headers === 0 && row.start === group.start);
    if (begins && group.key !== null) element.append(this.#header(group));
    if (row.kind === "tiles") {
      for (let column = 0; column < row.count; column += 1) {
        const tile = this.#spare.pop() ?? new Tile(this.#classes, this.#sprites);
        tile.place(row.start + column, column);
        this.#show(tile);
        element.append(tile.element);
        tiles.push(tile);
      }
    }
    this.#rows.set(number, { element, tiles });
    if (before) before.after(element);
    else this.#space.prepend(element);
    return element;
  }

  /** @param {Group} group */
  #header(group) {
    const spoken = `Given ${shown(group.label)}, ${counted(group.count)}`;
    return make(
      "div",
      { class: "group-title", role: "rowheader", "aria-label": spoken },
      ...groupTitle(group),
    );
  }

  /**
   * @param {number} number
   * @param {{element: HTMLElement, tiles: Tile[]}} row
   */
  #remove(number, row) {
    row.element.remove();
    for (const tile of row.tiles) {
      tile.blank();
      tile.element.remove();
      if (this.#spare.length < MOST_SPARE) this.#spare.push(tile);
    }
    this.#rows.delete(number);
  }

  /** Take all rows out of the page. */
  clear() {
    for (const [number, row] of this.#rows) this.#remove(number, row);
  }
}
