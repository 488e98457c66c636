// The timeline below the map: a native slider over all frames of the longest run, a mark where a setting changed,
// buttons for one frame back and forward, and one for the newest frame. In a recording it also plays the film.

import { counted, element, freshId, icon, ICONS, setText } from "./base.js";

/** @import { LabPage } from "./lab.js" */
/** @import { Picture } from "./types.js" */
/** @typedef {{ step: number, text: string, share: number }} Place of one mark along the slider */
/** @typedef {{ share: number, marks: Place[] }} MarkGroup */

const ANSWER_TIMEOUT_MS = 800; // a request not answered by then counts as lost, and the newest one is sent
const MARKS_APART = 0.02; // share of the slider's length; marks closer than this are merged
const SPEEDS = [1, 4, 10, 30]; // of a film, in frames per second

// ---- where the marks lie ----

// Merges places along the slider (`share` 0 ... 1, in any order) that lie close together.
/** @param {Place[]} places @param {number} [apart] @returns {MarkGroup[]} */
export function grouped(places, apart = MARKS_APART) {
  /** @type {MarkGroup[]} */
  const groups = [];
  for (const place of [...places].sort((one, other) => one.share - other.share)) {
    const group = groups[groups.length - 1];
    if (group && place.share - group.share < apart) group.marks.push(place);
    else groups.push({ share: place.share, marks: [place] });
  }
  return groups;
}

// ---- the view ----

export class TimelineView {
  /** @type {number | null | undefined} */
  pendingStep = undefined; // the newest request, not yet sent: a step, or null for the newest frame
  /** @type {number | null | undefined} */
  requestedStep = undefined; // the request that was sent and has no picture yet
  /** @type {HTMLButtonElement[]} */
  marks = [];
  answerTimer = 0; // the timer that gives up the sent request
  /** @type {{ button: HTMLButtonElement, words: HTMLElement, path: Element } | null} */
  film = null; // Play and Pause, in a recording

  /** @param {LabPage} page @param {Element} parent */
  constructor(page, parent) {
    this.page = page;
    this.held = false; // has the user moved the slider, with no picture of that step yet?
    this.root = element("div", "te-timeline", parent);
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", "Time");
    if (page.recorded) this.film = this.makeFilm();
    this.back = this.button("back", "Frame back", () => this.move(-1));
    const track = element("div", "te-track", this.root);
    const label = element("label", "te-unseen", track, "Time");
    this.slider = element("input", "te-time", track);
    this.slider.type = "range";
    this.slider.min = "0";
    this.slider.step = "1";
    this.slider.id = label.htmlFor = freshId("time");
    this.slider.addEventListener("input", () => this.showRow(Number(this.slider.value)));
    this.markLayer = element("div", "te-marks", track);
    this.forward = this.button("forward", "Frame forward", () => this.move(1));
    this.where = element("span", "te-where te-number", this.root);
    this.live = element("button", "te-button te-live", this.root, page.recorded ? "End" : "Live");
    this.live.addEventListener("click", () => this.page.look(null));
    this.stops = [page.on("step", () => this.show())];
  }

  /** @param {"back" | "forward"} picture @param {string} name @param {() => void} action */
  button(picture, name, action) {
    const made = element("button", "te-button te-icon-button", this.root);
    made.setAttribute("aria-label", name);
    icon(picture, made);
    made.addEventListener("click", action);
    return made;
  }

  makeFilm() {
    const button = element("button", "te-button te-play", this.root);
    const words = element("span", "", button);
    const path = icon("play", button);
    button.addEventListener("click", () => this.page.say({ do: this.page.playing() ? "pause" : "play" }));
    const speed = element("select", "te-speed", this.root);
    speed.setAttribute("aria-label", "Speed");
    for (const each of SPEEDS) element("option", "", speed, `${each} frames/s`).value = String(each);
    speed.value = "10";
    speed.addEventListener("change", () => this.page.say({ do: "speed", rate: Number(speed.value) }));
    return { button, words, path };
  }

  remove() {
    this.stops.forEach((stop) => stop());
    clearTimeout(this.answerTimer);
  }

  // The run with the most steps: each of its frames is one position of the slider.
  longest() {
    const runs = this.page.rows.slice(0, this.page.runCount());
    return runs.reduce((best, rows) => (rows.lastStep() > best.lastStep() ? rows : best), runs[0]);
  }

  row() {
    return Math.max(0, this.longest().rowAt(this.page.get("step")));
  }

  /** @param {number} by */
  move(by) {
    const from = this.held ? Number(this.slider.value) : this.row();
    const row = Math.max(0, Math.min(this.longest().count - 1, from + by));
    this.slider.value = String(row);
    this.showRow(row);
  }

  // Shows one row's step. The last row is the newest frame: the slider at its end follows the run again.
  /** @param {number} row */
  showRow(row) {
    const rows = this.longest();
    this.page.look(row >= rows.count - 1 ? null : rows.step(row));
  }

  // Only one request is sent at a time, and only the newest one is kept waiting, because a slider moves faster than a
  // kernel answers. A mark may lie after the newest frame (a setting changed since): then the request is for that
  // frame, because that is what the kernel answers with.
  /** @param {number | null} step */
  request(step) {
    this.pendingStep = step === null ? null : Math.min(step, this.longest().lastStep());
    this.held = true;
    this.send();
    this.show();
  }

  send() {
    if (this.pendingStep === undefined || this.requestedStep !== undefined) return;
    this.requestedStep = this.pendingStep;
    this.pendingStep = undefined;
    this.page.say({ do: "look", step: this.requestedStep });
    this.answerTimer = window.setTimeout(() => this.answered(true), ANSWER_TIMEOUT_MS);
  }

  // A picture arrived; `late`: the timeout ended and none has arrived.
  /** @param {boolean} late @param {Pick<Picture, "live" | "step">} [picture] */
  answered(late, picture) {
    if (this.requestedStep === undefined) {
      this.held = false;
      return;
    }
    if (!late && !(picture && this.isAnswer(picture))) return;
    clearTimeout(this.answerTimer);
    this.requestedStep = undefined;
    // After a timeout the slider stays where the user put it: a slow kernel's picture may still arrive, and the next
    // key goes on from there.
    if (!late && this.pendingStep === undefined) this.held = false;
    this.send();
    this.show();
  }

  // Before the answer arrives, a live page may receive a live picture of the same step, which is not the answer. A
  // recording answers at once, and its last step is live.
  /** @param {Pick<Picture, "live" | "step">} picture */
  isAnswer({ live, step }) {
    if (this.requestedStep == null) return live;
    return (this.page.recorded || !live) && Math.abs(step - this.requestedStep) < 1;
  }

  show() {
    const rows = this.longest();
    this.slider.max = String(Math.max(0, rows.count - 1));
    // Until the kernel has answered, the slider stays where the user put it.
    if (!this.held) this.slider.value = String(this.row());
    const step = rows.step(Number(this.slider.value)) || 0;
    const words = `step ${counted(Math.round(step))} of ${counted(Math.round(rows.lastStep()))}`;
    this.slider.setAttribute("aria-valuetext", words);
    setText(this.where, words);
    this.where.style.minWidth = `${2 * Math.max(5, counted(Math.round(rows.lastStep())).length) + 9}ch`; // the slider's end stays put
    const live = this.page.isLive();
    this.live.setAttribute("aria-pressed", String(live));
    this.back.disabled = Number(this.slider.value) <= 0;
    this.forward.disabled = Number(this.slider.value) >= rows.count - 1;
    if (this.film) {
      const playing = this.page.playing();
      setText(this.film.words, playing ? "Pause" : "Play");
      this.film.path.setAttribute("d", ICONS[playing ? "pause" : "play"]);
    }
  }

  showMarks() {
    const rows = this.longest();
    const last = Math.max(1, rows.count - 1);
    const several = this.page.runCount() > 1;
    const places = this.page
      .marks()
      .flatMap((list, run) => list.map(({ step, text }) => ({ step, text: several ? `${this.page.runName(run)}: ${text}` : text })))
      .map((mark) => ({ ...mark, share: Math.max(0, rows.rowAt(mark.step)) / last }));
    const groups = grouped(places);
    // The marks move while the run grows. Their buttons are rebuilt only when their texts change: a rebuilt button
    // would lose the focus.
    const texts = groups.map((group) => group.marks.map((mark) => `${mark.step} ${mark.text}`).join(";")).join("|");
    if (this.markLayer.dataset.said !== texts) {
      this.markLayer.dataset.said = texts;
      this.marks = groups.map((group) => this.makeMark(group));
      this.markLayer.replaceChildren(...this.marks);
    }
    groups.forEach(({ share }, k) => {
      this.marks[k].style.setProperty("--te-share", share.toFixed(4));
      this.marks[k].classList.toggle("te-mark-right", share > 0.5);
    });
  }

  /** @param {MarkGroup} group */
  makeMark({ marks }) {
    const step = marks[marks.length - 1].step;
    const words = marks.map((mark) => `${counted(mark.step)}: ${mark.text}`).join("; ");
    const made = element("button", "te-mark");
    made.setAttribute("aria-label", `Change at ${words}`);
    element("span", "te-bubble", made, `Step ${words}`);
    made.addEventListener("click", () => this.page.look(step));
    return made;
  }
}
