// Time under the map: a native slider over all frames of the longest run, a mark where a setting changed, one frame
// back and forward, and the way back to now. In a recording it also plays the film.

import { counted, element, freshId, icon, ICONS, setText } from "./base.js";

const LOOK_PATIENCE_MS = 800; // a look that is not answered by then was lost; the newest wish goes
const MARKS_APART = 0.02; // of the slider's length: closer marks become one
const SPEEDS = [1, 4, 10, 30]; // frames a second of a film

export class TimelineView {
  constructor(page, parent) {
    this.page = page;
    this.wish = undefined; // the newest look not yet sent: a step, or null for now
    this.asked = undefined; // the look that is under way
    this.held = false; // whether the slider stands where a hand put it, and no picture has come of it yet
    this.root = element("div", "te-timeline", parent);
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", "Time");
    if (page.recorded) this.makeFilm();
    this.back = this.button("back", "Frame back", () => this.move(-1));
    const track = element("div", "te-track", this.root);
    const label = element("label", "te-unseen", track, "Time");
    this.slider = element("input", "te-time", track);
    this.slider.type = "range";
    this.slider.min = 0;
    this.slider.step = 1;
    this.slider.id = label.htmlFor = freshId("time");
    this.slider.addEventListener("input", () => this.look(Number(this.slider.value)));
    this.markLayer = element("div", "te-marks", track);
    this.forward = this.button("forward", "Frame forward", () => this.move(1));
    this.where = element("span", "te-where te-number", this.root);
    this.live = element("button", "te-button te-live", this.root, page.recorded ? "End" : "Live");
    this.live.addEventListener("click", () => this.page.look(null));
    this.stops = [page.on("step", () => this.show())];
  }

  button(picture, name, action) {
    const made = element("button", "te-button te-icon-button", this.root);
    made.setAttribute("aria-label", name);
    icon(picture, made);
    made.addEventListener("click", action);
    return made;
  }

  makeFilm() {
    this.play = element("button", "te-button te-play", this.root);
    this.playText = element("span", "", this.play);
    this.playIcon = icon("play", this.play);
    this.play.addEventListener("click", () => this.page.say({ do: this.page.playing() ? "pause" : "play" }));
    const speed = element("select", "te-speed", this.root);
    speed.setAttribute("aria-label", "Speed");
    for (const each of SPEEDS) element("option", "", speed, `${each} frames/s`).value = each;
    speed.value = 10;
    speed.addEventListener("change", () => this.page.say({ do: "speed", rate: Number(speed.value) }));
  }

  remove() {
    this.stops.forEach((stop) => stop());
    clearTimeout(this.patience);
  }

  // The run with the most steps: its frames are the slider's stops.
  longest() {
    const runs = this.page.rows.slice(0, this.page.runCount());
    return runs.reduce((best, rows) => (rows.lastStep() > best.lastStep() ? rows : best), runs[0]);
  }

  row() {
    return Math.max(0, this.longest().rowAt(this.page.get("step")));
  }

  move(by) {
    const from = this.held ? Number(this.slider.value) : this.row();
    const row = Math.max(0, Math.min(this.longest().count - 1, from + by));
    this.slider.value = row;
    this.look(row);
  }

  // The last frame is now: who drags the slider to its end follows the run again.
  look(row) {
    const rows = this.longest();
    this.page.look(row >= rows.count - 1 ? null : rows.step(row));
  }

  // At most one look is under way, and the newest wish waits: a hand is faster than a kernel. A setting may have changed
  // after the newest frame: then that frame is what there is to see, and what the kernel answers with.
  wishFor(step) {
    this.wish = step === null ? null : Math.min(step, this.longest().lastStep());
    this.held = true;
    this.send();
    this.show();
  }

  send() {
    if (this.wish === undefined || this.asked !== undefined) return;
    this.asked = this.wish;
    this.wish = undefined;
    this.page.say({ do: "look", step: this.asked });
    this.patience = setTimeout(() => this.answered(true), LOOK_PATIENCE_MS);
  }

  // A picture has come; `late`: none has.
  answered(late, picture) {
    if (this.asked === undefined) {
      this.held = false;
      return;
    }
    if (!late && !this.isAnswer(picture)) return;
    clearTimeout(this.patience);
    this.asked = undefined;
    // Of a kernel that is only slow the picture is still to come: the hand's next key goes on from where it was.
    if (!late && this.wish === undefined) this.held = false;
    this.send();
    this.show();
  }

  // On its way to the answer a live page may show a live picture of the same step. A recording answers at once, and its
  // last step is live.
  isAnswer({ live, step }) {
    if (this.asked === null) return live;
    return (this.page.recorded || !live) && Math.abs(step - this.asked) < 1;
  }

  show() {
    const rows = this.longest();
    this.slider.max = Math.max(0, rows.count - 1);
    // Until the kernel has answered the slider is the hand's.
    if (!this.held) this.slider.value = this.row();
    const step = rows.step(Number(this.slider.value)) || 0;
    const words = `step ${counted(Math.round(step))} of ${counted(Math.round(rows.lastStep()))}`;
    this.slider.setAttribute("aria-valuetext", words);
    setText(this.where, words);
    this.where.style.minWidth = `${2 * Math.max(5, counted(Math.round(rows.lastStep())).length) + 9}ch`; // the slider's end stays put
    const live = this.page.isLive();
    this.live.setAttribute("aria-pressed", String(live));
    this.back.disabled = Number(this.slider.value) <= 0;
    this.forward.disabled = Number(this.slider.value) >= rows.count - 1;
    if (this.play) {
      const playing = this.page.playing();
      setText(this.playText, playing ? "Pause" : "Play");
      this.playIcon.setAttribute("d", ICONS[playing ? "pause" : "play"]);
    }
  }

  showMarks() {
    const rows = this.longest();
    const last = Math.max(1, rows.count - 1);
    const several = this.page.runCount() > 1;
    const places = this.page
      .marks()
      .flatMap((list, run) => list.map(({ step, text }) => ({ step, text: several ? `${this.page.runName(run)}: ${text}` : text })))
      .map((mark) => ({ ...mark, share: Math.max(0, rows.rowAt(mark.step)) / last }))
      .sort((one, other) => one.share - other.share);
    const groups = [];
    for (const place of places) {
      const group = groups[groups.length - 1];
      if (group && place.share - group.share < MARKS_APART) group.marks.push(place);
      else groups.push({ share: place.share, marks: [place] });
    }
    // As the run grows its marks move. They are only made anew where others are to be said: a rebuilt button would
    // lose the focus.
    const texts = groups.map((group) => group.marks.map((mark) => `${mark.step} ${mark.text}`).join(";")).join("|");
    if (this.markLayer.dataset.said !== texts) {
      this.markLayer.dataset.said = texts;
      this.markLayer.replaceChildren(...groups.map((group) => this.makeMark(group)));
    }
    groups.forEach(({ share }, k) => {
      this.markLayer.children[k].style.setProperty("--te-share", share.toFixed(4));
      this.markLayer.children[k].classList.toggle("te-mark-right", share > 0.5);
    });
  }

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
