// The live map of the task space: a canvas that glides from one frame to the next and never draws a stale one.
//
// The kernel sends one small packet a frame (see encode_frame in task_map.py):
//   uint32 number, uint32 step, float32 left, bottom, right, top, then n pairs of uint16 inside that box.
// Each packet replaces the last. When it has been taken in, `shown` goes back to the kernel, which sends the next one
// only then; a page that is slow or hidden is never flooded, and nothing is drawn after training stops.

const GLIDE_MS = 140;
const HEADER_BYTES = 24;

function decode(view) {
  if (!view || view.byteLength < HEADER_BYTES) return null;
  const data = new DataView(view.buffer, view.byteOffset, view.byteLength);
  const [left, bottom, right, top] = [8, 12, 16, 20].map((at) => data.getFloat32(at, true));
  const n = (view.byteLength - HEADER_BYTES) / 4;
  const points = new Float32Array(2 * n);
  for (let i = 0; i < n; i++) {
    points[2 * i] = left + ((right - left) * data.getUint16(HEADER_BYTES + 4 * i, true)) / 65535;
    points[2 * i + 1] = bottom + ((top - bottom) * data.getUint16(HEADER_BYTES + 4 * i + 2, true)) / 65535;
  }
  return { number: data.getUint32(0, true), step: data.getUint32(4, true), box: [left, bottom, right, top], points };
}

// A view keeps still while the points fill it well, so that a map that only breathes does not zoom in and out.
function fittingView(view, box) {
  const size = Math.max(box[2] - box[0], box[3] - box[1], 1e-6) * 1.12;
  const middle = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
  if (view) {
    const inside = [0, 1].every(
      (k) => box[k] >= view.middle[k] - view.size / 2 && box[k + 2] <= view.middle[k] + view.size / 2,
    );
    if (inside && size > 0.72 * view.size) return view;
  }
  return { middle, size };
}

const SHAPES = [
  (c, x, y, r) => c.arc(x, y, r, 0, 2 * Math.PI),
  (c, x, y, r) => c.rect(x - 0.89 * r, y - 0.89 * r, 1.78 * r, 1.78 * r),
  (c, x, y, r) => polygon(c, x, y, 1.25 * r, 3, -Math.PI / 2),
  (c, x, y, r) => polygon(c, x, y, 1.25 * r, 4, 0),
];

function polygon(c, x, y, r, corners, turn) {
  for (let k = 0; k < corners; k++) {
    const angle = turn + (2 * Math.PI * k) / corners;
    c[k ? "lineTo" : "moveTo"](x + r * Math.cos(angle), y + r * Math.sin(angle));
  }
  c.closePath();
}

function element(tag, className, parent) {
  const made = document.createElement(tag);
  made.className = className;
  if (parent) parent.append(made);
  return made;
}

class TaskMapView {
  constructor(model, el) {
    this.model = model;
    this.root = element("div", "te-lab te-map", el);
    this.root.setAttribute("role", "group");
    const head = element("div", "te-map-head", this.root);
    this.title = element("span", "te-title", head);
    this.stepText = element("span", "te-map-step te-number", head);
    this.canvas = element("canvas", "te-map-canvas", this.root);
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    // JupyterLab reads single keys as commands for the cell; not while the map has the focus.
    this.canvas.dataset.lmSuppressShortcuts = "true";
    this.legend = element("div", "te-map-legend", this.root);
    this.tooltip = element("div", "te-map-tooltip te-card", this.root);
    this.tooltip.setAttribute("role", "status");
    this.tooltip.hidden = true;
    this.chosen = -1;
    this.drawn = 0;
    this.still = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.listen();
    this.describe();
    this.paintLegend();
    this.take();
  }

  listen() {
    const model = this.model;
    this.stops = [
      ["change:frame", () => this.take()],
      ["change:colours change:shapes", () => this.draw()],
      ["change:legend", () => this.paintLegend()],
      ["change:title", () => this.describe()],
      ["change:names", () => this.choose(-1)],
    ].map(([events, callback]) => {
      model.on(events, callback);
      return () => model.off(events, callback);
    });
    // The canvas does not follow the style sheet by itself: another theme is another drawing.
    this.theme = new MutationObserver(() => this.draw());
    this.theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
    this.resized = new ResizeObserver(() => this.resize());
    this.resized.observe(this.root);
    this.canvas.addEventListener("pointermove", (event) => this.choose(this.nearest(event)));
    this.canvas.addEventListener("pointerleave", () => this.choose(-1));
    this.canvas.addEventListener("blur", () => this.choose(-1));
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
  }

  remove() {
    this.stops.forEach((stop) => stop());
    this.resized.disconnect();
    this.theme.disconnect();
    cancelAnimationFrame(this.request);
    this.request = null;
  }

  // ---- taking frames in ----

  take() {
    const frame = decode(this.model.get("frame"));
    if (!frame) return;
    const same = this.frame && this.frame.points.length === frame.points.length;
    this.from = same ? this.places() : frame.points;
    this.fromView = this.view ? this.viewNow() : null;
    this.frame = frame;
    this.view = fittingView(this.view, frame.box);
    this.fromView = this.fromView || this.view;
    if (!same) this.choose(-1);
    this.begun = this.still.matches || !same ? -Infinity : performance.now();
    this.stepText.textContent = `step ${frame.step.toLocaleString("en-GB")}`;
    this.root.dataset.step = frame.step;
    this.root.dataset.frame = frame.number;
    this.root.dataset.tasks = frame.points.length / 2;
    this.describe();
    this.draw();
    this.model.set("shown", frame.number);
    this.model.save_changes();
  }

  progress() {
    const share = Math.min(1, (performance.now() - this.begun) / GLIDE_MS);
    return share * (2 - share);
  }

  places() {
    const t = this.progress();
    if (t >= 1 || !this.from) return this.frame.points;
    return this.frame.points.map((to, i) => this.from[i] + t * (to - this.from[i]));
  }

  viewNow() {
    const t = this.progress();
    const [a, b] = [this.fromView || this.view, this.view];
    const mix = (p, q) => p + t * (q - p);
    return { middle: [0, 1].map((k) => mix(a.middle[k], b.middle[k])), size: mix(a.size, b.size) };
  }

  // ---- drawing ----

  resize() {
    const box = this.canvas.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    if (!box.width) return;
    this.canvas.width = Math.round(box.width * ratio);
    this.canvas.height = Math.round(box.height * ratio);
    this.draw();
  }

  draw() {
    if (this.request || !this.frame) return;
    this.request = requestAnimationFrame(() => {
      this.request = null;
      this.paint();
      if (this.progress() < 1) this.draw();
    });
  }

  toScreen(places) {
    const { middle, size } = this.viewNow();
    const scale = Math.min(this.canvas.width, this.canvas.height) / size;
    const screen = new Float32Array(places.length);
    for (let i = 0; i < places.length; i += 2) {
      screen[i] = this.canvas.width / 2 + (places[i] - middle[0]) * scale;
      screen[i + 1] = this.canvas.height / 2 - (places[i + 1] - middle[1]) * scale;
    }
    return screen;
  }

  radius(n) {
    const base = this.root.closest(".te-projector") ? 9 : 6;
    return base * (window.devicePixelRatio || 1) * Math.min(1, Math.max(0.35, Math.sqrt(260 / n)));
  }

  paint() {
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.screen = this.toScreen(this.places());
    const n = this.screen.length / 2;
    const colours = this.model.get("colours");
    const shapes = this.model.get("shapes");
    const r = this.radius(n);
    context.lineWidth = Math.max(0.5, r / 7);
    context.strokeStyle = getComputedStyle(this.root).getPropertyValue("--te-paper") || "#ffffff";
    for (let i = 0; i < n; i++) {
      const known = colours.byteLength >= 3 * n;
      context.fillStyle = known
        ? `rgb(${colours.getUint8(3 * i)},${colours.getUint8(3 * i + 1)},${colours.getUint8(3 * i + 2)})`
        : "#0072b2";
      const shape = shapes.byteLength >= n ? shapes.getUint8(i) % SHAPES.length : 0;
      context.beginPath();
      SHAPES[shape](context, this.screen[2 * i], this.screen[2 * i + 1], r);
      context.fill();
      if (n <= 1500) context.stroke();
    }
    if (this.chosen >= 0 && this.chosen < n) this.ring(context, this.chosen, r);
    this.drawn += 1;
    this.root.dataset.drawn = this.drawn;
  }

  ring(context, i, r) {
    context.beginPath();
    context.arc(this.screen[2 * i], this.screen[2 * i + 1], 1.7 * r, 0, 2 * Math.PI);
    context.lineWidth = Math.max(2, r / 2.5);
    context.strokeStyle = getComputedStyle(this.root).getPropertyValue("--te-ink") || "#000000";
    context.stroke();
  }

  // ---- words ----

  describe() {
    this.title.textContent = this.model.get("title");
    const n = this.frame ? this.frame.points.length / 2 : 0;
    const by = this.model.get("legend").title || "";
    const step = this.frame ? this.frame.step : 0;
    const words = `Map of ${n} tasks at step ${step}, ${this.model.get("title")}, coloured by ${by}. Arrow keys visit tasks, p is projector mode.`;
    this.canvas.setAttribute("aria-label", words);
    this.root.setAttribute("aria-label", "Map of the task space");
  }

  paintLegend() {
    const { title, kind, stops, entries } = this.model.get("legend");
    this.legend.replaceChildren();
    if (!title) return;
    element("span", "te-legend-title", this.legend).textContent = title;
    if (kind === "category") {
      for (const { label, colour, shape } of entries) this.legendEntry(label, colour, shape);
      return;
    }
    element("span", "te-number", this.legend).textContent = entries[0].label;
    const bar = element("span", "te-legend-bar", this.legend);
    bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    element("span", "te-number", this.legend).textContent = entries[entries.length - 1].label;
  }

  legendEntry(label, colour, shape) {
    const entry = element("span", "te-legend-entry", this.legend);
    const icon = element("canvas", "", entry);
    icon.width = icon.height = 24;
    const context = icon.getContext("2d");
    context.fillStyle = colour;
    context.beginPath();
    SHAPES[shape % SHAPES.length](context, 12, 12, 8);
    context.fill();
    entry.append(label);
  }

  // ---- pointing ----

  nearest(event) {
    if (!this.screen) return -1;
    const box = this.canvas.getBoundingClientRect();
    const ratio = this.canvas.width / box.width;
    const [x, y] = [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
    let [best, at] = [(16 * ratio) ** 2, -1];
    for (let i = 0; i < this.screen.length; i += 2) {
      const d = (this.screen[i] - x) ** 2 + (this.screen[i + 1] - y) ** 2;
      if (d < best) [best, at] = [d, i / 2];
    }
    return at;
  }

  onKey(event) {
    const n = this.frame ? this.frame.points.length / 2 : 0;
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") this.choose(-1);
    if (event.key === "p" && !event.ctrlKey && !event.metaKey && !event.altKey) this.project();
    if (!by || !n) return;
    event.preventDefault();
    event.stopPropagation();
    this.choose(this.chosen < 0 ? (by > 0 ? 0 : n - 1) : (this.chosen + by + n) % n);
  }

  // Projector mode: large type and large points, for the last row of a lecture hall.
  project() {
    const panel = this.root.closest(".te-panel") || this.root;
    panel.classList.toggle("te-projector");
    this.resize();
  }

  choose(i) {
    if (i === this.chosen) return;
    this.chosen = i;
    this.tooltip.hidden = i < 0;
    if (i >= 0 && this.screen) {
      this.tooltip.textContent = this.model.get("names")[i] || `task ${i}`;
      const ratio = this.canvas.width / this.canvas.getBoundingClientRect().width;
      const x = this.canvas.offsetLeft + this.screen[2 * i] / ratio;
      this.tooltip.style.left = `${Math.min(x + 14, this.root.clientWidth - this.tooltip.offsetWidth - 8)}px`;
      this.tooltip.style.top = `${this.canvas.offsetTop + this.screen[2 * i + 1] / ratio + 14}px`;
    }
    this.draw();
  }
}

function render({ model, el }) {
  const view = new TaskMapView(model, el);
  return () => view.remove();
}

export default { render };
