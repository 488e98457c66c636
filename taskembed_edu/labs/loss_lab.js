// The page of a LossLab: it draws what Python reads off the points, and sends wishes back. No loss is computed here.
//
// `words` (controls, presets, sub-steps) comes once; `readings` (points, rows, forces, regions, sentences) follows the
// lab. A wish is sent when the one before was heard; of several that wait, only the latest of each kind is kept.

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = ["#0072b2", "#e69f00", "#cc79a7", "#56b4e9", "#f0e442", "#4d4d4d", "#a6a6a6", "#7a5195"];
const SHAPES = [
  "M-9,0a9,9 0 1,0 18,0a9,9 0 1,0 -18,0", // circle, square, triangle, diamond, triangle down, plus, cross, pentagon
  "M-8,-8h16v16h-16z",
  "M0,-10.5L10,8H-10z",
  "M0,-11L11,0L0,11L-11,0z",
  "M0,10.5L10,-8H-10z",
  "M-4,-10h8v6h6v8h-6v6h-8v-6h-6v-8h6z",
  "M0,-5L6,-11L11,-6L5,0L11,6L6,11L0,5L-6,11L-11,6L-5,0L-11,-6L-6,-11z",
  "M0,-10.5L10,-3.2L6.2,8.5H-6.2L-10,-3.2z",
];
const EXPLORE = 0, PAIRS = 1, DISTANCES = 2, VIOLATIONS = 3, FORCES = 4, MOVE = 5;
const SLOW = 1800; // ms a sub-step lasts when it is played: long enough to read its sentence
const FEW_ROWS = 4, SOME_ROWS = 10, SOME_REGIONS = 6;

function make(space, tag, attributes = {}, ...children) {
  const node = space ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
const svg = (...rest) => make(true, ...rest);
const html = (...rest) => make(false, ...rest);

const reducedMotion = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const between = (a, b, t) => a + (b - a) * t;
const ease = (t) => (t < 0.5 ? 2 * t * t : 1 - 2 * (1 - t) * (1 - t));

/** Wishes on their way to Python: one in flight, the latest of each kind waiting. */
class Outbox {
  constructor(model, onLate) {
    this.model = model;
    this.onLate = onLate;
    this.page = Math.random().toString(36).slice(2);
    this.number = 0;
    this.inFlight = null;
    this.waiting = new Map();
    this.hear = (message) => {
      if (message.page !== this.page || message.heard !== this.inFlight) return;
      this.inFlight = null;
      clearTimeout(this.timer);
      this.flush();
      onLate(false);
    };
    model.on("msg:custom", this.hear);
  }
  send(kind, wish) {
    this.waiting.set(kind, wish);
    this.flush();
  }
  flush() {
    if (this.inFlight !== null || this.waiting.size === 0) return;
    const [kind, wish] = this.waiting.entries().next().value;
    this.waiting.delete(kind);
    this.inFlight = ++this.number;
    this.timer = setTimeout(() => this.onLate(true), 1000);
    this.model.send({ ...wish, number: this.inFlight, page: this.page });
  }
  get busy() {
    return this.inFlight !== null || this.waiting.size > 0;
  }
  close() {
    clearTimeout(this.timer);
    this.model.off("msg:custom", this.hear);
  }
}

/** The plane: grid, margin, links, forces and the points to drag. */
class Plane {
  constructor(page) {
    this.page = page;
    this.hot = null; // number of the row under the mouse or with the focus
    this.anchor = 0; // the point whose margin is drawn in full
    this.each = true;
    this.sums = false;
    this.held = null; // {index, at, gesture, grab}: the point in the learner's hand
    this.sent = null; // {index, at}: a point that was put down, until Python has heard of it
    this.shown = []; // where the points are drawn now, on their way to where they are
    this.nodes = [];
    this.names = "";
    this.view = null;
    this.layers = Object.fromEntries(
      ["grid", "regions", "links", "trails", "sums", "arrows", "marks", "measures"].map((name) => [
        name,
        svg("g", { class: `te-${name}` }),
      ]),
    );
    this.points = svg("g");
    this.root = svg(
      "svg",
      { class: "te-plane", role: "group", "aria-label": "The plane with the points; each point can be moved." },
      ...Object.values(this.layers),
      this.points,
    );
    this.sizer = new ResizeObserver(() => this.resize());
    this.sizer.observe(this.root);
  }

  close() {
    this.sizer.disconnect();
    cancelAnimationFrame(this.frame);
  }

  resize() {
    const box = this.root.getBoundingClientRect();
    if (!box.width || (box.width === this.width && box.height === this.height)) return;
    [this.width, this.height] = [box.width, box.height];
    this.root.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
    this.view = this.fit();
    this.wishedView = this.view;
    this.start(0);
  }

  // where things are: the plane's units, and the pixels

  /** The view that shows the points, a fair part of the margin, and under the cosine the origin. */
  fit() {
    const now = this.page.now;
    const xs = now.points.map((p) => p[0]), ys = now.points.map((p) => p[1]);
    const region = now.regions[0];
    if (now.settings.metric === "cosine") xs.push(0), ys.push(0);
    else if (region) {
      const [x, y] = now.points[region.anchor];
      const reach = Math.min(region.size, 6);
      xs.push(x - reach, x + reach), ys.push(y - reach, y + reach);
    }
    const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const room = this.page.projector ? 74 : 56;
    const scale = Math.min(
      (this.width - 2 * room) / Math.max(right - left, 0.5),
      (this.height - 2 * room) / Math.max(high - low, 0.5),
      150,
    );
    return { x: (left + right) / 2, y: (low + high) / 2, scale };
  }

  pixel([x, y], view = this.view) {
    return [this.width / 2 + (x - view.x) * view.scale, this.height / 2 - (y - view.y) * view.scale];
  }

  place([px, py]) {
    const { x, y, scale } = this.view;
    return [x + (px - this.width / 2) / scale, y - (py - this.height / 2) / scale];
  }

  // news from Python

  update(before, now) {
    if (now.names.join() !== this.names) this.makePoints(now);
    if (before?.scene !== now.scene) this.each = now.rows.length <= SOME_ROWS;
    this.sums = before?.scene === now.scene ? this.sums : !this.each;
    if (this.hot !== null && this.hot >= now.rows.length) this.hot = null;
    if (this.anchor >= now.points.length) this.anchor = 0;
    this.nodes.forEach((node, i) => this.describePoint(node, now, i));
    if (!this.width) return;
    if (!this.held) this.follow(before, now);
    this.start(now.phase === MOVE && before?.phase !== MOVE ? 900 : 260);
  }

  /** Zoom where the points or the margin have left the view, or have grown small in it. */
  follow(before, now) {
    const wished = this.fit();
    const follows = ["metric", "loss", "anchors", "mining"]; // settings that change where the margin lies
    const jump = before?.scene !== now.scene || follows.some((name) => before.settings[name] !== now.settings[name]);
    const out = now.points.some((point) => {
      const [x, y] = this.pixel(point, this.wishedView);
      return x < 20 || y < 20 || x > this.width - 20 || y > this.height - 20;
    });
    const margin = before && before.settings.margin !== now.settings.margin;
    const misfit = margin && (wished.scale < this.wishedView.scale || wished.scale > 1.6 * this.wishedView.scale);
    if (jump || out || misfit) this.wishedView = wished;
  }

  /** Let the points and the view glide to where they should be. */
  start(duration) {
    const own = [this.sent, this.held].filter(Boolean);
    const target = this.page.now.points.map((p, i) => own.findLast((o) => o.index === i)?.at ?? p);
    const still = this.shown.length !== target.length || reducedMotion() || this.held;
    const from = still ? target : this.shown.map((p) => [...p]);
    this.glide = { from, target, view: still ? this.wishedView : { ...this.view }, start: performance.now(), duration };
    if (still && !this.held) this.view = this.wishedView;
    this.draw();
  }

  draw() {
    if (!this.frame) this.frame = requestAnimationFrame((time) => this.tick(time));
  }

  tick(time) {
    this.frame = null;
    if (!this.width || !this.glide) return;
    const { from, target, view, start, duration } = this.glide;
    const t = ease(Math.min(1, Math.max(0, (time - start) / duration)));
    this.shown = target.map((p, i) => (from[i] ? [between(from[i][0], p[0], t), between(from[i][1], p[1], t)] : p));
    if (this.held) this.shown[this.held.index] = this.held.at;
    else if (this.view !== this.wishedView) {
      this.view = t >= 1 ? this.wishedView
        : Object.fromEntries(["x", "y", "scale"].map((key) => [key, between(view[key], this.wishedView[key], t)]));
    }
    this.paint();
    if (t < 1) this.draw();
  }

  // drawing

  paint() {
    const now = this.page.now;
    const at = this.shown.map((p) => this.pixel(p));
    const showForces = now.phase === EXPLORE || now.phase === FORCES;
    const showRegions = now.phase === EXPLORE || now.phase === VIOLATIONS || now.phase === FORCES;
    this.paintGrid(now);
    this.layers.regions.replaceChildren(...(showRegions ? this.regions(now, at) : []));
    this.taken = this.namePlaces(now, at);
    const links = this.links(now, at);
    this.layers.links.replaceChildren(...links.map((link) => link.node));
    this.layers.measures.replaceChildren(...links.map((link) => link.text).filter(Boolean));
    this.layers.trails.replaceChildren(...(now.phase === MOVE && now.before ? this.trails(now, at) : []));
    const arrows = showForces ? this.arrows(now, at) : { each: [], sums: [] };
    this.layers.arrows.replaceChildren(...arrows.each);
    this.layers.sums.replaceChildren(...arrows.sums);
    this.layers.marks.replaceChildren(...this.held ? [] : now.marks.map((mark) => this.mark(mark)));
    this.nodes.forEach((node, i) => node.setAttribute("transform", `translate(${at[i][0]},${at[i][1]})`));
    const lit = this.hot === null ? [] : now.rows[this.hot]?.members ?? [];
    this.nodes.forEach((node, i) => node.classList.toggle("te-lit", lit.includes(i)));
  }

  paintGrid(now) {
    const { scale } = this.view;
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].find((s) => s * scale >= 36) ?? 1000;
    const [left, high] = this.place([0, 0]), [right, low] = this.place([this.width, this.height]);
    const lines = [];
    for (let x = Math.ceil(left / step) * step; x <= right; x += step) {
      const px = this.pixel([x, 0])[0];
      lines.push(svg("line", { x1: px, x2: px, y1: 0, y2: this.height }));
    }
    for (let y = Math.ceil(low / step) * step; y <= high; y += step) {
      const py = this.pixel([0, y])[1];
      lines.push(svg("line", { x1: 0, x2: this.width, y1: py, y2: py }));
    }
    const bottom = this.height - 16;
    const bar = svg("path", { class: "te-bar", d: `M14,${bottom - 5}v5h${step * scale}v-5` });
    const unit = svg("text", { class: "te-unit", x: 20 + step * scale, y: bottom + 2 }, String(step));
    const origin = [];
    if (now.settings.metric === "cosine") {
      const [x, y] = this.pixel([0, 0]);
      origin.push(svg("path", { class: "te-bar", d: `M${x - 8},${y}h16M${x},${y - 8}v16` }));
      origin.push(svg("text", { class: "te-unit", x: x + 8, y: y + 18 }, "origin"));
      for (const point of this.shown) {
        const [px, py] = this.pixel(point);
        origin.push(svg("line", { class: "te-ray", x1: x, y1: y, x2: px, y2: py }));
      }
    }
    this.layers.grid.replaceChildren(...lines, bar, unit, ...origin);
  }

  /** The margin round each anchor: in full for the chosen one, faint for the others. */
  regions(now, at) {
    const lit = this.hot === null ? null : now.rows[this.hot]?.members;
    const chosen = lit ? lit[0] : now.regions.some((r) => r.anchor === this.anchor) ? this.anchor : now.regions[0]?.anchor;
    const nodes = [], largest = Math.max(...now.regions.filter((r) => r.anchor === chosen).map((r) => r.size));
    for (const region of now.regions) {
      const main = region.anchor === chosen && (!lit || lit.length < 3 || lit[1] === region.positive);
      const outline = this.outline(region, region.size, at);
      if (!main && now.regions.length > SOME_REGIONS) continue;
      const filled = main && (lit || region.size === largest);
      nodes.push(svg("path", { class: `te-region${main ? " te-main" : ""}${filled ? " te-filled" : ""}`, d: outline }));
      if (!main) continue;
      if (region.inner > 0 && region.positive !== null) {
        nodes.push(svg("path", { class: "te-inner", d: this.outline(region, region.inner, at) }));
      }
      if (region.size > 0 && filled) nodes.push(this.regionText(region, now, at));
    }
    return nodes;
  }

  outline(region, size, at) {
    const [x, y] = at[region.anchor];
    const r = size * this.view.scale;
    if (region.shape === "diamond") return `M${x + r},${y}L${x},${y + r}L${x - r},${y}L${x},${y - r}z`;
    if (region.shape === "circle") return `M${x - r},${y}a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0`;
    const [ox, oy] = this.pixel([0, 0]);
    const far = 4 * (this.width + this.height), middle = Math.atan2(oy - y, x - ox);
    const full = size > Math.PI - 1e-6;
    const steps = Array.from({ length: 49 }, (_, k) => middle + size * (k / 24 - 1));
    const arc = steps.map((a) => `${ox + far * Math.cos(a)},${oy - far * Math.sin(a)}`).join("L");
    return full ? `M${arc}z` : `M${ox},${oy}L${arc}z`;
  }

  regionText(region, now, at) {
    const words = region.positive === null ? `margin ${region.radius}` : `d(a,p) + margin = ${region.radius}`;
    const r = region.size * this.view.scale;
    let [x, y] = at[region.anchor];
    const half = this.box([0, 0], words)[2];
    if (region.shape === "wedge") [x, y] = this.pixel([0, 0]).map((v, k) => v - (k ? 10 : half + 14));
    else y += r + 18;
    x = Math.min(Math.max(x, half + 4), this.width - half - 4);
    y = Math.min(Math.max(y, 20), this.height - 30);
    return svg("text", { class: "te-region-text", x, y, "text-anchor": "middle" }, words);
  }

  /** One line for each pair; two for a triplet: to its positive and to its negative. */
  links(now, at) {
    const found = new Map();
    now.rows.forEach((row, number) => {
      row.members.slice(1).forEach((other, k) => {
        const kind = row.kind === "triplet" ? ["similar", "different"][k] : row.kind;
        const key = [row.members[0], other].sort((a, b) => a - b).join("-");
        const link = found.get(key) ?? { kind, rows: [], from: row.members[0], to: other, active: false, text: "" };
        link.rows.push(number);
        link.active ||= row.active;
        link.text = row.distances[k];
        found.set(key, link);
      });
    });
    const many = found.size > SOME_ROWS;
    const measured = now.phase === EXPLORE ? found.size <= FEW_ROWS : now.phase >= DISTANCES && now.phase < MOVE && !many;
    return [...found.values()].map((link) => this.link(link, now, at, measured, many));
  }

  link(link, now, at, measured, many) {
    const lit = this.hot !== null && link.rows.includes(this.hot);
    const [d, places] = this.curve(at, link.from, link.to, many);
    const judged = now.phase === EXPLORE || now.phase >= VIOLATIONS;
    const classes = ["te-link", `te-${link.kind}`, lit && "te-lit", many && !lit && "te-many", judged && !link.active && "te-idle"];
    const hover = { onpointerenter: () => this.page.light(link.rows[0]), onpointerleave: () => this.page.light(null) };
    const node = svg("g", { class: classes.filter(Boolean).join(" ") }, svg("path", { class: "te-hit", d, ...hover }), svg("path", { d }));
    if (!measured && !(lit && now.phase !== PAIRS)) return { node, text: null };
    const [x, y] = this.freePlace(places, link.text);
    return { node, text: svg("text", { class: "te-measure", x, y: y + 5, "text-anchor": "middle" }, link.text) };
  }

  /** Boxes that a label should stay clear of: names, points and marks, as [left, top, right, bottom]. */
  namePlaces(now, at) {
    const marks = this.held ? [] : now.marks.map((mark) => [this.pixel(mark.at), mark.text, 29]);
    const names = at.map((point, i) => [point, now.names[i], -22]);
    const boxes = [...names, ...marks].map(([point, text, above]) => this.box([point[0], point[1] + above], text));
    return [...boxes, ...at.map(([x, y]) => [x - 12, y - 12, x + 12, y + 12])];
  }

  box([x, y], text) {
    const half = text.length * (this.page.projector ? 5.6 : 4.2), tall = this.page.projector ? 13 : 9;
    return [x - half, y - tall, x + half, y + tall];
  }

  /** The first of the places where the text covers nothing else, or else the first. */
  freePlace(places, text) {
    const clear = (a) => this.taken.every((b) => a[2] < b[0] || b[2] < a[0] || a[3] < b[1] || b[3] < a[1]);
    const place = places.find((p) => clear(this.box(p, text))) ?? places[0];
    this.taken.push(this.box(place, text));
    return place;
  }

  /** A straight line, or a bow where another point lies on it; and places for its label, the best first. */
  curve(at, i, j, straight) {
    const [[x1, y1], [x2, y2]] = at[i][0] <= at[j][0] ? [at[i], at[j]] : [at[j], at[i]]; // from left to right
    const [dx, dy] = [x2 - x1, y2 - y1], length = Math.hypot(dx, dy);
    if (length < 1) return [`M${x1},${y1}L${x2},${y2}`, [[x1, y1 + 24]]];
    let bow = 0; // above 0: upwards
    at.forEach(([x, y], k) => {
      const along = ((x - x1) * dx + (y - y1) * dy) / length ** 2;
      if (straight || k === i || k === j || along < 0.05 || along > 0.95) return;
      const below = ((y - y1) * dx - (x - x1) * dy) / length;
      const near = Math.max(0, 1 - Math.abs(below) / 30);
      if (near > Math.abs(bow)) bow = below >= -1 ? near : -near;
    });
    const place = (h) => [(x1 + x2) / 2 + (dy / length) * h, (y1 + y2) / 2 - (dx / length) * h];
    const height = bow * Math.min(0.2 * length, 62);
    const [cx, cy] = place(2 * height);
    const path = bow ? `M${x1},${y1}Q${cx},${cy} ${x2},${y2}` : `M${x1},${y1}L${x2},${y2}`;
    const along = (t, h) => {
      const [x, y] = place(4 * t * (1 - t) * height + h); // the bow's height there
      return [x + (t - 0.5) * dx, y + (t - 0.5) * dy];
    };
    const steep = 12 * Math.abs(dy / length); // beside a steep line a label needs more room than above a flat one
    const sides = [bow > 0 ? 14 + steep : -18 - steep, bow > 0 ? -18 - steep : 14 + steep];
    const farther = [...sides, ...sides.map((h) => 1.7 * h)];
    return [path, [0.5, 0.62, 0.38, 0.74, 0.26].flatMap((t) => farther.map((h) => along(t, h)))];
  }

  arrows(now, at) {
    const length = (f) => Math.hypot(...f);
    const longest = Math.max(0, ...now.total.map(length), ...now.rows.flatMap((row) => row.forces.map(length)));
    const room = 0.4 * Math.min(this.width, 1.4 * this.height) / this.view.scale;
    const factor = [10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01].find((f) => f * longest <= room) ?? room / longest;
    // Forces are drawn true to size, 1 as long as one unit; smaller where they would not fit, larger where one sees none.
    const scale = longest * this.view.scale > 34 ? Math.min(1, factor) : factor;
    this.page.showArrowScale(longest > 1e-9 ? scale : 1);
    const arrow = (i, force, name) => {
      const [dx, dy] = [force[0] * scale * this.view.scale, -force[1] * scale * this.view.scale];
      const size = Math.hypot(dx, dy);
      if (size < 2) return null;
      const sum = name === "te-sum", head = Math.min(sum ? 17 : 13, size), [ux, uy] = [dx / size, dy / size];
      const aside = sum ? 0 : 5; // so that two points pulled at each other do not hide each other's arrow
      const [x, y] = [at[i][0] - uy * aside, at[i][1] + ux * aside];
      const half = head * 0.48, [tx, ty] = [x + dx, y + dy], [bx, by] = [tx - ux * head, ty - uy * head];
      const tip = `M${tx},${ty}L${bx - uy * half},${by + ux * half}L${bx + uy * half},${by - ux * half}z`;
      const shaft = svg("line", { x1: x, y1: y, x2: bx, y2: by });
      return svg("g", { class: `te-arrow ${name}` }, shaft, svg("path", { d: tip }));
    };
    const each = [];
    now.rows.forEach((row, number) => {
      const lit = this.hot === number;
      if (!row.active || !(this.each || lit)) return;
      row.members.forEach((i, k) => {
        const colour = row.kind === "triplet" ? ["te-anchor", "te-similar", "te-different"][k] : `te-${row.kind}`;
        each.push(arrow(i, row.forces[k], `${colour}${lit ? " te-lit" : this.hot !== null ? " te-dim" : ""}`));
      });
    });
    const sums = this.sums ? now.total.map((force, i) => arrow(i, force, "te-sum")) : [];
    return { each: each.filter(Boolean), sums: sums.filter(Boolean) };
  }

  trails(now, at) {
    return now.before.flatMap((point, i) => {
      const [x, y] = this.pixel(point);
      if (Math.hypot(at[i][0] - x, at[i][1] - y) < 1) return [];
      const ghost = svg("path", { class: "te-ghost", d: SHAPES[now.labels[i]], transform: `translate(${x},${y})` });
      return [svg("line", { x1: x, y1: y, x2: at[i][0], y2: at[i][1] }), ghost];
    });
  }

  mark({ at, text }) {
    const [x, y] = this.pixel(at);
    return svg("text", { x, y: y + 34, "text-anchor": "middle" }, text);
  }

  // the points

  makePoints(now) {
    this.names = now.names.join();
    this.shown = [];
    this.held = this.sent = null;
    this.nodes = now.names.map((name, i) => {
      const shape = svg("path", { class: "te-shape", d: SHAPES[now.labels[i]], fill: COLOURS[now.labels[i]] });
      const node = svg(
        "g",
        {
          class: "te-point",
          tabindex: 0,
          role: "button",
          "aria-roledescription": "movable point",
          onpointerdown: (event) => this.grab(event, i),
          onpointermove: (event) => this.drag(event),
          onpointerup: (event) => this.drop(event),
          onpointercancel: (event) => this.drop(event),
          onkeydown: (event) => this.nudge(event, i),
          onfocus: () => this.choose(i),
          onpointerenter: () => this.choose(i),
          onpointerleave: () => this.page.say(null),
          onblur: () => this.page.say(null),
        },
        svg("circle", { class: "te-hit", r: 24 }),
        svg("circle", { class: "te-ring", r: 17 }),
        shape,
        svg("text", { class: "te-name", y: -17, "text-anchor": "middle" }, name),
      );
      return node;
    });
    this.points.replaceChildren(...this.nodes);
  }

  describePoint(node, now, i) {
    const [x, y] = now.points[i].map((v) => v.toFixed(2));
    const label = `${now.names[i]}, class ${now.labels[i] + 1}, at ${x}, ${y}. Arrow keys move it.`;
    if (node.getAttribute("aria-label") !== label) node.setAttribute("aria-label", label);
  }

  choose(i) {
    if (this.held) return;
    this.anchor = i;
    this.page.say({ point: i });
    this.draw();
  }

  grab(event, index) {
    if (event.button !== 0) return;
    event.preventDefault();
    const node = this.nodes[index];
    node.focus({ preventScroll: true });
    node.setPointerCapture(event.pointerId);
    const at = this.sent?.index === index ? this.sent.at : this.page.now.points[index];
    const [x, y] = this.pixel(at);
    const box = this.root.getBoundingClientRect();
    this.held = {
      index,
      at,
      gesture: `drag-${this.page.outbox.page}-${performance.now()}`,
      grab: [event.clientX - box.left - x, event.clientY - box.top - y],
    };
    this.page.stop();
    node.classList.add("te-held");
  }

  drag(event) {
    if (!this.held) return;
    const box = this.root.getBoundingClientRect();
    const x = event.clientX - box.left - this.held.grab[0], y = event.clientY - box.top - this.held.grab[1];
    const inside = [Math.min(Math.max(x, 10), this.width - 10), Math.min(Math.max(y, 10), this.height - 10)];
    this.held.at = this.place(inside).map((v) => Math.round(v * 100) / 100);
    this.sendHeld ||= requestAnimationFrame(() => {
      this.sendHeld = null;
      this.send();
    });
    this.draw();
  }

  send() {
    if (!this.held) return;
    const { index, at, gesture } = this.held;
    this.page.outbox.send("move", { do: "move", name: this.page.now.names[index], to: at, gesture });
  }

  drop() {
    if (!this.held) return;
    const { index, at } = this.held;
    const [x, y] = this.page.now.points[index];
    if (at[0] !== x || at[1] !== y || this.page.outbox.busy) this.send();
    this.nodes[index].classList.remove("te-held");
    this.sent = this.page.outbox.busy ? { index, at } : null;
    this.held = null;
    this.start(0);
  }

  /** Python has heard of everything: the points are where it says. */
  settle() {
    if (!this.sent) return;
    this.sent = null;
    this.start(0);
  }

  nudge(event, index) {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const way = ways[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.page.stop();
    const size = event.shiftKey ? 0.5 : 0.1;
    const from = this.sent?.index === index ? this.sent.at : this.page.now.points[index];
    const to = from.map((v, k) => Math.round((v + size * way[k]) * 100) / 100);
    this.sent = { index, at: to };
    if (this.nudged !== index) this.gesture = `keys-${this.page.outbox.page}-${performance.now()}`;
    this.nudged = index;
    this.page.outbox.send("move", { do: "move", name: this.page.now.names[index], to, gesture: this.gesture });
    this.start(0);
  }
}

/** The panel round the plane: presets, loss, controls, rows, and the slow motion. */
class Page {
  constructor(model, el) {
    this.model = model;
    this.words = model.get("words");
    this.now = structuredClone(model.get("readings"));
    this.projector = false;
    this.playing = null;
    this.outbox = new Outbox(model, (late) => {
      this.root.classList.toggle("te-late", late);
      if (!this.outbox.busy) this.plane.settle();
    });
    this.plane = new Plane(this);
    this.build(el);
    this.update(null);
    this.onReadings = () => {
      const before = this.now;
      this.now = structuredClone(model.get("readings"));
      this.update(before);
    };
    model.on("change:readings", this.onReadings);
    window.addEventListener("keydown", this.keepKey, true);
  }

  /** Plain keys are the lab's while it has the focus (JupyterLab's would move and cut cells); Ctrl+S still saves.
      JupyterLab looks at the focused element itself, and before anyone inside the document hears of the key. */
  keepKey = (event) => {
    if (!this.root.contains(event.target)) return;
    const ours = event.ctrlKey || event.metaKey ? event.key === "z" : !(event.shiftKey && event.key === "Enter");
    event.target.toggleAttribute("data-lm-suppress-shortcuts", ours);
  };

  close() {
    this.stop();
    this.model.off("change:readings", this.onReadings);
    window.removeEventListener("keydown", this.keepKey, true);
    this.outbox.close();
    this.plane.close();
  }

  ask(wish) {
    this.outbox.send(wish.do, wish);
  }

  // building

  build(el) {
    this.loss = html("span", { class: "te-loss te-number", "aria-live": "polite" });
    this.sum = html("span", { class: "te-sum-text te-number" });
    this.count = html("span", { class: "te-note" });
    this.curve = svg("svg", { class: "te-curve", viewBox: "0 0 120 34", role: "img" });
    this.said = html("p", { class: "te-said", role: "status" });
    this.late = html("span", { class: "te-note te-late-note" }, "Waiting for the kernel: it is busy or gone.");
    const head = html(
      "div", { class: "te-head" },
      html("span", { class: "te-loss-line" }, html("span", { class: "te-loss-word" }, "loss"), this.loss, this.sum),
      html("span", { class: "te-history" }, this.curve, this.count),
    );
    const side = html("div", { class: "te-side" }, this.buildControls(), this.buildTable());
    const stage = html("div", { class: "te-stage te-card" }, this.plane.root, this.buildToggles(), this.arrowScale);
    this.root = html(
      "section",
      {
        class: "te-lab te-loss-lab",
        "aria-label": "Loss lab",
        tabindex: -1,
        onkeydown: (event) => this.key(event),
      },
      this.buildPresets(), head, html("div", { class: "te-main" }, stage, side), this.buildSlowMotion(), this.said, this.late,
    );
    el.append(this.root);
  }

  buildPresets() {
    this.presets = this.words.presets.map((name) =>
      html("button", { type: "button", onclick: () => this.play(false) || this.ask({ do: "preset", name }) }, name),
    );
    this.projectorButton = html(
      "button", { type: "button", "aria-pressed": "false", title: "Large type for a lecture hall (key p)", onclick: () => this.project() },
      "Projector",
    );
    const group = html("span", { class: "te-buttons", role: "group", "aria-label": "Start from" }, ...this.presets);
    return html("div", { class: "te-presets" }, group, this.projectorButton);
  }

  buildToggles() {
    const toggle = (text, key, help) => {
      const node = html("button", { type: "button", "aria-pressed": "false", title: help }, text);
      node.addEventListener("click", () => {
        this.plane[key] = !this.plane[key];
        this.showToggles();
        this.plane.draw();
      });
      return node;
    };
    this.toggles = {
      each: toggle("each force", "each", "The force of every single pair or triplet: minus the gradient of its term."),
      sums: toggle("summed force", "sums", "The sum of the forces on each point: the way it will move."),
    };
    this.arrowScale = html("span", { class: "te-note te-arrow-scale" });
    return html("div", { class: "te-toggles" }, ...Object.values(this.toggles));
  }

  buildControls() {
    this.controls = {};
    const nodes = this.words.controls.map((control) => {
      const node = control.choices.length ? this.choice(control) : this.number(control);
      const label = html("label", { class: "te-control", "data-name": control.name }, html("span", {}, control.label), node);
      label.addEventListener("pointerenter", () => this.say(control.help));
      label.addEventListener("pointerleave", () => this.say(null));
      label.addEventListener("focusin", () => this.say(control.help));
      label.addEventListener("focusout", () => this.say(null));
      return label;
    });
    return html("div", { class: "te-controls te-card" }, ...nodes);
  }

  choice({ name, label, choices }) {
    const options = choices.map((choice) => html("option", { value: choice.value }, choice.label));
    const select = html("select", { "aria-label": label, onchange: () => this.set(name, select.value) }, ...options);
    this.controls[name] = {
      show: (now) => {
        select.value = now.settings[name];
        if (name === "mining") for (const option of options) option.disabled = !now.minings.includes(option.value);
      },
    };
    return select;
  }

  number({ name, label, low, high, step }) {
    const limits = { min: low, max: high, step };
    const slider = html("input", { type: "range", ...limits, "aria-label": label });
    const entry = html("input", { type: "number", ...limits, step: "any", "aria-label": `${label}, typed` });
    let gesture = 0;
    slider.addEventListener("pointerdown", () => gesture++);
    slider.addEventListener("focus", () => gesture++);
    slider.addEventListener("input", () => {
      entry.value = slider.value;
      this.set(name, Number(slider.value), `${name}-${this.outbox.page}-${gesture}`);
    });
    const typed = () => entry.value !== "" && this.set(name, Number(entry.value));
    entry.addEventListener("change", typed);
    entry.addEventListener("keydown", (event) => event.key === "Enter" && typed());
    this.controls[name] = {
      show: (now) => {
        const value = now.settings[name];
        for (const input of [slider, entry]) input.max = high ?? now.margin_high;
        if (!this.outbox.busy || document.activeElement !== slider) slider.value = value;
        if (document.activeElement !== entry) entry.value = Number(value.toFixed(4));
      },
    };
    return html("span", { class: "te-number-control" }, slider, entry);
  }

  set(name, value, gesture = null) {
    this.outbox.send(`set ${name}`, { do: "set", settings: { [name]: value }, gesture });
  }

  buildTable() {
    this.tableHead = html("tr");
    this.tableBody = html("tbody");
    this.hidden = html("p", { class: "te-note" });
    const table = html("table", {}, html("thead", {}, this.tableHead), this.tableBody);
    return html("div", { class: "te-terms te-card" }, table, this.hidden);
  }

  buildSlowMotion() {
    const titles = ["pairs", "distances", "violations", "forces", "move"];
    this.chips = titles.map((title, k) =>
      html("li", {}, html("span", { class: "te-chip-number" }, String(k + 1)), html("span", {}, title)),
    );
    const button = (text, help, action) =>
      html("button", { type: "button", title: help, onclick: action }, text);
    const halt = (wish) => () => { this.play(false); this.ask({ do: wish }); };
    this.buttons = {
      back: button("Back", "One sub-step back", halt("back")),
      next: button("Next", "One sub-step on", halt("substep")),
      play: button("Play", "Sub-step after sub-step, slowly", () => this.play(!this.playing)),
      step: button("Update", "A whole update at once", halt("step")),
      undo: button("Undo", "Take the last change back (Ctrl+Z)", halt("undo")),
      reset: button("Reset", "Points back to where they started; settings stay", halt("reset")),
    };
    this.buttons.next.classList.add("te-primary");
    const { back, next, play, step, undo, reset } = this.buttons;
    return html(
      "div", { class: "te-slow" },
      html("ol", { class: "te-chips", "aria-label": "The sub-steps of one update" }, ...this.chips),
      html("span", { class: "te-buttons" }, back, next, play, html("span", { class: "te-gap" }), step, undo, reset),
    );
  }

  // showing

  update(before) {
    const now = this.now;
    this.loss.textContent = now.phase === PAIRS || now.phase === DISTANCES ? "…" : now.loss;
    this.sum.textContent = now.phase === PAIRS || now.phase === DISTANCES ? "" : now.arithmetic;
    this.count.textContent = `update ${now.steps}`;
    this.presets.forEach((node, k) => node.setAttribute("aria-pressed", String(this.words.presets[k] === now.scene)));
    for (const control of Object.values(this.controls)) control.show(now);
    this.chips.forEach((chip, k) => {
      chip.classList.toggle("te-done", k + 1 < now.phase);
      if (k + 1 === now.phase) chip.setAttribute("aria-current", "step");
      else chip.removeAttribute("aria-current");
    });
    this.chips[0].lastChild.textContent = now.settings.loss === "triplet" ? "triplets" : "pairs";
    this.buttons.back.disabled = now.phase === EXPLORE;
    this.buttons.undo.disabled = !now.can_undo;
    for (const name of ["next", "step", "play"]) this.buttons[name].disabled = Boolean(now.undefined);
    this.plane.update(before, now);
    this.showToggles();
    this.showTable(before);
    this.showCurve();
    this.say(this.hint ?? null);
    this.goOn();
  }

  showToggles() {
    for (const [key, node] of Object.entries(this.toggles)) node.setAttribute("aria-pressed", String(this.plane[key]));
  }

  showArrowScale(scale) {
    const size = scale === 1 ? "" : scale < 1 ? `forces drawn at ${Number(scale.toPrecision(2))} of their size` : `forces drawn ${scale} times as long`;
    if (this.arrowScale.textContent !== size) this.arrowScale.textContent = size;
  }

  showTable() {
    const now = this.now, triplet = now.settings.loss === "triplet";
    const titles = triplet ? ["triplet", "d(a,p)", "d(a,n)", "term"] : ["pair", "distance", "violation", "term"];
    const key = JSON.stringify([now.names, titles, now.rows.map((row) => [row.kind, row.members])]);
    if (key !== this.tableKey) {
      this.tableKey = key;
      this.tableHead.replaceChildren(...titles.map((title) => html("th", { scope: "col" }, title)));
      this.tableBody.replaceChildren(...now.rows.map((row, number) => this.tableRow(row, number)));
    }
    now.rows.forEach((row, number) => {
      const cells = triplet ? [...row.distances, row.term] : [row.distances[0], row.violation, row.term];
      const from = triplet ? [DISTANCES, DISTANCES, VIOLATIONS] : [DISTANCES, VIOLATIONS, VIOLATIONS];
      const node = this.tableBody.children[number], kind = node.querySelector(".te-kind");
      const judged = now.phase === EXPLORE || now.phase >= VIOLATIONS;
      kind.textContent = triplet && !judged ? "" : row.sort;
      kind.className = `te-kind te-${row.sort}`;
      cells.forEach((text, k) => {
        node.children[k + 1].textContent = now.phase === EXPLORE || now.phase >= from[k] ? text : "";
      });
      node.classList.toggle("te-idle", !row.active && judged);
    });
    this.hidden.textContent = now.rows_hidden ? `and ${now.rows_hidden} more; the loss counts them all` : "";
  }

  tableRow(row, number) {
    const names = row.members.map((i) => this.now.names[i]);
    const kind = html("span", { class: "te-kind" });
    const light = () => this.light(number), dark = () => this.light(null);
    const name = html("td", {}, kind, names.join(row.kind === "triplet" ? " · " : " – "));
    return html(
      "tr", { tabindex: 0, onpointerenter: light, onpointerleave: dark, onfocus: light, onblur: dark },
      name, html("td"), html("td"), html("td"),
    );
  }

  /** Light a pair or triplet up, and say it in words; null: none. */
  light(number) {
    if (this.plane.held) return;
    this.plane.hot = number;
    [...this.tableBody.children].forEach((row, k) => row.classList.toggle("te-lit", k === number));
    this.say(number === null ? null : "row");
    this.plane.draw();
  }

  say(hint) {
    this.hint = hint;
    const now = this.now, row = hint === "row" ? now.rows[this.plane.hot] : null;
    const judged = now.phase === EXPLORE || now.phase >= VIOLATIONS;
    const point = hint?.point !== undefined && (now.phase === EXPLORE || now.phase === FORCES) ? now.points_said[hint.point] : null;
    const help = typeof hint === "string" && hint !== "row" ? hint : null;
    const text = now.trouble || now.undefined || (judged && row?.words) || point || help;
    const said = [text || now.said, now.caution].filter(Boolean).join(" ");
    if (this.said.textContent !== said) this.said.textContent = said;
    this.said.classList.toggle("te-trouble", Boolean(now.trouble || now.undefined));
  }

  showCurve() {
    const losses = this.now.losses, top = Math.max(...losses, 1e-9), n = losses.length;
    this.curve.style.visibility = n > 1 ? "visible" : "hidden";
    if (n < 2) return;
    const points = losses.map((loss, k) => `${4 + (112 * k) / (n - 1)},${30 - (26 * loss) / top}`);
    const [x, y] = points[n - 1].split(",");
    this.curve.setAttribute("aria-label", `The loss after each update, now ${this.now.loss}`);
    this.curve.replaceChildren(
      svg("line", { x1: 2, x2: 118, y1: 30.5, y2: 30.5 }),
      svg("polyline", { points: points.join(" ") }),
      svg("circle", { cx: x, cy: y, r: 3 }),
    );
  }

  // slow motion, and keys

  play(on) {
    this.stop();
    if (!on) return;
    this.playing = true;
    this.ask({ do: "substep" });
    this.showPlaying();
  }

  /** While it plays, each sub-step brings the next one; it ends where nothing would move. */
  goOn() {
    clearTimeout(this.timer);
    if (!this.playing) return;
    if (this.now.trouble || this.now.undefined || (this.now.still && this.now.phase >= FORCES)) this.stop();
    else this.timer = setTimeout(() => this.ask({ do: "substep" }), SLOW);
  }

  stop() {
    clearTimeout(this.timer);
    this.playing = null;
    this.showPlaying();
  }

  showPlaying() {
    if (!this.buttons) return;
    this.buttons.play.textContent = this.playing ? "Stop" : "Play";
    this.buttons.play.setAttribute("aria-pressed", String(Boolean(this.playing)));
  }

  project() {
    this.projector = this.root.classList.toggle("te-projector");
    this.projectorButton.setAttribute("aria-pressed", String(this.projector));
  }

  key(event) {
    const typing = event.target.matches("input[type=number], select");
    if (event.key === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !typing) {
      event.preventDefault();
      this.stop();
      this.ask({ do: "undo" });
    } else if (event.key === "p" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      this.project();
    } else if (event.key === "Escape") this.stop();
  }
}

export default {
  render({ model, el }) {
    const page = new Page(model, el);
    return () => page.close();
  },
};
