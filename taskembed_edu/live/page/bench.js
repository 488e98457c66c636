// The bench: the inner loop in slow motion. One task from several starts side by side, its points to be moved, and the
// losses by step beside it. What lies on the bench is the kernel's; the page moves through the steps by itself.

import { element, freshId, helpMark, icon, ICONS, oncePerFrame, onTheme, rounded, setText } from "./base.js";
import { StepChart, valueOf } from "./bench_losses.js";
import { samePoints, stepTime } from "./bench_numbers.js";
import { CurvePlane } from "./bench_plane.js";
import { TaskPicture } from "./card.js";
import { bytesOf, decodeCard, floatsOf, wordsOf } from "./packets.js";
import { paletteOf } from "./shapes.js";

/** @import { LabPage } from "./lab.js" */
/** @import { Bytes, BenchPacket, BenchWay, Ends, Point, Palette, TaskData } from "./types.js" */
/**
 * @typedef {object} ShownWay one start, decoded
 * @property {string} name
 * @property {string} label
 * @property {string} short its name beside its curve
 * @property {string} colour of its lines
 * @property {string} text of its words: the same hue, dark enough to be read
 * @property {ArrayLike<number>} support its losses by step
 * @property {Record<string, ArrayLike<number>>} query each measure by step
 * @property {Uint16Array | null} curves
 * @property {number} diverged
 * @property {Record<string, number>} [flat] measures of what takes no step
 * @property {BenchWay} [way]
 */

const SHOWN_STEPS = [5, 10, 20, 50, 100];
const WAITS_MS = 2500; // points that the kernel has not answered by then are its own again
const BENCH_HELP =
  "One task that training never saw. From each start the same inner loop takes gradient steps on the support points (filled), and the curve bends to them. " +
  "The query points (hollow) only judge. Play the outer loop, and watch the meta-learned start get better; move its time back, and it is bad again.";
const NO_TRUTH = "Nobody knows the truth of a curve of your own: only the loss on its points is shown.";
const BENCH_MOVED = "You have moved this task's points. The query points and the true curve are still the task's own.";
// Okabe and Ito's hues for light and for dark paper, and for words. A second run's learned start has a hue of its own.
const START_HUES = {
  random: { light: ["#d55e00", "#a84300"], dark: ["#f27a2c", "#ff9a57"] },
  learned: { light: ["#0072b2", "#0072b2"], dark: ["#56b4e9", "#7cc5ef"] },
  second: { light: ["#b0568a", "#94436f"], dark: ["#e3a8c9", "#e3a8c9"] },
  nearest: { light: ["#009e73", "#00714f"], dark: ["#1fbe91", "#3fd1a7"] },
  flat: { light: ["#57606a", "#57606a"], dark: ["#aab2bb", "#aab2bb"] },
};

export class BenchView {
  at = Infinity; // the position among the inner steps; it stays at the end where more are shown
  playing = false;
  /** @type {Set<string>} */
  hidden = new Set(); // starts that are switched off
  /** @type {Point[] | null} */
  pending = null; // points that the kernel has not answered yet
  pendingTimer = 0;
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
    this.head = this.makeHead();
    const stage = element("div", "te-bench-stage", this.root);
    this.left = element("div", "te-bench-left", stage);
    this.plane = new CurvePlane(this.left, (points, gesture) => this.sendPoints(points, gesture));
    this.card = element("div", "te-bench-card", this.left);
    this.picture = new TaskPicture(this.card);
    this.chartRow = element("div", "te-bench-charts", stage);
    this.legend = element("div", "te-bench-legend", this.root);
    this.time = this.makeTime();
    this.note = element("p", "te-bench-note te-note", this.root);
    this.spoken = element("p", "te-unseen", this.root);
    this.draw = oncePerFrame(() => this.paint());
    this.acknowledge = oncePerFrame(() => this.page.say({ do: "bench shown", number: this.packet?.number ?? 0 }));
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
    this.acknowledge.stop();
    cancelAnimationFrame(this.request);
    clearTimeout(this.pendingTimer);
    this.root.remove();
  }

  // ---- building ----

  makeHead() {
    const head = element("div", "te-bench-head te-live-only", this.root);
    const title = element("div", "te-bench-title"); // it stands beside the switch of the views
    const name = element("span", "te-bench-name", title);
    helpMark(title, "the inner loop in slow motion", BENCH_HELP);
    const buttons = element("div", "te-group", head);
    /** @param {string} words @param {() => void} action @param {string} tip */
    const button = (words, action, tip) => {
      const made = element("button", "te-button", buttons, words);
      const bubble = element("span", "te-bubble", made, tip);
      bubble.setAttribute("aria-hidden", "true");
      made.setAttribute("aria-description", tip);
      made.addEventListener("click", action);
      return made;
    };
    return {
      title,
      name,
      another: button("Another task", () => this.another(), "Put the next task of the map on the bench. A click on the map chooses one too."),
      own: button("Draw your own wave", () => this.ask("own"), "Take all points away, then click to place your own. Take back brings what was there."),
      mine: button("Your own wave", () => this.ask("mine"), "Show the points that you have drawn again."),
      add: button("Add a point", () => this.plane.addInGap(), "In the widest gap. A double click on the plane adds one there; Delete removes the one with the focus."),
      back: button("Back to the task", () => this.ask("back"), "The task's own points, as they came."),
      undo: button("Take back", () => this.ask("undo"), "Undo the last change of the points (Ctrl+Z)."),
    };
  }

  makeTime() {
    const row = element("div", "te-bench-time", this.root);
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", "Inner steps");
    const play = element("button", "te-button te-bench-play", row);
    const words = element("span", "", play, "Slow motion");
    const path = icon("play", play);
    play.addEventListener("click", () => (this.playing ? this.pause() : this.play()));
    /** @param {"back" | "forward"} picture @param {number} by */
    const arrow = (picture, by) => {
      const made = element("button", "te-button te-icon-button", row);
      made.setAttribute("aria-label", by < 0 ? "Earlier in the inner loop" : "Later in the inner loop");
      icon(picture, made);
      made.addEventListener("click", () => this.go(Math.round(this.position()) + by));
      return made;
    };
    const back = arrow("back", -1);
    const label = element("label", "te-unseen", row, "Inner step shown");
    const slider = element("input", "te-bench-slider", row);
    Object.assign(slider, { type: "range", min: "0", step: "1", id: freshId("inner") });
    label.htmlFor = slider.id;
    slider.addEventListener("input", () => this.go(Number(slider.value)));
    const forward = arrow("forward", 1);
    const where = element("span", "te-bench-where te-number", row);
    const most = element("select", "te-bench-steps te-live-only", row);
    most.setAttribute("aria-label", "How many inner steps are shown");
    for (const each of SHOWN_STEPS) element("option", "", most, `${each} steps`).value = String(each);
    most.addEventListener("change", () => this.ask("steps", { steps: Number(most.value) }));
    return { play, words, path, back, slider, forward, where, most };
  }

  // ---- what the learner does ----

  /** @param {string} what @param {Record<string, unknown>} [more] */
  ask(what, more = {}) {
    this.pending = null;
    this.page.say({ do: "bench", what, ...more });
  }

  another() {
    const n = this.page.model.get("tasks")?.n ?? 1;
    this.ask("task", { task: ((this.packet?.task ?? -1) + 1) % n });
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
    const isCurve = packet.kind === "curve";
    const support = isCurve ? pairsOf(packet.support) : [];
    if (this.pending && samePoints(this.pending, support)) this.pending = null;
    this.ways = this.decoded(packet);
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
    this.acknowledge();
  }

  /** @type {Point[]} */
  support = [];

  // Is all that the learner has moved drawn as the kernel sees it?
  settled() {
    return !this.pending && this.drawn === this.packet?.number;
  }

  drawn = -1; // the number of the packet that was painted last, and when
  drawnAt = 0;

  /** @param {BenchPacket} packet @returns {ShownWay[]} */
  decoded(packet) {
    const paper = this.palette.dark ? "dark" : "light";
    let learned = 0;
    const ways = packet.ways.map((way) => {
      const hue = way.name === "random" ? "random" : way.name === "nearest task" ? "nearest" : learned++ ? "second" : "learned";
      const [colour, text] = START_HUES[hue][paper];
      const query = Object.fromEntries(Object.entries(way.query).map(([name, values]) => [name, floatsOf(values)]));
      const curves = way.curves ? wordsOf(way.curves) : null;
      const short = way.label.replace(/ \(.*/, "");
      return { name: way.name, label: way.label, short, colour, text, support: floatsOf(way.support), query, curves, diverged: way.diverged, way };
    });
    const [colour, text] = START_HUES.flat[paper];
    const flat = packet.flat.map(({ name, label, ...numbers }) => {
      const flat = /** @type {Record<string, number>} */ (numbers);
      return { name, label, short: label, colour, text, support: [], query: {}, curves: null, diverged: -1, flat };
    });
    return [...ways, ...flat];
  }

  // Colours are read when the theme changes and not for every picture: that reads pixels, which is slow.
  rehue() {
    this.palette = paletteOf(this.page.root);
    if (this.packet) this.ways = this.decoded(this.packet);
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
    if (data && way && !lost) answer(data, way, Math.round(at));
    const wide = Math.max(160, this.card.clientWidth - 4);
    this.picture.draw(data, palette, wide, Math.max(120, this.left.clientHeight - 6));
  }

  /** @param {number} at */
  showTime(at) {
    const { play, words, path, back, slider, forward, where } = this.time;
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

// The answers of a network after this step, laid over its task's card.
/** @param {TaskData} data @param {BenchWay} way @param {number} step */
function answer(data, way, step) {
  if (way.classes && (data.kind === "scatter" || data.kind === "images")) {
    const each = data.kind === "images" ? data.n_images : data.points.length;
    const classes = bytesOf(way.classes).subarray(step * each, (step + 1) * each);
    if (classes.length === each) data.fit = { classes };
  }
  if (way.words && data.kind === "words") data.fit = { words: way.words[step] };
}

/** @param {Bytes | undefined} bytes @returns {Point[]} */
function pairsOf(bytes) {
  const numbers = floatsOf(bytes);
  return Array.from({ length: numbers.length >> 1 }, (_, k) => [numbers[2 * k], numbers[2 * k + 1]]);
}
