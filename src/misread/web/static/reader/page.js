/** The reader's page: welcome, practice, reading, breaks, the end. */

import { byId, fill, make } from "../dom.js";
import { choices } from "./choices.js";
import { meaning } from "./keys.js";
import { Outbox } from "./outbox.js";
import { Session } from "./session.js";
import { Stage } from "./stage.js";
import { Supply } from "./supply.js";

/** @typedef {import("./types.js").Boot} Boot */
/** @typedef {import("./types.js").State} State */

/** @type {Boot} */
const boot = JSON.parse(byId("boot").textContent ?? "");
const outbox = new Outbox(boot.base);
const supply = new Supply(boot.base);
const session = new Session(boot.undo);
const stage = new Stage(byId("stage"), boot);
const classes = choices(boot.classes, (answer) => give(answer, performance.now()));

/**
 * The image that can be answered; null while none can.
 * @type {{ onset: number, blurred: boolean, unsure: boolean, late: ReturnType<typeof setTimeout> | null } | null}
 */
let open = null;
let done = 0;
let kind = "";
let sinceBreak = 0;
/** Counts what is brought up: whoever waited for an image finds out that another one is due. */
let turn = 0;
let begun = false;
/** How many waits take long already. */
let waits = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let told;

// Milliseconds after which waiting for an image is told, and for which a remark stays.
const SLOW = 400;
const REMARK = 6_000;

start().catch((error) => say("This page can't go on", error.message));

async function start() {
  outbox.addEventListener("change", showSaved);
  outbox.addEventListener("planned", (event) => {
    if (event instanceof CustomEvent) supply.plan(event.detail);
  });
  outbox.addEventListener("late", moveOn);
  supply.addEventListener("again", () => {
    const late = boot.brief ? "it came too late or too fast" : "it came too fast";
    remark(`an image is asked again later: ${late}, or this window wasn't in front`);
    if (session.trial) showProgress();
  });
  addEventListener("misread-waiting", () => {
    byId("saved").textContent = "no connection: trying again";
  });
  addEventListener("keydown", onKey);
  addEventListener("blur", () => open && (open.blurred = true));
  document.addEventListener("visibilitychange", () => open && (open.blurred = true));
  byId("unsure").addEventListener("click", toggleUnsure);
  byId("undo").addEventListener("click", undo);
  byId("back").addEventListener("click", undo);
  fill(byId("answers"), classes.element);
  // What an earlier page could not send comes first: the state counts on it.
  outbox.send();
  await outbox.empty();
  const state = await supply.state();
  if (state.phase === "welcome") return welcome(state);
  return read(state);
}

/** @param {State} state */
function welcome(state) {
  const form = /** @type {HTMLFormElement} */ (byId("welcome-form"));
  byId("welcome-count").textContent = new Intl.NumberFormat("en").format(state.planned);
  byId("welcome-minutes").textContent = minutes(state.planned * boot.pace);
  byId("welcome").hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const begin = /** @type {HTMLButtonElement} */ (form.querySelector("[type=submit]"));
    const filled = new FormData(form);
    begin.disabled = true;
    const response = await fetch(`${boot.base}/agree`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ seen: filled.get("seen"), agreed: filled.get("agreed") === "yes" }),
    }).catch(() => null);
    const told = response ? await response.json().catch(() => ({})) : {};
    if (!response?.ok) {
      byId("welcome-error").textContent = response
        ? (told.error ?? `status ${response.status}`)
        : "No connection: try again.";
      begin.disabled = false;
      return;
    }
    byId("welcome").hidden = true;
    read(await supply.state()).catch((error) => say("This page can't go on", error.message));
  });
}

/** @param {State} state */
async function read(state) {
  done = state.done;
  begun = true;
  if (state.phase === "done") return finish();
  byId("reading").hidden = false;
  await advance();
}

/** Another window has answered what this one shows: go on where the server is. */
async function moveOn() {
  if (!begun) return;
  const mine = (turn += 1);
  begun = false;
  close();
  stage.clear();
  closePause();
  session.reset();
  await patiently(outbox.empty());
  if (outbox.refused) return;
  const state = await patiently(supply.state());
  if (mine !== turn) return;
  remark("answered in another window already: this is the next image");
  await read(state).catch((error) => say("This page can't go on", error.message));
}

/** @param {typeof open} to */
function setOpen(to) {
  open = to;
  byId("stage").toggleAttribute("data-open", to !== null);
}

/** Show the next trial, after a break where one is due. */
async function advance() {
  const mine = (turn += 1);
  setOpen(null);
  const trial = await patiently(supply.next(() => settled()));
  if (mine !== turn) return;
  if (!trial) return finish();
  if (trial.kind !== kind) await introduce(trial.kind);
  else if (kind === "reading" && sinceBreak >= boot.breakEvery) await rest();
  if (mine !== turn) return;
  kind = trial.kind;
  session.begin(trial);
  await present();
}

/** Every answer is on the server's disk. */
async function settled() {
  stage.clear();
  await outbox.empty();
}

/** Show the trial at hand and let it be answered. */
async function present() {
  setOpen(null);
  const trial = session.trial;
  if (!trial) return;
  showProgress();
  stage.clear();
  const image = await patiently(trial.image);
  if (trial !== session.trial) return;
  trial.shown += 1;
  const brief = boot.brief !== null && session.back === 0;
  const onset = await stage.show(image, brief);
  if (onset === null || trial !== session.trial) return;
  const late = brief && boot.brief ? setTimeout(() => give(null, performance.now()), boot.brief.answer) : null;
  const { answer, unsure } = session.earlier ?? { answer: null, unsure: false };
  setOpen({ onset, blurred: document.hidden || !document.hasFocus(), unsure, late });
  classes.mark(answer);
  showUnsure();
  classes.focus();
}

/**
 * @param {number | null} answer Number of the class; null where time ran out.
 * @param {number} when `performance.now()` of the key.
 * @returns {boolean} Whether there was anything to answer.
 */
function give(answer, when) {
  // A key that was pressed before the image was on the screen answers nothing.
  if (!open || when < open.onset) return false;
  const { onset, blurred, unsure } = open;
  close();
  const { sent, again } = session.answer({
    answer,
    unsure,
    rt: Math.round((when - onset) * 10) / 10,
    onset: Math.round(performance.timeOrigin + onset),
    blurred,
    screen: stage.screen(),
  });
  outbox.add(sent);
  if (again && session.trial) {
    present();
    return true;
  }
  if (kind === "reading" && !again) {
    done += 1;
    sinceBreak += 1;
  }
  advance().catch((error) => say("This page can't go on", error.message));
  return true;
}

/** Take no answer any more. */
function close() {
  if (open?.late) clearTimeout(open.late);
  setOpen(null);
}

function undo() {
  const ended = !byId("done").hidden;
  if (!open && !ended) return;
  if (!session.undo()) {
    remark(session.back ? `${session.back} images back is as far as it goes` : "nothing to go back to");
    return;
  }
  close();
  byId("done").hidden = true;
  byId("reading").hidden = false;
  present();
}

/** Leave an earlier answer as it is. */
function stay() {
  if (!session.stay()) return;
  close();
  if (session.trial) present();
  else finish();
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const typing = event.target instanceof HTMLInputElement;
  const ended = !byId("done").hidden;
  if ((byId("reading").hidden || !byId("pause").hidden) && !ended) return;
  const meant = meaning(event, boot.classes);
  // In a field Backspace and Space write; an empty field has nothing to take back.
  if (!meant || (typing && event.target.value !== "" && meant.kind !== "stay")) return;
  if (typing && meant.kind === "answer") return;
  if (ended && meant.kind !== "undo") return;
  event.preventDefault();
  if (meant.kind === "answer") give(meant.answer, event.timeStamp);
  else if (meant.kind === "undo") undo();
  else if (meant.kind === "unsure") toggleUnsure();
  else if (meant.kind === "find") classes.find();
  else stay();
}

function toggleUnsure() {
  if (open) open.unsure = !open.unsure;
  showUnsure();
}

function showUnsure() {
  byId("unsure").setAttribute("aria-pressed", String(open?.unsure ?? false));
}

function showProgress() {
  const again = session.back > 0;
  const number = new Intl.NumberFormat("en");
  const place =
    kind === "practice" ? "practice" : `${number.format(done + 1 - session.back)} of ${number.format(supply.planned)}`;
  byId("progress").textContent = again ? `again: ${place} · Esc leaves it` : place;
  const bar = /** @type {HTMLProgressElement} */ (byId("bar"));
  bar.max = Math.max(1, supply.planned);
  bar.value = done;
  byId("reading").classList.toggle("again", again);
}

/**
 * Say that the next image is waited for, where that takes long, and take nothing meanwhile.
 * @template Value
 * @param {Promise<Value>} promise
 * @returns {Promise<Value>}
 */
async function patiently(promise) {
  let slow = 0;
  const timer = setTimeout(() => {
    slow = 1;
    waits += 1;
    showWaiting();
  }, SLOW);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    waits -= slow;
    showWaiting();
  }
}

function showWaiting() {
  const waiting = waits > 0;
  const place = byId("reading");
  if (waiting === place.classList.contains("waiting")) return;
  place.classList.toggle("waiting", waiting);
  byId("waiting").textContent = waiting ? "waiting for the next image" : "";
  for (const button of byId("controls").querySelectorAll("button, input")) {
    // Not `disabled`: that would take the focus away, and with it the keys.
    if (waiting) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }
}

/**
 * Say something in passing.
 * @param {string} text
 */
function remark(text) {
  clearTimeout(told);
  byId("remark").textContent = text;
  told = setTimeout(() => (byId("remark").textContent = ""), REMARK);
}

function showSaved() {
  if (outbox.refused) {
    byId("saved").textContent = `not saved: ${outbox.refused}`;
    return;
  }
  const waiting = outbox.waiting;
  const trouble = outbox.failing ? "no connection: " : "";
  byId("saved").textContent = waiting ? `${trouble}${waiting} to send` : "saved";
}

/** @param {string} next What begins: practice or reading. */
async function introduce(next) {
  if (next === "practice") {
    return say("Practice first", "A few images to find the keys. They don't count.", "Start");
  }
  if (kind === "practice") {
    const pace = boot.brief
      ? "Each image is gone after a moment, and the next one comes by itself."
      : "Take the time you need.";
    return say("That was practice", `From here on it counts. ${pace}`, "Start");
  }
}

async function rest() {
  sinceBreak = 0;
  await say("Take a break", "Look up for a moment. Everything so far is kept.", "Go on");
}

function finish() {
  session.end();
  byId("back").hidden = !session.canUndo;
  byId("reading").hidden = true;
  byId("done").hidden = false;
  byId("done-title").focus();
}

function closePause() {
  byId("pause").hidden = true;
  byId("reading").classList.remove("paused");
}

/**
 * A time in words.
 * @param {number} seconds
 */
function minutes(seconds) {
  const whole = Math.max(1, Math.round(seconds / 60));
  return whole === 1 ? "1 minute" : `${whole} minutes`;
}

/**
 * Say something, and wait for the button where there is one.
 * @param {string} title
 * @param {string} text
 * @param {string} [button]
 * @returns {Promise<void>}
 */
function say(title, text, button) {
  setOpen(null);
  stage.clear();
  const place = byId("pause");
  byId("reading").hidden = false;
  byId("reading").classList.add("paused");
  place.hidden = false;
  return new Promise((resolve) => {
    const go = make("button", { type: "button", class: "primary" }, button ?? "");
    go.addEventListener("click", () => {
      closePause();
      resolve();
    });
    fill(place, make("h2", {}, title), make("p", {}, text), button ? go : null);
    if (button) go.focus();
  });
}
