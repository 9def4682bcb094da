/** Waiting before the next try; whoever gets through wakes all others. */

export const FIRST_WAIT = 500;
// A server that is back is found within this time.
const LONGEST_WAIT = 2_000;
const REACHED = "misread-reached";

addEventListener("online", reached);

/**
 * The wait after this one.
 * @param {number} wait
 */
export function longer(wait) {
  return Math.min(2 * wait, LONGEST_WAIT);
}

/** The server answered. */
export function reached() {
  dispatchEvent(new Event(REACHED));
}

/**
 * Resolves after a time, or as soon as the server answers anybody.
 * @param {number} milliseconds
 * @returns {Promise<void>}
 */
export function pauseBefore(milliseconds) {
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer);
      removeEventListener(REACHED, go);
      resolve();
    };
    const timer = setTimeout(go, milliseconds);
    addEventListener(REACHED, go);
  });
}
