/** The export menu: downloads, and what correcting a test split does to its error rate. */

import { GoneError } from "./api.js";
import { add, byId, fill, icon, make, shown } from "./dom.js";
import { closes, openBeside } from "./picker.js";
import { count, counted, percent } from "./text.js";

/**
 * @typedef {import("./types.js").ErrorRates} ErrorRates
 * @typedef {import("./types.js").Rate} Rate
 */

const FORMATS = [
  ["csv", "CSV"],
  ["parquet", "Parquet"],
  ["json", "JSON"],
];

/**
 * Make the button open the menu.
 * @param {import("./api.js").Api} api
 * @param {import("./grid.js").Grid} grid
 * @param {import("./decisions.js").Decisions} decisions
 */
export function setUpExport(api, grid, decisions) {
  const button = byId("export");
  button.addEventListener("click", () => {
    const { source } = grid;
    if (!source || closes(button)) return;
    const rates = make(
      "div",
      { class: "rates", "aria-live": "polite" },
      make("p", { class: "quiet" }, "Counting…"),
    );
    const box = make(
      "div",
      { class: "export-menu" },
      make("h2", {}, "Export ", make("bdi", {}, shown(source.split))),
      unsent(decisions),
      rates,
      downloads(
        "Verdicts",
        "verdicts",
        "each image with a verdict, decided or suggested, and the evidence",
        source.split,
      ),
      downloads(
        "Corrected labels",
        "labels",
        "every image with its label after verdicts; none is left out",
        source.split,
      ),
    );
    openBeside(button, "Export", box);
    drawRates(api, rates, source.view.query);
  });
}

/** @param {import("./decisions.js").Decisions} decisions */
function unsent(decisions) {
  const { images } = decisions.outbox;
  if (images === 0) return null;
  return make(
    "p",
    { class: "warning" },
    icon("warning"),
    make("span", {}, `${counted(images, "verdict")} not saved yet, and so not in these files.`),
  );
}

/**
 * @param {string} title
 * @param {string} kind
 * @param {string} what
 * @param {string} split
 */
function downloads(title, kind, what, split) {
  const links = make("div", { class: "downloads" });
  for (const [format, name] of FORMATS) {
    add(
      links,
      make(
        "a",
        {
          class: "button",
          download: true,
          href: `/export/${kind}.${format}?split=${encodeURIComponent(split)}`,
          "aria-label": `${title} as ${name}`,
        },
        name,
      ),
    );
  }
  return make(
    "section",
    { class: "export-kind" },
    make("h3", {}, title),
    make("p", { class: "quiet" }, what),
    links,
  );
}

/**
 * @param {import("./api.js").Api} api
 * @param {HTMLElement} box
 * @param {string} query
 */
async function drawRates(api, box, query) {
  /** @type {ErrorRates} */
  let rates;
  try {
    rates = await api.get(`/api/error?${query}`);
  } catch (error) {
    const gone = error instanceof GoneError;
    fill(
      box,
      make(
        "p",
        { class: "quiet" },
        gone ? "The server doesn't answer." : /** @type {Error} */ (error).message,
      ),
    );
    return;
  }
  const { as_labelled: labelled, after } = rates;
  fill(box);
  if (labelled && after) {
    const table = make("table", { class: "rates-table" });
    add(
      table,
      make("caption", {}, `Error of ${rates.model ?? "the model"}`),
      rate("as labelled", labelled),
      rate("after verdicts", after),
    );
    add(box, table, make("p", { class: "quiet" }, `${reviewed(rates)} ${open(rates)}`));
  }
  for (const text of [rates.caution, rates.warning]) {
    if (text)
      box.append(
        make("div", { class: "warning", role: "note" }, icon("warning"), make("p", {}, text)),
      );
  }
}

/**
 * How far the verdicts that leave it open could move the figure.
 * @param {ErrorRates} rates
 */
function open({ lowest, highest }) {
  if (!lowest || !highest || lowest.count === highest.count) return "";
  const [low, high] = [lowest, highest].map((value) => percent(value.rate, value.total));
  return `Images left open could move it to between ${low} and ${high}.`;
}

/**
 * @param {string} name
 * @param {Rate} value
 */
function rate(name, { count: wrong, total, rate: share, low, high }) {
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, name),
    make("td", { class: "rate" }, percent(share, total)),
    make("td", {}, `${percent(low, total)} to ${percent(high, total)}`),
    make("td", {}, `${count(wrong)} of ${count(total)}`),
  );
}

/** @param {ErrorRates} rates */
function reviewed(rates) {
  const { decided, mistakes, reviewed_mistakes: seen, reviewed_others: others, unreadable } = rates;
  const parts = [
    `${counted(decided, "verdict")}`,
    `${count(seen)} of ${counted(mistakes, "mistake")} reviewed`,
    `${counted(others, "other image")} reviewed`,
    `${counted(rates.changed_labels, "label")} changed`,
  ];
  if (unreadable) parts.push(`${count(unreadable)} unreadable, still counted`);
  return `${parts.join(", ")}. Intervals: 95%.`;
}
