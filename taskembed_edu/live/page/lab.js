// The page of a lab: puts the parts together and carries what they share. One model, one element, one page.
//
// Parts never talk to each other. They read and set the shared values (`page.get("chosen")`, `page.set(...)`,
// `page.on(...)`), read the model, and speak to the kernel with `page.say({ do: ... })`.

import { element, freshId, oncePerFrame, setText, Shared } from "./base.js";
import { ControlsView } from "./controls.js";
import { CurvesView, Rows } from "./curves.js";
import { DialogsView } from "./dialogs.js";
import { TaskLegend } from "./legend.js";
import { TaskMapView } from "./map.js";
import { MapBarView, ReadingsView } from "./readings.js";
import { RecordedModel } from "./recorded.js";
import { TimelineView } from "./timeline.js";
import { ConnectionWatch, TransportView } from "./transport.js";

const BOTH_WAYS = ["chosen", "selected", "colour"]; // the page's and the kernel's
const NOTE_MS = 12000; // how long an answer ("saved as ...") stands in the status

class LabPage {
  constructor(model, el) {
    this.model = model;
    this.recorded = Boolean(model.recorded);
    this.motion = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.shared = new Shared({
      chosen: model.get("chosen") ?? -1, // the task that was clicked, -1: none
      hover: -1, // the task under the pointer, in any map
      selected: model.get("selected") ?? [], // the tasks in the lasso
      colour: model.get("colour") ?? 0, // index into tasks.colours
      hidden: new Set(), // groups of the legend that are filtered out
      still: this.motion.matches, // reduced motion: no glide
      projector: false,
      labels: true, // names beside the points, where there are any
      trails: true, // where the tasks came from, likewise
      step: 0, // the moment shown
      connection: "ok",
    });
    this.stops = [];
    this.maps = [];
    this.rows = [new Rows(), new Rows()];
    this.note = "";
    this.build(el);
    this.listen();
    this.takeTasks();
    this.takeRows();
    this.takeTransport();
    this.takePicture();
  }

  // ---- what the parts ask ----

  get(name) {
    return this.shared.get(name);
  }

  set(name, value) {
    if (this.shared.get(name) === value) return;
    this.shared.set(name, value);
    if (BOTH_WAYS.includes(name)) {
      this.model.set(name, value);
      this.tell(() => this.model.save_changes());
    }
  }

  on(names, callback) {
    return this.shared.on(names, callback);
  }

  // A kernel may end between the wish and the word of its end: then nobody is left to hear.
  say(message) {
    this.tell(() => this.model.send(message));
  }

  tell(speak) {
    if (this.get("connection") === "dead") return;
    try {
      speak();
    } catch {
      this.watch?.become("dead");
    }
  }

  // Show this step; null: now, and follow the run. A place on a curve lies between steps: the kernel knows whole ones.
  look(step) {
    this.timeline.wishFor(step === null ? null : Math.round(step));
  }

  transport() {
    return this.model.get("transport") ?? {};
  }

  picture() {
    return this.model.get("picture") ?? {};
  }

  playing() {
    return Boolean(this.transport().playing);
  }

  isLive() {
    return this.picture().live !== false;
  }

  runCount() {
    return Math.max(1, Math.min(2, (this.transport().runs ?? []).length));
  }

  runName(run) {
    return this.runCount() > 1 ? (this.transport().runs[run]?.name ?? "") : "";
  }

  // A distance as its menu names it; without one: that of a run, "" where its settings are not at hand.
  distanceName(metric, run) {
    const control = this.model.get("controls")?.find(({ name }) => name === "metric");
    const own = run === (this.transport().active ?? 0) ? control?.value : undefined;
    const known = [...(control?.options ?? []), ...(this.transport().metrics ?? [])];
    return known.find(({ value }) => value === (metric ?? own))?.label ?? metric ?? "";
  }

  marks() {
    return (this.model.get("marks") ?? []).slice(0, this.runCount());
  }

  // What is wrong with the runs shown, in the kernel's words; with two runs, of which.
  alarms() {
    const runs = (this.picture().runs ?? []).filter(({ alarm }) => alarm);
    return runs.map(({ run, alarm }) => (this.runName(run) ? `${this.runName(run)}: ${alarm}` : alarm));
  }

  // ---- building ----

  build(el) {
    this.wordsId = freshId("words");
    this.root = element("div", "te-lab te-panel", el);
    this.root.classList.toggle("te-recorded", this.recorded);
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", this.model.get("title") || "Live lab");
    this.root.dataset.lmSuppressShortcuts = "true";
    this.root.dataset.connection = "ok";
    this.transportView = new TransportView(this, this.root);
    const body = element("div", "te-body", this.root);
    this.controls = new ControlsView(this, body);
    const stage = element("div", "te-stage", body);
    this.mapBar = new MapBarView(this, stage);
    // Here, and not above the settings: what comes and goes must not move a slider from under a hand.
    stage.append(this.transportView.alert, this.transportView.rewind);
    this.mapRow = element("div", "te-maps", stage);
    this.timeline = new TimelineView(this, stage);
    this.legend = new TaskLegend(this, stage);
    this.readings = new ReadingsView(this, stage);
    this.curves = new CurvesView(this, body);
    this.words = element("p", "te-words te-note", this.root);
    this.words.id = this.wordsId;
    this.dialogs = new DialogsView(this, this.root);
    this.addMap();
  }

  addMap() {
    this.maps.push(new TaskMapView(this, this.maps.length, this.mapRow));
  }

  // What is made once and ends with the page.
  listen() {
    const hear = (events, callback) => {
      this.model.on(events, callback);
      this.stops.push(() => this.model.off(events, callback));
    };
    hear("change:tasks", () => this.takeTasks());
    hear("change:rows", () => this.takeRows());
    hear("change:picture", () => this.takePicture());
    hear("change:marks", () => this.showTime());
    hear("change:transport", () => this.takeTransport());
    hear("change:controls", () => this.takeControls());
    hear("msg:custom", (message) => this.hearAnswer(message));
    for (const name of BOTH_WAYS) hear(`change:${name}`, () => this.shared.set(name, this.model.get(name)));
    const still = () => this.shared.set("still", this.motion.matches);
    this.motion.addEventListener("change", still);
    const leave = () => this.root.matches(":fullscreen") || this.shared.set("projector", false);
    this.root.addEventListener("fullscreenchange", leave); // Escape ends full screen without a word to the page
    this.root.addEventListener("keydown", (event) => this.key(event));
    const shown = () => this.acknowledge();
    document.addEventListener("visibilitychange", shown);
    this.stops.push(
      () => this.motion.removeEventListener("change", still),
      () => document.removeEventListener("visibilitychange", shown),
      this.on("projector", (on) => this.project(on)),
      this.on("connection", (state) => this.connected(state)),
    );
    this.acknowledge = oncePerFrame(() => this.say({ do: "shown", number: this.picture().number ?? 0 }));
    this.watch = this.recorded ? null : new ConnectionWatch(this.model, (state) => this.set("connection", state));
  }

  remove() {
    this.stops.forEach((stop) => stop());
    this.acknowledge.stop();
    clearTimeout(this.noteTimer);
    this.watch?.remove();
    for (const part of [...this.maps, this.legend, this.timeline, this.curves, this.controls]) {
      try {
        part.remove();
      } catch (error) {
        console.error(error); // one part that fails leaves the others their turn
      }
    }
    this.root.remove();
  }

  // ---- what comes from the kernel ----

  takeTasks() {
    const tasks = this.model.get("tasks");
    if (!tasks?.n) return;
    this.controls.setTasks(tasks);
    this.maps.forEach((map) => map.setTasks(tasks));
    this.legend.setTasks(tasks);
    this.curves.show();
  }

  takeRows() {
    const runs = this.model.get("rows")?.runs ?? [];
    const whole = runs.slice(0, 2).map((run, k) => this.rows[k].take(run));
    if (whole.includes(false)) this.say({ do: "rows" });
    this.showTime();
  }

  takeTransport() {
    const transport = this.transport();
    this.root.dataset.playing = String(this.playing());
    this.root.dataset.stopped = String(Boolean(transport.stopped));
    this.silence();
    this.transportView.show(transport);
    this.controls.showRuns(transport.runs ?? [], transport.active ?? 0);
    this.takeControls();
    this.arrangeMaps();
    this.showTime();
  }

  takeControls() {
    this.controls.show(this.model.get("controls") ?? [], this.mapBar.switchPlace);
    this.mapBar.show(this.transport());
  }

  arrangeMaps() {
    const count = this.runCount();
    this.root.dataset.runs = count;
    while (this.maps.length > count) {
      this.maps.pop().remove();
      this.rows[1].clear();
    }
    while (this.maps.length < count) {
      this.addMap();
      const tasks = this.model.get("tasks");
      if (tasks?.n) this.maps[this.maps.length - 1].setTasks(tasks);
      this.maps[this.maps.length - 1].take(this.picture().runs?.[this.maps.length - 1]);
    }
  }

  // A page that is hidden or slow says "shown" late, and the kernel waits for it: nothing piles up.
  takePicture() {
    const picture = this.picture();
    if (!picture.runs?.length) return;
    this.root.dataset.step = picture.step;
    this.root.dataset.live = String(this.isLive());
    this.maps.forEach((map, run) => map.take(picture.runs[run]));
    this.shared.set("step", picture.step);
    setText(this.words, picture.words ?? "");
    this.readings.show(picture.runs);
    this.mapBar.showChanges(picture.runs);
    this.transportView.tell();
    this.timeline.answered(false, picture);
    this.timeline.show();
    this.acknowledge();
  }

  showTime() {
    this.timeline.show();
    this.timeline.showMarks();
    this.curves.show();
  }

  hearAnswer(message) {
    if (message.tell === "code") this.dialogs.showCode(message.text);
    else if (message.text) this.tellNote(message.text);
  }

  // An answer stands in the status for a while, then what goes on stands there again.
  tellNote(text) {
    this.note = text;
    this.transportView.tell();
    clearTimeout(this.noteTimer);
    this.noteTimer = setTimeout(() => {
      this.note = "";
      this.transportView.tell();
    }, NOTE_MS);
  }

  connected(state) {
    const before = this.root.dataset.connection;
    this.root.dataset.connection = state;
    this.transportView.tell();
    this.silence();
    if (before === "lost" && state === "ok") this.say({ do: "all" });
  }

  // Nobody listens any more: what asks the kernel can no longer be pressed. Looking goes on.
  silence() {
    const gone = this.get("connection") === "dead" || Boolean(this.transport().stopped);
    for (const part of [...this.root.querySelectorAll(".te-live-only"), this.controls.root, this.timeline.root]) part.inert = gone;
  }

  // ---- the view as a whole ----

  project(on) {
    this.root.classList.toggle("te-projector", on);
    this.transportView.projector.setAttribute("aria-pressed", String(on));
    // The whole screen, where the browser grants it; else the panel grows where it stands.
    if (on) this.root.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement === this.root) document.exitFullscreen().catch(() => {});
    this.maps.forEach((map) => map.resize());
  }

  showKeys() {
    this.dialogs.keys.open();
  }

  // Single keys count while the focus is in the lab, and never while something is typed or chosen with keys.
  key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const on = event.target;
    const pressed = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (on.matches("input[type=number], select, textarea")) return;
    if (pressed === " " && on.closest("button, summary, input, dialog")) return;
    const action = this.keyAction(pressed);
    if (!action) return;
    event.preventDefault();
    action();
  }

  keyAction(key) {
    const anyone = {
      p: () => this.set("projector", !this.get("projector")),
      "?": () => this.showKeys(),
      ",": () => this.timeline.move(-1),
      ".": () => this.timeline.move(1),
      l: () => this.look(null),
      " ": () => this.say({ do: this.playing() ? "pause" : "play" }),
      Escape: this.get("projector") ? () => this.set("projector", false) : null,
    };
    return anyone[key] ?? (key === "s" && !this.recorded ? () => this.say({ do: "step" }) : null);
  }
}

function render({ model, el }) {
  const page = new LabPage(model, el);
  return () => page.remove();
}

// The exported file has no kernel: the recording in its document stands in its place.
export async function renderRecording(text, el) {
  const model = new RecordedModel(JSON.parse(text));
  await model.ready;
  return render({ model, el });
}

export default { render };
