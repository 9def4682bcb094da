/**
 * Answers on their way. Each is kept in the browser's own storage until the server has said that it is
 * on disk: a reload, a crash or a lost connection loses nothing.
 */

import { FIRST_WAIT, longer, pauseBefore, reached } from "./retry.js";

/** @typedef {import("./types.js").Answer} Answer */

/**
 * Emits `change` when an answer comes in or goes out, or sending fails or works again; `planned` with
 * the number of images to answer; `late` where an image was answered elsewhere already.
 */
export class Outbox extends EventTarget {
  #path;
  #name;
  /** @type {Answer[]} */
  #waiting;
  /** Events that the server has acknowledged. @type {Set<string>} */
  #sent = new Set();
  #sending = false;
  #wait = FIRST_WAIT;

  /** @param {string} base Path of this reader's link. */
  constructor(base) {
    super();
    this.#path = `${base}/answers`;
    this.#name = `misread-answers:${base}`;
    this.#waiting = this.#load();
    this.refused = "";
    this.failing = false;
  }

  /** Answers that the server hasn't acknowledged. */
  get waiting() {
    return this.#waiting.length;
  }

  /**
   * Keep an answer and send it.
   * @param {Answer} answer
   */
  add(answer) {
    this.#waiting.push(answer);
    this.#save();
    this.#changed();
    this.send();
  }

  /** Send what waits, oldest first; a failure is tried again later. */
  async send() {
    if (this.#sending || this.refused) return;
    this.#sending = true;
    while (this.#waiting.length && (await this.#sendSome()));
    this.#sending = false;
  }

  /** Resolves when nothing waits any more; false where the server refused. */
  async empty() {
    while (this.#waiting.length && !this.refused) {
      this.send();
      await new Promise((done) => this.addEventListener("change", done, { once: true }));
    }
    return !this.refused;
  }

  /** Send a batch; whether to go on at once. */
  async #sendSome() {
    const batch = this.#waiting.slice(0, 50);
    let response;
    try {
      response = await fetch(this.#path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ answers: batch }),
        cache: "no-store",
        keepalive: true,
      });
    } catch {
      return this.#later();
    }
    if (response.status >= 500) return this.#later();
    const told = await response.json().catch(() => ({}));
    if (!response.ok) {
      this.refused = told.error ?? `status ${response.status}`;
      this.#changed();
      return false;
    }
    this.#wait = FIRST_WAIT;
    this.failing = false;
    reached();
    // Another tab may have sent some of them too; what was acknowledged goes, whatever came since stays.
    for (const answer of batch) this.#sent.add(answer.event);
    this.#waiting = this.#waiting.filter((answer) => !this.#sent.has(answer.event));
    this.#save();
    this.dispatchEvent(new CustomEvent("planned", { detail: told.planned }));
    if (told.late?.length) this.dispatchEvent(new Event("late"));
    this.#changed();
    return true;
  }

  #later() {
    this.failing = true;
    this.#changed();
    pauseBefore(this.#wait).then(() => this.send());
    this.#wait = longer(this.#wait);
    return false;
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  #load() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.#name) ?? "[]");
      return Array.isArray(kept) ? kept : [];
    } catch {
      return [];
    }
  }

  #save() {
    const own = new Set(this.#waiting.map((answer) => answer.event));
    // Another window's answers stay: it may be closed before it can send them.
    const others = this.#load().filter(
      (answer) => !own.has(answer.event) && !this.#sent.has(answer.event),
    );
    try {
      localStorage.setItem(this.#name, JSON.stringify([...others, ...this.#waiting]));
    } catch {
      // Storage is full or forbidden: the answers are still in this page, and being sent.
    }
  }
}
