/**
 * Which class is taken for which: a matrix of a few classes, a list of the largest confusions of
 * many. What is in the page never grows with the square of the number of classes.
 */

import { add, byId, fill, icon, make, nameOf, shown } from "./dom.js";
import { GoneError, isAbort } from "./api.js";
import { narrowerThan } from "./sizes.js";
import { change } from "./state.js";
import { count, counted } from "./text.js";

/**
 * @typedef {{total: number, cells: [number, number, number][], left_off: number,
 *   diagonal: [number, number][]}} Confusions
 */

/** With more classes there is a list. */
const MATRIX_CLASSES = 12;
/** Rows of the list at a time. */
const STEP = 100;

/**
 * Confusions whose classes' names hold what was typed; "4 > 9" or "4 9" asks for both.
 * @param {[number, number, number][]} cells
 * @param {string} typed
 * @param {string[]} classes
 */
export function matching(cells, typed, classes) {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return cells;
  const [given, read] = wanted.split(/\s*(?:→|->|>)\s*/);
  const holds = (/** @type {number} */ label, /** @type {string} */ part) =>
    classes[label].toLowerCase().includes(part);
  if (read !== undefined) {
    return cells.filter(([from, to]) => holds(from, given) && holds(to, read));
  }
  return cells.filter(([from, to]) => holds(from, wanted) || holds(to, wanted));
}

/** The panel beside the grid. */
export class ConfusionPanel {
  #api;
  #boot;
  #place;
  #loading = new AbortController();
  #drawn = "";
  #limit = STEP;
  /** @type {Confusions | null} */
  #data = null;

  /**
   * @param {import("./api.js").Api} api
   * @param {import("./types.js").Boot} boot
   * @param {import("./state.js").Place} place
   */
  constructor(api, boot, place) {
    this.#api = api;
    this.#boot = boot;
    this.#place = place;
    this.element = byId("side");
    this.body = byId("side-body");
    this.button = byId("confusions-toggle");
    this.button.addEventListener("click", () => this.toggle());
    byId("side-close").addEventListener("click", () => this.toggle());
    this.field = make("input", {
      type: "search",
      class: "field",
      placeholder: "Find a class, or given > read",
      "aria-label": "Find confusions",
      autocomplete: "off",
      spellcheck: "false",
    });
    this.field.addEventListener("input", () => {
      this.#limit = STEP;
      this.#drawList();
    });
    this.list = make("div", { class: "confusion-list" });
    api.addEventListener("up", () => this.show(true));
  }

  /** Open or close it. */
  toggle() {
    const open = this.#place.state.side !== "confusions";
    this.#place.go({ side: open ? "confusions" : null }, { replace: true });
    if (open) byId("side-close").focus({ preventScroll: true });
    else this.button.focus({ preventScroll: true });
  }

  /**
   * Be as the URL says.
   * @param {boolean} [anew] Whether to ask the server although nothing changed.
   */
  async show(anew = false) {
    const { side, query } = this.#place.state;
    const open = side === "confusions";
    this.element.hidden = !open;
    this.button.setAttribute("aria-pressed", String(open));
    if (!open) return;
    const wanted = new URLSearchParams(
      Object.entries(query).filter(
        ([key]) => !["given", "predicted", "right", "sort", "order", "seed", "group"].includes(key),
      ),
    ).toString();
    if (wanted !== this.#drawn || anew) await this.#load(wanted);
    else {
      // One that is on its way is of what was asked for in between.
      this.#loading.abort();
      this.#mark();
    }
  }

  /** @param {string} wanted */
  async #load(wanted) {
    this.#loading.abort();
    this.#loading = new AbortController();
    try {
      this.#data = await this.#api.get(`/api/confusion?${wanted}`, this.#loading.signal);
      this.#drawn = wanted;
      this.#limit = STEP;
      this.#draw();
    } catch (error) {
      if (isAbort(error)) return;
      const gone = error instanceof GoneError;
      const text = gone ? "The server doesn't answer." : /** @type {Error} */ (error).message;
      fill(this.body, make("p", { class: "side-note" }, text));
      this.#drawn = "";
    }
  }

  #draw() {
    const data = /** @type {Confusions} */ (this.#data);
    const wrong = data.cells.reduce((sum, [, , images]) => sum + images, 0);
    const listed = data.cells.length;
    const summary = data.left_off
      ? `The ${count(listed)} most frequent of ${counted(listed + data.left_off, "confusion")}.`
      : `${counted(wrong, "misread image")} of ${count(data.total)}, ` +
        `in ${counted(listed, "confusion")}.`;
    const head = make("p", { class: "side-note" }, summary);
    if (data.cells.length === 0) {
      fill(this.body, head, make("p", { class: "side-note" }, "Nothing here is misread."));
      return;
    }
    if (this.#boot.classes.length <= MATRIX_CLASSES) {
      fill(this.body, head, this.#matrix(data));
    } else {
      fill(this.body, head, this.field, this.list);
      this.#drawList();
    }
    this.#mark();
  }

  /** @param {Confusions} data */
  #matrix({ cells, diagonal }) {
    const { classes } = this.#boot;
    const most = Math.max(...cells.map(([, , images]) => images));
    const found = new Map(cells.map(([given, read, images]) => [`${given} ${read}`, images]));
    const right = new Map(diagonal);
    const table = make("table", { class: "matrix" });
    add(
      table,
      make("caption", {}, make("span", {}, "Rows: given"), make("span", {}, "Columns: read as")),
    );
    const head = make("tr", {}, make("td", {}));
    for (const name of classes) head.append(make("th", { scope: "col" }, nameOf(name)));
    table.append(make("thead", {}, head));
    const body = make("tbody", {});
    classes.forEach((name, given) => {
      const row = make("tr", {}, make("th", { scope: "row" }, nameOf(name)));
      classes.forEach((_, read) => {
        const images = given === read ? right.get(given) : found.get(`${given} ${read}`);
        row.append(make("td", {}, images ? this.#cell(given, read, images, images / most) : null));
      });
      body.append(row);
    });
    table.append(body);
    return make(
      "div",
      { class: "matrix-scroll", tabindex: "0", role: "region", "aria-label": "Confusion matrix" },
      table,
    );
  }

  /**
   * @param {number} given
   * @param {number} read
   * @param {number} images
   * @param {number} share Of the largest cell.
   */
  #cell(given, read, images, share) {
    const right = given === read;
    const button = make(
      "button",
      {
        type: "button",
        class: right ? "cell diagonal" : "cell",
        "data-given": given,
        "data-predicted": read,
        "aria-label": this.#spoken(given, read, images),
        on: { click: () => this.#open(given, read) },
      },
      right ? short(images) : count(images),
    );
    // The square root tells small counts apart.
    if (!right) button.style.setProperty("--heat", `${Math.round(12 + 48 * Math.sqrt(share))}%`);
    return button;
  }

  /**
   * @param {number} given
   * @param {number} read
   * @param {number} images
   */
  #spoken(given, read, images) {
    const { classes } = this.#boot;
    return `Given ${shown(classes[given])}, read as ${shown(classes[read])}: ${counted(images)}`;
  }

  #drawList() {
    const { cells } = /** @type {Confusions} */ (this.#data);
    const { classes } = this.#boot;
    const found = matching(cells, this.field.value, classes);
    const most = cells[0]?.[2] ?? 1;
    const rows = found.slice(0, this.#limit).map(([given, read, images]) => {
      // Where all are single images, bars would say nothing.
      const bar = most > 1 && make("span", { class: "confusion-bar", "aria-hidden": "true" });
      if (bar) bar.style.setProperty("--share", `${(100 * images) / most}%`);
      return make(
        "button",
        {
          type: "button",
          class: "confusion",
          "data-given": given,
          "data-predicted": read,
          "aria-label": this.#spoken(given, read, images),
          on: { click: () => this.#open(given, read) },
        },
        make(
          "span",
          { class: "confusion-names" },
          nameOf(classes[given]),
          make("span", { class: "arrow" }, "→"),
          nameOf(classes[read]),
        ),
        make("span", { class: "confusion-count" }, count(images)),
        bar,
      );
    });
    const left = found.length - rows.length;
    const more =
      left > 0 &&
      make(
        "button",
        {
          type: "button",
          class: "button wide",
          on: {
            click: () => {
              this.#limit += STEP;
              this.#drawList();
            },
          },
        },
        `Show ${count(Math.min(left, STEP))} more of ${count(left)}`,
      );
    fill(
      this.list,
      ...rows,
      more,
      found.length === 0 && make("p", { class: "side-note" }, "No confusion of such classes here."),
    );
    this.#mark();
  }

  #mark() {
    const { given, predicted } = this.#place.state.query;
    for (const cell of this.body.querySelectorAll("[data-given]")) {
      const { dataset } = /** @type {HTMLElement} */ (cell);
      const on = dataset.given === given && dataset.predicted === predicted;
      cell.setAttribute("aria-pressed", String(on));
    }
  }

  /**
   * @param {number} given
   * @param {number} predicted
   */
  #open(given, predicted) {
    const query = change(this.#place.state.query, {
      given: String(given),
      predicted: String(predicted),
      right: null,
      as_of: null,
    });
    // On a narrow screen the panel hides the images that were asked for.
    const side = narrowerThan(900) ? null : this.#place.state.side;
    this.#place.go({ query, image: null, side });
  }
}

/**
 * A count in a narrow cell: 5,842 is 5.8k.
 * @param {number} images
 */
function short(images) {
  if (images < 1000) return String(images);
  return images < 10_000 ? `${(images / 1000).toFixed(1)}k` : `${Math.round(images / 1000)}k`;
}

/** The button's picture. */
export function confusionIcon() {
  return icon("matrix");
}
