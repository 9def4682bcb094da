/** The buttons that add a filter, each with its menu. */

import { byId, fill, icon, make } from "./dom.js";
import { DECIDED_NAMES } from "./chips.js";
import { Picker, closes, openBeside } from "./picker.js";
import { count } from "./text.js";

/**
 * @typedef {import("./picker.js").Option} Option
 * @typedef {import("./types.js").Column} Column
 * @typedef {import("./filters.js").Filters} Filters
 */

/**
 * @param {Filters} filters
 * @param {string} split
 * @param {boolean} predicted
 */
export function drawPills(filters, split, predicted) {
  const box = byId("pills");
  const scored = filters.boot.splits[split]?.scores.state !== "none";
  const kind = JSON.stringify([split, predicted, scored]);
  // A button that is replaced while it is pressed would lose the click.
  if (box.dataset.kind !== kind) fill(box, ...pills(filters, split, predicted, scored));
  box.dataset.kind = kind;
  for (const button of box.children) {
    const { filter = "" } = /** @type {HTMLElement} */ (button).dataset;
    const own = (/** @type {string} */ key) =>
      filter === "meta" ? key.startsWith("meta.") : key === filter;
    button.classList.toggle("on", Object.keys(filters.query).some(own));
  }
}

/**
 * @param {Filters} filters
 * @param {string} split
 * @param {boolean} predicted
 * @param {boolean} scored
 */
function pills(filters, split, predicted, scored) {
  const metadata = filters.boot.splits[split]?.metadata ?? [];
  return [
    pill(filters, "Given", "given", () => classes(filters)),
    predicted && pill(filters, "Read as", "predicted", () => classes(filters)),
    scored &&
      pill(filters, "Suggested", "suggested", () =>
        verdicts(["model", "label", "ambiguous", "fine"]),
      ),
    pill(filters, "Verdict", "decided", () => verdicts(["none", "any", ...filters.boot.verdicts])),
    metadata.length > 0 && metadataPill(filters, metadata),
  ];
}

/**
 * @param {Filters} filters
 * @returns {Option[]}
 */
function classes(filters) {
  return filters.boot.classes.map((name, number) => ({ value: String(number), text: name }));
}

/**
 * @param {Filters} filters
 * @param {string} text
 * @param {string} key
 * @param {() => Option[]} options
 */
function pill(filters, text, key, options) {
  const button = make(
    "button",
    {
      type: "button",
      class: "pill",
      "data-filter": key,
      "aria-haspopup": "dialog",
      "aria-expanded": "false",
    },
    text,
    icon("down"),
  );
  button.addEventListener("click", () => {
    if (closes(button)) return;
    const first = filters.query[key] ?? null;
    const picker = new Picker(
      text,
      options(),
      (value) => {
        close();
        filters.set({ [key]: value });
      },
      { first },
    );
    const close = openBeside(button, text, picker.element);
    picker.focus();
  });
  return button;
}

/**
 * @param {Filters} filters
 * @param {Column[]} columns
 */
function metadataPill(filters, columns) {
  const button = make(
    "button",
    {
      type: "button",
      class: "pill",
      "data-filter": "meta",
      "aria-haspopup": "dialog",
      "aria-expanded": "false",
    },
    "Metadata",
    icon("down"),
  );
  button.addEventListener("click", () => {
    if (!closes(button)) chooseColumn(filters, button, columns);
  });
  return button;
}

/**
 * @param {Filters} filters
 * @param {HTMLElement} button
 * @param {import("./types.js").Column[]} columns
 */
function chooseColumn(filters, button, columns) {
  const options = columns.map(({ name, distinct }) => ({
    value: name,
    text: name,
    hint: `${count(distinct)} ${distinct === 1 ? "value" : "values"}`,
  }));
  const picker = new Picker("Column", options, (name) => {
    const column = columns.find((other) => other.name === name);
    if (column) chooseValue(filters, button, column);
  });
  openBeside(button, "Metadata", picker.element);
  picker.focus();
}

/**
 * @param {Filters} filters
 * @param {HTMLElement} button
 * @param {import("./types.js").Column} column
 */
function chooseValue(filters, button, column) {
  const key = `meta.${column.name}`;
  /** @type {Option[]} */
  const options = column.values.map(([value, images]) => ({
    value,
    text: value,
    hint: count(images),
  }));
  if (column.missing) options.push({ value: "", text: "(missing)", hint: count(column.missing) });
  const picker = new Picker(
    column.name,
    options,
    (value) => {
      close();
      filters.set({ [key]: value });
    },
    { first: filters.query[key] ?? null },
  );
  const rest = column.distinct - column.values.length;
  const box = make(
    "div",
    {},
    picker.element,
    rest > 0 && otherValue(filters, key, rest, () => close()),
  );
  const close = openBeside(button, column.name, box);
  picker.focus();
}

/**
 * A column may have more values than were sent: any one can be typed.
 * @param {Filters} filters
 * @param {string} key
 * @param {number} rest
 * @param {() => void} close
 */
function otherValue(filters, key, rest, close) {
  const field = make("input", {
    type: "text",
    class: "field",
    "aria-label": "Another value",
    autocomplete: "off",
  });
  const form = make(
    "form",
    { class: "other-value" },
    make(
      "p",
      { class: "options-more" },
      `${count(rest)} rarer values aren't listed: type one in full.`,
    ),
    make(
      "div",
      { class: "other-row" },
      field,
      make("button", { type: "submit", class: "button" }, "Show"),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    close();
    filters.set({ [key]: field.value });
  });
  return form;
}

/**
 * @param {string[]} values
 * @returns {Option[]}
 */
function verdicts(values) {
  return values.map((value) => ({ value, text: DECIDED_NAMES[value] ?? value }));
}
