/** Scrolling through content of any height in an element of limited height. */

import { ScrollMap, TALLEST } from "./layout.js";
import { clamp } from "./windows.js";

const SETTLED = 140;

/**
 * Knows how far the content is scrolled.
 *
 * Small movements move the content by as much as the bar; long ones (the bar was dragged) go where
 * the bar points. When all is calm, the bar is put where it belongs.
 */
export class Scroller {
  #map;
  #bar = 0;
  #timer = 0;
  #moved;

  /**
   * @param {HTMLElement} element What scrolls.
   * @param {HTMLElement} space What in it is as tall as the content.
   * @param {() => void} moved
   * @param {number} [tallest]
   */
  constructor(element, space, moved, tallest = TALLEST) {
    this.element = element;
    this.space = space;
    this.tallest = tallest;
    /** How far the content is scrolled, in CSS pixels. */
    this.top = 0;
    /** How much higher the content is than its element. */
    this.shift = 0;
    this.viewport = 0;
    this.#moved = moved;
    this.#map = new ScrollMap(0, 0, tallest);
    element.addEventListener("scroll", () => this.#follow(), { passive: true });
  }

  /**
   * Take on other content.
   * @param {number} height
   * @param {number} top Where it is to stand.
   */
  resize(height, top) {
    this.viewport = this.element.clientHeight;
    this.#map = new ScrollMap(height, this.viewport, this.tallest);
    this.space.style.height = `${this.#map.physical}px`;
    this.#put(top);
  }

  /**
   * Go somewhere.
   * @param {number} top
   */
  go(top) {
    this.#put(top);
    this.#moved();
  }

  /** @param {number} top */
  #put(top) {
    this.top = clamp(top, 0, this.#map.most);
    this.element.scrollTop = this.#map.toPhysical(this.top);
    // The browser rounds; what it made of it counts.
    this.#bar = this.element.scrollTop;
    this.shift = this.top - this.#bar;
  }

  #follow() {
    const bar = this.element.scrollTop;
    const by = bar - this.#bar;
    if (by === 0) return;
    if (this.#map.exact) {
      this.top = bar;
    } else if (Math.abs(by) < 2 * this.viewport) {
      this.top = clamp(this.top + by, 0, this.#map.most);
    } else {
      this.top = this.#map.toReal(bar);
    }
    this.#bar = bar;
    this.shift = this.top - bar;
    if (!this.#map.exact) this.#settle(bar);
    this.#moved();
  }

  /** @param {number} bar */
  #settle(bar) {
    window.clearTimeout(this.#timer);
    const stuck =
      (bar <= 0 && this.top > 0) ||
      (bar >= this.#map.mostPhysical - 1 && this.top < this.#map.most - 1);
    if (stuck) {
      this.#put(this.top);
      return;
    }
    this.#timer = window.setTimeout(() => {
      this.#put(this.top);
      this.#moved();
    }, SETTLED);
  }
}
