/**
 * What people decided about images, as this tab knows it: shown at once, sent by the outbox.
 */

import { Outbox, newId, orphans, outboxKey, storageOf } from "./outbox.js";

/**
 * @typedef {import("./types.js").Decision} Decision
 * @typedef {import("./types.js").Verdict} Verdict
 * @typedef {{view: string, position: number}} Spot
 * @typedef {{split: string, items: number[], before: (Decision | null)[], after: Decision,
 *   at: Spot | null, event: string}} Step `at`: where one was when deciding.
 */

const MOST_STEPS = 500;
const POLL = 2500;
const POLL_WHEN_DOWN = 1000;

/**
 * Decisions of this tab and of others.
 *
 * Emits `change` with `{split, items}` (what to draw anew), `scores` with the state of the scores,
 * `turned` (something was undone or redone) with `{redo, split, items, at}`, `refused` with a
 * message in `detail`, and `standing`.
 */
export class Decisions extends EventTarget {
  /** @type {Map<string, Map<number, Decision>>} */
  #known = new Map();
  /** @type {Step[]} */
  #done = [];
  /** @type {Step[]} */
  #undone = [];
  /** Events of undo and redo that were shown before the server answered. @type {Set<string>} */
  #shown = new Set();
  #api;
  #tab;
  #study;
  #revision;
  #timer = 0;
  #channel;
  /** Number of decisions and answers of this tab so far. */
  #own = 0;

  /**
   * @param {import("./api.js").Api} api
   * @param {import("./types.js").Boot} boot
   * @param {string} tab
   */
  constructor(api, boot, tab) {
    super();
    this.#api = api;
    this.#tab = tab;
    this.#study = boot.study.id;
    this.#revision = boot.revision;
    this.outbox = this.#open(outboxKey(boot.study.id, tab));
    this.#channel =
      "BroadcastChannel" in window ? new BroadcastChannel(`misread.${this.#study}`) : null;
    this.#channel?.addEventListener("message", () => this.poll());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.poll();
    });
    for (const entry of this.outbox.entries) this.#show(entry);
  }

  /** Send what an earlier page of this tab, or a tab that was closed, couldn't; then watch. */
  async start() {
    this.outbox.flush();
    this.#later();
    await this.#adopt();
  }

  /** Send what tabs that are no more couldn't. */
  async #adopt() {
    for (const key of await orphans(this.#study, this.outbox.key)) this.#open(key).flush();
  }

  /** @param {string} key */
  #open(key) {
    const outbox = new Outbox(this.#api, key, storageOf("localStorage"));
    outbox.addEventListener("standing", () => this.dispatchEvent(new Event("standing")));
    outbox.addEventListener("answer", (event) =>
      this.#answered(/** @type {CustomEvent} */ (event).detail),
    );
    outbox.addEventListener("refused", (event) =>
      this.#refused(/** @type {CustomEvent} */ (event).detail),
    );
    return outbox;
  }

  /**
   * What is decided about an image, where this tab knows it better than the answer it came with.
   * @param {string} split
   * @param {number} index
   * @returns {Decision | null}
   */
  get(split, index) {
    return this.#known.get(split)?.get(index) ?? null;
  }

  /**
   * Decide about images.
   * @param {string} split
   * @param {number[]} items
   * @param {(Decision | null)[]} before What was decided about each; null where it isn't known.
   * @param {Decision} after
   * @param {Spot | null} at
   */
  decide(split, items, before, after, at) {
    this.#own += 1;
    const step = { split, items, before, after, at, event: newId() };
    this.#done.push(step);
    // The server knows what is older.
    if (this.#done.length > MOST_STEPS) this.#done.shift();
    this.#undone = [];
    this.#set(split, items, () => after);
    this.outbox.put({
      path: "/api/verdicts",
      body: {
        split,
        items,
        verdict: after.verdict,
        label: after.label,
        event: step.event,
        tab: this.#tab,
      },
    });
  }

  /** Take back what this tab did last. */
  undo() {
    this.#turn("/api/undo", this.#done, this.#undone, (step, row) => step.before[row]);
  }

  /** Do again what was taken back last. */
  redo() {
    this.#turn("/api/redo", this.#undone, this.#done, (step) => step.after);
  }

  /**
   * @param {"/api/undo" | "/api/redo"} path
   * @param {Step[]} from
   * @param {Step[]} to
   * @param {(step: Step, row: number) => Decision | null} state
   */
  #turn(path, from, to, state) {
    this.#own += 1;
    const event = newId();
    const step = from.pop();
    if (step) {
      to.push(step);
      this.#shown.add(event);
      this.#set(step.split, step.items, (row) => state(step, row));
      this.#turned({
        redo: path === "/api/redo",
        split: step.split,
        items: step.items,
        at: step.at,
      });
    }
    this.outbox.put({ path, body: { tab: this.#tab, event } });
  }

  /** Ask what others decided, now. */
  async poll() {
    window.clearTimeout(this.#timer);
    const own = this.#own;
    try {
      const { revision, changes, scores } = await this.#api.get(
        `/api/changes?since=${this.#revision}`,
      );
      // An answer from before what was decided here in the meantime would turn that back. It, and
      // what had to wait for unsent entries, is asked for again.
      if (own === this.#own && this.#take(changes)) this.#revision = revision;
      this.dispatchEvent(new CustomEvent("scores", { detail: scores }));
    } catch {
      // The page shows that the server is gone; the next round asks again.
    }
    await this.#adopt();
    this.#later();
  }

  #later() {
    window.clearTimeout(this.#timer);
    const wait = this.#api.up ? POLL : POLL_WHEN_DOWN;
    this.#timer = window.setTimeout(() => this.poll(), document.hidden ? 4 * wait : wait);
  }

  /**
   * @param {[string, number, Verdict | null, number | null][]} changes
   * @returns {boolean} Whether all of them were taken.
   */
  #take(changes) {
    /** @type {Map<string, [number, Decision][]>} */
    const bySplit = new Map();
    let whole = true;
    for (const [split, index, verdict, label] of changes) {
      if (this.outbox.concerns(split, index)) {
        whole = false;
        continue;
      }
      const before = this.get(split, index);
      if (before && before.verdict === verdict && before.label === label) continue;
      const list = bySplit.get(split) ?? [];
      list.push([index, { verdict, label }]);
      bySplit.set(split, list);
    }
    for (const [split, list] of bySplit) {
      const items = list.map(([index]) => index);
      this.#set(split, items, (row) => list[row][1]);
    }
    return whole;
  }

  /**
   * An entry of an earlier page of this tab, shown as it was.
   * @param {import("./outbox.js").Entry} entry
   */
  #show({ path, body }) {
    if (path !== "/api/verdicts" || !body.items || !body.split) return;
    const after = {
      verdict: /** @type {Verdict | null} */ (body.verdict),
      label: body.label ?? null,
    };
    this.#set(body.split, body.items, () => after);
  }

  /**
   * @param {{entry: import("./outbox.js").Entry, answer: {split: string | null, items: number[],
   *   decided: (Verdict | null)[], decided_label: (number | null)[]}}} detail
   */
  #answered({ entry, answer }) {
    const { split, items, decided, decided_label: labels } = answer;
    this.#own += 1;
    this.#channel?.postMessage("changed");
    if (split !== null && items.length > 0) {
      // What was decided since then, and isn't sent yet, is newer than this answer.
      const rows = items.flatMap((index, row) => (this.outbox.concerns(split, index) ? [] : [row]));
      this.#set(
        split,
        rows.map((row) => items[row]),
        (place) => ({ verdict: decided[rows[place]], label: labels[rows[place]] }),
      );
    }
    const turned = entry.path !== "/api/verdicts";
    if (turned && !this.#shown.delete(entry.body.event) && entry.body.tab === this.#tab) {
      this.#turned({ redo: entry.path === "/api/redo", split, items, at: null });
    }
  }

  /** @param {{redo: boolean, split: string | null, items: number[], at: Spot | null}} detail */
  #turned(detail) {
    this.dispatchEvent(new CustomEvent("turned", { detail }));
  }

  /** @param {{entry: import("./outbox.js").Entry, error: Error}} detail */
  #refused({ entry, error }) {
    const step = this.#done.find(({ event }) => event === entry.body.event);
    if (step) {
      this.#done = this.#done.filter((other) => other !== step);
      this.#set(step.split, step.items, (row) => step.before[row]);
    }
    this.dispatchEvent(new CustomEvent("refused", { detail: error.message }));
  }

  /**
   * @param {string} split
   * @param {number[]} items
   * @param {(row: number) => Decision | null} decision
   */
  #set(split, items, decision) {
    const known = this.#known.get(split) ?? new Map();
    this.#known.set(split, known);
    items.forEach((index, row) => {
      const value = decision(row);
      if (value === null) known.delete(index);
      else known.set(index, value);
    });
    this.dispatchEvent(new CustomEvent("change", { detail: { split, items } }));
  }
}
