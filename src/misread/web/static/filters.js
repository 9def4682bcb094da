/** The controls that choose what is shown, and the chips that say what was chosen. */

import { byId, fill, icon, make, nameOf, shown } from "./dom.js";
import { Picker, openBeside } from "./picker.js";
import { change, isFilter, ofSplit, toQuery, unfiltered } from "./state.js";
import { SORT_NAMES, VERDICT_NAMES, count } from "./text.js";

/**
 * @typedef {import("./types.js").Boot} Boot
 * @typedef {import("./types.js").View} View
 * @typedef {import("./picker.js").Option} Option
 */

/** @type {Record<string, string>} */
const DECIDED_NAMES = { ...VERDICT_NAMES, any: "Any verdict", none: "No verdict yet" };

/** @type {[string, string][]} */
const READ = [
  ["", "All"],
  ["no", "Misread"],
  ["yes", "Read right"],
];

/**
 * What a filter says, as the two parts of its chip.
 * @param {string} key
 * @param {string} value
 * @param {string[]} classes
 * @returns {[string, string]}
 */
export function describeFilter(key, value, classes) {
  const named = /** @type {Record<string, string>} */ (VERDICT_NAMES)[value] ?? value;
  if (key === "right") return ["", value === "no" ? "Misread" : "Read right"];
  if (key === "given") return ["Given", shown(classes[Number(value)] ?? value)];
  if (key === "predicted") return ["Read as", shown(classes[Number(value)] ?? value)];
  if (key === "suggested") return ["Suggested", named];
  if (key === "decided") return ["Verdict", DECIDED_NAMES[value] ?? value];
  return [key.slice("meta.".length), value === "" ? "(missing)" : value];
}

/** The controls above the grid. */
export class Filters {
  #boot;
  #place;

  /**
   * @param {Boot} boot
   * @param {import("./state.js").Place} place
   */
  constructor(boot, place) {
    this.#boot = boot;
    this.#place = place;
    this.splits = byId("splits");
    this.model = /** @type {HTMLSelectElement} */ (byId("model"));
    this.read = byId("read");
    this.sort = /** @type {HTMLSelectElement} */ (byId("sort"));
    this.order = byId("order");
    this.group = byId("group");
    this.pills = byId("pills");
    this.chips = byId("chips");
    this.#build();
  }

  #build() {
    this.splits.append(
      ...Object.entries(this.#boot.splits).map(([name, { images }]) =>
        make(
          "button",
          { type: "button", "data-split": name, on: { click: () => this.#toSplit(name) } },
          make("bdi", {}, shown(name)),
          make("span", { class: "amount" }, count(images)),
        ),
      ),
    );
    this.read.append(
      ...READ.map(([value, text]) =>
        make("button", { type: "button", "data-right": value, on: { click: () => this.set({ right: value }) } }, text),
      ),
    );
    this.sort.append(
      ...this.#boot.sorts.map(({ key }) => make("option", { value: key }, SORT_NAMES[key] ?? key)),
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
    const query = change(this.#place.state.query, { as_of: null, ...changes });
    this.#place.go({ query, image: null });
  }

  /** Show all images of the split. */
  clear() {
    this.#place.go({ query: unfiltered(this.#place.state.query), image: null });
  }

  /** @param {string} split */
  #toSplit(split) {
    this.#place.go({ query: ofSplit(this.#place.state.query, split, this.#boot), image: null });
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
    const { query: asked } = this.#place.state;
    const split = query.split ?? asked.split ?? this.#boot.default.split;
    this.#drawSplits(split);
    this.#drawModels(split, view.model);
    this.#drawOrder(query);
    this.#drawPills(split, view.model !== null);
    this.#drawChips(asked);
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
    const models = this.#boot.models.filter((model) => model.split === split);
    this.model.replaceChildren(
      ...models.map(({ run, origin }) =>
        make("option", { value: run, selected: run === chosen }, `${run} (${origin})`),
      ),
    );
    if (models.length === 0) this.model.append(make("option", {}, "no predictions"));
    this.model.disabled = models.length === 0;
    this.#drawRead(models.length > 0);
    for (const { key, needs } of this.#boot.sorts) {
      const option = this.sort.querySelector(`option[value="${CSS.escape(key)}"]`);
      const scores = this.#boot.splits[split]?.scores.state;
      const missing = (needs === "model" && models.length === 0) || (needs === "scores" && scores === "none");
      /** @type {HTMLOptionElement | null} */ (option)?.toggleAttribute("disabled", missing);
    }
  }

  /** @param {boolean} possible */
  #drawRead(possible) {
    const right = this.#place.state.query.right ?? "";
    for (const button of this.read.children) {
      const { dataset } = /** @type {HTMLElement} */ (button);
      button.setAttribute("aria-pressed", String(dataset.right === right));
      button.toggleAttribute("disabled", !possible && dataset.right !== "");
    }
  }

  /** @param {Record<string, string>} query */
  #drawOrder(query) {
    const sort = query.sort ?? "index";
    const usual = this.#boot.sorts.find(({ key }) => key === sort)?.order ?? "asc";
    const order = query.order ?? usual;
    this.sort.value = sort;
    this.order.dataset.order = order;
    const random = sort === "random";
    const words = order === "asc" ? "Ascending" : "Descending";
    this.order.setAttribute("aria-label", random ? "Shuffle again" : `${words}; turn the order round`);
    this.order.title = random ? "Shuffle again" : words;
    fill(this.order, icon(order === "asc" ? "ascending" : "descending"));
    this.group.setAttribute("aria-pressed", String((query.group ?? "given") === "given"));
  }

  /**
   * @param {string} split
   * @param {boolean} predicted
   */
  #drawPills(split, predicted) {
    const scores = this.#boot.splits[split]?.scores;
    const metadata = this.#boot.splits[split]?.metadata ?? [];
    fill(
      this.pills,
      this.#pill("Given", "given", () => this.#classes()),
      predicted && this.#pill("Read as", "predicted", () => this.#classes()),
      scores?.state !== "none" &&
        this.#pill("Suggested", "suggested", () => verdicts(["model", "label", "ambiguous", "fine"])),
      this.#pill("Verdict", "decided", () => verdicts(["none", "any", ...this.#boot.verdicts])),
      metadata.length > 0 && this.#metadataPill(metadata),
    );
  }

  /** @returns {Option[]} */
  #classes() {
    return this.#boot.classes.map((name, number) => ({ value: String(number), text: name }));
  }

  /**
   * @param {string} text
   * @param {string} key
   * @param {() => Option[]} options
   */
  #pill(text, key, options) {
    const button = make(
      "button",
      { type: "button", class: "pill", "data-filter": key, "aria-haspopup": "dialog", "aria-expanded": "false" },
      text,
      icon("down"),
    );
    button.classList.toggle("on", key in this.#place.state.query);
    button.addEventListener("click", () => {
      const first = this.#place.state.query[key] ?? null;
      const picker = new Picker(text, options(), (value) => {
        close();
        this.set({ [key]: value });
      }, { first });
      const close = openBeside(button, text, picker.element);
      picker.focus();
    });
    return button;
  }

  /** @param {import("./types.js").Column[]} columns */
  #metadataPill(columns) {
    const button = make(
      "button",
      { type: "button", class: "pill", "data-filter": "meta", "aria-haspopup": "dialog", "aria-expanded": "false" },
      "Metadata",
      icon("down"),
    );
    button.classList.toggle("on", Object.keys(this.#place.state.query).some((key) => key.startsWith("meta.")));
    button.addEventListener("click", () => this.#chooseColumn(button, columns));
    return button;
  }

  /**
   * @param {HTMLElement} button
   * @param {import("./types.js").Column[]} columns
   */
  #chooseColumn(button, columns) {
    const options = columns.map(({ name, distinct }) => ({
      value: name, text: name, hint: `${count(distinct)} ${distinct === 1 ? "value" : "values"}`,
    }));
    const picker = new Picker("Column", options, (name) => {
      const column = columns.find((other) => other.name === name);
      if (column) this.#chooseValue(button, column);
    });
    openBeside(button, "Metadata", picker.element);
    picker.focus();
  }

  /**
   * @param {HTMLElement} button
   * @param {import("./types.js").Column} column
   */
  #chooseValue(button, column) {
    const key = `meta.${column.name}`;
    /** @type {Option[]} */
    const options = column.values.map(([value, images]) => ({
      value, text: value, hint: count(images),
    }));
    if (column.missing) options.push({ value: "", text: "(missing)", hint: count(column.missing) });
    const picker = new Picker(column.name, options, (value) => {
      close();
      this.set({ [key]: value });
    }, { first: this.#place.state.query[key] ?? null });
    const rest = column.distinct - column.values.length;
    const box = make("div", {}, picker.element, rest > 0 && this.#otherValue(key, rest, () => close()));
    const close = openBeside(button, column.name, box);
    picker.focus();
  }

  /**
   * A column may have more values than were sent: any one can be typed.
   * @param {string} key
   * @param {number} rest
   * @param {() => void} close
   */
  #otherValue(key, rest, close) {
    const field = make("input", { type: "text", class: "field", "aria-label": "Another value", autocomplete: "off" });
    const form = make(
      "form",
      { class: "other-value" },
      make("p", { class: "options-more" }, `${count(rest)} rarer values aren't listed: type one in full.`),
      make("div", { class: "other-row" }, field, make("button", { type: "submit", class: "button" }, "Show")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      close();
      this.set({ [key]: field.value });
    });
    return form;
  }

  /** @param {Record<string, string>} query */
  #drawChips(query) {
    const keys = Object.keys(query).filter(isFilter);
    fill(this.chips, ...keys.map((key) => this.#chip(key, query[key])));
    if (query.as_of) this.chips.append(this.#asOf(query.as_of));
    if (keys.length > 1) {
      this.chips.append(
        make("button", { type: "button", class: "link", on: { click: () => this.clear() } }, "Remove all"),
      );
    }
  }

  /**
   * @param {string} key
   * @param {string} value
   */
  #chip(key, value) {
    const [what, which] = describeFilter(key, value, this.#boot.classes);
    const text = what ? `${what}: ${which}` : which;
    const remove = make("button", {
      type: "button", class: "chip-remove", "aria-label": `Remove the filter ${text}`,
      on: { click: () => this.#remove(key) },
    }, icon("close"));
    return make("span", { class: "chip", "data-filter": key }, what && make("span", { class: "chip-what" }, what, " "), nameOf(which), remove);
  }

  /** @param {string} revision */
  #asOf(revision) {
    const remove = make("button", {
      type: "button", class: "chip-remove", "aria-label": "Show verdicts as they are now",
      on: { click: () => this.set({}) },
    }, icon("close"));
    return make("span", { class: "chip" }, `As of verdict ${revision}`, remove);
  }

  /** @param {string} key */
  #remove(key) {
    const { query } = this.#place.state;
    const { [key]: _gone, ...rest } = query;
    this.#place.go({ query: rest, image: null });
    // The button is gone with its filter: the focus goes to the next one.
    const next = this.chips.querySelector("button") ?? byId("grid");
    /** @type {HTMLElement} */ (next).focus({ preventScroll: true });
  }
}

/**
 * @param {string[]} values
 * @returns {Option[]}
 */
function verdicts(values) {
  return values.map((value) => ({ value, text: DECIDED_NAMES[value] ?? value }));
}

/**
 * What is shown first, when the URL says nothing: the misread images, those with the likeliest wrong
 * labels first.
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
