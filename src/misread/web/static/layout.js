/**
 * Where rows of tiles lie. Pure functions of numbers: no page, no server.
 */

/**
 * @typedef {{start: number, count: number}} Span
 * @typedef {{kind: "header", group: number, row: number, top: number, height: number}} HeaderRow
 * @typedef {{kind: "tiles", group: number, row: number, top: number, height: number,
 *   start: number, count: number}} TileRow
 */

/** Rows of tiles in groups, each under a header, or set apart by a gap. */
export class Layout {
  /**
   * @param {Span[]} groups In the order of the view, without gaps.
   * @param {{columns: number, rowHeight: number, headerHeight: number, padding: number,
   *   gap?: number}} sizes Heights in CSS pixels; `headerHeight` 0: no headers. `padding` above and
   *   below everything, `gap` below each group.
   */
  constructor(groups, { columns, rowHeight, headerHeight, padding, gap = 0 }) {
    this.groups = groups;
    this.columns = columns;
    this.rowHeight = rowHeight;
    this.headerHeight = headerHeight;
    this.headers = headerHeight > 0 ? 1 : 0;
    this.gap = gap;
    /** Top of each group. */
    this.tops = new Float64Array(groups.length + 1);
    /** Number of the first row of each group. */
    this.rows = new Float64Array(groups.length + 1);
    let top = headerHeight > 0 ? 0 : padding;
    let row = 0;
    groups.forEach((group, number) => {
      this.tops[number] = top;
      this.rows[number] = row;
      const lines = Math.ceil(group.count / columns);
      top += headerHeight + lines * rowHeight + gap;
      row += this.headers + lines;
    });
    this.tops[groups.length] = top;
    this.rows[groups.length] = row;
    this.rowCount = row;
    this.height = top + padding;
  }

  /**
   * The row at a height; the nearest one where there is none.
   * @param {number} y
   */
  rowAt(y) {
    if (this.groups.length === 0) return 0;
    const group = lastAtMost(this.tops, y, this.groups.length);
    const inside = y - this.tops[group] - this.headerHeight;
    const lines = this.rows[group + 1] - this.rows[group] - this.headers;
    const line = Math.max(-this.headers, Math.min(Math.floor(inside / this.rowHeight), lines - 1));
    return this.rows[group] + this.headers + line;
  }

  /**
   * What a row holds, and where it lies.
   * @param {number} row
   * @returns {HeaderRow | TileRow}
   */
  row(row) {
    const group = lastAtMost(this.rows, row, this.groups.length);
    const line = row - this.rows[group] - this.headers;
    if (line < 0) {
      return { kind: "header", group, row, top: this.tops[group], height: this.headerHeight };
    }
    const { start, count } = this.groups[group];
    return {
      kind: "tiles",
      group,
      row,
      top: this.tops[group] + this.headerHeight + line * this.rowHeight,
      height: this.rowHeight,
      start: start + line * this.columns,
      count: Math.min(this.columns, count - line * this.columns),
    };
  }

  /**
   * The first place of the view in the row at a height, or in the group whose header is there.
   * @param {number} y
   */
  firstPlace(y) {
    const row = this.row(this.rowAt(y));
    return row.kind === "tiles" ? row.start : this.groups[row.group].start;
  }

  /**
   * The last place of the view in the row at a height; the first of the group whose header is there.
   * @param {number} y
   */
  lastPlace(y) {
    const row = this.row(this.rowAt(y));
    return row.kind === "tiles" ? row.start + row.count - 1 : this.groups[row.group].start;
  }

  /**
   * The row and column of a place of the view.
   * @param {number} position
   */
  find(position) {
    const group = this.groupOf(position);
    const inside = position - this.groups[group].start;
    const line = Math.floor(inside / this.columns);
    return {
      group,
      row: this.rows[group] + this.headers + line,
      column: inside % this.columns,
      top: this.tops[group] + this.headerHeight + line * this.rowHeight,
    };
  }

  /**
   * The group of a place of the view.
   * @param {number} position
   */
  groupOf(position) {
    let low = 0;
    let high = this.groups.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.groups[middle].start <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /**
   * The place some rows of tiles above or below, in the same column if there is one.
   * @param {number} position
   * @param {number} by
   */
  moveRows(position, by) {
    const { row, column } = this.find(position);
    const step = Math.sign(by);
    let at = row;
    /** @type {TileRow | null} */
    let last = null;
    for (let left = Math.abs(by); left > 0; left -= 1) {
      at += step;
      if (at >= 0 && at < this.rowCount && this.row(at).kind === "header") at += step;
      if (at < 0 || at >= this.rowCount) break;
      last = /** @type {TileRow} */ (this.row(at));
    }
    return last ? last.start + Math.min(column, last.count - 1) : position;
  }
}

/**
 * The last of the first `count` ascending values that is at most `value`; the first if none is.
 * @param {Float64Array} values
 * @param {number} value
 * @param {number} count
 */
function lastAtMost(values, value, count) {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (values[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The tallest element: browsers clip at 17 to 33 million CSS pixels. */
export const TALLEST = 6_000_000;
/** Screens at either end in which a pixel of the bar is a pixel of the content. */
const EDGE_SCREENS = 30;

/**
 * Between how far one has scrolled through content of any height and where the scroll bar of an
 * element of limited height stands. Near both ends one pixel is one pixel, so that neither end is
 * reached too early; between them the bar is compressed.
 */
export class ScrollMap {
  /**
   * @param {number} height Of the content.
   * @param {number} viewport
   * @param {number} [tallest]
   */
  constructor(height, viewport, tallest = TALLEST) {
    /** Height of the element. */
    this.physical = Math.min(height, tallest);
    /** How far the content can be scrolled. */
    this.most = Math.max(0, height - viewport);
    /** How far the element can be scrolled. */
    this.mostPhysical = Math.max(0, this.physical - viewport);
    this.exact = this.most === this.mostPhysical;
    // Long enough to scroll on in, a small part of the bar.
    this.edge = Math.floor(Math.min(this.mostPhysical / 8, EDGE_SCREENS * viewport));
  }

  /**
   * Where the scroll bar belongs.
   * @param {number} top
   */
  toPhysical(top) {
    if (this.exact || top <= this.edge) return top;
    if (top >= this.most - this.edge) return this.mostPhysical - (this.most - top);
    const share = (top - this.edge) / (this.most - 2 * this.edge);
    return this.edge + share * (this.mostPhysical - 2 * this.edge);
  }

  /**
   * How far the content is scrolled where the bar stands here.
   * @param {number} bar
   */
  toReal(bar) {
    if (this.exact || bar <= this.edge) return bar;
    if (bar >= this.mostPhysical - this.edge) return this.most - (this.mostPhysical - bar);
    const share = (bar - this.edge) / (this.mostPhysical - 2 * this.edge);
    return this.edge + share * (this.most - 2 * this.edge);
  }
}

/**
 * How large an image is shown so that each of its pixels covers a whole number of the screen's.
 * @param {number} pixels Across the image.
 * @param {number} wanted CSS pixels, about.
 * @param {number} ratio The screen's pixels in one CSS pixel.
 * @returns {number} CSS pixels.
 */
export function exactSize(pixels, wanted, ratio) {
  return (pixels * Math.max(1, Math.round((wanted * ratio) / pixels))) / ratio;
}

/**
 * The largest exact size that fits; below one screen pixel per pixel, the image is scaled down.
 * @param {[number, number]} shape Width and height in pixels.
 * @param {[number, number]} room Width and height in CSS pixels.
 * @param {number} ratio
 * @returns {{width: number, height: number, exact: boolean}} In CSS pixels.
 */
export function largestExact([width, height], [wide, high], ratio) {
  const times = Math.floor(Math.min((wide * ratio) / width, (high * ratio) / height));
  if (times >= 1) {
    return { width: (width * times) / ratio, height: (height * times) / ratio, exact: true };
  }
  const scale = Math.min(wide / width, high / height);
  return { width: width * scale, height: height * scale, exact: false };
}
