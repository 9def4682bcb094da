/** The controls that choose what is shown, and the chips that say what was chosen. */

import { drawChips } from "./chips.js";
import { byId, fill, icon, make, shown } from "./dom.js";
import { drawPills } from "./pills.js";
import { change, ofSplit, toQuery, unfiltered } from "./state.js";
import { SORT_NAMES, count } from "./text.js";

/**
 * @typedef {import("./types.js").Boot} Boot
 * @typedef {import("./types.js").View} View
 */

/** @type {[string, string][]} */
const READ = [
  ["", "All"],
  ["no", "Misread"],
  ["yes", "Read right"],
];

/** The controls above the grid. */
export class Filters {
  #place;

  /**
   * @param {Boot} boot
   * @param {import("./state.js").Place} place
   */
  constructor(boot, place) {
    this.boot = boot;
    this.#place = place;
    this.splits = byId("splits");
    this.model = /** @type {HTMLSelectElement} */ (byId("model"));
    this.read = byId("read");
    this.sort = /** @type {HTMLSelectElement} */ (byId("sort"));
    this.order = byId("order");
    this.group = byId("group");
    this.#build();
  }

  #build() {
    this.splits.append(
      ...Object.entries(this.boot.splits).map(([name, { images }]) =>
        make(
          "button",
          { type: "button", "data-split": name, on: { click: () => this.#toSplit(name) } },
          make("bdi", {}, shown(name)),
          " ",
          make("span", { class: "amount" }, count(images)),
        ),
      ),
    );
    this.read.append(
      ...READ.map(([value, text]) =>
        make(
          "button",
          { type: "button", "data-right": value, on: { click: () => this.set({ right: value }) } },
          text,
        ),
      ),
    );
    this.sort.append(
      ...this.boot.sorts.map(({ key }) => make("option", { value: key }, SORT_NAMES[key] ?? key)),
    );
    this.sort.addEventListener("change", () =>
      this.set({ sort: this.sort.value, order: null, seed: null }),
    );
    this.order.addEventListener("click", () => this.#turn());
    this.model.addEventListener("change", () => this.set({ model: this.model.value }));
    this.group.addEventListener("click", () => {
      const grouped = this.group.getAttribute("aria-pressed") === "true";
      this.set({ group: grouped ? "none" : "given" });
    });
    const toggle = byId("filter-toggle");
    toggle.addEventListener("click", () => {
      const open = byId("top").classList.toggle("open");
      toggle.setAttribute("aria-expanded", String(open));
    });
  }

  /**
   * Change what is shown.
   * @param {Record<string, string | null>} changes
   */
  set(changes) {
    const query = change(this.query, { as_of: null, ...changes });
    this.#place.go({ query, image: null });
  }

  /** What the URL asks for. */
  get query() {
    return this.#place.state.query;
  }

  /**
   * Take a filter away.
   * @param {string} key
   */
  remove(key) {
    const { [key]: _gone, ...rest } = this.query;
    this.#place.go({ query: rest, image: null });
  }

  /** Show all images of the split. */
  clear() {
    this.#place.go({ query: unfiltered(this.query), image: null });
  }

  /** @param {string} split */
  #toSplit(split) {
    this.#place.go({ query: ofSplit(this.query, split, this.boot), image: null });
  }

  #turn() {
    const { sort } = this;
    if (sort.value === "random") {
      // Another order, in place of the opposite of a random one.
      this.set({ seed: String(crypto.getRandomValues(new Uint16Array(1))[0]) });
      return;
    }
    this.set({ order: this.order.dataset.order === "asc" ? "desc" : "asc" });
  }

  /**
   * Show which view this is.
   * @param {View} view
   */
  draw(view) {
    const query = Object.fromEntries(new URLSearchParams(view.query));
    const asked = this.query;
    const split = query.split ?? asked.split ?? this.boot.default.split;
    this.#drawSplits(split);
    this.#drawModels(split, view.model);
    this.#drawOrder(query);
    drawPills(this, split, view.model !== null);
    drawChips(this, asked);
  }

  /** @param {string} split */
  #drawSplits(split) {
    for (const button of this.splits.children) {
      const on = /** @type {HTMLElement} */ (button).dataset.split === split;
      button.setAttribute("aria-pressed", String(on));
    }
  }

  /**
   * @param {string} split
   * @param {string | null} chosen
   */
  #drawModels(split, chosen) {
    const models = this.boot.models.filter((model) => model.split === split);
    this.model.replaceChildren(
      ...models.map(({ run, origin }) =>
        make("option", { value: run, selected: run === chosen }, `${run} (${origin})`),
      ),
    );
    if (models.length === 0) this.model.append(make("option", {}, "no predictions"));
    this.model.disabled = models.length === 0;
    this.#drawRead(models.length > 0);
    for (const { key, needs } of this.boot.sorts) {
      const option = this.sort.querySelector(`option[value="${CSS.escape(key)}"]`);
      const scores = this.boot.splits[split]?.scores.state;
      const missing =
        (needs === "model" && models.length === 0) || (needs === "scores" && scores === "none");
      /** @type {HTMLOptionElement | null} */ (option)?.toggleAttribute("disabled", missing);
    }
  }

  /** @param {boolean} possible */
  #drawRead(possible) {
    const right = this.query.right ?? "";
    for (const button of this.read.children) {
      const { dataset } = /** @type {HTMLElement} */ (button);
      button.setAttribute("aria-pressed", String(dataset.right === right));
      button.toggleAttribute("disabled", !possible && dataset.right !== "");
    }
  }

  /** @param {Record<string, string>} query */
  #drawOrder(query) {
    const sort = query.sort ?? "index";
    const usual = this.boot.sorts.find(({ key }) => key === sort)?.order ?? "asc";
    const order = query.order ?? usual;
    this.sort.value = sort;
    this.order.dataset.order = order;
    const random = sort === "random";
    const words = order === "asc" ? "Ascending" : "Descending";
    this.order.setAttribute(
      "aria-label",
      random ? "Shuffle again" : `${words}; turn the order round`,
    );
    this.order.title = random ? "Shuffle again" : words;
    fill(this.order, icon(order === "asc" ? "ascending" : "descending"));
    this.group.setAttribute("aria-pressed", String((query.group ?? "given") === "given"));
  }
}

/**
 * What is shown first, when the URL says nothing: the misread images, those with the likeliest
 * wrong labels first.
 * @param {Boot} boot
 * @returns {Record<string, string>}
 */
export function firstQuery(boot) {
  const { split, model } = boot.default;
  if (model === null) return { split };
  const scored = boot.splits[split]?.scores.state === "ready";
  return { split, group: "given", sort: scored ? "suspicion" : "confidence", right: "no" };
}

/**
 * One text for one view, to tell whether two states show the same.
 * @param {import("./state.js").State} state
 */
export function viewOf(state) {
  return toQuery(state.query);
}
