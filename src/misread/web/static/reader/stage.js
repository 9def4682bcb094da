/** Where an image is shown, for how long, and when it was painted. */

import { make, fill } from "../dom.js";

/** @typedef {import("./types.js").Boot} Boot */
/** @typedef {import("./types.js").Brief} Brief */
/** @typedef {import("./types.js").Screen} Screen */

// Share of the window that an image may take.
const MOST = 0.5;
const LARGEST = 420;
// Images of up to so many pixels a side are enlarged by whole factors, larger ones are fitted.
const SMALL = 128;
// Of small images: larger squares hide what they are part of.
const MOST_ENLARGED = 10;
// CSS pixels that even the smallest image is enlarged to.
const USEFUL = 280;

export class Stage {
  #element;
  #boot;
  /** @type {HTMLImageElement | null} */
  #image = null;
  #shown = 0;

  /**
   * @param {HTMLElement} element
   * @param {Boot} boot
   */
  constructor(element, boot) {
    this.#element = element;
    this.#boot = boot;
    addEventListener("resize", () => this.#size());
  }

  /** Show nothing. */
  clear() {
    this.#shown += 1;
    this.#image = null;
    fill(this.#element);
  }

  /**
   * Show an image; in brief mode between a fixation cross and a mask.
   * @param {HTMLImageElement} image Loaded and decoded.
   * @param {boolean} brief
   * @returns {Promise<number | null>} `performance.now()` when it was painted; null if something else
   *   is shown by then.
   */
  async show(image, brief) {
    const turn = (this.#shown += 1);
    const timing = brief ? this.#boot.brief : null;
    if (timing) {
      fill(this.#element, make("div", { class: "fixation", "aria-hidden": "true" }, "+"));
      await pause(timing.fixation);
      if (turn !== this.#shown) return null;
    }
    this.#image = image;
    this.#size();
    fill(this.#element, image);
    const onset = await painted();
    if (turn !== this.#shown) return null;
    if (timing) this.#mask(turn, timing, onset);
    return onset;
  }

  /**
   * Take the image away after its time, show noise, then nothing.
   * @param {number} turn
   * @param {Brief} timing
   * @param {number} onset
   */
  async #mask(turn, timing, onset) {
    await pause(timing.image - (performance.now() - onset));
    if (turn !== this.#shown || !this.#image) return;
    const noise = drawNoise();
    noise.style.width = this.#image.style.width;
    noise.style.height = this.#image.style.height;
    fill(this.#element, noise);
    await pause(timing.mask);
    if (turn === this.#shown) fill(this.#element);
  }

  /**
   * Fit the image: small ones are enlarged by a whole number, so that pixels stay square and equal.
   * Each image says itself how large it is: those of a folder may differ.
   */
  #size() {
    const image = this.#image;
    if (!image) return;
    const longer = Math.max(image.naturalWidth, image.naturalHeight, 1);
    const room = Math.min(LARGEST, innerWidth - 32, MOST * innerHeight);
    const scale = room / longer;
    // Whole device pixels, not whole CSS pixels.
    const most = Math.min(scale, Math.max(MOST_ENLARGED, USEFUL / longer)) * devicePixelRatio;
    const whole = Math.max(1, Math.floor(most)) / devicePixelRatio;
    const small = longer <= SMALL && scale >= 1;
    const chosen = small ? whole : scale;
    image.classList.toggle("small", small);
    image.style.width = `${image.naturalWidth * chosen}px`;
    image.style.height = `${image.naturalHeight * chosen}px`;
  }

  /** How the image was seen. @returns {Screen} */
  screen() {
    const size = this.#image?.getBoundingClientRect();
    return {
      width: innerWidth,
      height: innerHeight,
      ratio: devicePixelRatio,
      zoom: visualViewport?.scale ?? 1,
      side: Math.max(size?.width ?? 0, size?.height ?? 0),
    };
  }
}

/** `performance.now()` once what was changed is on the screen: the second frame after. */
function painted() {
  return new Promise((/** @type {(time: number) => void} */ done) => {
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
  });
}

/**
 * Wait for a time on the grid of frames: half a frame early is nearer than half a frame late.
 * @param {number} milliseconds
 */
function pause(milliseconds) {
  const end = performance.now() + milliseconds - 8;
  return new Promise((/** @type {(value?: unknown) => void} */ done) => {
    const tick = () => (performance.now() >= end ? done() : requestAnimationFrame(tick));
    requestAnimationFrame(tick);
  });
}

/** Black and white squares, the same kind for every image. */
function drawNoise() {
  const canvas = make("canvas", { width: 28, height: 28, class: "noise", "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const pixels = context.createImageData(28, 28);
  for (let at = 0; at < pixels.data.length; at += 4) {
    pixels.data.fill(Math.random() < 0.5 ? 0 : 255, at, at + 3);
    pixels.data[at + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}
