/** The owner's page: links are copied by a button. */

import { byId } from "../dom.js";

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => copy(button));
}

/** @param {Element} button */
async function copy(button) {
  const text = button.getAttribute("data-copy") ?? "";
  const copied = (await byClipboard(text)) || bySelection(button.previousElementSibling);
  byId("copied").textContent = copied ? "copied" : "selected: copy it with the keyboard";
}

/**
 * Browsers have the clipboard on this machine and over https alone.
 * @param {string} text
 */
async function byClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** @param {Element | null} link */
function bySelection(link) {
  if (!link) return false;
  getSelection()?.selectAllChildren(link);
  return document.execCommand("copy");
}
