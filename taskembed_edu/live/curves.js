// Curves over training steps: the loss with a mark where a setting changed, and the scores. Rows arrive as float32
// packets, only the new ones; a view that opens late, or that missed one, asks for all of them.

const PANELS = [
  { title: "Loss", keys: ["loss"] },
  { title: "Scores on the watched tasks", keys: ["recall@1", "spearman", "trustworthiness"], unit: true },
];
const COLOURS = { loss: "#0072b2", "recall@1": "#d55e00", spearman: "#009e73", trustworthiness: "#cc79a7" };
const DASHES = { loss: [], "recall@1": [], spearman: [7, 3], trustworthiness: [2, 3] };

function element(tag, className, parent) {
  const made = document.createElement(tag);
  made.className = className;
  if (parent) parent.append(made);
  return made;
}

function rounded(value) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) < 0.1 ? 3 : 2);
}

class CurvesView {
  constructor(model, el) {
    this.model = model;
    this.rows = [];
    this.at = null;
    this.root = element("div", "te-lab te-curves", el);
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", "Curves over training steps");
    this.panels = PANELS.map((panel) => this.makePanel(panel));
    const listen = (event, callback) => {
      model.on(event, callback);
      return () => model.off(event, callback);
    };
    this.stops = [
      listen("change:packet", () => this.take()),
      listen("change:marks", () => this.draw()),
    ];
    // The canvas does not follow the style sheet by itself: another theme is another drawing.
    this.theme = new MutationObserver(() => this.draw());
    this.theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.root);
    this.take();
  }

  makePanel(panel) {
    const box = element("div", "te-curve", this.root);
    element("div", "te-title", box).textContent = panel.title;
    const canvas = element("canvas", "te-curve-canvas", box);
    canvas.setAttribute("role", "img");
    const values = element("div", "te-curve-values", box);
    const numbers = Object.fromEntries(
      panel.keys.map((key) => {
        const entry = element("span", "te-curve-value", values);
        entry.title = this.model.get("help")[key] || "";
        const swatch = element("span", "te-swatch", entry);
        swatch.style.borderTop = `3px ${DASHES[key].length ? (DASHES[key][0] > 4 ? "dashed" : "dotted") : "solid"} ${COLOURS[key]}`;
        entry.append(` ${key} `);
        const number = element("span", "te-number", entry);
        number.dataset.score = key;
        return [key, number];
      }),
    );
    canvas.addEventListener("pointermove", (event) => {
      this.at = (event.clientX - canvas.getBoundingClientRect().left) / canvas.clientWidth;
      this.draw();
    });
    canvas.addEventListener("pointerleave", () => {
      this.at = null;
      this.draw();
    });
    return { ...panel, canvas, numbers };
  }

  remove() {
    this.stops.forEach((stop) => stop());
    this.resized.disconnect();
    this.theme.disconnect();
    cancelAnimationFrame(this.request);
  }

  // A packet is: uint32 index of its first row, uint32 numbers a row, then the rows.
  take() {
    const packet = this.model.get("packet");
    if (!packet || packet.byteLength < 8) return;
    const first = packet.getUint32(0, true);
    const wide = packet.getUint32(4, true);
    if (first > this.rows.length) {
      this.model.send({ need: "all" });
      return;
    }
    this.rows.length = first;
    const names = this.model.get("columns");
    for (let at = 8; at + 4 * wide <= packet.byteLength; at += 4 * wide) {
      const row = {};
      names.forEach((name, k) => (row[name] = packet.getFloat32(at + 4 * k, true)));
      this.rows.push(row);
    }
    this.root.dataset.rows = this.rows.length;
    this.draw();
  }

  draw() {
    if (this.request) return;
    this.request = requestAnimationFrame(() => {
      this.request = null;
      this.panels.forEach((panel) => this.paint(panel));
    });
  }

  paint(panel) {
    const { canvas } = panel;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    const c = canvas.getContext("2d");
    c.scale(ratio, ratio);
    const style = getComputedStyle(this.root);
    const ink = style.getPropertyValue("--te-ink-soft");
    c.font = `${Math.round(0.82 * parseFloat(style.fontSize))}px ${style.fontFamily}`;
    const box = { left: 44, right: canvas.clientWidth - 8, top: 8, bottom: canvas.clientHeight - 20 };
    const last = this.rows[this.rows.length - 1];
    const steps = Math.max(1, last ? last.step : 1);
    const [low, high] = this.range(panel);
    const x = (step) => box.left + ((box.right - box.left) * step) / steps;
    const y = (value) => box.bottom - ((box.bottom - box.top) * (value - low)) / (high - low || 1);
    this.axes(c, box, ink, [low, high], steps, y);
    this.marks(c, box, style, x, panel === this.panels[0]);
    for (const key of panel.keys) this.line(c, key, x, y);
    this.read(panel, c, box, ink, steps, x);
    const words = panel.keys.map((key) => `${key} ${last ? rounded(last[key]) : "not yet"}`).join(", ");
    canvas.setAttribute("aria-label", `${panel.title} at step ${last ? last.step : 0}: ${words}`);
  }

  range(panel) {
    let [low, high] = [0, 1e-9];
    for (const row of this.rows) {
      for (const key of panel.keys) {
        if (row[key] < low) low = row[key];
        if (row[key] > high) high = row[key];
      }
    }
    if (panel.unit) return [low, 1];
    return this.rows.some((row) => Number.isFinite(row.loss)) ? [0, 1.05 * high] : [0, 1];
  }

  axes(c, box, ink, [low, high], steps, y) {
    c.strokeStyle = ink;
    c.fillStyle = ink;
    c.lineWidth = 0.5;
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const value of [low, (low + high) / 2, high]) {
      c.globalAlpha = 0.5;
      c.beginPath();
      c.moveTo(box.left, y(value));
      c.lineTo(box.right, y(value));
      c.stroke();
      c.globalAlpha = 1;
      c.fillText(rounded(value), box.left - 5, y(value));
    }
    c.textBaseline = "top";
    c.fillText(`step ${steps.toLocaleString("en-GB")}`, box.right, box.bottom + 5);
    c.textAlign = "left";
    c.fillText("0", box.left, box.bottom + 5);
  }

  marks(c, box, style, x, named) {
    c.strokeStyle = c.fillStyle = style.getPropertyValue("--te-mark");
    c.lineWidth = 1.5;
    c.textBaseline = "top";
    const taken = [-Infinity, -Infinity, -Infinity, -Infinity]; // how far each line of words is filled
    for (const { step, text } of this.model.get("marks")) {
      c.setLineDash([4, 3]);
      c.beginPath();
      c.moveTo(x(step), box.top);
      c.lineTo(x(step), box.bottom);
      c.stroke();
      c.setLineDash([]);
      if (!named) continue;
      const wide = c.measureText(text).width;
      const leftwards = x(step) + 4 + wide > box.right;
      const from = leftwards ? x(step) - 4 - wide : x(step) + 4;
      const free = taken.findIndex((end) => from > end);
      const line = free < 0 ? taken.length - 1 : free;
      taken[line] = Math.max(taken[line], from + wide + 6);
      c.textAlign = "left";
      c.fillText(text, from, box.top + 14 * line);
    }
  }

  line(c, key, x, y) {
    c.strokeStyle = COLOURS[key];
    c.lineWidth = 2;
    c.setLineDash(DASHES[key]);
    c.beginPath();
    let pen = false;
    // No screen has more columns than this: a run of many frames is drawn as fast as a short one.
    const stride = Math.max(1, Math.floor(this.rows.length / 1200));
    for (let i = 0; i < this.rows.length; i += stride) {
      const value = this.rows[i][key];
      if (!Number.isFinite(value)) continue;
      c[pen ? "lineTo" : "moveTo"](x(this.rows[i].step), y(value));
      pen = true;
    }
    c.stroke();
    c.setLineDash([]);
  }

  read(panel, c, box, ink, steps, x) {
    let row = this.rows[this.rows.length - 1];
    if (this.at !== null && this.rows.length) {
      const share = (this.at * panel.canvas.clientWidth - box.left) / (box.right - box.left);
      const step = Math.max(0, Math.min(1, share)) * steps;
      row = this.rows.reduce((best, each) => (Math.abs(each.step - step) < Math.abs(best.step - step) ? each : best));
      c.strokeStyle = ink;
      c.lineWidth = 1;
      c.beginPath();
      c.moveTo(x(row.step), box.top);
      c.lineTo(x(row.step), box.bottom);
      c.stroke();
    }
    for (const key of panel.keys) panel.numbers[key].textContent = row ? rounded(row[key]) : "–";
  }
}

function render({ model, el }) {
  const view = new CurvesView(model, el);
  return () => view.remove();
}

export default { render };
