/** The sign that says whether what was decided is on disk. */

import { fill, icon, make } from "./dom.js";
import { announce } from "./messages.js";
import { counted } from "./text.js";

/**
 * Saving takes milliseconds, and a sign that flickers says nothing: "saving" stays this long at
 * least. It never says "saved" too early.
 */
const CALM = 300;

/**
 * Keep signs up to date.
 * @param {HTMLElement[]} signs
 * @param {import("./decisions.js").Decisions} decisions
 */
export function setUpSaveSigns(signs, decisions) {
  let timer = 0;
  let before = "";
  const draw = () => {
    const { outbox } = decisions;
    const text = wording(outbox);
    for (const sign of signs) {
      sign.dataset.standing = outbox.standing;
      if (outbox.standing === "unsaved") {
        const retry = make(
          "button",
          { type: "button", class: "link", on: { click: () => outbox.flush() } },
          "Retry now",
        );
        fill(sign, icon("warning"), make("span", {}, text), retry);
      } else {
        fill(sign, make("span", { class: "dot", "aria-hidden": "true" }), make("span", {}, text));
      }
    }
    // Every single save would be too much to listen to.
    if (outbox.standing === "unsaved" && before !== "unsaved") announce(text);
    if (outbox.standing === "saved" && before === "unsaved") announce("Everything is saved again.");
    before = outbox.standing;
  };
  decisions.addEventListener("standing", () => {
    window.clearTimeout(timer);
    if (decisions.outbox.standing === "saved") timer = window.setTimeout(draw, CALM);
    else if (decisions.outbox.standing !== before) draw();
    else if (before === "unsaved") draw();
  });
  window.addEventListener("beforeunload", (event) => {
    // What is kept in this browser is sent later; what isn't would be lost.
    if (!decisions.outbox.kept) event.preventDefault();
  });
  draw();
}

/** @param {import("./outbox.js").Outbox} outbox */
function wording(outbox) {
  if (outbox.standing === "saved") return "All saved";
  if (outbox.standing === "saving") return "Saving…";
  const where = outbox.kept ? "kept in this browser" : "kept in this page only";
  return `Not saved: ${counted(outbox.images, "verdict")} ${where}, retrying`;
}
