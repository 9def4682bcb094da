/** The trials to come, with their images loaded before they are needed. */

import { FIRST_WAIT, longer, pauseBefore, reached } from "./retry.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Trial} Trial */

/** @typedef {Trial & { image: Promise<HTMLImageElement>, shown: number }} Loaded `shown`: how often. */

const AHEAD = 6;

/** Emits `again` when images that were answered are to be asked again. */
export class Supply extends EventTarget {
  #base;
  /** @type {Loaded[]} */
  #waiting = [];
  #last = "";
  #ended = false;
  /** Images to answer, with those that are asked again, as far as the server has said. */
  planned = 0;

  /** @param {string} base Path of this reader's link. */
  constructor(base) {
    super();
    this.#base = base;
  }

  /**
   * Take in how many images there are to answer.
   * @param {number} planned
   */
  plan(planned) {
    const more = this.planned > 0 && planned > this.planned;
    this.planned = planned;
    if (more) this.dispatchEvent(new Event("again"));
  }

  /** Ask where the reader stands. @returns {Promise<State>} */
  async state() {
    const state = await getState(`${this.#base}/state`);
    this.#waiting = [];
    this.#ended = false;
    this.#take(state);
    return state;
  }

  /**
   * The next trial; null where there is none.
   * @param {() => Promise<unknown>} settled Resolves when the server has every answer: only then does
   *   it know which images are to be asked again.
   * @returns {Promise<Loaded | null>}
   */
  async next(settled) {
    if (!this.#waiting.length && !this.#ended) await this.#more();
    if (!this.#waiting.length) {
      await settled();
      const state = await this.state();
      this.#ended = state.phase === "done";
    }
    const trial = this.#waiting.shift() ?? null;
    // Not awaited: there are some left to show meanwhile.
    if (this.#waiting.length < AHEAD / 2 && !this.#ended) this.#more().catch(() => {});
    return trial;
  }

  async #more() {
    const after = this.#last;
    const state = await getState(`${this.#base}/state?after=${encodeURIComponent(after)}`);
    if (after !== this.#last) return;
    this.#take(state);
    this.#ended = state.upcoming.length === 0;
  }

  /** @param {State} state */
  #take(state) {
    this.plan(state.planned);
    for (const trial of state.upcoming) {
      const image = load(`${this.#base}/images/${trial.trial}`);
      this.#waiting.push({ ...trial, image, shown: 0 });
      this.#last = trial.trial;
    }
  }
}

/**
 * @param {string} path
 * @returns {Promise<State>}
 */
async function getState(path) {
  for (let wait = FIRST_WAIT; ; wait = longer(wait)) {
    const response = await fetch(path, { cache: "no-store" }).catch(() => null);
    if (response?.ok) {
      reached();
      return response.json();
    }
    if (response && response.status < 500) {
      throw new Error((await response.json().catch(() => ({}))).error ?? `status ${response.status}`);
    }
    dispatchEvent(new Event("misread-waiting"));
    await pauseBefore(wait);
  }
}

/**
 * An image, decoded; tried again until it comes.
 * @param {string} path
 * @returns {Promise<HTMLImageElement>}
 */
async function load(path) {
  for (let wait = FIRST_WAIT; ; wait = longer(wait)) {
    const image = new Image();
    // No text: a description would say what is to be read.
    image.alt = "";
    image.draggable = false;
    image.src = path;
    try {
      await image.decode();
      return image;
    } catch {
      await pauseBefore(wait);
    }
  }
}
