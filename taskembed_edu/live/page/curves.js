// Curves over training steps, in the panels that the kernel declares (words.help_packet); the first one also names the
// setting that changed. Two runs share each panel, the second one dashed. Hover reads the values at a step; a click
// shows that step.

import { counted, element, helpMark, hundredths, oncePerFrame, onTheme, rounded, setText } from "./base.js";
import { markPlaces, rowsOfMarks } from "./curve_marks.js";
import { freshPen, keepLine, write } from "./written.js";

/** @import { LabPage } from "./lab.js" */
/** @import { Rows } from "./rows.js" */
/** @import { Axes, Declared, Help } from "./types.js" */

/**
 * @typedef {object} Curve one panel, and what is drawn in it
 * @property {string} title
 * @property {string[]} keys columns of the rows
 * @property {Record<string, Declared>} declared each of them
 * @property {boolean} named do its marks name the setting that changed?
 * @property {boolean} unit does it end at 1?
 * @property {boolean} pairs does it need training on pairs?
 */
/** @typedef {{ left: number, right: number, top: number, bottom: number }} Plot CSS pixels on a panel's canvas */
/** @typedef {ReturnType<CurvesView["makePanel"]>} Panel */

const MOST_COLUMNS = 1200; // no screen has more; thinned to this, a long run is drawn as fast as a short one
const ABOVE = 0.4; // of a line of words: what stays free between the plot, with the numbers beside it, and the marks' words
const MOST_LINES = 4; // a plot lower than so many lines of words has room for one row of marks
const RUN_DASHES = [[], [6, 4]];
const BROKEN = "The line has a gap where the measure changed. Do not compare numbers before and after the gap";

// ---- what is drawn together ----

/** @param {Pick<Help, "scores" | "panels"> | undefined} help @returns {Curve[]} */
export function curvesOf(help) {
  return (help?.panels ?? []).map((title, place) => {
    const members = Object.entries(help?.scores ?? {}).filter(([, { panel }]) => panel === title);
    return {
      title,
      keys: members.map(([key]) => key),
      declared: Object.fromEntries(members),
      named: place === 0,
      unit: members.every(([, { unit }]) => unit),
      pairs: members.every(([, { pairs }]) => pairs),
    };
  });
}

const MOST_ON_A_WALL = 3; // panels that the last row of a hall can read

// The panels that a wall has no room for: of those that are shown, active pairs first, then the last one that is neither
// the loss nor the scores.
/** @template {Pick<Curve, "named" | "unit" | "pairs">} One @param {One[]} panels @returns {Set<One>} */
export function leftOutOnAWall(panels) {
  const order = [...panels.filter(({ pairs }) => pairs), ...panels.filter(({ named, unit, pairs }) => !named && !unit && !pairs).reverse()];
  return new Set(order.slice(0, Math.max(0, panels.length - MOST_ON_A_WALL)));
}

// ---- numbers: the visible range of the curves, ticks and lines ----

// Scores end at 1; a quantity without an upper limit begins at 0 and gets a small margin above.
/**
 * @param {Pick<Rows, "count" | "at">[]} runs
 * @param {string[]} keys
 * @param {boolean} unit
 * @returns {[low: number, high: number]}
 */
export function rangeOf(runs, keys, unit) {
  let [low, high] = [0, -Infinity];
  for (const rows of runs) {
    for (const key of keys) {
      for (let row = 0; row < rows.count; row++) {
        const value = rows.at(row, key);
        if (value < low) low = value;
        if (value > high && Number.isFinite(value)) high = value;
      }
    }
  }
  if (unit) return [low, 1];
  return high > 0 ? [0, 1.08 * high] : [0, 1];
}

// Where the horizontal lines lie, and whether their number is written. The middle one has none, unless it is the 0
// between a negative and a positive end. Of two numbers less than `apart` from each other the 0 is written, and of the
// ends the upper one.
/** @param {number} low @param {number} high @param {number} [apart] */
export function ticksOf(low, high, apart = 0) {
  if (low < 0) {
    const clear = [-low >= apart, true, high >= apart];
    return [low, 0, high].map((value, k) => ({ value, written: clear[k] }));
  }
  return [low, (low + high) / 2, high].map((value, k) => ({ value, written: k !== 1 }));
}

// A line in pieces, each a list of step, value, step, value, ... A new piece begins where the measured quantity changed
// (at the steps `breaks`, in order): a line never connects numbers of different units.
/** @param {Pick<Rows, "count" | "at" | "step">} rows @param {string} key @param {number[]} breaks */
export function piecesOf(rows, key, breaks) {
  /** @type {number[][]} */
  const pieces = [];
  const stride = Math.max(1, Math.floor(rows.count / MOST_COLUMNS));
  let [last, next] = [0, 0];
  for (let row = 0; row < rows.count; row = rowAfter(row, stride, rows.count)) {
    const value = rows.at(row, key);
    if (!Number.isFinite(value)) continue;
    const step = rows.step(row);
    while (next < breaks.length && breaks[next] <= last) next += 1;
    if (pieces.length && !(breaks[next] <= step)) pieces[pieces.length - 1].push(step, value);
    else pieces.push([step, value]);
    last = step;
  }
  return pieces;
}

// The next row to draw; `count` after the last one. The last row is always drawn: it is the current value.
/** @param {number} row @param {number} stride @param {number} count */
export function rowAfter(row, stride, count) {
  return row >= count - 1 ? count : Math.min(row + stride, count - 1);
}

// ---- the view ----

export class CurvesView {
  /** @param {LabPage} page @param {Element} parent */
  constructor(page, parent) {
    this.page = page;
    /** @type {number | null} */
    this.at = null; // the step under the pointer
    this.root = element("section", "te-curves", parent);
    this.root.setAttribute("aria-label", "Curves over training steps");
    this.key = element("div", "te-run-key", this.root);
    /** @type {Panel[]} */
    this.panels = [];
    this.draw = oncePerFrame(() => this.panels.forEach((panel) => this.paint(panel)));
    this.stops = [onTheme(this.draw), page.on("step projector", this.draw)];
    this.resized = new ResizeObserver(this.draw);
    this.resized.observe(this.root);
    this.declare();
  }

  // The panels, as the kernel declares them.
  declare() {
    this.panels.forEach(({ box }) => box.remove());
    this.panels = curvesOf(this.page.model.get("help")).map((curve) => this.makePanel(curve));
  }

  /** @param {Curve} panel */
  makePanel(panel) {
    const box = element("div", "te-curve", this.root);
    const head = element("div", "te-curve-head", box);
    const title = element("span", "te-curve-title", head, panel.title);
    if (panel.keys.length === 1) helpMark(title, panel.title, panel.declared[panel.keys[0]].help);
    const numbers = new Map(panel.keys.map((key) => [key, this.makeNumber(key, head, panel)]));
    const canvas = element("canvas", "te-curve-canvas", box);
    canvas.setAttribute("role", "img");
    canvas.dataset.curve = panel.keys[0];
    canvas.addEventListener("pointermove", (event) => this.hover(this.stepUnder(event)));
    canvas.addEventListener("pointerleave", () => this.hover(null));
    canvas.addEventListener("click", (event) => this.page.look(this.stepUnder(event)));
    return { ...panel, box, canvas, numbers, shown: panel.keys };
  }

  // Hides a score that no run has, and a panel about pairs where training uses no pairs.
  /** @param {Panel} panel */
  choose(panel) {
    const known = panel.keys.filter((key) => this.runs().some((rows) => rows.known.has(key)));
    panel.shown = panel.keys.length > 1 && known.length ? known : panel.keys;
    for (const [key, { entry }] of panel.numbers) entry.hidden = !panel.shown.includes(key);
    panel.box.hidden = panel.pairs && this.page.model.get("tasks")?.pairs === false;
  }

  /** @param {string} key @param {Element} head @param {Curve} panel */
  makeNumber(key, head, panel) {
    const entry = element("span", "te-curve-value", head);
    const { label, light, dark } = panel.declared[key];
    const swatch = element("span", "te-swatch", entry);
    swatch.dataset.key = key;
    swatch.style.setProperty("--te-on-light", light);
    swatch.style.setProperty("--te-on-dark", dark);
    if (panel.keys.length > 1) element("span", "te-curve-name", entry, `${label} `);
    const number = element("span", "te-number", entry, "–");
    number.dataset.score = key;
    if (panel.keys.length > 1) helpMark(entry, label, panel.declared[key].help);
    return { entry, number };
  }

  remove() {
    this.stops.forEach((stop) => stop());
    this.resized.disconnect();
    this.draw.stop();
  }

  /** @param {number | null} step */
  hover(step) {
    this.at = step;
    this.draw();
  }

  runs() {
    return this.page.rows.slice(0, this.page.runCount());
  }

  lastStep() {
    return Math.max(1, ...this.runs().map((rows) => rows.lastStep()));
  }

  /** @param {MouseEvent} event */
  stepUnder(event) {
    const canvas = /** @type {HTMLCanvasElement} */ (event.currentTarget);
    const { left, right } = this.plot(canvas);
    const share = (event.clientX - canvas.getBoundingClientRect().left - left) / (right - left);
    return Math.max(0, Math.min(1, share)) * this.lastStep();
  }

  /** @param {HTMLCanvasElement} canvas @returns {Plot} */
  plot(canvas) {
    const em = parseFloat(getComputedStyle(canvas).fontSize);
    return { left: 2.9 * em, right: canvas.clientWidth - 6, top: 0.55 * em, bottom: canvas.clientHeight - 1.35 * em };
  }

  // Called after new rows, new marks, or a change in the number of runs.
  show() {
    const runs = this.runs();
    this.panels.forEach((panel) => this.choose(panel));
    const out = leftOutOnAWall(this.panels.filter(({ box }) => !box.hidden));
    this.panels.forEach((panel) => panel.box.classList.toggle("te-not-on-a-wall", out.has(panel)));
    this.root.dataset.rows = runs.map((rows) => rows.count).join(" ");
    /** @param {number} run */
    const about = (run) => [this.page.runName(run), this.page.transport().runs?.[run]?.about].filter(Boolean).join(": ");
    const names = runs.length > 1 ? runs.map((_rows, run) => about(run)) : [];
    this.key.hidden = !names.length;
    if (this.key.dataset.names !== names.join()) {
      this.key.dataset.names = names.join();
      this.key.replaceChildren();
      names.forEach((name, run) => {
        const entry = element("span", "te-run-key-entry", this.key);
        element("span", `te-run-line te-run-line-${run}`, entry);
        entry.append(name);
      });
    }
    this.draw();
  }

  /** @param {Panel} panel */
  paint(panel) {
    const { canvas } = panel;
    if (!canvas.clientWidth) return;
    const { pen: c, em: lineHeight } = freshPen(canvas, 0.8);
    // The style of the panel's root: inside a CSS container Chromium still reports the previous theme's colours.
    const style = getComputedStyle(this.page.root);
    const box = this.plot(canvas);
    const steps = this.lastStep();
    /** @param {number} step */
    const x = (step) => box.left + ((box.right - box.left) * step) / steps;
    const marks = this.placedMarks(c, panel, x, (box.bottom - box.top) / lineHeight > MOST_LINES ? 2 : 1);
    const rows = rowsOfMarks(marks.map(({ place }) => place));
    if (rows) box.top += lineHeight * (rows + ABOVE);
    const [low, high] = rangeOf(this.runs(), panel.shown, panel.unit);
    /** @param {number} value */
    const y = (value) => box.bottom - ((box.bottom - box.top) * (Math.min(value, high) - low)) / (high - low || 1);
    const ink = style.getPropertyValue("--te-ink-soft");
    this.axes(c, box, ink, style.getPropertyValue("--te-line"), [low, high], steps, y);
    this.marks(c, box, style, marks, lineHeight);
    this.stepLine(c, box, style, x);
    const paper = style.getPropertyValue("--te-scheme").trim() === "dark" ? "dark" : "light";
    let gaps = 0;
    this.runs().forEach((rows, run) => {
      for (const key of panel.shown) {
        const declared = panel.declared[key];
        c.strokeStyle = declared[paper];
        c.setLineDash(RUN_DASHES[run]);
        const pieces = piecesOf(rows, key, declared.breaks ? this.breaks(run) : []);
        this.line(c, pieces, { x, y });
        gaps += Math.max(0, pieces.length - 1);
      }
    });
    canvas.dataset.gaps = String(gaps);
    this.read(panel, c, box, ink);
  }

  /**
   * @param {CanvasRenderingContext2D} c
   * @param {Plot} box
   * @param {string} ink
   * @param {string} line
   * @param {[low: number, high: number]} range
   * @param {number} steps
   * @param {(value: number) => number} y
   */
  axes(c, box, ink, line, [low, high], steps, y) {
    c.lineWidth = 1;
    c.strokeStyle = line;
    c.fillStyle = ink;
    c.textAlign = "right";
    c.textBaseline = "middle";
    const level = c.measureText("0").actualBoundingBoxAscent + 4;
    for (const { value, written } of ticksOf(low, high, (level * (high - low)) / (box.bottom - box.top))) {
      const at = Math.round(y(value)) + 0.5;
      c.beginPath();
      c.moveTo(box.left, at);
      c.lineTo(box.right, at);
      c.stroke();
      if (written) write(c, rounded(value), box.left - 5, at);
    }
    c.textBaseline = "top";
    write(c, `step ${counted(steps)}`, box.right, box.bottom + 4);
    c.textAlign = "left";
    write(c, "0", box.left, box.bottom + 4);
  }

  // The marks, each with the place of its words: in the loss panel, where there is room for them.
  /** @param {CanvasRenderingContext2D} c @param {Panel} panel @param {(step: number) => number} x @param {number} most */
  placedMarks(c, panel, x, most) {
    const marks = this.page.marks().flatMap((list, run) => list.map((mark) => ({ ...mark, run, at: x(mark.step) })));
    marks.sort((one, other) => one.step - other.step);
    const words = marks.map(({ at, text }) => ({ at, wide: c.measureText(text).width }));
    const places = panel.named ? markPlaces(words, 1, panel.canvas.clientWidth - 1, most) : marks.map(() => null);
    return marks.map((mark, k) => ({ ...mark, place: places[k] }));
  }

  // A dashed line where a setting changed, up to the words that say what.
  /**
   * @param {CanvasRenderingContext2D} c
   * @param {Plot} box
   * @param {CSSStyleDeclaration} style
   * @param {ReturnType<CurvesView["placedMarks"]>} marks
   * @param {number} lineHeight
   */
  marks(c, box, style, marks, lineHeight) {
    c.strokeStyle = style.getPropertyValue("--te-mark");
    c.fillStyle = style.getPropertyValue("--te-mark-ink");
    c.lineWidth = 1;
    c.textBaseline = "bottom";
    c.textAlign = "left";
    for (const { at, run, text, place } of marks) {
      const foot = box.top - (place ? lineHeight * (place.row + ABOVE) : 0);
      const top = place && !place.over ? foot - 0.8 * lineHeight : foot;
      c.setLineDash(run ? [1, 3] : [3, 3]);
      c.beginPath();
      c.moveTo(at, top);
      c.lineTo(at, box.bottom);
      c.stroke();
      keepLine(c, [at, top, at, box.bottom]);
      if (place) write(c, text, place.from, foot);
    }
    c.setLineDash([]);
  }

  // A vertical line at the step that the map shows.
  /**
   * @param {CanvasRenderingContext2D} c
   * @param {Plot} box
   * @param {CSSStyleDeclaration} style
   * @param {(step: number) => number} x
   */
  stepLine(c, box, style, x) {
    if (this.page.get("step") >= this.lastStep()) return; // the map shows the newest step: no line is needed
    c.strokeStyle = style.getPropertyValue("--te-accent");
    c.lineWidth = 1.5;
    c.beginPath();
    c.moveTo(x(this.page.get("step")), box.top);
    c.lineTo(x(this.page.get("step")), box.bottom);
    c.stroke();
  }

  // The steps at which the unit of distances changed: another distance, or another embedding vector.
  /** @param {number} run */
  breaks(run) {
    return (this.page.marks()[run] ?? []).flatMap(({ breaks }) => breaks ?? []);
  }

  /** @param {CanvasRenderingContext2D} c @param {number[][]} pieces @param {Axes} axes */
  line(c, pieces, { x, y }) {
    c.lineWidth = 2;
    c.beginPath();
    for (const piece of pieces) {
      c.rect(x(piece[0]) - 0.5, y(piece[1]), 1, 0); // a single value is drawn as a dot
      c.moveTo(x(piece[0]), y(piece[1]));
      for (let k = 2; k < piece.length; k += 2) c.lineTo(x(piece[k]), y(piece[k + 1]));
    }
    c.stroke();
    c.setLineDash([]);
  }

  // Shows the numbers at the step under the pointer, or at the step that the map shows.
  /** @param {Panel} panel @param {CanvasRenderingContext2D} c @param {Plot} box @param {string} ink */
  read(panel, c, box, ink) {
    const step = this.at ?? this.page.get("step");
    if (this.at !== null) {
      const at = box.left + ((box.right - box.left) * step) / this.lastStep();
      c.strokeStyle = ink;
      c.lineWidth = 1;
      c.beginPath();
      c.moveTo(at, box.top);
      c.lineTo(at, box.bottom);
      c.stroke();
    }
    const written = panel.unit ? hundredths : rounded;
    /** @param {string} key */
    const values = (key) => this.runs().map((rows) => written(rows.at(rows.rowAt(step), key)));
    for (const [key, { number }] of panel.numbers) if (panel.shown.includes(key)) setText(number, values(key).join(" | "));
    const words = panel.shown.map((key) => `${panel.declared[key].label} ${values(key).join(" and ")}`).join(", ");
    const broken = Number(panel.canvas.dataset.gaps) ? `. ${BROKEN}` : "";
    panel.canvas.setAttribute("aria-label", `${panel.title} at step ${counted(Math.round(step))}: ${words}${broken}`);
    panel.canvas.title = broken && BROKEN;
  }
}
