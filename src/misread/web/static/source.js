/**
 * The images of one view: what is known of each, and its pixels.
 */

import { imageAddress } from "./api.js";
import { Windows } from "./windows.js";

/**
 * @typedef {import("./types.js").Boot} Boot
 * @typedef {import("./types.js").View} View
 * @typedef {import("./types.js").Item} Item
 * @typedef {import("./types.js").TileColumns} TileColumns
 * @typedef {{columns: TileColumns, bitmap: ImageBitmap | null}} Window
 */

/** Pixels of all sprites that are held at once: 16 million are 64 MB. */
const MOST_PIXELS = 12_000_000;
/** Pixels of one sprite, so that a window is small enough to come at once. */
const SPRITE_PIXELS = 130_000;

/**
 * Images in a window and across a sprite, for cells of this size; no cell, no sprite.
 * @param {[number, number] | null} cell
 */
export function windowOf(cell) {
  if (!cell) return { size: 100, columns: 0, keep: 60 };
  const size = Math.max(16, Math.min(160, Math.floor(SPRITE_PIXELS / (cell[0] * cell[1]))));
  const pixels = size * cell[0] * cell[1];
  return { size, columns: 16, keep: Math.max(6, Math.min(80, Math.floor(MOST_PIXELS / pixels))) };
}

/** The images of one view, loaded as they are looked at. */
export class Source {
  #windows;
  #api;
  #study;

  /**
   * @param {import("./api.js").Api} api
   * @param {Boot} boot
   * @param {string} split
   * @param {View} view
   * @param {{loaded: (start: number, count: number) => void, failed: (error: unknown) => void}} on
   */
  constructor(api, boot, split, view, on) {
    this.#api = api;
    this.#study = boot.study.id;
    this.split = split;
    this.view = view;
    this.cell = boot.splits[split]?.cell ?? null;
    const sort = new URLSearchParams(view.query).get("sort");
    /** The score that the view is sorted by, null by something else. */
    this.score = !view.pending && (sort === "difficulty" || sort === "suspicion") ? sort : null;
    const { size, columns, keep } = windowOf(this.cell);
    this.across = columns;
    /** @type {Windows<Window>} */
    this.#windows = new Windows(view.total, {
      size,
      keep,
      load: (...how) => this.#load(...how),
      drop: (window) => window.bitmap?.close(),
      loaded: on.loaded,
      failed: on.failed,
    });
  }

  /** Windows held at the moment. */
  get held() {
    return this.#windows.held;
  }

  /**
   * What is known of the image at a place of the view, null while it isn't there yet.
   * @param {number} position
   * @returns {Item | null}
   */
  item(position) {
    const found = this.#windows.at(position);
    if (!found) return null;
    const { columns: table } = found.value;
    const row = found.offset;
    if (table.index[row] === undefined) return null;
    return {
      split: this.split,
      position,
      index: table.index[row],
      given: table.given[row],
      predicted: table.predicted[row],
      pPredicted: table.p_predicted[row],
      pGiven: table.p_given[row],
      difficulty: table.difficulty[row],
      suspicion: table.suspicion[row],
      suggested: table.suggested[row],
      suggestedLabel: table.suggested_label[row],
      decided: { verdict: table.decided[row], label: table.decided_label[row] },
    };
  }

  /**
   * Where the image of an index is to be had small, where images are pictures of their own.
   * @param {number} index
   */
  address(index) {
    return imageAddress(this.split, index, "thumb", this.#study);
  }

  /**
   * Draw the image at a place, pixel by pixel.
   * @param {number} position
   * @param {HTMLCanvasElement} canvas
   * @returns {boolean} Whether its pixels are there.
   */
  draw(position, canvas) {
    const found = this.#windows.at(position);
    if (!found?.value.bitmap || !this.cell) return false;
    const [width, height] = this.cell;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    // In ordinary memory: hundreds of small canvases, each drawn once, gain nothing by the GPU.
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context) return false;
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, width, height);
    const x = (found.offset % this.across) * width;
    const y = Math.floor(found.offset / this.across) * height;
    context.drawImage(found.value.bitmap, x, y, width, height, 0, 0, width, height);
    return true;
  }

  /**
   * Say which places are looked at.
   * @param {number} first
   * @param {number} last
   */
  want(first, last) {
    if (this.view.total > 0) this.#windows.want(first, last);
  }

  /** Ask again what is known of the images; what is shown stays until the answer is there. */
  renew() {
    this.#windows.renew();
  }

  /** Give everything up. */
  close() {
    this.#windows.clear();
  }

  /**
   * The indices of the images at some places of the view, however many.
   * @param {number} start
   * @param {number} end
   * @returns {Promise<number[]>}
   */
  async indices(start, end) {
    const known = [];
    for (let place = start; place < end && known.length === place - start; place += 1) {
      const item = this.item(place);
      if (item) known.push(item.index);
    }
    if (known.length === end - start) return known;
    const found = [];
    for (let from = start; from < end; from += 100_000) {
      const range = `start=${from}&count=${Math.min(end - from, 100_000)}`;
      found.push(...(await this.#api.get(`/api/items?${this.view.query}&${range}`)).index);
    }
    return found;
  }

  /**
   * The given labels of the images at some places of the view.
   * @param {number} start
   * @param {number} end
   * @returns {Promise<number[]>}
   */
  async given(start, end) {
    const known = [];
    for (let place = start; place < end && known.length === place - start; place += 1) {
      const item = this.item(place);
      if (item) known.push(item.given);
    }
    if (known.length === end - start) return known;
    const found = [];
    for (let from = start; from < end; from += 1000) {
      const range = `start=${from}&count=${Math.min(end - from, 1000)}`;
      found.push(...(await this.#api.get(`/api/tiles?${this.view.query}&${range}`)).given);
    }
    return found;
  }

  /**
   * @param {number} start
   * @param {number} count
   * @param {AbortSignal} signal
   * @param {(window: Window) => void} partly
   * @param {Window | undefined} before
   * @returns {Promise<Window>}
   */
  async #load(start, count, signal, partly, before) {
    const path = `/api/tiles?${this.view.query}&start=${start}&count=${count}`;
    /** @type {TileColumns} */
    const columns = await this.#api.get(path, signal);
    if (!this.cell) return { columns, bitmap: null };
    if (before?.bitmap && String(before.columns.index) === String(columns.index)) {
      return { columns, bitmap: before.bitmap };
    }
    partly({ columns, bitmap: null });
    const sprite = `split=${encodeURIComponent(this.split)}&items=${columns.index.join(",")}`;
    const blob = await this.#api.picture(
      `/api/sprite.png?${sprite}&columns=${this.across}&v=${encodeURIComponent(this.#study)}`,
      signal,
    );
    // As they are: no colour management, no blending, so that pixels stay exact.
    const bitmap = await createImageBitmap(blob, {
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
    return { columns, bitmap };
  }
}
