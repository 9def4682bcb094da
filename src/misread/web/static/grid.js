/**
 * The images of a view as a grid of which only what is near the screen is in the page.
 *
 * It is one stop of the Tab key; the arrow keys move a cursor in it, which assistive technology
 * follows (`aria-activedescendant`), so that it isn't lost when its tile leaves the page.
 */

import { make } from "./dom.js";
import { Layout } from "./layout.js";
import { Ranges } from "./ranges.js";
import { Rows, keepTitle } from "./rows.js";
import { Scroller } from "./scroller.js";
import { PADDING, SIZES, arrangeTiles, captionsFor, textScale, watchRatio } from "./sizes.js";
import { clamp } from "./windows.js";

/**
 * @typedef {import("./types.js").Boot} Boot
 * @typedef {import("./source.js").Source} Source
 * @typedef {import("./types.js").Item} Item
 */

/** Rows kept in the page above and below the screen, in screens. */
const AROUND = 0.4;
/** While the bar flies past more than this many screens at once, nothing is asked for. */
const FLIGHT = 3;

/** Emits `open` with a place, `cursor`, `selection`, and `settled` (scrolling stopped). */
export class Grid extends EventTarget {
  /** @type {Source | null} */
  source = null;
  /** Place of the cursor. */
  cursor = 0;
  selection = new Ranges();
  /** Whether a click selects rather than opens: for fingers. */
  selecting = false;
  #anchor = 0;
  #size = 1;
  #rows;
  #frame = 0;
  #timer = 0;
  #lastTop = 0;
  #sticky;
  #space;
  #width = 0;
  #beside = false;

  /**
   * @param {HTMLElement} element
   * @param {HTMLElement} sticky Shows the group at the top.
   * @param {Boot} boot
   * @param {import("./decisions.js").Decisions} decisions
   */
  constructor(element, sticky, boot, decisions) {
    super();
    this.element = element;
    this.#sticky = sticky;
    this.boot = boot;
    this.decisions = decisions;
    this.#space = make("div", { class: "space", role: "rowgroup" });
    element.append(this.#space);
    this.#rows = new Rows(this.#space, boot.classes, (tile) => this.#showTile(tile));
    this.layout = new Layout([], { columns: 1, rowHeight: 1, headerHeight: 0, padding: 0 });
    this.scroller = new Scroller(element, this.#space, () => this.#scrolled());
    this.#listen();
  }

  #listen() {
    this.#space.addEventListener("click", (event) => this.#click(event));
    // A click must not move the page's focus into a tile, which may leave the page.
    this.#space.addEventListener("mousedown", (event) => {
      if (event.shiftKey) event.preventDefault();
    });
    new ResizeObserver(() => this.#resized()).observe(this.element);
    this.decisions.addEventListener("change", (event) => {
      const { split, items } = /** @type {CustomEvent} */ (event).detail;
      if (split === this.source?.split) this.#redecide(new Set(items));
    });
    watchRatio(() => this.arrange());
  }

  #resized() {
    const { clientWidth, clientHeight } = this.element;
    if (clientWidth !== this.#width) {
      this.arrange();
    } else if (clientHeight !== this.scroller.viewport) {
      // As when the bar below grows: no tile moves.
      this.scroller.resize(this.layout.height, this.scroller.top);
      this.draw();
    }
  }

  /** Number of images. */
  get total() {
    return this.source?.view.total ?? 0;
  }

  /** The image under the cursor. @returns {Item | null} */
  get item() {
    return this.source?.item(this.cursor) ?? null;
  }

  /**
   * Show another view.
   * @param {Source} source
   * @param {{at: number, top: number} | null} where The place that was first, and how far it stuck
   *   out at the top.
   */
  show(source, where) {
    this.source?.close();
    this.source = source;
    this.#rows.begin(source.view.groups, source.cell !== null);
    this.selection.clear();
    this.cursor = clamp(where?.at ?? 0, 0, Math.max(0, source.view.total - 1));
    this.#anchor = this.cursor;
    this.arrange(where ?? { at: 0, top: 0 });
    this.#tellSelection();
    this.#tellCursor();
  }

  /** What stands at the top: a place, and how far its row sticks out. */
  get standing() {
    if (this.total === 0) return { at: 0, top: 0 };
    // At the very top stay there, headers and all.
    if (this.scroller.top <= 0) return { at: 0, top: 0 };
    let row = this.layout.row(this.layout.rowAt(this.scroller.top));
    if (row.kind === "header") row = this.layout.row(row.row + 1);
    const at = row.kind === "tiles" ? row.start : 0;
    return { at, top: Math.round(this.scroller.top - row.top) };
  }

  /** Whether nobody has moved, selected or scrolled anything in this view. */
  get isUntouched() {
    return this.cursor === 0 && this.selection.size === 0 && this.scroller.top === 0;
  }

  /** Ask anew what is known of the images. */
  renew() {
    this.source?.renew();
    this.draw();
  }

  /** Which size of the tiles, a place in `SIZES`. */
  get size() {
    return this.#size;
  }

  set size(size) {
    this.#size = clamp(size, 0, SIZES.length - 1);
    this.arrange();
  }

  /**
   * Lay everything out anew: another view, size or width.
   * @param {{at: number, top: number}} [where]
   */
  arrange(where = this.standing) {
    if (!this.source) return;
    this.#width = this.element.clientWidth;
    const { layout, beside, data, style } = arrangeTiles(this.source, {
      width: this.#width,
      size: this.#size,
      captions: captionsFor(this.boot.classes),
      ratio: devicePixelRatio,
      text: textScale(),
    });
    this.layout = layout;
    this.#beside = beside;
    for (const box of [this.element, this.#sticky]) {
      Object.assign(box.dataset, data);
      for (const [name, pixels] of Object.entries(style))
        box.style.setProperty(name, `${pixels}px`);
    }
    this.element.setAttribute("aria-rowcount", String(layout.rowCount));
    this.element.setAttribute("aria-colcount", String(layout.columns));
    this.#rows.clear();
    this.scroller.resize(this.layout.height, this.#topOf(where));
    this.#lastTop = this.scroller.top;
    this.draw();
  }

  /** @param {{at: number, top: number}} where */
  #topOf({ at, top }) {
    if (this.total === 0 || (at === 0 && top === 0)) return 0;
    return this.layout.find(clamp(at, 0, this.total - 1)).top + top;
  }

  #scrolled() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.draw());
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      this.draw();
      this.dispatchEvent(new Event("settled"));
    }, 60);
  }

  /** Put the rows near the screen into the page, take the others out. */
  draw() {
    if (!this.source || this.total === 0) {
      this.#rows.clear();
      this.#sticky.hidden = true;
      return;
    }
    const { top, viewport } = this.scroller;
    const margin = AROUND * viewport;
    const first = this.layout.rowAt(top - margin);
    const last = this.layout.rowAt(top + viewport + margin);
    this.#rows.draw(this.layout, first, last, this.scroller.shift);
    this.#drawSticky(top);
    this.#markCursor();
    this.#ask(top, viewport);
  }

  /**
   * Ask for what is on the screen, unless the bar flies past.
   * @param {number} top
   * @param {number} viewport
   */
  #ask(top, viewport) {
    const flying = Math.abs(top - this.#lastTop) > FLIGHT * viewport;
    this.#lastTop = top;
    if (flying && this.#rowsKnown() === false) {
      // The next frame, or the end of the scrolling, asks.
      this.#scrolled();
      return;
    }
    const first = this.layout.firstPlace(top);
    const last = this.layout.lastPlace(top + viewport);
    this.source?.want(first, last);
  }

  #rowsKnown() {
    return this.source?.item(this.layout.firstPlace(this.scroller.top)) !== null;
  }

  /** @param {number} top */
  #drawSticky(top) {
    const { view } = /** @type {Source} */ (this.source);
    const group = this.layout.groupOf(this.layout.firstPlace(top));
    const grouped = this.layout.headers > 0 || this.#beside;
    this.#sticky.hidden = !grouped || top <= this.layout.tops[group];
    if (this.#sticky.hidden) return;
    keepTitle(this.#sticky, `${group} ${view.query}`, view.groups[group]);
    // The next group pushes it out.
    const end = this.layout.tops[group + 1] - this.layout.gap;
    const height = this.layout.headerHeight || this.layout.rowHeight;
    this.#sticky.style.transform = `translateY(${Math.min(0, end - top - height)}px)`;
  }

  /** @param {import("./tile.js").Tile} tile */
  #showTile(tile) {
    const source = /** @type {Source} */ (this.source);
    tile.show(source, (split, index) => this.decisions.get(split, index));
    tile.element.setAttribute("aria-selected", String(this.selection.has(tile.position)));
  }

  /**
   * Images have come.
   * @param {number} start
   * @param {number} count
   */
  loaded(start, count) {
    for (const tile of this.#rows.tiles()) {
      if (tile.position >= start && tile.position < start + count) this.#showTile(tile);
    }
    this.#tellCursor();
    const { top, viewport } = this.scroller;
    this.#ask(top, viewport);
  }

  /** @param {Set<number>} items */
  #redecide(items) {
    for (const tile of this.#rows.tiles()) {
      if (items.has(Number(tile.element.dataset.index))) this.#showTile(tile);
    }
    this.#tellCursor();
  }

  // The cursor and the selection

  /**
   * Move the cursor, and scroll to it.
   * @param {number} position
   * @param {{extend?: boolean}} [how] Whether what lies between is selected.
   */
  moveTo(position, { extend = false } = {}) {
    if (this.total === 0) return;
    const to = clamp(position, 0, this.total - 1);
    if (extend) this.#extend(to);
    else this.#anchor = to;
    this.cursor = to;
    this.#reveal(to);
    this.draw();
    this.#tellCursor();
  }

  /** @param {number} to */
  #extend(to) {
    const before = [Math.min(this.#anchor, this.cursor), Math.max(this.#anchor, this.cursor) + 1];
    this.selection.remove(before[0], before[1]);
    this.selection.add(Math.min(this.#anchor, to), Math.max(this.#anchor, to) + 1);
    this.#tellSelection();
  }

  /** @param {number} position */
  #reveal(position) {
    const { top } = this.layout.find(position);
    const above = this.layout.headerHeight || PADDING;
    const { viewport } = this.scroller;
    if (top - above < this.scroller.top) this.scroller.go(top - above);
    else if (top + this.layout.rowHeight > this.scroller.top + viewport) {
      this.scroller.go(top + this.layout.rowHeight - viewport + 4);
    }
  }

  /**
   * Move the cursor by a key.
   * @param {string} key
   * @param {boolean} extend
   * @returns {boolean} Whether the key moves it.
   */
  moveBy(key, extend) {
    const rows = Math.max(1, Math.floor(this.scroller.viewport / this.layout.rowHeight) - 1);
    /** @type {Record<string, () => number>} */
    const moves = {
      ArrowLeft: () => this.cursor - 1,
      ArrowRight: () => this.cursor + 1,
      ArrowUp: () => this.layout.moveRows(this.cursor, -1),
      ArrowDown: () => this.layout.moveRows(this.cursor, 1),
      PageUp: () => this.layout.moveRows(this.cursor, -rows),
      PageDown: () => this.layout.moveRows(this.cursor, rows),
      Home: () => 0,
      End: () => this.total - 1,
    };
    if (!(key in moves) || this.total === 0) return false;
    this.moveTo(moves[key](), { extend });
    return true;
  }

  /** Select the image under the cursor, or leave it out. */
  toggle() {
    if (this.total === 0) return;
    this.selection.toggle(this.cursor);
    this.#anchor = this.cursor;
    this.#tellSelection();
  }

  /** Select all images of the view. */
  selectAll() {
    this.selection.add(0, this.total);
    this.#tellSelection();
  }

  /** Select nothing. */
  unselect() {
    this.selection.clear();
    this.#tellSelection();
  }

  #tellSelection() {
    for (const tile of this.#rows.tiles()) {
      tile.element.setAttribute("aria-selected", String(this.selection.has(tile.position)));
    }
    this.dispatchEvent(new Event("selection"));
  }

  #markCursor() {
    for (const tile of this.#rows.tiles()) {
      tile.element.classList.toggle("cursor", tile.position === this.cursor);
    }
    const tile = document.getElementById(`tile-${this.cursor}`);
    if (tile) this.element.setAttribute("aria-activedescendant", tile.id);
    else this.element.removeAttribute("aria-activedescendant");
  }

  #tellCursor() {
    this.#markCursor();
    this.dispatchEvent(new Event("cursor"));
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const tile = /** @type {Element} */ (event.target).closest(".tile");
    if (!(tile instanceof HTMLElement)) return;
    const position = Number(tile.dataset.position);
    this.element.focus({ preventScroll: true });
    if (event.shiftKey) {
      this.moveTo(position, { extend: true });
      return;
    }
    this.moveTo(position);
    if (event.ctrlKey || event.metaKey || this.selecting) this.toggle();
    else this.dispatchEvent(new CustomEvent("open", { detail: position }));
  }
}
