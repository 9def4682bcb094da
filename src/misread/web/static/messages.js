/** Short messages, to be seen and to be heard. */

import { byId, fill } from "./dom.js";

const SHOWN_FOR = 3500;

let timer = 0;

/**
 * Say something to those who listen to the page.
 * @param {string} text
 */
export function announce(text) {
  // What lies outside an open dialog is silent.
  const open = document.querySelector("dialog[open] .announcer");
  const region = open ?? byId("announcer");
  // The same text again is news too.
  region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}

/**
 * Show a message for a while, and say it.
 * @param {string} text
 * @param {"plain" | "bad"} [tone]
 */
export function notify(text, tone = "plain") {
  const toast = byId("toast");
  toast.dataset.tone = tone;
  fill(toast, text);
  // Shown anew so that it lies above a dialog that was opened since.
  if (toast.matches(":popover-open")) toast.hidePopover();
  toast.showPopover();
  window.clearTimeout(timer);
  timer = window.setTimeout(() => toast.hidePopover(), tone === "bad" ? 2 * SHOWN_FOR : SHOWN_FOR);
  announce(text);
}
