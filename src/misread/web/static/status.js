/** How many images a view has, how wrong the model is, and what is said when there is nothing. */

import { GoneError, RefusedError } from "./api.js";
import { add, byId, fill, make } from "./dom.js";
import { isFilter } from "./state.js";
import { count, counted, percent } from "./text.js";

/** @typedef {import("./types.js").View} View */

/** How long verdicts rest before the error rate is counted again, milliseconds. */
const REST = 800;

/** The line above the grid, and what stands in place of the grid. */
export class Status {
  #api;
  #place;
  /** @type {View | null} */
  #view = null;
  #counting = 0;
  /** Number of times that the error rate was asked for. */
  #asked = 0;

  /**
   * @param {import("./api.js").Api} api
   * @param {import("./state.js").Place} place
   * @param {import("./decisions.js").Decisions} decisions
   */
  constructor(api, place, decisions) {
    this.#api = api;
    this.#place = place;
    decisions.addEventListener("change", () => this.#decided());
  }

  /**
   * Show what a view is.
   * @param {View} view
   * @param {() => void} showAll Takes all filters away.
   */
  show(view, showAll) {
    this.#view = view;
    byId("empty").hidden = view.total > 0;
    byId("failed").hidden = true;
    byId("grid").hidden = view.total === 0;
    byId("refresh").hidden = true;
    this.#drawCount(view);
    if (view.total === 0) this.#drawEmpty(view, showAll);
    this.#countErrors();
  }

  /** @param {View} view */
  #drawCount(view) {
    const all = view.total === view.of;
    const rest = all ? (view.total === 1 ? " image" : " images") : ` of ${counted(view.of)}`;
    fill(byId("count"), make("strong", {}, count(view.total)), rest);
    const note = byId("view-note");
    note.textContent = view.pending
      ? "Suspicion, difficulty and suggested verdicts are being worked out; by index until then."
      : view.note;
    note.hidden = !note.textContent;
  }

  /**
   * @param {View} view
   * @param {() => void} showAll
   */
  #drawEmpty(view, showAll) {
    const filtered = Object.keys(this.#place.state.query).some(isFilter);
    fill(
      byId("empty"),
      make("h2", {}, filtered ? "No image fits these filters" : "There are no images here"),
      view.note && make("p", {}, view.note),
      filtered && make("p", {}, "Remove one of the filters above, or all of them."),
      filtered &&
        make(
          "button",
          { type: "button", class: "button", on: { click: showAll } },
          "Show all images",
        ),
    );
  }

  /**
   * Say why there is no view.
   * @param {unknown} error
   * @param {() => void} again
   */
  fail(error, again) {
    const gone = error instanceof GoneError;
    const refused = error instanceof RefusedError;
    if (!gone && !refused) console.error(error);
    const why = gone
      ? "The page goes on by itself when it does."
      : /** @type {Error} */ (error).message;
    const retry = make(
      "button",
      { type: "button", class: "button", on: { click: again } },
      "Try again",
    );
    const anew = refused && make("a", { class: "button", href: "/" }, "Start anew");
    fill(
      byId("failed"),
      make("h2", {}, gone ? "The server doesn't answer" : "This view can't be shown"),
      make("p", {}, why),
      make("div", { class: "failed-tools" }, retry, anew || null),
    );
    byId("failed").hidden = false;
    byId("empty").hidden = true;
    byId("grid").hidden = true;
    byId("sticky").hidden = true;
  }

  #decided() {
    window.clearTimeout(this.#counting);
    this.#counting = window.setTimeout(() => this.#countErrors(), REST);
    // Nothing moves under the hands of who judges: he says when.
    if ("decided" in this.#place.state.query) this.offerRefresh("Verdicts changed: refresh");
  }

  /**
   * Offer to show the view as it would be now.
   * @param {string} text
   */
  offerRefresh(text) {
    byId("refresh").textContent = text;
    byId("refresh").hidden = false;
  }

  async #countErrors() {
    const view = this.#view;
    if (!view) return;
    this.#asked += 1;
    const asked = this.#asked;
    try {
      /** @type {import("./types.js").ErrorRates} */
      const rates = await this.#api.get(`/api/error?${view.query}`);
      if (this.#view === view && this.#asked === asked) this.#drawErrors(rates);
    } catch {
      // What it was stays; the view itself says when the server is gone.
    }
  }

  /** @param {import("./types.js").ErrorRates} rates */
  #drawErrors({ as_labelled: labelled, after, decided }) {
    const box = byId("error-rate");
    fill(box);
    if (labelled) {
      const { rate, low, high, total } = labelled;
      add(box, "error as labelled ", make("strong", {}, percent(rate, total)));
      add(box, ` (${percent(low, total)} to ${percent(high, total)})`);
    }
    if (labelled && after && after.count !== labelled.count) {
      add(box, ", after verdicts ", make("strong", {}, percent(after.rate, after.total)));
    }
    if (decided > 0) add(box, labelled ? " · " : "", counted(decided, "verdict"));
  }
}
