/** The gallery: puts the parts together. */

import { Api, RefusedError, isAbort } from "./api.js";
import { ConfusionPanel } from "./confusions.js";
import { Decisions } from "./decisions.js";
import { byId, fill, icon } from "./dom.js";
import { setUpExport } from "./exporting.js";
import { Filters, firstQuery, viewOf } from "./filters.js";
import { Grid } from "./grid.js";
import { openHelp, setUpHelp } from "./help.js";
import { Judge } from "./judge.js";
import { actionOf } from "./keys.js";
import { announce, notify } from "./messages.js";
import { claimTab, storageOf } from "./outbox.js";
import { setUpSaveSigns } from "./save_sign.js";
import { SIZES, narrowerThan } from "./sizes.js";
import { Source } from "./source.js";
import { Place, parse } from "./state.js";
import { Status } from "./status.js";
import { counted } from "./text.js";
import { VerdictBar } from "./verdict_bar.js";
import { Viewer } from "./viewer.js";

/** @typedef {import("./types.js").View} View */

const SIZE_KEY = "misread.tile-size";

/** The page and what it shows. */
class Gallery {
  /** @type {View | null} */
  view = null;
  #loading = new AbortController();
  /** The view that the URL asks for. */
  #shown = "";
  /** Whether it isn't here yet: the grid is that of another one. */
  #waiting = false;

  /**
   * @param {import("./types.js").Boot} boot
   * @param {string} tab
   */
  constructor(boot, tab) {
    this.boot = boot;
    const state = parse(location.search);
    if (Object.keys(state.query).length === 0) state.query = firstQuery(boot);
    this.place = new Place(state);
    this.api = new Api(boot);
    this.decisions = new Decisions(this.api, boot, tab);
    this.grid = new Grid(byId("grid"), byId("sticky"), boot, this.decisions);
    this.status = new Status(this.api, this.place, this.decisions);
    this.viewer = new Viewer(this.api, boot, this.grid, this.decisions);
    this.judge = new Judge(boot, this.grid, this.viewer, this.decisions);
    this.filters = new Filters(boot, this.place);
    this.confusions = new ConfusionPanel(this.api, boot, this.place);
    this.bars = [
      new VerdictBar(byId("verdict-bar"), this.judge, false),
      new VerdictBar(byId("viewer-bar"), this.judge, true),
    ];
    setUpSaveSigns([byId("save-sign"), byId("viewer-save-sign")], this.decisions);
    setUpExport(this.api, this.grid, this.decisions);
    setUpHelp(boot);
    this.#setUpSizes();
    this.#listen();
  }

  async start() {
    const note = byId("study-note");
    note.textContent = this.boot.study.note;
    note.title = this.boot.study.note;
    await this.#load(this.place.remembered);
    this.decisions.start();
  }

  #setUpSizes() {
    const kept = storageOf("localStorage")?.getItem(SIZE_KEY);
    const narrow = narrowerThan(600);
    this.grid.size = kept ? Number(kept) || 0 : narrow ? 1 : 2;
    byId("smaller").addEventListener("click", () => this.resize(-1));
    byId("larger").addEventListener("click", () => this.resize(1));
    this.resize(0);
  }

  /** @param {number} by */
  resize(by) {
    this.grid.size += by;
    const { size } = this.grid;
    byId("smaller").toggleAttribute("disabled", size === 0);
    byId("larger").toggleAttribute("disabled", size === SIZES.length - 1);
    if (by === 0) return;
    try {
      storageOf("localStorage")?.setItem(SIZE_KEY, String(size));
    } catch {
      // It holds for this page.
    }
  }

  #listen() {
    const { place, grid, viewer, decisions, api } = this;
    place.addEventListener("change", () => this.#follow());
    grid.addEventListener("open", (event) => this.open(/** @type {CustomEvent} */ (event).detail));
    const remember = () => {
      // Of a view that isn't here yet there is no standing: the grid's is another one's.
      if (!this.#waiting) place.remember(grid.standing);
    };
    grid.addEventListener("settled", remember);
    place.addEventListener("leaving", remember);
    viewer.addEventListener("go", (event) =>
      place.go({ image: /** @type {CustomEvent} */ (event).detail }, { replace: true }),
    );
    viewer.addEventListener("leave", () => this.leave());
    grid.addEventListener("selection", () => this.#sayHowMany());
    decisions.addEventListener("turned", (event) =>
      this.#turned(/** @type {CustomEvent} */ (event).detail),
    );
    decisions.addEventListener("refused", (event) =>
      notify(`Not taken: ${/** @type {CustomEvent} */ (event).detail}`, "bad"),
    );
    decisions.addEventListener("scores", (event) =>
      this.#scores(/** @type {CustomEvent} */ (event).detail),
    );
    api.addEventListener("down", () => this.#offline(true));
    api.addEventListener("up", () => this.#backAgain());
    byId("refresh").addEventListener("click", () => this.refresh());
    byId("offline-retry").addEventListener("click", () => decisions.poll());
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  // What is shown

  #follow() {
    if (viewOf(this.place.state) !== this.#shown) {
      this.#load(this.place.remembered);
      return;
    }
    this.confusions.show();
    // An image of a view that isn't here yet is shown with it.
    if (!this.#waiting || this.place.state.image === null) this.#followImage();
  }

  #followImage() {
    const { image } = this.place.state;
    if (image === null) {
      if (this.viewer.isOpen || this.viewer.item) this.viewer.close();
    } else {
      this.viewer.open(image);
    }
  }

  /** @param {{at: number, top: number} | null} where */
  async #load(where) {
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    const wanted = viewOf(this.place.state);
    this.#shown = wanted;
    this.#waiting = true;
    const main = byId("main");
    main.setAttribute("aria-busy", "true");
    this.confusions.show();
    try {
      /** @type {View} */
      const view = await this.api.get(`/api/view?${wanted}`, signal);
      if (signal.aborted) return;
      this.#waiting = false;
      this.#show(view, where);
    } catch (error) {
      if (isAbort(error) || signal.aborted) return;
      this.#shown = "";
      this.status.fail(error, () => this.#load(null));
    }
    main.removeAttribute("aria-busy");
  }

  /**
   * @param {View} view
   * @param {{at: number, top: number} | null} where
   */
  #show(view, where) {
    this.view = view;
    const split = new URLSearchParams(view.query).get("split") ?? this.boot.default.split;
    const source = new Source(this.api, this.boot, split, view, {
      loaded: (start, amount) => {
        if (this.grid.source === source) this.grid.loaded(start, amount);
      },
      failed: (error) => this.#missed(error, source),
    });
    // The next poll that finds them ready has this drawn anew.
    this.boot.splits[split].scores = view.scores;
    this.viewer.reset();
    this.filters.draw(view);
    this.status.show(view, () => this.filters.clear());
    this.grid.show(source, where);
    announce(counted(view.total));
    this.#followImage();
  }

  /**
   * A part of the grid didn't come.
   * @param {unknown} error
   * @param {Source} source
   */
  #missed(error, source) {
    if (this.grid.source !== source) return;
    if (error instanceof RefusedError) {
      notify(error.message, "bad");
      return;
    }
    window.setTimeout(() => {
      if (this.grid.source === source && this.api.up) this.grid.draw();
    }, 1000);
  }

  /** Show the same view with the verdicts as they are now. */
  refresh() {
    this.#load(this.grid.standing);
  }

  #sayHowMany() {
    const { size } = this.grid.selection;
    if (size > 0) announce(`${counted(size)} selected`);
  }

  /** @param {Record<string, import("./types.js").Scores>} scores */
  #scores(scores) {
    let ready = false;
    for (const [split, state] of Object.entries(scores ?? {})) {
      const known = this.boot.splits[split];
      if (!known) continue;
      ready ||= known.scores.state === "pending" && state.state !== "pending";
      known.scores = state;
    }
    if (ready) this.#scored();
  }

  /** Suggested verdicts are there: they are shown, and nothing moves under the user's hands. */
  #scored() {
    const { view, grid, viewer } = this;
    if (!view || !grid.source) return;
    viewer.reset();
    if (!view.pending) {
      grid.renew();
      if (viewer.isOpen) this.#followImage();
    } else if (grid.isUntouched && !viewer.isOpen) {
      this.refresh();
    } else {
      this.status.offerRefresh("Suspicion is known now: sort by it");
    }
  }

  // The server comes and goes

  /** @param {boolean} offline */
  #offline(offline) {
    byId("offline").hidden = !offline;
    if (offline) announce("The server doesn't answer. Verdicts are kept in this browser.");
  }

  async #backAgain() {
    try {
      const boot = await this.api.get("/api/boot");
      if (boot.study.id !== this.boot.study.id) {
        fill(
          byId("offline-text"),
          "Another study is open at this address now. Reload the page to see it; " +
            "what isn't saved stays in this browser.",
        );
        return;
      }
    } catch {
      return;
    }
    this.#offline(false);
    if (this.#shown === "") this.#load(this.place.remembered);
    else this.grid.draw();
  }

  // Moving about

  /**
   * Show an image large.
   * @param {number} position
   */
  open(position) {
    const item = this.grid.source?.item(position);
    if (item) this.place.go({ image: item.index }, { overGrid: true });
  }

  /** Back to the grid. */
  leave() {
    if (this.place.state.image === null) return;
    if (this.place.canGoBack) this.place.back();
    else this.place.go({ image: null }, { replace: true });
  }

  /**
   * Something was undone or redone: show where.
   * @param {{redo: boolean, split: string | null, items: number[],
   *   at: import("./decisions.js").Spot | null}} what
   */
  #turned({ redo, split, items, at }) {
    if (items.length === 0) {
      notify(redo ? "Nothing to do again." : "Nothing to undo.");
      return;
    }
    const word = redo ? "Done again" : "Undone";
    const which = items.length === 1 ? `image ${items[0]}` : counted(items.length);
    const { source } = this.grid;
    const here = split === source?.split;
    notify(`${word}: ${which}${here ? "" : ` of ${split}`}`);
    if (at && here && at.view === source?.view.query) {
      this.grid.moveTo(at.position);
      if (this.viewer.isOpen) this.place.go({ image: items[0] }, { replace: true });
    }
  }

  // Keys

  /** @param {KeyboardEvent} event */
  #key(event) {
    const focused = event.target instanceof Element ? event.target : document.body;
    // A closed menu may have the focus for a moment.
    const target = focused.closest(".pop:not(:popover-open)") ? document.body : focused;
    // Menus and other dialogs have their own keys.
    if (target.closest(".pop, dialog[open]:not(#viewer)")) return;
    const action = actionOf(event, {
      typing: target.closest("input, textarea, select, [contenteditable]") !== null,
      onControl: target.closest("button, a, summary") !== null,
      viewer: this.viewer.isOpen,
      labelling: this.judge.labelling,
    });
    if (action !== null && this.#act(action, event)) event.preventDefault();
  }

  /**
   * @param {string} action
   * @param {KeyboardEvent} event
   * @returns {boolean} Whether the key was used.
   */
  #act(action, event) {
    const { grid, judge, viewer, decisions } = this;
    if (action.startsWith("verdict:")) {
      judge.choose(/** @type {import("./types.js").Verdict} */ (action.slice("verdict:".length)));
      return true;
    }
    if (action.startsWith("label:")) {
      judge.labelByKey(action.slice("label:".length));
      return true;
    }
    /** @type {Record<string, () => boolean | void>} */
    const actions = {
      move: () => grid.moveBy(event.key, event.shiftKey),
      open: () => this.open(grid.cursor),
      close: () => this.#escape(),
      cancel: () => judge.cancel(),
      next: () => viewer.next(),
      previous: () => viewer.previous(),
      clear: () => judge.choose(null),
      undo: () => decisions.undo(),
      redo: () => decisions.redo(),
      select: () => grid.toggle(),
      "select-all": () => grid.selectAll(),
      larger: () => this.resize(1),
      smaller: () => this.resize(-1),
      help: () => openHelp(),
      confusions: () => this.confusions.toggle(),
    };
    return actions[action]?.() !== false;
  }

  #escape() {
    // An open dialog or menu closes by itself, and says so.
    if (this.viewer.isOpen || document.querySelector(".pop:popover-open")) return false;
    if (this.grid.selection.size > 0) this.grid.unselect();
    else if (this.place.state.side) this.confusions.toggle();
    else return false;
    return true;
  }
}

async function main() {
  const boot = JSON.parse(byId("boot").textContent ?? "{}");
  for (const holder of document.querySelectorAll("[data-icon]")) {
    holder.prepend(icon(/** @type {HTMLElement} */ (holder).dataset.icon ?? ""));
  }
  const gallery = new Gallery(boot, await claimTab(boot.study.id));
  await gallery.start();
}

main();
