/**
 * What was decided and isn't on the server's disk yet: sent in order, one at a time, kept in this
 * browser until it is acknowledged, and sent again as often as it takes. Every entry has an id of
 * its own, so that the server counts it once.
 */

import { RefusedError } from "./api.js";

/**
 * @typedef {{path: "/api/verdicts" | "/api/undo" | "/api/redo", body: {event: string, tab: string,
 *   split?: string, items?: number[], verdict?: string | null, label?: number | null}}} Entry
 * @typedef {"saved" | "saving" | "unsaved"} Standing
 */

const FIRST_WAIT = 400;
const LONGEST_WAIT = 5000;

/**
 * An id that nobody else has.
 */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * The unsent entries of one tab.
 *
 * Emits `standing` when that or the number of entries changes, `answer` with `{entry, answer}` and
 * `refused` with `{entry, error}` in `detail`.
 */
export class Outbox extends EventTarget {
  #api;
  #storage;
  #busy = false;
  #wait = FIRST_WAIT;
  #timer = 0;

  /**
   * @param {import("./api.js").Api} api
   * @param {string} key Where it is kept.
   * @param {Storage | null} storage
   */
  constructor(api, key, storage) {
    super();
    this.#api = api;
    this.#storage = storage;
    this.key = key;
    /** Why it isn't saved. */
    this.reason = "";
    /** Whether unsent entries would outlive this page. */
    this.kept = true;
    /** @type {Entry[]} */
    this.entries = read(storage, key);
    /** @type {Standing} */
    this.standing = this.entries.length > 0 ? "saving" : "saved";
    api.addEventListener("up", () => this.#soon(0));
  }

  /** Images in entries that aren't saved. */
  get images() {
    return this.entries.reduce((sum, entry) => sum + (entry.body.items?.length ?? 1), 0);
  }

  /**
   * Take an entry in: it is kept before it is sent.
   * @param {Entry} entry
   */
  put(entry) {
    this.entries.push(entry);
    this.#save();
    if (this.standing === "unsaved") this.#tell("unsaved");
    else this.#tell("saving");
    this.flush();
  }

  /**
   * Whether an entry touches this image: what others say of it is older.
   * @param {string} split
   * @param {number} index
   */
  concerns(split, index) {
    return this.entries.some(
      ({ path, body }) =>
        path !== "/api/verdicts" || (body.split === split && body.items?.includes(index)),
    );
  }

  /** Send what there is, now. */
  async flush() {
    if (this.#busy) return;
    window.clearTimeout(this.#timer);
    this.#busy = true;
    try {
      while (this.entries.length > 0) {
        const entry = this.entries[0];
        const sent = await this.#send(entry);
        if (!sent) return;
      }
      this.#tell("saved");
    } finally {
      this.#busy = false;
    }
  }

  /**
   * @param {Entry} entry
   * @returns {Promise<boolean>} Whether to go on with the next one.
   */
  async #send(entry) {
    try {
      const answer = await this.#api.post(entry.path, entry.body);
      this.#wait = FIRST_WAIT;
      this.#shift(entry);
      this.dispatchEvent(new CustomEvent("answer", { detail: { entry, answer } }));
      return true;
    } catch (error) {
      if (error instanceof RefusedError && !mayChange(error)) {
        this.#shift(entry);
        this.dispatchEvent(new CustomEvent("refused", { detail: { entry, error } }));
        return true;
      }
      this.reason = error instanceof Error ? error.message : String(error);
      this.#tell("unsaved");
      this.#soon(this.#wait);
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
      return false;
    }
  }

  /** @param {Entry} entry */
  #shift(entry) {
    this.entries = this.entries.filter((other) => other !== entry);
    this.#save();
  }

  #save() {
    this.kept = write(this.#storage, this.key, this.entries);
  }

  /** @param {number} wait Milliseconds. */
  #soon(wait) {
    window.clearTimeout(this.#timer);
    if (this.entries.length > 0) this.#timer = window.setTimeout(() => this.flush(), wait);
  }

  /** @param {Standing} standing */
  #tell(standing) {
    this.standing = standing;
    this.dispatchEvent(new Event("standing"));
  }
}

/**
 * Whether the same request may succeed later: another token, or the study can be written again.
 * @param {RefusedError} error
 */
function mayChange(error) {
  return error.code === "token" || error.code === "read-only" || error.status === 429;
}

/**
 * @param {Storage | null} storage
 * @param {string} key
 * @returns {Entry[]}
 */
function read(storage, key) {
  try {
    const entries = JSON.parse(storage?.getItem(key) ?? "[]");
    return Array.isArray(entries) ? entries : [];
  } catch {
    return [];
  }
}

/**
 * @param {Storage | null} storage
 * @param {string} key
 * @param {Entry[]} entries
 * @returns {boolean} Whether they are kept.
 */
function write(storage, key, entries) {
  try {
    if (!storage) return entries.length === 0;
    if (entries.length === 0) storage.removeItem(key);
    else storage.setItem(key, JSON.stringify(entries));
    return true;
  } catch {
    return false;
  }
}

/**
 * The browser's storage, null where it is switched off.
 * @param {"localStorage" | "sessionStorage"} which
 * @returns {Storage | null}
 */
export function storageOf(which) {
  try {
    return window[which];
  } catch {
    return null;
  }
}

/**
 * The id of this tab: the same after a reload, another one in a tab that was duplicated.
 *
 * A lock, held as long as the page lives, tells whether a tab of this id is alive.
 * @param {string} study
 * @returns {Promise<string>}
 */
export async function claimTab(study) {
  const storage = storageOf("sessionStorage");
  const key = `misread.tab.${study}`;
  let tab = storage?.getItem(key) ?? null;
  // A reload lets go of the lock some time after the new page asks for it; in a tab that was
  // duplicated it is never free.
  const patience = navigationType() === "reload" ? 2000 : 200;
  if (tab !== null && (await claim(lockName(study, tab), patience))) return tab;
  tab = newId();
  await claim(lockName(study, tab), 0);
  try {
    storage?.setItem(key, tab);
  } catch {
    // Without storage the tab has a new id after each reload.
  }
  return tab;
}

/**
 * Outboxes of tabs that are no more, with unsent entries: their keys.
 * @param {string} study
 * @param {string} own The key of this tab.
 * @returns {Promise<string[]>}
 */
export async function orphans(study, own) {
  const storage = storageOf("localStorage");
  const prefix = outboxKey(study, "");
  const keys = Object.keys(storage ?? {}).filter((key) => key.startsWith(prefix) && key !== own);
  const left = [];
  for (const key of keys) {
    if (await claim(lockName(study, key.slice(prefix.length)), 0)) left.push(key);
  }
  return left;
}

/**
 * @param {string} study
 * @param {string} tab
 */
export function outboxKey(study, tab) {
  return `misread.outbox.${study}.${tab}`;
}

/**
 * @param {string} study
 * @param {string} tab
 */
function lockName(study, tab) {
  return `misread.${study}.${tab}`;
}

/** How this page was come to: `reload`, `navigate`, `back_forward`. */
function navigationType() {
  const [entry] = performance.getEntriesByType("navigation");
  return entry instanceof PerformanceNavigationTiming ? entry.type : "navigate";
}

/**
 * Take a lock for as long as this page lives.
 * @param {string} name
 * @param {number} patience Milliseconds to wait for it.
 * @returns {Promise<boolean>} Whether it came.
 */
function claim(name, patience) {
  // Only where the page is trusted (on this machine, or with TLS) are there locks.
  if (!navigator.locks) return Promise.resolve(true);
  const wait = patience > 0 ? { signal: AbortSignal.timeout(patience) } : { ifAvailable: true };
  return new Promise((resolve) => {
    navigator.locks
      .request(name, wait, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise(() => {});
      })
      .catch(() => resolve(false));
  });
}
