/** One image large, with everything that is known of it. */

import { GoneError, imageAddress, isAbort } from "./api.js";
import { byId, fill, make } from "./dom.js";
import { largestExact } from "./layout.js";
import { drawDetails, drawTitle } from "./details.js";
import { announce } from "./messages.js";
import { count } from "./text.js";

/**
 * @typedef {import("./types.js").Item} Item
 * @typedef {import("./types.js").Details} Details
 */

/** Details and pictures kept for going back and forth. */
const KEEP = 40;

/**
 * The dialog of the large image.
 *
 * Emits `image` when it shows another one, `go` with the index of the one to show, and `leave` when
 * the dialog is to be closed.
 */
export class Viewer extends EventTarget {
  /** The image that is shown. @type {Item | null} */
  item = null;
  /** @type {Map<number, Details>} */
  #details = new Map();
  /** @type {Map<number, HTMLImageElement>} */
  #pictures = new Map();
  #loading = new AbortController();
  #wanted = -1;

  /**
   * @param {import("./api.js").Api} api
   * @param {import("./types.js").Boot} boot
   * @param {import("./grid.js").Grid} grid
   * @param {import("./decisions.js").Decisions} decisions
   */
  constructor(api, boot, grid, decisions) {
    super();
    this.api = api;
    this.boot = boot;
    this.grid = grid;
    this.decisions = decisions;
    this.dialog = /** @type {HTMLDialogElement} */ (byId("viewer"));
    this.stage = byId("stage");
    this.canvas = make("canvas", { id: "large", class: "large", role: "img" });
    this.stage.append(this.canvas);
    byId("viewer-next").addEventListener("click", () => this.next());
    byId("viewer-previous").addEventListener("click", () => this.previous());
    byId("viewer-close").addEventListener("click", () => this.dispatchEvent(new Event("leave")));
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.dispatchEvent(new Event("leave"));
    });
    // A browser may close it all the same. It tells so later, when it may be open again.
    this.dialog.addEventListener("close", () => {
      if (this.#wanted >= 0 && !this.dialog.open) this.dispatchEvent(new Event("leave"));
    });
    new ResizeObserver(() => this.#fit()).observe(this.stage);
    decisions.addEventListener("change", () => this.#drawTitle());
    api.addEventListener("up", () => {
      if (this.isOpen) this.open(this.#wanted);
    });
  }

  /** Whether an image is large. */
  get isOpen() {
    return this.dialog.open;
  }

  /** Forget what was kept: another view has other neighbours. */
  reset() {
    this.#details.clear();
    this.#pictures.clear();
  }

  /**
   * Show the image of this index, of the split of the grid.
   * @param {number} index
   */
  async open(index) {
    const { source } = this.grid;
    if (!source) return;
    this.#wanted = index;
    if (!this.dialog.open) {
      this.dialog.showModal();
      this.dialog.focus();
    }
    this.#loading.abort();
    this.#loading = new AbortController();
    const under = this.grid.item;
    if (under?.index === index) this.#show(under);
    else if (!this.#shows(index, source.split)) this.#blank();
    try {
      await this.#load(index, source, this.#loading.signal);
    } catch (error) {
      if (isAbort(error)) return;
      const gone = error instanceof GoneError;
      const text = gone
        ? "The server doesn't answer. This image's details come when it does."
        : /** @type {Error} */ (error).message;
      if (!this.item) this.#missing(gone);
      fill(byId("details"), make("p", { class: "side-note" }, text));
    }
  }

  /** Close it. */
  close() {
    this.#wanted = -1;
    this.#loading.abort();
    this.item = null;
    if (this.dialog.open) this.dialog.close();
    this.grid.element.focus({ preventScroll: true });
    this.dispatchEvent(new Event("image"));
  }

  /**
   * @param {number} index
   * @param {string} split
   */
  #shows(index, split) {
    return this.item?.index === index && this.item.split === split;
  }

  #blank() {
    this.item = null;
    fill(byId("details"));
    fill(byId("viewer-title"), "Loading");
    this.canvas.getContext("2d")?.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.dispatchEvent(new Event("image"));
  }

  /**
   * Nothing is known of the image: no frame, and no title of another one.
   * @param {boolean} gone Whether the server doesn't answer.
   */
  #missing(gone) {
    this.canvas.hidden = true;
    fill(byId("viewer-title"), gone ? "Not here yet" : "This image can't be shown");
    fill(byId("viewer-sub"));
    this.#placeOf(-1);
  }

  /**
   * @param {number} index
   * @param {import("./source.js").Source} source
   * @param {AbortSignal} signal
   */
  async #load(index, source, signal) {
    this.#picture(index, source);
    const details = await this.#detailsOf(index, source, signal);
    if (this.#wanted !== index || signal.aborted) return;
    if (details.position !== null && details.position !== this.grid.cursor) {
      this.grid.moveTo(details.position);
    }
    if (!this.#shows(index, source.split)) this.#show(itemOf(details, source.view.model));
    drawDetails(byId("details"), details, this.boot, source.view.model);
    this.#place(details);
    this.#drawTitle();
    // The next one is at hand when it is asked for.
    for (const near of [details.next, details.previous]) {
      if (near !== null) this.#picture(near, source);
    }
    if (details.next !== null) await this.#detailsOf(details.next, source, signal);
  }

  /**
   * @param {number} index
   * @param {import("./source.js").Source} source
   * @param {AbortSignal} signal
   * @returns {Promise<Details>}
   */
  async #detailsOf(index, source, signal) {
    const known = this.#details.get(index);
    if (known) return known;
    const split = encodeURIComponent(source.split);
    const details = await this.api.get(`/api/image/${split}/${index}?${source.view.query}`, signal);
    if (this.grid.source !== source) return details;
    // The next poll that finds them ready has this drawn anew.
    this.boot.splits[source.split].scores = details.scores;
    this.#details.set(index, details);
    for (const oldest of this.#details.keys()) {
      if (this.#details.size <= KEEP) break;
      this.#details.delete(oldest);
    }
    return details;
  }

  /**
   * @param {number} index
   * @param {import("./source.js").Source} source
   */
  #picture(index, source) {
    let picture = this.#pictures.get(index);
    if (!picture) {
      picture = new Image();
      picture.src = imageAddress(source.split, index, "full", this.boot.study.id);
      this.#pictures.set(index, picture);
      for (const oldest of this.#pictures.keys()) {
        if (this.#pictures.size <= KEEP) break;
        this.#pictures.delete(oldest);
      }
    }
    const shown = picture;
    const draw = () => {
      if (this.#wanted === index) this.#draw(shown);
    };
    if (shown.complete && shown.naturalWidth > 0) draw();
    else {
      shown.addEventListener("load", draw, { once: true });
      // One that failed is asked for again the next time.
      shown.addEventListener("error", () => this.#pictures.delete(index), { once: true });
    }
  }

  /** @param {HTMLImageElement} picture */
  #draw(picture) {
    this.canvas.width = picture.naturalWidth;
    this.canvas.height = picture.naturalHeight;
    const context = this.canvas.getContext("2d");
    if (!context) return;
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, 0, 0);
    this.canvas.dataset.index = String(this.#wanted);
    this.canvas.hidden = false;
    this.#fit();
  }

  #fit() {
    const room = this.stage.getBoundingClientRect();
    if (room.width === 0 || this.canvas.width === 0) return;
    const style = getComputedStyle(this.stage);
    const wide = room.width - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const high = room.height - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    const { width, height, exact } = largestExact(
      [this.canvas.width, this.canvas.height],
      [wide, high],
      devicePixelRatio,
    );
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.canvas.classList.toggle("exact", exact);
  }

  /** @param {Item} item */
  #show(item) {
    const same = this.#shows(item.index, item.split);
    this.item = item;
    if (!same) {
      // The tile's pixels, until those of the whole image are here.
      if (this.grid.source?.draw(item.position, this.canvas)) {
        this.canvas.dataset.index = String(item.index);
        this.canvas.hidden = false;
        this.#fit();
      }
      const known = this.#details.get(item.index);
      if (known)
        drawDetails(byId("details"), known, this.boot, this.grid.source?.view.model ?? null);
      else fill(byId("details"));
      byId("details").scrollTop = 0;
    }
    this.#placeOf(item.position);
    this.#drawTitle();
    this.dispatchEvent(new Event("image"));
  }

  #drawTitle() {
    if (!this.item) return;
    const decision = this.decisions.get(this.item.split, this.item.index) ?? this.item.decided;
    const details = this.#details.get(this.item.index) ?? null;
    const spoken = drawTitle(
      byId("viewer-title"),
      byId("viewer-sub"),
      this.item,
      decision,
      this.boot.classes,
      details,
    );
    this.canvas.setAttribute("aria-label", spoken);
  }

  /** @param {number} position -1 where the image isn't in the view. */
  #placeOf(position) {
    const { total } = this.grid;
    fill(
      byId("viewer-place"),
      position < 0 ? "Not in this view" : `${count(position + 1)} of ${count(total)}`,
    );
    byId("viewer-previous").toggleAttribute("disabled", position <= 0);
    byId("viewer-next").toggleAttribute("disabled", position < 0 || position >= total - 1);
  }

  /** @param {Details} details */
  #place(details) {
    this.#placeOf(details.position ?? -1);
  }

  /** Go to the next image of the view. */
  next() {
    this.#step(1);
  }

  /** Go to the one before. */
  previous() {
    this.#step(-1);
  }

  /** @param {1 | -1} by */
  async #step(by) {
    const { item } = this;
    const { source, total } = this.grid;
    if (!item || !source || item.position < 0) return;
    const position = item.position + by;
    if (position < 0 || position >= total) {
      announce(
        by > 0 ? "This is the last image of the view." : "This is the first image of the view.",
      );
      return;
    }
    this.grid.moveTo(position);
    const next = source.item(position);
    if (next) {
      this.dispatchEvent(new CustomEvent("go", { detail: next.index }));
      return;
    }
    // Until it is known which image comes next, keys must not judge the one that was left.
    this.#blank();
    const wanted = this.#wanted;
    const [index] = await source.indices(position, position + 1).catch(() => [null]);
    // Meanwhile it was closed, or another one was asked for.
    if (this.#wanted !== wanted || this.grid.source !== source) return;
    if (index === null) this.dispatchEvent(new Event("leave"));
    else this.dispatchEvent(new CustomEvent("go", { detail: index }));
  }
}

/**
 * @param {Details} details
 * @param {string | null} run
 * @returns {Item}
 */
function itemOf(details, run) {
  const model = details.models.find((other) => other.run === run);
  return {
    split: details.split,
    index: details.index,
    position: details.position ?? -1,
    given: details.given,
    predicted: model?.predicted ?? null,
    pPredicted: model?.p_predicted ?? null,
    pGiven: model?.p_given ?? null,
    difficulty: details.difficulty,
    suspicion: details.suspicion,
    suggested: details.suggested,
    suggestedLabel: details.suggested_label,
    decided: { verdict: details.decided, label: details.decided_label },
  };
}
