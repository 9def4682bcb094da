/**
 * What is shown, as the page's URL says it: the query of the view, and what belongs to the page
 * alone (which image is large, whether the confusions are open).
 */

/** The order of a query's keys; metadata come after them. */
const KEYS = [
  "split",
  "model",
  "group",
  "sort",
  "order",
  "seed",
  "given",
  "predicted",
  "right",
  "suggested",
  "decided",
  "as_of",
  "scores",
];

/** Keys that narrow the view, in the order of their chips. */
export const FILTERS = ["right", "given", "predicted", "suggested", "decided"];

/**
 * @typedef {Record<string, string>} Query
 * @typedef {{query: Query, image: number | null, side: "confusions" | null}} State
 */

/**
 * Read the state off a URL.
 * @param {string} search As `location.search`.
 * @returns {State}
 */
export function parse(search) {
  /** @type {State} */
  const state = { query: {}, image: null, side: null };
  for (const [key, value] of new URLSearchParams(search)) {
    if (key === "image") state.image = /^\d{1,9}$/.test(value) ? Number(value) : null;
    else if (key === "side") state.side = value === "confusions" ? value : null;
    // What isn't known is sent too: the server says what is wrong with it.
    else state.query[key] = value;
  }
  return state;
}

/**
 * The query as the server takes it, one text for one view.
 * @param {Query} query
 */
export function toQuery(query) {
  const rank = (/** @type {string} */ key) => {
    const place = KEYS.indexOf(key);
    return place < 0 ? KEYS.length : place;
  };
  const keys = Object.keys(query).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return new URLSearchParams(keys.map((key) => [key, query[key]])).toString();
}

/**
 * The state as the search of a URL, "" or with its question mark.
 * @param {State} state
 */
export function toSearch(state) {
  const extra = new URLSearchParams();
  if (state.side) extra.set("side", state.side);
  if (state.image !== null) extra.set("image", String(state.image));
  const text = [toQuery(state.query), extra.toString()].filter(Boolean).join("&");
  return text ? `?${text}` : "";
}

/**
 * Whether a key narrows the view.
 * @param {string} key
 */
export function isFilter(key) {
  return FILTERS.includes(key) || key.startsWith("meta.");
}

/**
 * A query with some keys changed; null or "" takes a key away, but a metadata value may be empty,
 * which means that it is missing.
 * @param {Query} query
 * @param {Record<string, string | null>} changes
 * @returns {Query}
 */
export function change(query, changes) {
  const changed = { ...query };
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || (value === "" && !key.startsWith("meta."))) delete changed[key];
    else changed[key] = value;
  }
  return changed;
}

/**
 * A query without what narrows the view.
 * @param {Query} query
 * @returns {Query}
 */
export function unfiltered(query) {
  return Object.fromEntries(Object.entries(query).filter(([key]) => !isFilter(key)));
}

/**
 * The same view of another split: what can't hold there is left out.
 * @param {Query} query
 * @param {string} split
 * @param {import("./types.js").Boot} boot
 * @returns {Query}
 */
export function ofSplit(query, split, boot) {
  const runs = boot.models.filter((model) => model.split === split).map((model) => model.run);
  const columns = (boot.splits[split]?.metadata ?? []).map((column) => `meta.${column.name}`);
  const kept = Object.entries(query).filter(([key, value]) => {
    if (key === "model") return runs.includes(value);
    if (key === "right" || key === "predicted") return runs.length > 0;
    return !key.startsWith("meta.") || columns.includes(key);
  });
  /** @type {Query} */
  const moved = { ...Object.fromEntries(kept), split };
  delete moved.as_of;
  return moved;
}

/**
 * Keeps the state in the address bar, with the browser's history.
 *
 * Emits `change` with the state before in `detail`, and `leaving` before another entry of the
 * history follows this one.
 */
export class Place extends EventTarget {
  /** @param {State} first */
  constructor(first) {
    super();
    this.state = first;
    /** Whether the entry of the history before this one is the grid behind a large image. */
    this.canGoBack = false;
    /** Whether the browser is on its way back. */
    this.goingBack = false;
    replaceEntry(history.state, location.pathname + toSearch(first));
    this.canGoBack = Boolean(history.state?.overGrid);
    window.addEventListener("popstate", () => {
      this.goingBack = false;
      this.canGoBack = Boolean(history.state?.overGrid);
      this.#set(parse(location.search));
    });
  }

  /**
   * Go to another state: a new entry of the history, or in place of this one.
   * @param {Partial<State>} changes
   * @param {{replace?: boolean, overGrid?: boolean}} [how]
   */
  go(changes, { replace = false, overGrid = false } = {}) {
    const state = { ...this.state, ...changes };
    const url = location.pathname + toSearch(state);
    if (replace) {
      replaceEntry(history.state, url);
    } else if (toSearch(state) !== location.search) {
      this.dispatchEvent(new Event("leaving"));
      history.pushState({ overGrid }, "", url);
      this.canGoBack = overGrid;
    }
    this.#set(state);
  }

  /** Go to the entry before this one: once, however often it is asked for until that is done. */
  back() {
    if (this.goingBack) return;
    this.goingBack = true;
    history.back();
  }

  /**
   * Remember in this entry of the history which image stood first, for when one comes back to it.
   * @param {{at: number, top: number}} where
   */
  remember(where) {
    replaceEntry({ ...history.state, ...where }, location.href);
  }

  /** Where one was when this entry was left. @returns {{at: number, top: number} | null} */
  get remembered() {
    const { at, top } = history.state ?? {};
    return typeof at === "number" && typeof top === "number" ? { at, top } : null;
  }

  /** @param {State} state */
  #set(state) {
    const before = this.state;
    this.state = state;
    this.dispatchEvent(new CustomEvent("change", { detail: before }));
  }
}

/**
 * Write this entry of the history anew. Browsers refuse more than some hundred of these in a short
 * time, as when a key is held down: the address is then behind for a moment, and nothing is lost.
 * @param {object | null} state
 * @param {string} url
 */
function replaceEntry(state, url) {
  try {
    history.replaceState(state, "", url);
  } catch {
    // The next change writes it.
  }
}
