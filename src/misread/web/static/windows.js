/**
 * A long list, loaded in windows of a fixed size as they are wanted.
 */

import { isAbort } from "./api.js";

/**
 * @template Value
 * @typedef {{
 *   size: number,
 *   keep: number,
 *   load: (start: number, count: number, signal: AbortSignal, partly: (value: Value) => void,
 *     before: Value | undefined) => Promise<Value>,
 *   drop?: (value: Value) => void,
 *   loaded: (start: number, count: number) => void,
 *   failed: (error: unknown) => void,
 * }} Options
 * `size` of a window; how many to `keep`, the latest used; how to `load` one, which may hand over a
 * part of it before the rest is there, and take from what was there before; what to do when one is
 * `drop`ped, `loaded` or `failed`.
 */

/**
 * Keeps the windows used last, and gives up requests for what is no longer wanted.
 * @template Value
 */
export class Windows {
  /** @type {Map<number, Value>} */
  #have = new Map();
  /** @type {Map<number, AbortController>} */
  #coming = new Map();
  #options;

  /**
   * @param {number} total Length of the list.
   * @param {Options<Value>} options
   */
  constructor(total, options) {
    this.total = total;
    this.#options = options;
  }

  /** Windows held at the moment. */
  get held() {
    return this.#have.size;
  }

  /**
   * The window that a place lies in, if it is there.
   * @param {number} position
   * @returns {{value: Value, offset: number} | null}
   */
  at(position) {
    const number = Math.floor(position / this.#options.size);
    const value = this.#have.get(number);
    return value === undefined ? null : { value, offset: position % this.#options.size };
  }

  /**
   * Say what is looked at: it is loaded first, its surroundings when it is there, all else is given
   * up.
   * @param {number} first
   * @param {number} last
   */
  want(first, last) {
    const { size } = this.#options;
    const most = Math.ceil(this.total / size) - 1;
    const from = clamp(Math.floor(first / size), 0, most);
    const to = clamp(Math.floor(last / size), 0, most);
    const looked = numbers(from, to);
    const near = [to + 1, from - 1, to + 2].filter((number) => number >= 0 && number <= most);
    for (const [number, controller] of this.#coming) {
      if (!looked.includes(number) && !near.includes(number)) {
        this.#coming.delete(number);
        controller.abort();
      }
    }
    for (const number of looked) this.#touch(number);
    const missing = looked.filter((number) => !this.#complete(number));
    if (missing.length > 0) {
      for (const number of missing) this.#start(number);
    } else {
      for (const number of near) if (!this.#complete(number)) this.#start(number);
    }
  }

  /** Load again what is held; it stays until the new is there. */
  renew() {
    for (const controller of this.#coming.values()) controller.abort();
    this.#coming.clear();
    for (const number of this.#have.keys()) this.#partial.add(number);
  }

  /** Give up all requests and drop all windows. */
  clear() {
    for (const controller of this.#coming.values()) controller.abort();
    this.#coming.clear();
    for (const number of [...this.#have.keys()]) this.#drop(number);
  }

  /** @type {Set<number>} */
  #partial = new Set();

  /** @param {number} number */
  #complete(number) {
    return this.#have.has(number) && !this.#partial.has(number);
  }

  /** @param {number} number */
  #touch(number) {
    const value = this.#have.get(number);
    if (value === undefined) return;
    this.#have.delete(number);
    this.#have.set(number, value);
  }

  /** @param {number} number */
  #drop(number) {
    const value = this.#have.get(number);
    this.#have.delete(number);
    this.#partial.delete(number);
    if (value !== undefined) this.#options.drop?.(value);
  }

  /** @param {number} number */
  async #start(number) {
    if (this.#coming.has(number)) return;
    const { size, load, loaded, failed } = this.#options;
    const start = number * size;
    const count = Math.min(size, this.total - start);
    const controller = new AbortController();
    this.#coming.set(number, controller);
    try {
      const partly = (/** @type {Value} */ value) => {
        if (controller.signal.aborted) return;
        this.#partial.add(number);
        this.#keep(number, value);
        loaded(start, count);
      };
      const before = this.#have.get(number);
      const value = await load(start, count, controller.signal, partly, before);
      if (controller.signal.aborted) {
        if (before === undefined) this.#options.drop?.(value);
        return;
      }
      this.#coming.delete(number);
      this.#partial.delete(number);
      this.#keep(number, value);
      loaded(start, count);
    } catch (error) {
      if (this.#coming.get(number) === controller) this.#coming.delete(number);
      if (!isAbort(error) && !controller.signal.aborted) failed(error);
    }
  }

  /**
   * @param {number} number
   * @param {Value} value
   */
  #keep(number, value) {
    this.#have.delete(number);
    this.#have.set(number, value);
    for (const oldest of this.#have.keys()) {
      if (this.#have.size <= this.#options.keep) break;
      if (!this.#coming.has(oldest)) this.#drop(oldest);
      else break;
    }
  }
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export function clamp(value, low, high) {
  return Math.max(low, Math.min(high, value));
}

/**
 * Whole numbers from `from` to `to`, both included.
 * @param {number} from
 * @param {number} to
 */
export function numbers(from, to) {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, place) => from + place);
}
