/** A set of places of a view, kept as ranges: a million selected images are one pair of numbers. */
export class Ranges {
  /** @type {[number, number][]} Ascending, apart, the end not included. */
  #ranges = [];

  /** Number of places. */
  get size() {
    return this.#ranges.reduce((sum, [start, end]) => sum + end - start, 0);
  }

  /** The ranges, ascending. @returns {[number, number][]} */
  get list() {
    return this.#ranges.map(([start, end]) => [start, end]);
  }

  /** The last place, -1 if there is none. */
  get last() {
    return this.#ranges.length ? this.#ranges[this.#ranges.length - 1][1] - 1 : -1;
  }

  /** @param {number} place */
  has(place) {
    return this.#ranges.some(([start, end]) => start <= place && place < end);
  }

  /**
   * @param {number} start
   * @param {number} end Not included.
   */
  add(start, end) {
    if (end <= start) return;
    const apart = this.#ranges.filter(([from, to]) => to < start || from > end);
    const touching = this.#ranges.filter(([from, to]) => to >= start && from <= end);
    apart.push([
      Math.min(start, ...touching.map(([from]) => from)),
      Math.max(end, ...touching.map(([, to]) => to)),
    ]);
    this.#ranges = apart.sort((a, b) => a[0] - b[0]);
  }

  /**
   * @param {number} start
   * @param {number} end Not included.
   */
  remove(start, end) {
    if (end <= start) return;
    this.#ranges = this.#ranges.flatMap(([from, to]) => {
      /** @type {[number, number][]} */
      const left = [
        [from, Math.min(to, start)],
        [Math.max(from, end), to],
      ];
      return left.filter(([a, b]) => a < b);
    });
  }

  /** @param {number} place */
  toggle(place) {
    if (this.has(place)) this.remove(place, place + 1);
    else this.add(place, place + 1);
  }

  clear() {
    this.#ranges = [];
  }
}
