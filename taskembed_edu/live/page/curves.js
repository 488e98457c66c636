// Curves over training steps: the loss with a mark where a setting changed, the mean distance, the scores, the active
// pairs. Two runs lie over each other, the second one dashed. Hover reads a step; a click moves time there.

import { counted, element, hundredths, oncePerFrame, onTheme, rounded, setText } from "./base.js";
import { floatsOf } from "./packets.js";

const CURVES = [
  { title: "Loss", keys: ["loss"], named: true },
  { title: "Mean distance", keys: ["mean_distance"], breaks: true }, // what the margin moves: beside what training asks for
  { title: "Scores", keys: ["recall@1", "spearman", "purity", "trustworthiness"], unit: true },
  { title: "Active pairs", keys: ["active_pairs"], unit: true, pairs: true, absent: "no pairs with a margin yet" },
];
export const CURVE_WORDS = {
  loss: "Loss",
  "recall@1": "Recall@1",
  spearman: "Spearman",
  purity: "Purity",
  trustworthiness: "Trustworthiness",
  jitter: "Jitter",
  mean_distance: "Mean distance",
  active_pairs: "Active pairs",
};
const RUN_DASHES = [[], [6, 4]];
const BROKEN = "The line is broken where what is measured changed: numbers before and after are not to be compared";

// The rows of one run, in one array that grows: a run of many thousand frames costs no objects.
export class Rows {
  constructor() {
    this.clear();
  }

  clear() {
    this.columns = [];
    this.count = 0;
    this.values = new Float32Array(0);
    this.known = new Set(); // columns that have had a number in this run
  }

  // False where rows in between are missing: whoever owns us then asks for all of them.
  take({ first, columns, values }) {
    if (first > this.count) return false;
    const fresh = floatsOf(values);
    const wide = columns.length;
    this.columns = columns;
    const end = first * wide + fresh.length;
    if (end > this.values.length) {
      const grown = new Float32Array(Math.max(2 * this.values.length, end));
      grown.set(this.values.subarray(0, first * wide));
      this.values = grown;
    }
    this.values.set(fresh, first * wide);
    this.count = end / wide;
    if (!first) this.known.clear();
    for (let k = 0; k < fresh.length; k++) if (Number.isFinite(fresh[k])) this.known.add(columns[k % wide]);
    return true;
  }

  at(row, key) {
    const column = this.columns.indexOf(key);
    return column < 0 || row < 0 || row >= this.count ? NaN : this.values[row * this.columns.length + column];
  }

  step(row) {
    return this.at(row, "step");
  }

  lastStep() {
    return this.count ? this.step(this.count - 1) : 0;
  }

  // The last row at or before a step (rows are in the order of steps); -1 where there is none.
  rowAt(step) {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.step(middle) <= step) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

export class CurvesView {
  constructor(page, parent) {
    this.page = page;
    this.at = null; // the step under the pointer
    this.root = element("section", "te-curves", parent);
    this.root.setAttribute("aria-label", "Curves over training steps");
    this.key = element("div", "te-run-key", this.root);
    this.panels = CURVES.map((panel) => this.makePanel(panel));
    this.draw = oncePerFrame(() => this.panels.forEach((panel) => this.paint(panel)));
    this.stops = [onTheme(this.draw), page.on("step projector", this.draw)];
    this.resized = new ResizeObserver(this.draw);
    this.resized.observe(this.root);
  }

  makePanel(panel) {
    const box = element("div", "te-curve", this.root);
    const head = element("div", "te-curve-head", box);
    element("span", "te-curve-title", head, panel.title);
    const numbers = new Map(panel.keys.map((key) => [key, this.makeNumber(key, head, panel)]));
    const canvas = element("canvas", "te-curve-canvas", box);
    canvas.setAttribute("role", "img");
    canvas.dataset.curve = panel.keys[0];
    canvas.addEventListener("pointermove", (event) => this.hover(this.stepUnder(event)));
    canvas.addEventListener("pointerleave", () => this.hover(null));
    canvas.addEventListener("click", (event) => this.page.look(this.stepUnder(event)));
    return { ...panel, box, canvas, numbers, all: panel.keys };
  }

  // A score that no run has is not shown, nor pairs where training knows none.
  choose(panel) {
    const known = panel.all.filter((key) => this.runs().some((rows) => rows.known.has(key)));
    panel.keys = panel.all.length > 1 && known.length ? known : panel.all;
    for (const [key, number] of panel.numbers) number.parentElement.hidden = !panel.keys.includes(key);
    panel.box.hidden = Boolean(panel.pairs) && this.page.model.get("tasks")?.pairs === false;
  }

  makeNumber(key, head, panel) {
    const entry = element("span", "te-curve-value", head);
    element("span", "te-swatch", entry).dataset.key = key;
    if (panel.keys.length > 1) element("span", "te-curve-name", entry, `${CURVE_WORDS[key]} `);
    const number = element("span", "te-number", entry, "–");
    number.dataset.score = key;
    return number;
  }

  remove() {
    this.stops.forEach((stop) => stop());
    this.resized.disconnect();
    this.draw.stop();
  }

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

  stepUnder(event) {
    const canvas = event.currentTarget;
    const { left, right } = this.plot(canvas);
    const share = (event.clientX - canvas.getBoundingClientRect().left - left) / (right - left);
    return Math.max(0, Math.min(1, share)) * this.lastStep();
  }

  plot(canvas) {
    const em = parseFloat(getComputedStyle(canvas).fontSize);
    return { left: 2.9 * em, right: canvas.clientWidth - 6, top: 0.5 * em, bottom: canvas.clientHeight - 1.35 * em };
  }

  // New rows, new marks, another number of runs.
  show() {
    const runs = this.runs();
    this.panels.forEach((panel) => this.choose(panel));
    this.root.dataset.rows = runs.map((rows) => rows.count).join(" ");
    const about = (run) => [this.page.runName(run), this.page.transport().runs[run].about].filter(Boolean).join(": ");
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

  paint(panel) {
    const { canvas } = panel;
    if (!canvas.clientWidth) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    const c = canvas.getContext("2d");
    c.scale(ratio, ratio);
    const font = getComputedStyle(canvas);
    c.font = `${0.8 * parseFloat(font.fontSize)}px ${font.fontFamily}`;
    // The panel's own: inside of a container Chromium goes on telling the colours of the theme before.
    const style = getComputedStyle(this.page.root);
    const box = this.plot(canvas);
    const steps = this.lastStep();
    const [low, high] = this.range(panel);
    const x = (step) => box.left + ((box.right - box.left) * step) / steps;
    const y = (value) => box.bottom - ((box.bottom - box.top) * (Math.min(value, high) - low)) / (high - low || 1);
    const ink = style.getPropertyValue("--te-ink-soft");
    this.axes(c, box, ink, style.getPropertyValue("--te-line"), [low, high], steps, y);
    this.marks(c, box, style, x, panel);
    this.moment(c, box, style, x);
    let gaps = 0;
    this.runs().forEach((rows, run) => {
      const breaks = panel.breaks ? this.breaks(run) : [];
      for (const key of panel.keys) gaps += this.line(c, rows, key, run, style.getPropertyValue(`--te-${key.replace("@", "-")}`), x, y, breaks);
    });
    canvas.dataset.gaps = gaps;
    this.read(panel, c, box, ink);
  }

  // Scores end at 1; what has no end begins at 0 and has a little air above.
  range(panel) {
    let [low, high] = [0, panel.unit ? 1 : -Infinity];
    for (const rows of this.runs()) {
      for (const key of panel.keys) {
        for (let row = 0; row < rows.count; row++) {
          const value = rows.at(row, key);
          if (value < low) low = value;
          if (value > high && Number.isFinite(value)) high = value;
        }
      }
    }
    if (panel.unit) return [low, 1];
    return high > 0 ? [0, 1.08 * high] : [0, 1];
  }

  axes(c, box, ink, line, [low, high], steps, y) {
    c.lineWidth = 1;
    c.strokeStyle = line;
    c.fillStyle = ink;
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const value of low < 0 ? [low, 0, high] : [low, (low + high) / 2, high]) {
      const at = Math.round(y(value)) + 0.5;
      c.beginPath();
      c.moveTo(box.left, at);
      c.lineTo(box.right, at);
      c.stroke();
      if (value !== (low + high) / 2 || low < 0) c.fillText(rounded(value), box.left - 5, Math.max(at, box.top + 2));
    }
    c.textBaseline = "top";
    c.fillText(`step ${counted(steps)}`, box.right, box.bottom + 4);
    c.textAlign = "left";
    c.fillText("0", box.left, box.bottom + 4);
  }

  // A dashed line where a setting changed; the loss also says what changed, as far as there is room for it.
  marks(c, box, style, x, panel) {
    c.strokeStyle = style.getPropertyValue("--te-mark");
    c.fillStyle = style.getPropertyValue("--te-mark-ink");
    c.lineWidth = 1;
    c.textBaseline = "top";
    c.textAlign = "left";
    const lineHeight = parseFloat(getComputedStyle(panel.canvas).fontSize);
    const taken = Array.from({ length: 3 }, () => Infinity); // from the right: the newest change is always said
    const marks = this.page.marks().flatMap((list, run) => list.map((mark) => ({ ...mark, run })));
    for (const { step, text, run } of marks.sort((one, other) => other.step - one.step)) {
      c.setLineDash(run ? [1, 3] : [3, 3]);
      c.beginPath();
      c.moveTo(x(step), box.top);
      c.lineTo(x(step), box.bottom);
      c.stroke();
      c.setLineDash([]);
      if (!panel.named) continue;
      const wide = c.measureText(text).width;
      const from = Math.max(box.left + 2, Math.min(x(step) + 4, box.right - wide));
      const line = taken.findIndex((begin) => from + wide + 6 < begin);
      if (line < 0 || wide > box.right - box.left) continue;
      taken[line] = from;
      c.fillText(text, from, box.top + lineHeight * line);
    }
  }

  // Where on the curves the map stands.
  moment(c, box, style, x) {
    if (this.page.get("step") >= this.lastStep()) return; // at the end there is no need to say so
    c.strokeStyle = style.getPropertyValue("--te-accent");
    c.lineWidth = 1.5;
    c.beginPath();
    c.moveTo(x(this.page.get("step")), box.top);
    c.lineTo(x(this.page.get("step")), box.bottom);
    c.stroke();
  }

  // At which steps a distance began to be measured in something else: another distance, another vector.
  breaks(run) {
    return (this.page.marks()[run] ?? []).flatMap(({ breaks }) => breaks ?? []);
  }

  // How often the line is broken: never drawn is what leads from numbers of one unit to those of another.
  line(c, rows, key, run, colour, x, y, breaks) {
    c.strokeStyle = colour;
    c.lineWidth = 2;
    c.setLineDash(RUN_DASHES[run]);
    c.beginPath();
    let [pen, gaps, last, next] = [false, 0, 0, 0];
    // No screen has more columns than this: a run of many frames is drawn as fast as a short one. The last row is
    // always drawn: it is the one that everyone looks at.
    const stride = Math.max(1, Math.floor(rows.count / 1200));
    for (let row = 0; row < rows.count; row = row + stride < rows.count ? row + stride : row === rows.count - 1 ? rows.count : rows.count - 1) {
      const value = rows.at(row, key);
      if (!Number.isFinite(value)) continue;
      const step = rows.step(row);
      while (next < breaks.length && breaks[next] <= last) next += 1;
      const broken = pen && breaks[next] <= step;
      if (pen && !broken) c.lineTo(x(step), y(value));
      else c.rect(x(step) - 0.5, y(value), 1, 0); // a number that no other follows yet is a dot
      if (!pen || broken) c.moveTo(x(step), y(value));
      gaps += broken;
      [pen, last] = [true, step];
    }
    c.stroke();
    c.setLineDash([]);
    return gaps;
  }

  // The numbers at the step under the pointer, or at the moment that the map shows.
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
    const values = (key) => this.runs().map((rows) => written(rows.at(rows.rowAt(step), key)));
    for (const key of panel.keys) setText(panel.numbers.get(key), values(key).join(" | "));
    const words = panel.keys.map((key) => `${CURVE_WORDS[key]} ${values(key).join(" and ")}`).join(", ");
    const broken = Number(panel.canvas.dataset.gaps) ? `. ${BROKEN}` : "";
    panel.canvas.setAttribute("aria-label", `${panel.title} at step ${counted(Math.round(step))}: ${words}${broken}`);
    if (panel.breaks) panel.canvas.title = broken && BROKEN;
  }
}
