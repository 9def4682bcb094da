/**
 * The images of a view as a grid of which only what is near the screen is in the page.
 *
 * It is one stop of the Tab key; the arrow keys move a cursor in it, which assistive technology
 * follows (`aria-activedescendant`), so that it isn't lost when its tile leaves the page.
 */

import { fill, make, nameOf } from "./dom.js";
import { Layout, exactSize } from "./layout.js";
import { Ranges } from "./ranges.js";
import { Scroller } from "./scroller.js";
import { counted } from "./text.js";
import { Tile } from "./tile.js";
import { clamp } from "./windows.js";

/**
 * @typedef {import("./types.js").Boot} Boot
 * @typedef {import("./source.js").Source} Source
 * @typedef {import("./types.js").Item} Item
 */

/** Sizes to choose from: CSS pixels across a tile's image, about. */
export const SIZES = [56, 84, 112, 168, 224];
const GAP = 10;
/** Height of a group's header, where it stands above the group. */
const HEADER = 44;
/** Width of the margin where a group's name stands beside it, for short and long names. */
const MARGIN_SHORT = 84;
const MARGIN_LONG = 156;
/** Below this width there is no room for a margin. */
const ROOMY = 700;
const GROUP_GAP = 14;
const PADDING = 12;
const CAPTION = 22;
/** Longest names of classes that fit a caption of one line. */
const SHORT_NAME = 3;
/** Rows kept in the page above and below the screen, in screens. */
const AROUND = 0.4;
/** While the bar flies past more than this many screens at once, nothing is asked for. */
const FLIGHT = 3;

/**
 * Emits `open` with a place, `cursor`, `selection`, and `settled` (scrolling stopped).
 */
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
  /** @type {Map<number, {element: HTMLElement, tiles: Tile[]}>} */
  #rows = new Map();
  /** @type {Tile[]} */
  #spare = [];
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
    new ResizeObserver(() => {
      if (this.element.clientWidth !== this.#width || this.element.clientHeight !== this.scroller.viewport) {
        this.arrange();
      }
    }).observe(this.element);
    this.decisions.addEventListener("change", (event) => {
      const { split, items } = /** @type {CustomEvent} */ (event).detail;
      if (split === this.source?.split) this.#redecide(new Set(items));
    });
    const watch = () => {
      matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener(
        "change",
        () => {
          this.arrange();
          watch();
        },
        { once: true },
      );
    };
    watch();
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
    this.#clearRows();
    this.#spare = [];
    this.source = source;
    this.selection.clear();
    this.cursor = clamp(where?.at ?? 0, 0, Math.max(0, source.view.total - 1));
    this.#anchor = this.cursor;
    this.element.dataset.captions = this.boot.classes.every((name) => [...name].length <= SHORT_NAME)
      ? "short"
      : "long";
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

  /** Which size of the tiles, a place in `SIZES`. */
  get size() {
    return this.#size;
  }

  set size(size) {
    this.#size = clamp(size, 0, SIZES.length - 1);
    this.arrange();
  }

  /** Size of the cell of an image on the screen, CSS pixels. */
  #cell() {
    const wanted = SIZES[this.#size];
    const cell = this.source?.cell;
    if (!cell) return { width: wanted, height: wanted };
    const longest = Math.max(...cell);
    const scale = exactSize(longest, wanted, devicePixelRatio) / longest;
    return { width: cell[0] * scale, height: cell[1] * scale };
  }

  /**
   * Lay everything out anew: another view, size or width.
   * @param {{at: number, top: number}} [where]
   */
  arrange(where = this.standing) {
    if (!this.source) return;
    this.#width = this.element.clientWidth;
    const { width, height } = this.#cell();
    const long = this.element.dataset.captions === "long";
    const lines = long ? 2 : 1;
    const across = Math.max(width, 52);
    const caption = CAPTION + (lines - 1) * 16;
    const padding = this.#width < 600 ? 12 : 20;
    const { groups } = this.source.view;
    const grouped = groups.length > 0 && groups[0].key !== null;
    // A group of a few images is a line then, not two.
    this.#beside = grouped && this.#width >= ROOMY;
    const margin = this.#beside ? (long ? MARGIN_LONG : MARGIN_SHORT) : 0;
    const room = this.#width - 2 * padding - margin;
    const columns = Math.max(1, Math.floor((room + GAP) / (across + GAP)));
    this.layout = new Layout(groups, {
      columns,
      rowHeight: Math.ceil(height + caption + GAP),
      headerHeight: grouped && !this.#beside ? HEADER : 0,
      padding: PADDING,
      gap: grouped ? GROUP_GAP : 0,
    });
    this.element.dataset.groups = this.#beside ? "beside" : "above";
    this.element.dataset.room = across < 70 ? "little" : "enough";
    this.#sticky.dataset.groups = this.element.dataset.groups;
    this.#sticky.dataset.captions = this.element.dataset.captions;
    for (const box of [this.element, this.#sticky]) {
      box.style.setProperty("--group-margin", `${margin}px`);
      box.style.setProperty("--grid-padding", `${padding}px`);
    }
    const style = this.element.style;
    style.setProperty("--image-width", `${width}px`);
    style.setProperty("--image-height", `${height}px`);
    style.setProperty("--tile-width", `${across}px`);
    style.setProperty("--tile-height", `${height + caption}px`);
    style.setProperty("--tile-gap", `${GAP}px`);
    this.element.setAttribute("aria-rowcount", String(this.layout.rowCount));
    this.element.setAttribute("aria-colcount", String(columns));
    this.#clearRows();
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
      this.#clearRows();
      this.#sticky.hidden = true;
      return;
    }
    const { top, viewport } = this.scroller;
    const margin = AROUND * viewport;
    const first = this.layout.rowAt(top - margin);
    const last = this.layout.rowAt(top + viewport + margin);
    for (const [number, row] of this.#rows) {
      if (number < first || number > last) this.#removeRow(number, row);
    }
    // In the page's order too, for those who read it from top to bottom.
    let before = null;
    for (let number = first; number <= last; number += 1) before = this.#drawRow(number, before);
    this.#drawSticky();
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
    const first = this.#firstPlace(this.layout.rowAt(top));
    const last = this.#lastPlace(this.layout.rowAt(top + viewport));
    this.source?.want(first, last);
  }

  #rowsKnown() {
    return this.source?.item(this.#firstPlace(this.layout.rowAt(this.scroller.top))) !== null;
  }

  /** @param {number} row */
  #firstPlace(row) {
    const found = this.layout.row(row);
    return found.kind === "tiles" ? found.start : this.layout.groups[found.group].start;
  }

  /** @param {number} row */
  #lastPlace(row) {
    const found = this.layout.row(row);
    if (found.kind === "tiles") return found.start + found.count - 1;
    return this.layout.groups[found.group].start;
  }

  /**
   * @param {number} number
   * @param {HTMLElement | null} before The row above it.
   * @returns {HTMLElement}
   */
  #drawRow(number, before) {
    const there = this.#rows.get(number);
    const row = this.layout.row(number);
    const element = there?.element ?? this.#makeRow(row);
    element.style.transform = `translateY(${row.top - this.scroller.shift}px)`;
    if (there) return element;
    const tiles = [];
    if (row.kind === "header") {
      element.append(this.#header(row.group));
    } else {
      if (this.#beside && row.start === this.layout.groups[row.group].start) {
        element.append(this.#header(row.group));
      }
      for (let column = 0; column < row.count; column += 1) {
        const tile = this.#spare.pop() ?? new Tile(this.boot.classes, Boolean(this.source?.cell));
        tile.place(row.start + column, column);
        this.#showTile(tile);
        element.append(tile.element);
        tiles.push(tile);
      }
    }
    this.#rows.set(number, { element, tiles });
    if (before) before.after(element);
    else this.#space.prepend(element);
    return element;
  }

  /** @param {import("./layout.js").HeaderRow | import("./layout.js").TileRow} row */
  #makeRow(row) {
    return make("div", {
      class: row.kind === "header" ? "row header-row" : "row",
      role: "row",
      "aria-rowindex": row.row + 1,
    });
  }

  /** @param {number} group */
  #header(group) {
    const { label, count } = /** @type {Source} */ (this.source).view.groups[group];
    const spoken = `Given ${label}, ${counted(count)}`;
    const cell = make("div", { class: "group-title", role: "rowheader", "aria-label": spoken });
    cell.append(...this.#title(group));
    return cell;
  }

  /** @param {number} group */
  #title(group) {
    const { label, count } = /** @type {Source} */ (this.source).view.groups[group];
    return [
      make("span", { class: "group-word" }, "given"),
      nameOf(label, "group-name"),
      make("span", { class: "group-count" }, counted(count)),
    ];
  }

  #drawSticky() {
    const { top } = this.scroller;
    const group = this.layout.groupOf(this.#firstPlace(this.layout.rowAt(top)));
    const grouped = this.layout.headers > 0 || this.#beside;
    const shown = grouped && top > this.layout.tops[group];
    this.#sticky.hidden = !shown;
    if (!shown) return;
    if (this.#sticky.dataset.group !== String(group) || this.#sticky.dataset.view !== this.source?.view.query) {
      this.#sticky.dataset.group = String(group);
      this.#sticky.dataset.view = this.source?.view.query;
      fill(this.#sticky, ...this.#title(group));
    }
    const end = this.layout.tops[group + 1] - this.layout.gap;
    const next = end - top - (this.#beside ? this.layout.rowHeight : HEADER);
    this.#sticky.style.transform = `translateY(${Math.min(0, next)}px)`;
  }

  /**
   * @param {number} number
   * @param {{element: HTMLElement, tiles: Tile[]}} row
   */
  #removeRow(number, row) {
    row.element.remove();
    for (const tile of row.tiles) {
      tile.blank();
      tile.element.remove();
      if (this.#spare.length < 200) this.#spare.push(tile);
    }
    this.#rows.delete(number);
  }

  #clearRows() {
    for (const [number, row] of this.#rows) this.#removeRow(number, row);
  }

  /** @param {Tile} tile */
  #showTile(tile) {
    const source = /** @type {Source} */ (this.source);
    const address = `/image/${encodeURIComponent(source.split)}`;
    tile.show(source, (split, index) => this.decisions.get(split, index), address);
    tile.element.setAttribute("aria-selected", String(this.selection.has(tile.position)));
  }

  /** @returns {Generator<Tile>} */
  *#tiles() {
    for (const { tiles } of this.#rows.values()) yield* tiles;
  }

  /**
   * Images have come.
   * @param {number} start
   * @param {number} count
   */
  loaded(start, count) {
    for (const tile of this.#tiles()) {
      if (tile.position >= start && tile.position < start + count) this.#showTile(tile);
    }
    this.#tellCursor();
    const { top, viewport } = this.scroller;
    this.#ask(top, viewport);
  }

  /** @param {Set<number>} items */
  #redecide(items) {
    for (const tile of this.#tiles()) {
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
    for (const tile of this.#tiles()) {
      tile.element.setAttribute("aria-selected", String(this.selection.has(tile.position)));
    }
    this.dispatchEvent(new Event("selection"));
  }

  #markCursor() {
    for (const tile of this.#tiles()) {
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
