// The page of a lab: connects the parts and holds the state that they share. Each view of a model has one page.
//
// Parts never talk to each other. They read and set the shared values (`page.get("chosen")`, `page.set(...)`,
// `page.on(...)`), read the model, and send commands to the kernel with `page.say({ do: ... })`.

import { BenchView } from "./bench.js";
import { BenchSwitch } from "./bench_switch.js";
import { closeTipsOnPress, element, freshId, oncePerFrame, setText, Shared } from "./base.js";
import { ConnectionWatch } from "./connection.js";
import { ControlsView } from "./controls.js";
import { CurvesView } from "./curves.js";
import { DialogsView } from "./dialogs.js";
import { FindView } from "./find.js";
import { TaskLegend } from "./legend.js";
import { TaskMapView } from "./map.js";
import { sidesOf } from "./map_switch.js";
import { MapHeight } from "./map_height.js";
import { MapBarView, ReadingsView } from "./readings.js";
import { RecordedModel } from "./recorded.js";
import { Rows } from "./rows.js";
import { ScorecardsView } from "./scorecards.js";
import { SelectionView } from "./selection.js";
import { SurfaceView } from "./surface.js";
import { TimelineView } from "./timeline.js";
import { TransportView } from "./transport.js";

/** @import { Answer, BenchPacket, Connection, Message, Model, Picture, RunPicture, Transport, View } from "./types.js" */

/** @type {("chosen" | "selected" | "colour")[]} */
const SYNCED = ["chosen", "selected", "colour"]; // values that the page and the kernel both hold
const UMAP_COMES = "UMAP is made ready. Its map comes here.";
const UMAP_NEXT = "UMAP draws the next picture: press Step or Play.";
const NO_UMAP_HERE = "No UMAP map of this step: PCA drew it.";
const NOTE_MS = 12000; // how long an answer ("saved as ...") is shown in the status

export class LabPage {
  rows = [new Rows(), new Rows()];
  /** @type {TaskMapView[]} */
  maps = [];
  /** @type {(() => void)[]} */
  stops = [];
  /** @type {BenchView | null} */
  bench = null; // where there is a learned start
  note = ""; // an answer that the status shows for a while
  noteTimer = 0;
  wordsId = freshId("words");
  root = element("div", "te-lab te-panel");
  motion = window.matchMedia("(prefers-reduced-motion: reduce)");

  /** @param {Model} model @param {Element} el */
  constructor(model, el) {
    this.model = model;
    this.recorded = Boolean(model.recorded);
    this.shared = new Shared({
      chosen: model.get("chosen") ?? -1, // the task that was clicked, -1: none
      hover: -1, // the task under the pointer, in any map
      selected: model.get("selected") ?? [], // the tasks in the lasso
      colour: model.get("colour") ?? 0, // index into tasks.colours
      hidden: new Set(), // groups of the legend that are filtered out
      still: this.motion.matches, // reduced motion: no glide
      projector: false,
      labels: true, // names beside the points, where there are any
      pictures: null, // the tasks' pictures in place of their points; null: where the map has room
      trails: true, // the paths of the tasks since the start, where there are any
      arrows: true, // the start of the inner loops and the arrows from it, where there is one
      plane: "surface", // for a learner of two numbers: the loss over the start, or the map
      step: 0, // the training step shown
      connection: "ok",
    });
    this.acknowledge = oncePerFrame(() => this.say({ do: "shown", number: this.picture().number ?? 0 }));
    /** @type {ConnectionWatch | null} */
    this.watch = null;
    el.append(this.root);
    closeTipsOnPress(this.root);
    this.transportView = new TransportView(this, this.root);
    const body = element("div", "te-body", this.root);
    this.controls = new ControlsView(this, body);
    const stage = element("div", "te-stage", body);
    this.mapBar = new MapBarView(this, stage);
    // Placed here and not above the settings: when an alert appears, it must not move a slider during a drag.
    stage.append(this.transportView.alert, this.transportView.rewind, this.transportView.recover.root);
    this.mapRow = element("div", "te-maps", stage);
    const bar = this.recorded ? element("div", "te-map-bar") : this.mapBar.root; // a recording has no other choice above the map
    if (this.recorded) this.mapRow.before(bar);
    this.surface = new SurfaceView(this, this.mapRow, bar);
    this.mapHeight = new MapHeight(this, this.mapRow);
    this.timeline = new TimelineView(this, this.mapRow);
    this.selection = new SelectionView(this, this.mapRow);
    this.find = new FindView(this, stage);
    this.settingsShown = element("p", "te-settings-shown te-note", stage); // in a recording: those of the moment shown
    this.legend = new TaskLegend(this, stage);
    this.readings = new ReadingsView(this, stage);
    this.scorecards = new ScorecardsView(this, body);
    this.curves = new CurvesView(this, body);
    this.words = element("p", "te-words te-note", this.root);
    this.words.id = this.wordsId;
    this.dialogs = new DialogsView(this, this.root);
    this.begin();
  }

  begin() {
    this.describe();
    this.addMap();
    this.listen();
    this.takeTasks();
    this.takeRows();
    this.takeTransport();
    this.surface.takeSurface();
    this.takePicture();
    this.takeBench();
  }

  // ---- what the parts call ----

  /** @template {keyof View} Name @param {Name} name @returns {View[Name]} */
  get(name) {
    return this.shared.get(name);
  }

  /** @template {keyof View} Name @param {Name} name @param {View[Name]} value */
  set(name, value) {
    if (this.shared.get(name) === value) return;
    this.shared.set(name, value);
    const both = SYNCED.find((each) => each === name);
    if (both) {
      this.model.set(both, this.shared.get(both));
      this.trySend(() => this.model.save_changes());
    }
  }

  /** @param {string} names @param {() => void} callback */
  on(names, callback) {
    return this.shared.on(names, callback);
  }

  // A kernel may end before the page is notified: sending then throws an error, and the kernel counts as dead.
  /** @param {Message} message */
  say(message) {
    this.trySend(() => this.model.send(message));
  }

  /** @param {() => void} send */
  trySend(send) {
    if (this.get("connection") === "dead") return;
    try {
      send();
    } catch {
      this.watch?.become("dead");
    }
  }

  // Shows this step; null: shows the newest one and follows the run. A position on a curve may lie between two steps,
  // but the kernel only has whole steps.
  /** @param {number | null} step */
  look(step) {
    this.timeline.request(step === null ? null : Math.round(step));
  }

  /** @returns {Partial<Transport>} a widget begins with none of it */
  transport() {
    return this.model.get("transport") ?? {};
  }

  /** @returns {Partial<Picture>} likewise */
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

  // Do two maps of the one run stand side by side, UMAP's and PCA's?
  both() {
    return Boolean(this.transport().both) && this.runCount() === 1;
  }

  /** @param {number} run */
  runName(run) {
    return this.runCount() > 1 ? (this.transport().runs?.[run]?.name ?? "") : "";
  }

  // The label of a distance in its menu. Without `metric`: the run's own distance, "" where its settings are unknown.
  /** @param {string | undefined} metric @param {number} [run] */
  distanceName(metric, run) {
    const control = this.model.get("controls")?.find(({ name }) => name === "metric");
    const own = run === (this.transport().active ?? 0) && control ? String(control.value) : undefined;
    const offered = control?.kind === "choice" ? control.options : [];
    const known = [...offered, ...(this.transport().metrics ?? [])];
    return known.find(({ value }) => value === (metric ?? own))?.label ?? metric ?? "";
  }

  marks() {
    return (this.model.get("marks") ?? []).slice(0, this.runCount());
  }

  // The kernel's alarms about the runs shown; with two runs, each alarm names its run.
  alarms() {
    return (this.picture().runs ?? []).flatMap(({ run, alarm }) => {
      if (!alarm) return [];
      return [this.runName(run) ? `${this.runName(run)}: ${alarm}` : alarm];
    });
  }

  // ---- building ----

  describe() {
    this.root.classList.toggle("te-recorded", this.recorded);
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", this.model.get("title") || "Live lab");
    this.root.dataset.lmSuppressShortcuts = "true";
    this.root.dataset.connection = "ok";
  }

  /** @param {number} [run] */
  addMap(run = 0) {
    const map = new TaskMapView(this, run, this.mapRow);
    this.maps.at(-1)?.root.after(map.root);
    if (!this.maps.length) this.mapRow.prepend(map.root);
    this.maps.push(map);
    const tasks = this.model.get("tasks");
    if (tasks?.n) map.setTasks(tasks);
  }

  // Between two pictures a change of the map waits for the next one.
  whyNoUmap() {
    if (this.transport().projection === "pca") return UMAP_COMES;
    return this.isLive() ? UMAP_NEXT : NO_UMAP_HERE;
  }

  // Registers the listeners; all of them end with the page.
  listen() {
    /** @param {string} events @param {(message: Answer) => void} callback */
    const hear = (events, callback) => {
      this.model.on(events, callback);
      this.stops.push(() => this.model.off(events, callback));
    };
    hear("change:tasks", () => this.takeTasks());
    hear("change:help", () => this.takeHelp());
    hear("change:rows", () => this.takeRows());
    hear("change:picture", () => this.takePicture());
    hear("change:marks", () => this.showTime());
    hear("change:surface", () => this.surface.takeSurface());
    hear("change:bench", () => this.takeBench());
    hear("change:scorecards", () => this.scorecards.take());
    hear("change:transport", () => this.takeTransport());
    hear("change:controls", () => this.takeControls());
    hear("msg:custom", (message) => this.hearAnswer(message));
    for (const name of SYNCED) hear(`change:${name}`, () => this.hearShared(name));
    const still = () => this.shared.set("still", this.motion.matches);
    this.motion.addEventListener("change", still);
    const leave = () => {
      if (!this.root.matches(":fullscreen")) this.shared.set("projector", false);
    };
    this.root.addEventListener("fullscreenchange", leave); // Escape ends full screen, and no key event reaches the page
    this.root.addEventListener("keydown", (event) => this.key(event));
    const shown = () => this.acknowledge();
    document.addEventListener("visibilitychange", shown);
    this.stops.push(
      () => this.motion.removeEventListener("change", still),
      () => document.removeEventListener("visibilitychange", shown),
      this.on("projector", () => this.project(this.get("projector"))),
      this.on("connection", () => this.connected(this.get("connection"))),
    );
    if (!this.recorded) this.watch = new ConnectionWatch(this.model, (state) => this.set("connection", state));
  }

  /** @param {(typeof SYNCED)[number]} name */
  hearShared(name) {
    const value = this.model.get(name);
    if (value !== undefined) this.shared.set(name, value);
  }

  remove() {
    this.stops.forEach((stop) => stop());
    this.acknowledge.stop();
    clearTimeout(this.noteTimer);
    this.watch?.remove();
    const parts = [...this.maps, this.surface, this.selection, this.legend, this.timeline];
    for (const part of [...parts, this.scorecards, this.curves, this.controls]) {
      try {
        part.remove();
      } catch (error) {
        console.error(error); // an error in one part does not stop the others
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
    this.selection.show();
    this.legend.setTasks(tasks);
    this.surface.recolour();
    this.curves.show();
  }

  // The declared scores changed: a score was registered and the run was started again.
  takeHelp() {
    this.curves.declare();
    this.readings.declare();
    this.takeRows();
    this.readings.show(this.picture().runs ?? []);
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
    this.root.dataset.paired = String(Boolean(transport.paired));
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

  // One map a run; or, with Both, two maps of the one run.
  arrangeMaps() {
    const [runs, both] = [this.runCount(), this.both()];
    if (this.root.dataset.runs === "2" && runs === 1) this.rows[1].clear();
    const wanted = both ? [0, 0] : Array.from({ length: runs }, (_, run) => run);
    this.root.dataset.runs = String(runs);
    const before = this.maps.map(({ side }) => side).join();
    while (this.maps.length > wanted.length || this.maps.some(({ run }, k) => run !== wanted[k])) this.maps.pop()?.remove();
    const fresh = this.maps.length < wanted.length;
    while (this.maps.length < wanted.length) this.addMap(wanted[this.maps.length]);
    this.countPictures();
    this.maps.forEach((map, k) => map.setSide(both ? (k ? "pca" : "umap") : ""));
    if (fresh || this.maps.map(({ side }) => side).join() !== before) this.showOnMaps(this.picture().runs ?? []);
  }

  // How many pictures stand side by side: all runs have one loss over the start.
  countPictures() {
    this.root.dataset.maps = this.root.dataset.plane === "surface" ? "1" : String(this.maps.length);
  }

  // Each map takes its part of a picture.
  /** @param {RunPicture[]} runs */
  showOnMaps(runs) {
    if (!this.both()) {
      this.maps.forEach((map, k) => map.take(runs[k]));
      return;
    }
    if (!runs.length || this.maps.length < 2) return;
    const [umap, pca] = sidesOf(runs[0]);
    if (umap) this.maps[0].take(umap);
    else this.maps[0].lack(this.whyNoUmap(), runs[0]);
    this.maps[1].take(pca);
  }

  // The bench is built when the kernel first sends one.
  takeBench() {
    const packet = this.model.get("bench");
    if (packet?.kind === undefined) return;
    if (!this.bench) {
      this.bench = new BenchView(this, this.mapBar.root);
      this.stops.push(() => this.bench?.remove());
      new BenchSwitch(this, this.bench.root).row.append(this.bench.head.title);
    }
    this.bench.take(/** @type {BenchPacket} */ (packet));
  }

  // A hidden or slow page sends "shown" late. The kernel waits for it before the next picture, so no queue builds up.
  takePicture() {
    const picture = this.picture();
    const { runs, step = 0 } = picture;
    if (!runs?.length) return;
    this.root.dataset.step = String(step);
    this.root.dataset.live = String(this.isLive());
    this.showOnMaps(runs);
    this.selection.take(runs);
    this.surface.take(runs);
    this.shared.set("step", step);
    setText(this.words, picture.words ?? "");
    if (this.recorded) setText(this.settingsShown, this.settingsOf(runs)); // in a live lab the controls show them
    this.readings.show(runs);
    this.mapBar.showChanges(runs);
    this.transportView.tell();
    this.timeline.answered(false, { live: this.isLive(), step });
    this.timeline.show();
    this.acknowledge();
  }

  // The settings of the moment shown, in words; with two runs, those of each.
  /** @param {Picture["runs"]} runs */
  settingsOf(runs) {
    const said = runs.flatMap(({ about, run }) => (about ? [[this.runName(run), about].filter(Boolean).join(": ")] : []));
    return said.join(" | ");
  }

  showTime() {
    this.timeline.show();
    this.timeline.showMarks();
    this.curves.show();
  }

  /** @param {Answer} message */
  hearAnswer(message) {
    if (message.tell === "code") this.dialogs.showCode(message.text ?? "", message.line ?? "", message.run ?? "");
    else if (message.text) this.showNote(message.text);
  }

  // Shows an answer in the status for NOTE_MS, then the current status again.
  /** @param {string} text */
  showNote(text) {
    this.note = text;
    this.transportView.tell();
    clearTimeout(this.noteTimer);
    this.noteTimer = window.setTimeout(() => {
      this.note = "";
      this.transportView.tell();
    }, NOTE_MS);
  }

  /** @param {Connection} state */
  connected(state) {
    const before = this.root.dataset.connection;
    this.root.dataset.connection = state;
    this.transportView.tell();
    this.silence();
    if (before === "lost" && state === "ok") this.say({ do: "all" });
  }

  // Without a kernel every control that needs it is disabled. The map can still be explored.
  silence() {
    const disconnected = this.get("connection") === "dead" || Boolean(this.transport().stopped);
    const asking = /** @type {NodeListOf<HTMLElement>} */ (this.root.querySelectorAll(".te-live-only"));
    for (const part of [...asking, this.controls.root, this.timeline.root]) part.inert = disconnected;
  }

  // ---- the view as a whole ----

  /** @param {boolean} on */
  project(on) {
    this.root.classList.toggle("te-projector", on);
    this.transportView.showProjector(on);
    this.mapHeight.show();
    // Full screen where the browser allows it; otherwise the panel grows in place.
    if (on) this.root.requestFullscreen?.()?.catch(() => {});
    else if (document.fullscreenElement === this.root) document.exitFullscreen().catch(() => {});
    this.maps.forEach((map) => map.resize());
  }

  showKeys() {
    this.dialogs.keys.open();
  }

  // Single keys act while the focus is in the lab, but never while the user types or uses keys in a menu.
  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const on = /** @type {Element} */ (event.target);
    const pressed = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (on.matches("input[type=number], input[type=search], select, textarea")) return;
    if (pressed === " " && on.closest("button, summary, input, dialog")) return;
    const action = this.keyAction(pressed);
    if (!action) return;
    event.preventDefault();
    action();
  }

  /** @param {string} key */
  keyAction(key) {
    /** @type {Record<string, (() => void) | null>} */
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

/** @param {{ model: Model, el: Element }} given */
function render({ model, el }) {
  const page = new LabPage(model, el);
  return () => page.remove();
}

// The exported file has no kernel: the recording in its document answers instead.
/** @param {string} text @param {Element} el */
export async function renderRecording(text, el) {
  const model = new RecordedModel(JSON.parse(text));
  await model.ready;
  return render({ model, el });
}

export default { render };
