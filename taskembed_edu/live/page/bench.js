// The bench: the inner loop in slow motion. One task from several starts side by side, its points to be moved, and the
// losses by step beside it. What lies on the bench is the kernel's; the page moves through the steps by itself.

import { element, ICONS, oncePerFrame, onTheme, rounded, setText } from "./base.js";
import { makeHead, makeTime, SHOWN_STEPS } from "./bench_controls.js";
import { StepChart, valueOf } from "./bench_losses.js";
import { samePoints, stepTime } from "./bench_numbers.js";
import { CurvePlane } from "./bench_plane.js";
import { layAnswers, pairsOf, shownWays } from "./bench_ways.js";
import { TaskPicture } from "./card.js";
import { decodeCard, wordsOf } from "./packets.js";
import { paletteOf } from "./shapes.js";

/** @import { LabPage } from "./lab.js" */
/** @import { ShownWay } from "./bench_ways.js" */
/** @import { BenchPacket, Ends, Palette, Point } from "./types.js" */
const WAITS_MS = 2500; // points that the kernel has not answered by then are its own again
const NO_TRUTH = "Nobody knows the truth of a curve of your own: only the loss on its points is shown.";
const BENCH_MOVED = "You have moved this task's points. The query points and the true curve are still the task's own.";

export class BenchView {
  at = Infinity; // the position among the inner steps; it stays at the end where more are shown
  playing = false;
  /** @type {Set<string>} */
  hidden = new Set(); // starts that are switched off
  /** @type {Point[] | null} */
  pending = null; // points that the kernel has not answered yet
  pendingTimer = 0;
  /** @type {number | null} */
  wanted = null; // the task that was asked for and has not come yet
  request = 0; // the animation frame of the slow motion
  /** @type {StepChart[]} */
  charts = [];
  /** @type {Map<string, HTMLButtonElement>} */
  switches = new Map();
  /** @type {BenchPacket | null} */
  packet = null;
  /** @type {ShownWay[]} */
  ways = [];

  /** @param {LabPage} page @param {Element} before what the bench stands above */
  constructor(page, before) {
    this.page = page;
    this.root = element("section", "te-bench");
    before.before(this.root);
    this.palette = paletteOf(page.root);
    this.root.setAttribute("aria-label", "The inner loop in slow motion");
    this.head = makeHead(this);
    const stage = element("div", "te-bench-stage", this.root);
    this.left = element("div", "te-bench-left", stage);
    this.plane = new CurvePlane(this.left, (points, gesture) => this.sendPoints(points, gesture));
    this.card = element("div", "te-bench-card", this.left);
    this.picture = new TaskPicture(this.card);
    this.chartRow = element("div", "te-bench-charts", stage);
    this.legend = element("div", "te-bench-legend", this.root);
    this.time = makeTime(this);
    this.note = element("p", "te-bench-note te-note", this.root);
    this.spoken = element("p", "te-unseen", this.root);
    this.draw = oncePerFrame(() => this.paint());
    this.stops = [onTheme(() => this.rehue()), page.on("projector still", this.draw)];
    this.resized = new ResizeObserver(this.draw);
    this.resized.observe(this.root);
    this.root.addEventListener("keydown", (event) => this.key(event));
    Object.assign(this.root, { __bench: this }); // for tests and benchmarks
  }

  remove() {
    this.stops.forEach((stop) => stop());
    this.resized.disconnect();
    this.draw.stop();
    cancelAnimationFrame(this.request);
    clearTimeout(this.pendingTimer);
    this.root.remove();
  }

  // ---- what the learner does ----

  /** @param {string} what @param {Record<string, unknown>} [more] */
  ask(what, more = {}) {
    this.pending = null;
    this.page.say({ do: "bench", what, ...more });
  }

  another() {
    const n = this.page.model.get("tasks")?.n ?? 1;
    this.wanted = ((this.wanted ?? this.packet?.task ?? -1) + 1) % n; // a second click comes before the first one's answer
    this.ask("task", { task: this.wanted });
  }

  /** @param {Point[]} points @param {number} gesture */
  sendPoints(points, gesture) {
    this.pending = points;
    clearTimeout(this.pendingTimer);
    this.pendingTimer = window.setTimeout(() => (this.pending = null), WAITS_MS);
    this.page.say({ do: "bench", what: "points", points, gesture });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || this.head.undo.disabled || this.page.recorded) return;
    this.ask("undo");
    event.preventDefault();
    event.stopPropagation();
  }

  steps() {
    return this.packet?.steps ?? 0;
  }

  position() {
    return Math.min(this.at, this.steps());
  }

  /** @param {number} at */
  go(at) {
    this.pause();
    const last = this.steps();
    this.at = at >= last ? Infinity : Math.max(0, at);
    this.draw();
  }

  play() {
    if (this.position() >= this.steps()) this.at = 0;
    this.playing = true;
    let before = performance.now();
    let waited = 0;
    /** @param {number} now */
    const film = (now) => {
      if (!this.playing) return;
      waited += (now - before) / stepTime(this.steps());
      before = now;
      const whole = this.page.get("still") ? Math.floor(waited) : waited; // reduced motion: from step to step
      if (whole > 0) {
        this.at = this.position() + whole;
        waited -= whole;
        this.draw();
      }
      if (this.at >= this.steps()) this.go(Infinity);
      else this.request = requestAnimationFrame(film);
    };
    this.request = requestAnimationFrame(film);
    this.draw();
  }

  pause() {
    this.playing = false;
    cancelAnimationFrame(this.request);
    this.draw();
  }

  // ---- what comes from the kernel ----

  /** @param {BenchPacket} packet */
  take(packet) {
    this.packet = packet;
    if (packet.task === this.wanted) this.wanted = null;
    const isCurve = packet.kind === "curve";
    const support = isCurve ? pairsOf(packet.support) : [];
    if (this.pending && samePoints(this.pending, support)) this.pending = null;
    this.ways = shownWays(packet, this.palette.dark);
    this.root.dataset.kind = packet.kind;
    this.plane.root.hidden = !isCurve;
    this.card.hidden = isCurve;
    this.shapeCharts(packet);
    this.showHead(packet);
    this.showLegend(packet);
    if (!this.pending) this.support = support;
    setText(this.spoken, packet.words);
    Object.assign(this.root.dataset, { number: String(packet.number), step: String(packet.step), task: String(packet.task) });
    this.draw();
  }

  /** @type {Point[]} */
  support = [];

  // Is all that the learner has moved drawn as the kernel sees it?
  settled() {
    return !this.pending && this.drawn === this.packet?.number;
  }

  drawn = -1; // the number of the packet that was painted last, and when
  drawnAt = 0;

  // Colours are read when the theme changes and not for every picture: that reads pixels, which is slow.
  rehue() {
    this.palette = paletteOf(this.page.root);
    if (this.packet) this.ways = shownWays(this.packet, this.palette.dark);
    if (this.packet) this.showLegend(this.packet);
    this.draw();
  }

  /** @param {BenchPacket} packet */
  shapeCharts(packet) {
    const wanted = Object.entries(packet.measures).length ? Object.entries(packet.measures) : [["loss", "Loss"]];
    if (this.charts.map(({ measure }) => measure).join() === wanted.map(([name]) => name).join()) return;
    this.charts.forEach((chart) => chart.remove());
    this.charts = wanted.map(([name, label]) => new StepChart(this.chartRow, name, label));
  }

  /** @param {BenchPacket} packet */
  showHead(packet) {
    const { name, own, mine, add, back, undo } = this.head;
    const isCurve = packet.kind === "curve";
    setText(name, packet.own ? "A wave of your own" : packet.name);
    name.title = packet.own ? "" : packet.name;
    own.hidden = !isCurve || packet.own;
    mine.hidden = !isCurve || packet.own || !packet.mine;
    own.firstChild && setText(own.firstChild, packet.mine ? "Draw anew" : "Draw your own wave");
    add.hidden = !isCurve;
    back.hidden = !(packet.own || packet.moved);
    undo.disabled = !packet.undo;
    undo.hidden = !isCurve;
    const known = SHOWN_STEPS.includes(packet.steps);
    if (!known && !this.time.most.querySelector(`[value="${packet.steps}"]`)) {
      element("option", "", this.time.most, `${packet.steps} steps`).value = String(packet.steps);
    }
    this.time.most.value = String(packet.steps);
    const missing = Object.entries(packet.missing).map(([start, why]) => `${start}: ${why}`);
    const about = packet.own ? [NO_TRUTH] : packet.moved ? [BENCH_MOVED] : [];
    if (this.page.recorded) about.unshift(`The inner loop from the start of step ${packet.step}: this file holds it at some steps only.`);
    setText(this.note, [...about, ...missing].join(" "));
  }

  // A switch for each start: its colour, its name and its number at the step shown.
  /** @param {BenchPacket} packet */
  showLegend(packet) {
    const names = this.ways.map(({ name }) => name).join();
    if (this.legend.dataset.names !== names) {
      this.legend.dataset.names = names;
      this.switches.clear();
      this.legend.replaceChildren();
      for (const { name } of this.ways) this.switches.set(name, this.makeSwitch(name));
    }
    for (const { name, label, colour } of this.ways) {
      const made = /** @type {HTMLButtonElement} */ (this.switches.get(name));
      made.style.setProperty("--te-way", colour);
      setText(made.children[1], label);
      made.setAttribute("aria-pressed", String(!this.hidden.has(name)));
      made.title = name === "nearest task" && packet.nearest ? `It begins with the network of ${packet.nearest}` : "";
    }
  }

  /** @param {string} name */
  makeSwitch(name) {
    const made = element("button", "te-button te-bench-way", this.legend);
    element("span", "te-bench-swatch", made);
    element("span", "", made);
    element("span", "te-number", made);
    made.addEventListener("click", () => {
      if (!this.hidden.delete(name)) this.hidden.add(name);
      made.setAttribute("aria-pressed", String(!this.hidden.has(name)));
      this.draw();
    });
    return made;
  }

  // ---- painting ----

  paint() {
    const { packet } = this;
    if (!packet || !this.root.clientWidth) return;
    const { palette } = this;
    const at = this.position();
    const shown = this.ways.filter(({ name }) => !this.hidden.has(name));
    if (packet.kind === "curve") this.paintPlane(packet, shown, at, palette);
    else this.paintCard(packet, shown, at, palette);
    for (const chart of this.charts) chart.draw(shown, this.steps(), at, palette);
    this.showTime(at);
    for (const way of this.ways) this.showNumber(way, at);
    if (this.drawn !== packet.number) this.page.say({ do: "bench shown", number: packet.number }); // not while it is hidden
    this.drawn = packet.number;
    this.drawnAt = performance.now();
    this.root.dataset.at = String(Math.round(at));
    this.root.dataset.drawn = String(packet.number);
  }

  /** @param {BenchPacket} packet @param {ShownWay[]} ways @param {number} at @param {Palette} palette */
  paintPlane(packet, ways, at, palette) {
    const { x = /** @type {Ends} */ ([0, 1]), y = /** @type {Ends} */ ([0, 1]), reach = y, own } = packet;
    const movable = !this.page.recorded;
    const view = { x, y, reach, query: pairsOf(packet.query), truth: wordsOf(packet.truth), ways, at, movable, draws: movable && own };
    this.plane.view = view;
    this.plane.setPoints(this.pending ?? this.support);
    this.plane.draw(view, palette);
    this.plane.canvas.setAttribute("aria-label", `${packet.words} Shown: step ${Math.round(at)}.`);
  }

  // The task's own data, and over it what the first start that is switched on answers at this step: the learned one, if
  // it is.
  /** @param {BenchPacket} packet @param {ShownWay[]} ways @param {number} at @param {Palette} palette */
  paintCard(packet, ways, at, palette) {
    const data = decodeCard(this.page.model.get("tasks")?.card, packet.task);
    const way = (ways.find(({ name }) => name === "meta-learned") ?? ways[0])?.way;
    const lost = way && way.diverged >= 0 && at >= way.diverged;
    if (data && way && !lost) layAnswers(data, way, Math.round(at));
    const wide = Math.max(160, this.card.clientWidth - 4);
    this.picture.draw(data, palette, wide, Math.max(120, this.left.clientHeight - 6));
  }

  /** @param {number} at */
  showTime(at) {
    const { words, path, back, slider, forward, where } = this.time;
    const [step, last] = [Math.round(at), this.steps()];
    slider.max = String(last);
    slider.value = String(step);
    const told = `after ${step} of ${last} inner step${last === 1 ? "" : "s"}`;
    slider.setAttribute("aria-valuetext", told);
    setText(where, told);
    back.disabled = step <= 0;
    forward.disabled = step >= last;
    setText(words, this.playing ? "Hold" : "Slow motion");
    path.setAttribute("d", ICONS[this.playing ? "pause" : "play"]);
  }

  /** @param {ShownWay} way @param {number} at */
  showNumber(way, at) {
    const number = this.switches.get(way.name)?.children[2];
    if (!number) return;
    const lost = way.diverged >= 0 && Math.ceil(at) >= way.diverged;
    const measure = this.charts.at(-1)?.measure ?? "loss";
    const value = valueOf(way, measure, at);
    setText(number, lost ? `diverged at step ${way.diverged}` : rounded(value));
  }
}
