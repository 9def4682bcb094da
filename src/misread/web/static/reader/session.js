/** One sitting: trial after trial, with undo. Knows nothing of how things look. */

/** @typedef {import("./types.js").Answer} Answer */
/** @typedef {import("./types.js").Screen} Screen */
/** @typedef {import("./supply.js").Loaded} Loaded */

/**
 * @typedef {object} Given An answer that was given in this sitting.
 * @property {Loaded} trial
 * @property {number} attempt
 * @property {string} event
 * @property {number | null} answer
 * @property {boolean} unsure
 */

/** A name that no other answer has. */
export function newName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

export class Session {
  name = newName();
  /** @type {Loaded | null} The trial at hand. */
  trial = null;
  /** @type {Given[]} */
  #given = [];
  /** How many answers back the trial at hand lies; 0 for a new one. */
  back = 0;
  /** @type {Loaded | null} The new trial, while an earlier one is at hand. */
  #frontier = null;
  #most;

  /** @param {number} undo How many trials can be gone back. */
  constructor(undo) {
    this.#most = undo;
  }

  /** @param {Loaded} trial A new one. */
  begin(trial) {
    // Practice is over once it is over.
    if (this.trial && this.trial.kind !== trial.kind) this.#given = [];
    this.trial = trial;
    this.back = 0;
  }

  /** There is no new trial, but earlier ones can be gone back to. */
  end() {
    this.trial = null;
    this.back = 0;
  }

  /** Forget what was answered: it can't be gone back to. */
  reset() {
    this.end();
    this.#given = [];
  }

  /** Whether there is an answer to go back to. */
  get canUndo() {
    return this.back < Math.min(this.#most, this.#given.length);
  }

  /** What was answered at the earlier trial at hand, null where a new one is. */
  get earlier() {
    return this.back ? this.#given[this.#given.length - this.back] : null;
  }

  /** Go back to the answer before; whether there was one. */
  undo() {
    if (!this.canUndo) return false;
    if (this.back === 0) this.#frontier = this.trial;
    this.back += 1;
    this.trial = this.#given[this.#given.length - this.back].trial;
    return true;
  }

  /** Leave the earlier answer as it is; whether an earlier trial was at hand. */
  stay() {
    if (this.back === 0) return false;
    this.back = 0;
    this.trial = this.#frontier;
    return true;
  }

  /**
   * Answer the trial at hand.
   * @param {{ answer: number | null, unsure: boolean, rt: number, onset: number, blurred: boolean,
   *   screen: Screen }} what
   * @returns {{ sent: Answer, again: boolean }} `again`: it was an earlier trial, and the new one, if
   *   there is one, is at hand once more.
   */
  answer(what) {
    const trial = this.trial;
    if (!trial) throw new Error("no trial at hand");
    const event = newName();
    const before = this.earlier;
    const attempt = (before?.attempt ?? 0) + 1;
    const sent = {
      event,
      session: this.name,
      trial: trial.trial,
      attempt,
      undoes: before?.event ?? null,
      exposures: trial.shown,
      ...what,
    };
    if (before) {
      before.attempt = attempt;
      before.event = event;
      before.answer = what.answer;
      before.unsure = what.unsure;
      this.stay();
    } else {
      this.#given.push({ trial, attempt, event, answer: what.answer, unsure: what.unsure });
      this.#given = this.#given.slice(-this.#most);
    }
    return { sent, again: before !== null };
  }
}
