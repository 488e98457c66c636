// DistanceLab's page. Python computes every number; this file draws them, and says what the learner's hands did.
// Out: wishes ("move", "set", "preset", "undo", "reset"), one at a time. In: `readings`, the whole state with its
// numbers. While a drag is under way the page's own points are the truth, afterwards the kernel's are.

const ROWS_SHOWN = 12; // of a longer vector the first coordinates are drawn, all of them count
const BUSY_AFTER = 400; // ms without an answer, after which the page says that it waits

const TAKES_KEYS = new Set(["button", "input", "summary"]);

const COSINE = '<span class="fraction"><span><i>x</i> · <i>y</i></span><span>|<i>x</i>| |<i>y</i>|</span></span>';
const FORMULAS = {
  euclidean: '√<span class="root">Σ (<i>x</i><sub>i</sub> − <i>y</i><sub>i</sub>)<sup>2</sup></span>',
  squared_euclidean: "Σ (<i>x</i><sub>i</sub> − <i>y</i><sub>i</sub>)<sup>2</sup>",
  manhattan: "Σ |<i>x</i><sub>i</sub> − <i>y</i><sub>i</sub>|",
  cosine_similarity: COSINE,
  cosine: `1 − ${COSINE}`,
};
const SHAPES = { x: "M9,0A9,9 0 1 1 -9,0A9,9 0 1 1 9,0Z", y: "M-8,-8H8V8H-8Z", z: "M0,-10.5L10,8H-10Z" };

// ------------------------------------------------------------------------------------------------ small tools

function make(namespace) {
  return (name, attributes = {}, ...children) => {
    const node = document.createElementNS(namespace, name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (value === true) node.setAttribute(key, "");
      else if (value !== false && value != null) node.setAttribute(key, value);
    }
    // JupyterLab matches its shortcuts from the focused element upwards ("x" cuts the cell): it must stop right there.
    if (TAKES_KEYS.has(name) || "tabindex" in attributes) node.setAttribute("data-lm-suppress-shortcuts", "true");
    node.append(...children.filter((child) => child != null));
    return node;
  };
}
const html = make("http://www.w3.org/1999/xhtml");
const svg = make("http://www.w3.org/2000/svg");

const tidy = (value, digits = 2) => String(Number(value.toFixed(digits)) + 0).replace("-", "−");
const minus = (text) => text.replace(/-/g, "−");
const snapped = (value, grain) => Number((Math.round(value / grain) * grain).toPrecision(10)) + 0;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const copy = (points) => Object.fromEntries(Object.entries(points).map(([name, v]) => [name, [...v]]));
const shown = (settings) => (settings.triangle ? ["x", "y", "z"] : ["x", "y"]);

/** The smallest of ..., 0.1, 0.2, 0.5, 1, 2, 5, ... that is at least `least`. */
function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= least * (1 - 1e-9));
}

/** Both drawings are drawn in the page's own pixels, so that type and handles keep their size at every width. */
function sizeOf(width, projector) {
  const height = Math.min(0.8 * width, Math.max(360, 0.6 * window.innerHeight)); // the numbers beside it stay in view
  const unit = projector ? 1.4 : 1; // of type and handles
  return { width, height, unit, grid: Math.min(width / 11.2, height / 8.96), cx: width / 2, cy: height / 2 };
}

/** A text that stays inside the drawing. */
function label(size, words, x, y, attributes = {}) {
  const wide = 8.6 * size.unit * words.length; // nearly: what a letter takes
  const anchor = attributes["text-anchor"] ?? "middle";
  const before = { start: 0, middle: wide / 2, end: wide }[anchor];
  const inside = clamp(x, before + 6, Math.max(before + 6, size.width - (wide - before) - 6));
  const low = clamp(y, 16 * size.unit, size.height - 8);
  return svg("text", { ...attributes, "text-anchor": anchor, x: inside, y: low }, words);
}

/** Move texts up or down until none lies on another or on a handle; the first ones stay where they are. */
function spread(texts, handles, { unit, height }) {
  const placed = handles.map(([x, y]) => [x - 10 * unit, y - 10 * unit, x + 10 * unit, y + 10 * unit]);
  for (const text of texts) {
    const [x, y] = ["x", "y"].map((name) => Number(text.getAttribute(name)));
    const wide = 8 * unit * text.textContent.length;
    const from = x - { start: 0, middle: wide / 2, end: wide }[text.getAttribute("text-anchor")];
    const box = (by) => [from, y + by - 12 * unit, from + wide, y + by + 3 * unit];
    const apart = (b) => placed.every((p) => b[2] < p[0] || p[2] < b[0] || b[3] < p[1] || p[3] < b[1]);
    const free = (b) => b[1] > 0 && b[3] < height && apart(b);
    const by = [0, 14, -14, 26, -26, 38, -38].map((k) => k * unit).find((k) => free(box(k))) ?? 0;
    text.setAttribute("y", y + by);
    placed.push(box(by));
  }
}

// ------------------------------------------------------------------------------------------------ the cable

/** One wish is under way at a time. Those of one gesture replace each other while they wait: the latest counts. */
function cable(model, { onWait, onQuiet }) {
  const page = Math.random().toString(36).slice(2);
  const waiting = [];
  let sent = null;
  let timer = 0;
  let number = 0;

  function pump() {
    if (sent || !waiting.length) return;
    sent = { ...waiting.shift(), page, number: ++number };
    model.send(sent);
    clearTimeout(timer);
    timer = setTimeout(() => onWait(true), BUSY_AFTER);
  }
  function heard(message) {
    if (message?.page !== page || message.heard !== sent?.number) return;
    sent = null;
    clearTimeout(timer);
    onWait(false);
    pump();
    if (!sent) onQuiet();
  }
  model.on("msg:custom", heard);
  return {
    quiet: () => !sent && !waiting.length,
    wish(message) {
      const last = waiting.at(-1);
      if (last?.gesture && last.gesture === message.gesture && last.do === message.do) waiting.pop();
      waiting.push(message);
      pump();
    },
    close() {
      clearTimeout(timer);
      model.off("msg:custom", heard);
    },
  };
}

// ------------------------------------------------------------------------------------------------ tips to drag

/** A handle for mouse, touch and arrow keys: `at` says where it is in the drawing, `moveTo` and `nudge` move it. */
function tip(name, actions, { at, moveTo, nudge }) {
  let grip = null; // from the pointer to the middle of the handle, so that it does not jump
  let gesture = "";
  const node = svg(
    "g",
    { class: `tip ${name}`, tabindex: 0, role: "slider", "aria-roledescription": "vector to drag" },
    svg("circle", { class: "reach", r: 24 }),
    svg("circle", { class: "halo", r: 17 }),
    svg("path", { class: "shape", d: SHAPES[name] }),
  );
  const pointer = (event) => {
    const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(node.ownerSVGElement.getScreenCTM().inverse());
    return [p.x, p.y];
  };
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const [px, py] = pointer(event);
    const [x, y] = at();
    grip = [x - px, y - py];
    gesture = actions.newGesture();
    node.setPointerCapture(event.pointerId);
    node.classList.add("held");
    node.focus({ preventScroll: true });
    actions.hold(true);
    event.preventDefault();
  });
  // A finger on a handle drags it, elsewhere it scrolls the page. (Parts of an SVG do not obey CSS touch-action.)
  node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  node.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const [px, py] = pointer(event);
    moveTo([px + grip[0], py + grip[1]], event.shiftKey, gesture);
  });
  node.addEventListener("lostpointercapture", () => {
    grip = null;
    node.classList.remove("held");
    actions.hold(false);
  });
  node.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!event.repeat) gesture = actions.newGesture(); // a key held down is one step of undo
    nudge(way, event.shiftKey, gesture);
    event.preventDefault();
  });
  return node;
}

function describe(node, name, vector, view) {
  const { readings, rows, settings } = view;
  const row = rows.find((r) => r.key === settings.metric);
  const said = `(${vector.map((v) => tidy(v)).join(", ")})`;
  node.setAttribute("aria-label", `Vector ${name} at ${said}. Arrow keys move it, with Shift by whole steps.`);
  node.setAttribute("aria-valuenow", vector[0]);
  node.setAttribute("aria-valuetext", `${said}; ${row.name} of x and y: ${readings.values[row.key] ?? "undefined"}`);
}

// ------------------------------------------------------------------------------------------------ the plane

function plane(actions) {
  const grid = svg("g", { "aria-hidden": "true" });
  const drawing = svg("g", { "aria-hidden": "true" });
  const node = svg("svg", { role: "group", "aria-label": "The plane" });
  let step = 1; // value between two grid lines
  let size = sizeOf(560, false);
  let points = {};
  const toPixel = ([a, b]) => [size.cx + (a / step) * size.grid, size.cy - (b / step) * size.grid];
  const toValue = ([px, py]) => [((px - size.cx) / size.grid) * step, ((size.cy - py) / size.grid) * step];
  const inside = ([px, py]) => [clamp(px, 12, size.width - 12), clamp(py, 12, size.height - 12)];

  const tips = {};
  for (const name of ["z", "y", "x"]) {
    tips[name] = tip(name, actions, {
      at: () => toPixel(actions.points()[name]),
      moveTo(pixel, whole, gesture) {
        const grain = whole ? step : step / 20;
        actions.move(name, toValue(inside(pixel)).map((v) => snapped(v, grain)), gesture);
      },
      nudge([right, up], whole, gesture) {
        const by = whole ? step : step / 10;
        const [a, b] = actions.points()[name];
        const pixel = inside(toPixel([a + right * by, b + up * by]));
        actions.move(name, toValue(pixel).map((v) => snapped(v, step / 100)), gesture);
      },
    });
  }
  node.append(grid, drawing, tips.z, tips.y, tips.x);

  /** The grid's step grows by 1, 2, 5, 10 until every vector fits; it stays put while something is held. */
  function fit(view) {
    const all = shown(view.settings).map((name) => view.points[name]);
    const least = Math.max(...all.map(([a, b]) => Math.max(Math.abs(a) / 5.1, Math.abs(b) / 4)));
    step = roundStep(Math.max(least, least < 0.08 && least > 0 ? least : 1));
  }
  function drawGrid() {
    const lines = [];
    const numbers = [];
    const { width, height, cx, cy } = size;
    const off = 5 + 11 * size.unit;
    for (let k = -Math.floor(cx / size.grid); k <= cx / size.grid; k++) {
      const [px, py] = toPixel([k * step, k * step]);
      const kind = k ? "grid" : "axis";
      lines.push(svg("line", { class: kind, x1: px, x2: px, y1: 0, y2: height }));
      lines.push(svg("line", { class: kind, x1: 0, x2: width, y1: py, y2: py }));
      if (k) numbers.push(tick(tidy(k * step, 6), px, cy + off, "middle"));
      if (k && py > 8 && py < height - 8) numbers.push(tick(tidy(k * step, 6), cx - 7, py + 4, "end"));
    }
    grid.replaceChildren(...lines, ...numbers);
  }
  const tick = (text, x, y, anchor) => svg("text", { class: "tick", x, y, "text-anchor": anchor }, text);

  let drawn = "";
  function draw(view) {
    ({ points, size } = view);
    if (!view.held) fit(view);
    const key = `${step} ${size.width} ${size.unit}`;
    if (key !== drawn) {
      node.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
      drawGrid();
    }
    drawn = key;
    const letters = shown(view.settings);
    const ball = view.settings.triangle ? [] : drawBall(view, toPixel, step);
    const ways = drawWays(view, toPixel);
    const texts = ways.filter((part) => part.tagName === "text"); // above the arrows, the rest below them
    const shapes = ways.filter((part) => part.tagName !== "text");
    const names = letters.map(nameOf);
    spread([...names, ...texts], letters.map((name) => toPixel(points[name])), size);
    drawing.replaceChildren(...ball, ...shapes, ...letters.flatMap(arrow), ...names, ...texts);
    for (const [name, handle] of Object.entries(tips)) {
      handle.toggleAttribute("hidden", !letters.includes(name));
      handle.setAttribute("transform", `translate(${toPixel(points[name])}) scale(${size.unit})`);
      describe(handle, name, points[name], view);
    }
  }
  /** From the origin to the tip's handle: along how far, and in which direction. */
  function ray(name) {
    const [px, py] = toPixel(points[name]);
    const far = Math.hypot(px - size.cx, py - size.cy);
    return { px, py, far, ux: (px - size.cx) / (far || 1), uy: (py - size.cy) / (far || 1) };
  }
  function arrow(name) {
    const { px, py, far, ux, uy } = ray(name);
    const at = (back, aside) => [px - ux * back * size.unit - uy * aside, py - uy * back * size.unit + ux * aside];
    const wing = 6.5 * size.unit;
    const short = far < 26 * size.unit;
    const [ex, ey] = short ? [px, py] : at(18, 0);
    const shaft = svg("line", { class: `arrow ${name}`, x1: size.cx, y1: size.cy, x2: ex, y2: ey });
    if (short) return [shaft];
    return [
      shaft,
      svg("path", { class: `arrow-head ${name}`, d: `M${at(9, 0)}L${at(23, wing)}L${at(23, -wing)}Z` }),
    ];
  }
  function nameOf(name) {
    const { px, py, ux, uy } = ray(name);
    const anchor = ux > 0.35 ? "start" : ux < -0.35 ? "end" : "middle";
    const words = `${name} (${points[name].map((v) => tidy(v)).join(", ")})`;
    const level = Math.abs(uy) < 0.2 ? -14 : uy < 0 ? uy * 22 : uy * 22 + 10; // not on the axis
    const attributes = { class: `name ${name}`, "text-anchor": anchor };
    return label(size, words, px + ux * 18 * size.unit, py + level * size.unit, attributes);
  }
  return { node, draw };
}

/** All points at the radius from x: a circle, a circle, a diamond, or two directions. */
function drawBall({ settings, points, size }, toPixel, step) {
  const { metric, radius } = settings;
  const what = metric === "cosine" ? "directions" : "points";
  const words = `dashed: all ${what} at distance ${tidy(radius)} from x`;
  const key = label(size, words, 10, size.height - 12, { class: "ball-name", "text-anchor": "start" });
  const [x, y] = toPixel(points.x);
  const r = ((metric === "squared_euclidean" ? Math.sqrt(radius) : radius) / step) * size.grid;
  if (metric === "cosine") return points.x.some((v) => v) ? [drawWedge(points.x, radius, size), key] : [];
  if (metric !== "manhattan") return [svg("circle", { class: "ball", cx: x, cy: y, r }), key];
  return [svg("path", { class: "ball", d: `M${x + r},${y}L${x},${y - r}L${x - r},${y}L${x},${y + r}Z` }), key];
}

function drawWedge([a, b], radius, { cx, cy }) {
  const far = 3000;
  const half = Math.acos(1 - Math.min(radius, 2));
  const middle = Math.atan2(b, a);
  if (half > Math.PI - 1e-6) return svg("circle", { class: "ball", cx, cy, r: far });
  const end = (angle) => [cx + far * Math.cos(angle), cy - far * Math.sin(angle)];
  const arc = `A${far},${far} 0 ${half > Math.PI / 2 ? 1 : 0} 0 ${end(middle + half)}`;
  return svg("path", { class: "ball", d: `M${cx},${cy}L${end(middle - half)}${arc}Z` });
}

/** What the distance measures: between x and y, or along all three sides of the triangle. */
function drawWays(view, toPixel) {
  const { settings, points, readings, size } = view;
  const [x, y, z] = ["x", "y", "z"].map((name) => toPixel(points[name]));
  const origin = [size.cx, size.cy];
  const draw = WAYS[settings.metric];
  const text = (value) => (value == null ? "" : tidy(Number(value)));
  if (!settings.triangle) {
    const value = text(readings.values[settings.metric]);
    const away = -side(x, y, origin) || 1;
    return draw({ a: x, b: y, away, text: value, kind: "", ends: ["x", "y"], view });
  }
  const { direct, first, second } = readings.triangle;
  // Squares and labels of the sides look outwards; on one line the direct side looks to the origin.
  const turn = side(x, z, y) || -side(x, z, origin) || 1;
  return [
    ...draw({ a: x, b: z, away: -turn, text: text(direct), kind: " direct", ends: ["x", "z"], view }),
    ...draw({ a: x, b: y, away: turn, text: text(first), kind: " detour", ends: ["x", "y"], view }),
    ...draw({ a: y, b: z, away: turn, text: text(second), kind: " detour", ends: ["y", "z"], view }),
  ];
}

/** On which side of the line from a to b a point lies: 1, -1, or 0 on the line. */
function side(a, b, point) {
  const cross = (point[0] - a[0]) * (b[1] - a[1]) - (point[1] - a[1]) * (b[0] - a[0]);
  return Math.abs(cross) < 1e-6 ? 0 : Math.sign(cross);
}

/** The unit vector square to a-b on that side, and the length of a-b. */
function normal(a, b, away) {
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
  if (!length) return [0, -1, 0];
  return [((b[1] - a[1]) / length) * away, ((a[0] - b[0]) / length) * away, length];
}

const straight = (a, b, kind) => svg("line", { class: `way${kind}`, x1: a[0], y1: a[1], x2: b[0], y2: b[1] });
const BOLD = { class: "strong" };

const WAYS = {
  euclidean({ a, b, away, text, kind, view }) {
    const [nx, ny] = normal(a, b, away);
    const off = 17 * view.size.unit;
    const words = label(view.size, text, (a[0] + b[0]) / 2 + nx * off * 1.3, (a[1] + b[1]) / 2 + ny * off + 5, BOLD);
    return [straight(a, b, kind), words];
  },

  squared_euclidean({ a, b, away, text, kind, view }) {
    const [nx, ny, length] = normal(a, b, away);
    const [c, d] = [b, a].map((p) => [p[0] + nx * length, p[1] + ny * length]);
    const area = svg("path", { class: `area${kind}`, d: `M${a}L${b}L${c}L${d}Z` });
    return [area, straight(a, b, kind), label(view.size, text, (a[0] + c[0]) / 2, (a[1] + c[1]) / 2 + 5, BOLD)];
  },

  manhattan({ a, b, away, text, kind, view }) {
    const { size, settings, readings } = view;
    const stairs = 4;
    const corners = [[b[0], a[1]], [a[0], b[1]]]; // across and then along, or along and then across
    const corner = corners.find((c) => side(a, b, c) === away) ?? corners[0];
    const thin = Array.from({ length: stairs }, (_, k) => [0, 1].map((i) => a[i] + ((b[i] - a[i]) * (k + 1)) / stairs));
    const road = svg("path", { class: `way${kind}`, d: `M${a}L${corner}L${b}` });
    const sideways = corner[0] >= (a[0] + b[0]) / 2 ? 1 : -1;
    const upright = corner[1] >= (a[1] + b[1]) / 2 ? 1 : -1;
    const level = upright > 0 ? 7 + 11 * size.unit : -7;
    if (settings.triangle) return [road, label(size, text, (2 * corner[0] + a[0] + b[0]) / 4, corner[1] + level, BOLD)];
    const anchor = { ...BOLD, "text-anchor": sideways > 0 ? "start" : "end" };
    const [across, along] = readings.parts;
    return [
      svg("path", { class: "way thin", d: `M${a}${thin.map(([px, py]) => `H${px}V${py}`).join("")}` }),
      road,
      label(size, tidy(across), (a[0] + b[0]) / 2, corner[1] + level, BOLD),
      label(size, tidy(along), corner[0] + sideways * 8, (a[1] + b[1]) / 2 + 5, anchor),
    ];
  },

  cosine({ text, kind, ends, view }) {
    const { size, points, readings, settings } = view;
    const [from, to] = ends.map((name) => points[name]);
    if (![from, to].every((v) => v.some((entry) => entry))) return [];
    const start = Math.atan2(from[1], from[0]);
    let sweep = Math.atan2(to[1], to[0]) - start;
    if (sweep > Math.PI + 1e-9) sweep -= 2 * Math.PI;
    if (sweep <= -Math.PI + 1e-9) sweep += 2 * Math.PI;
    const radius = (kind === " direct" ? 92 : 58) * size.unit;
    const at = (angle, r) => [size.cx + r * Math.cos(angle), size.cy - r * Math.sin(angle)];
    const arc = `A${radius},${radius} 0 0 ${sweep > 0 ? 0 : 1} ${at(start + sweep, radius)}`;
    const inner = kind === " detour";
    const words = settings.triangle || readings.angle == null ? text : `${tidy(readings.angle, 1)}°`;
    const [lx, ly] = at(start + sweep * (kind === " direct" ? 0.28 : 0.5), radius + (inner ? -19 : 22) * size.unit);
    const first = at(start, radius);
    const sector = svg("path", { class: "sector", d: `M${size.cx},${size.cy}L${first}${arc}Z` });
    const edge = svg("path", { class: `way${kind}`, d: `M${first}${arc}` });
    return [...(kind ? [] : [sector]), edge, label(size, words, lx, ly + 5, BOLD)];
  },
};

// ------------------------------------------------------------------------------------------------ any dimension

/** One line a coordinate: its numbers as dots to drag, the difference between them, and what it adds to the sum. */
function coordinates(actions) {
  const lines = svg("g", { "aria-hidden": "true" });
  const handles = svg("g");
  const node = svg("svg", { role: "group", "aria-label": "The coordinates" });
  node.append(lines, handles);
  const STEPS = 8; // shown on the number line
  const TOP = 46;
  let tips = []; // [{name, index, node}]
  let points = {};
  let size = sizeOf(560, false);
  let low = 0;
  let step = 1;
  let height = 60; // of one line
  const left = () => 40 * size.unit;
  const right = () => 0.66 * size.width;
  const shares = () => 0.71 * size.width; // where the second column begins
  const toX = (value) => left() + ((value - low) / (STEPS * step)) * (right() - left());
  const toY = (index) => TOP * size.unit + 6 + height * (index + 0.5);

  function fit(view) {
    const all = shown(view.settings).flatMap((name) => view.points[name].slice(0, ROWS_SHOWN));
    const [least, most] = [Math.min(0, ...all), Math.max(0, ...all)];
    step = roundStep(Math.max((most - least) / 6, 0.1));
    low = Math.floor(least / step - 0.5) * step;
    if (most <= low + (STEPS - 0.5) * step) return;
    step = roundStep(step * 1.5);
    low = Math.floor(least / step - 0.5) * step;
  }
  function makeHandles(view) {
    const wanted = [];
    const count = Math.min(view.points.x.length, ROWS_SHOWN);
    for (let index = 0; index < count; index++) {
      for (const name of [...shown(view.settings)].reverse()) wanted.push([name, index]);
    }
    const key = String(wanted);
    if (handles.dataset.key === key) return;
    handles.dataset.key = key;
    tips = wanted.map(([name, index]) => ({ name, index, node: handle(name, index) }));
    handles.replaceChildren(...tips.map((t) => t.node));
  }
  function handle(name, index) {
    const put = (value, grain, gesture) => {
      const vector = [...actions.points()[name]];
      vector[index] = snapped(clamp(value, low, low + STEPS * step), grain);
      actions.move(name, vector, gesture);
    };
    return tip(name, actions, {
      at: () => [toX(actions.points()[name][index]), toY(index)],
      moveTo([px], whole, gesture) {
        put(low + ((px - left()) / (right() - left())) * STEPS * step, whole ? step : step / 20, gesture);
      },
      nudge([across, up], whole, gesture) {
        put(actions.points()[name][index] + (across + up) * (whole ? step : step / 10), step / 100, gesture);
      },
    });
  }
  function draw(view) {
    ({ points, size } = view);
    if (!view.held) fit(view);
    const count = Math.min(points.x.length, ROWS_SHOWN);
    height = Math.min(104 * size.unit, (size.height - (TOP + 46) * size.unit) / count);
    node.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
    makeHandles(view);
    const seen = view.readings.parts.slice(0, ROWS_SHOWN);
    const range = { largest: Math.max(...seen.map(Math.abs), 1e-12), signed: seen.some((part) => part < 0) };
    const rows = points.x.slice(0, count).flatMap((_, index) => row(view, index, range));
    lines.replaceChildren(...scale(), ...words(view), ...rows);
    for (const { name, index, node: dot } of tips) {
      const value = points[name][index];
      const grown = Math.min(size.unit, height / 24);
      dot.setAttribute("transform", `translate(${toX(value)},${toY(index)}) scale(${grown})`);
      const says = `Coordinate ${index + 1} of ${name}: ${tidy(value)}. Arrow keys move it, with Shift by whole steps.`;
      dot.setAttribute("aria-label", says);
      dot.setAttribute("aria-valuenow", value);
      dot.setAttribute("aria-valuetext", tidy(value));
    }
  }
  function scale() {
    const nodes = [];
    for (let k = 0; k <= STEPS; k++) {
      const value = low + k * step;
      const px = toX(value);
      const kind = Math.abs(value) < 1e-9 * step ? "axis" : "grid";
      nodes.push(svg("line", { class: kind, x1: px, x2: px, y1: TOP * size.unit, y2: size.height - 40 * size.unit }));
      const text = tidy(value, 6);
      nodes.push(svg("text", { class: "tick", x: px, y: (TOP - 8) * size.unit, "text-anchor": "middle" }, text));
    }
    return nodes;
  }
  function words({ settings, readings }) {
    const what = { manhattan: "|difference|", cosine: "product" }[settings.metric] ?? "difference²";
    const hidden = points.x.length - ROWS_SHOWN;
    const foot = size.height - 14 * size.unit;
    const more = hidden > 0 ? `and ${hidden} more coordinates, all of them counted` : "coordinate by coordinate";
    return [
      svg("text", { class: "tick", x: 12, y: 18 * size.unit }, more),
      svg("text", { x: shares(), y: (TOP - 8) * size.unit }, what),
      svg("text", { class: "strong", x: size.width - 14, y: foot, "text-anchor": "end" }, minus(readings.total)),
    ];
  }
  function row(view, index, range) {
    const y = toY(index);
    const [from, to] = [toX(points.x[index]), toX(points.y[index])];
    return [
      svg("line", { class: "grid", x1: left(), x2: right(), y1: y, y2: y }),
      svg("line", { class: "way", x1: from, x2: to, y1: y, y2: y }),
      svg("text", { class: "strong", x: 12, y: y + 5 }, String(index + 1)),
      ...share(view.settings.metric, view.readings.parts[index] ?? 0, range, y),
    ];
  }
  /** A square for a square, a bar for a length; products may be negative, and their bars then start in the middle. */
  function share(metric, part, { largest, signed }, y) {
    const squares = metric === "euclidean" || metric === "squared_euclidean";
    const room = squares ? Math.min(height * 0.8, 0.13 * size.width) : 0.15 * size.width;
    const most = signed ? room / 2 : room;
    const wide = most * (squares ? Math.sqrt(Math.abs(part) / largest) : Math.abs(part) / largest);
    const tall = squares ? wide : Math.min(18 * size.unit, height * 0.7);
    const zero = shares() + (signed ? room / 2 : 0);
    const bar = { x: part < 0 ? zero - wide : zero, y: y - tall / 2, width: wide, height: tall };
    const text = svg("text", { class: "strong", x: shares() + room + 10, y: y + 5 }, tidy(part));
    const middle = svg("line", { class: "axis", x1: zero, x2: zero, y1: y - height / 2, y2: y + height / 2 });
    return [svg("rect", { class: part < 0 ? "area detour" : "share", ...bar }), ...(signed ? [middle] : []), text];
  }
  return { node, draw };
}

// ------------------------------------------------------------------------------------------------ numbers

function table(words, actions) {
  const group = Math.random().toString(36).slice(2);
  const help = html("div", { class: "help" });
  const cells = {};
  let hovered = null;
  let last = null;
  const rows = words.rows.map(({ key, name }) => {
    const isDistance = key in words.metrics;
    const choose = () => isDistance && actions.set({ metric: key });
    const radio = html("input", { type: "radio", name: group, value: key, onchange: choose });
    const mark = isDistance ? radio : html("span", { class: "no", "aria-hidden": "true" }, "✗");
    const formula = html("span", { class: "formula" });
    formula.innerHTML = FORMULAS[key]; // a constant of this file
    const value = html("td", { class: "value te-number" });
    const verdict = html("td", { class: "verdict" });
    const title = isDistance ? name : html("span", {}, name, html("div", { class: "te-note" }, "not a distance"));
    const line = html(
      "tr",
      { "data-key": key, onpointerenter: () => hover(key), onpointerleave: () => hover(null) },
      html("td", {}, html("label", {}, mark, title)),
      html("td", { class: "written" }, formula),
      value,
      verdict,
    );
    line.addEventListener("focusin", () => hover(key));
    line.addEventListener("focusout", () => hover(null));
    line.addEventListener("click", (event) => event.target.closest("label") || choose());
    cells[key] = { line, radio, value, verdict };
    return line;
  });
  const asked = html("th", {}, "triangle");
  const column = (text, kind) => html("th", { scope: "col", class: kind }, text);
  const head = html("tr", {}, column("from x to y"), column("formula", "written"), column("value", "value"), asked);
  const node = html("table", {}, html("thead", {}, head), html("tbody", {}, ...rows));

  function hover(key) {
    hovered = key;
    if (last) explain(last);
  }
  function explain(view) {
    const key = hovered ?? view.settings.metric;
    const row = words.rows.find((r) => r.key === key);
    const worked = view.readings.worked[key];
    help.replaceChildren(html("div", {}, html("b", {}, `${row.name}. `), row.words));
    const formula = html("span", { class: "formula" });
    formula.innerHTML = FORMULAS[key]; // a constant of this file
    help.append(html("div", { class: "worked" }, formula, minus(worked)));
  }
  function draw(view) {
    last = view;
    const { readings, settings } = view;
    asked.hidden = !settings.triangle;
    for (const [key, cell] of Object.entries(cells)) {
      const value = readings.values[key];
      cell.line.classList.toggle("chosen", key === settings.metric);
      cell.radio.checked = key === settings.metric;
      cell.value.textContent = value == null ? words.undefined : minus(value);
      cell.value.classList.toggle("undefined", value == null);
      cell.verdict.hidden = !settings.triangle;
      const holds = readings.triangles[key];
      cell.verdict.replaceChildren(verdict(holds, ""));
      cell.verdict.setAttribute("aria-label", holds == null ? "" : holds ? "holds" : "broken");
    }
    explain(view);
  }
  return { node, help, draw };
}

function verdict(holds, words) {
  if (holds == null) return html("span", { class: "te-note" }, "");
  return html("span", { class: holds ? "yes" : "no" }, `${holds ? "✓" : "✗"} ${words}`);
}

function trianglePanel(words, actions) {
  const box = html("input", { type: "checkbox", onchange: () => actions.set({ triangle: box.checked }) });
  const direct = html("div", { class: "track" });
  const detour = html("div", { class: "track" });
  const numbers = { direct: html("span", { class: "te-number" }), detour: html("span", { class: "te-number" }) };
  const says = html("div", { class: "verdict", "aria-live": "polite" });
  const bars = html(
    "div",
    { class: "bars" },
    html("div", {}, "straight from x to z: ", numbers.direct),
    direct,
    html("div", {}, "by way of y: ", numbers.detour),
    detour,
  );
  const inside = html("div", {}, bars, says);
  const { label: title, help } = words.settings.triangle;
  const node = html("div", { class: "te-card" }, html("label", { class: "line", title: help }, box, title), inside);

  function draw({ settings, readings }) {
    box.checked = settings.triangle;
    inside.hidden = !settings.triangle;
    if (!settings.triangle) return;
    const { direct: straight, first, second, detour: around } = readings.triangle;
    if (straight == null || first == null || second == null) {
      for (const part of [direct, detour, numbers.direct, numbers.detour]) part.replaceChildren();
      return says.replaceChildren(words.undefined);
    }
    const most = Math.max(straight, around, 1e-12);
    const piece = (value, kind) => html("div", { class: kind, style: `width:${(100 * value) / most}%` });
    direct.replaceChildren(piece(straight, ""));
    detour.replaceChildren(piece(first, "detour"), piece(second, "detour"));
    numbers.direct.textContent = readings.legs.direct;
    numbers.detour.textContent = `${readings.legs.first} + ${readings.legs.second} = ${readings.legs.detour}`;
    const holds = readings.triangles[settings.metric];
    const kept = "The direct way is not longer than the way through y.";
    const broken = "The way through y is shorter than the direct one: the triangle inequality is broken.";
    const { is_metric: always, why_not: reason } = words.metrics[settings.metric];
    const rest = always ? " This distance keeps it for every three points." : reason && !holds ? ` ${reason}` : "";
    says.replaceChildren(verdict(holds, holds ? kept : broken), html("span", { class: "te-note" }, rest));
  }
  return { node, draw };
}

/** Three reasons, each with the numbers of the vectors at hand. */
function whyPanel(words) {
  const list = html("ol");
  const node = html(
    "details",
    { class: "te-card why" },
    html("summary", {}, "Why cosine similarity is not a distance"),
    list,
  );
  const n = (text) => html("span", { class: "te-number" }, minus(text));
  function draw({ readings }) {
    const why = readings.why;
    if (!why) return list.replaceChildren(html("li", {}, words.undefined));
    list.replaceChildren(
      html("li", {}, "sim(x, x) = ", n(why.self), ". The distance of a point to itself must be 0."),
      html("li", {}, "Larger means closer: sim(x, y) = ", n(why.pair), " and nothing is above ", n(why.self), "."),
      html(
        "li",
        {},
        "Make x ten times as long: sim(10x, y) = ",
        n(why.scaled),
        ", nothing changes. The Euclidean distance goes from ",
        n(why.euclidean),
        " to ",
        n(why.euclidean_scaled),
        ".",
      ),
      html("li", {}, "1 − sim mends the first two. It still breaks the triangle: try that preset."),
    );
  }
  return { node, draw };
}

// ------------------------------------------------------------------------------------------------ numbers to type

function fields(actions) {
  const node = html("div", { class: "fields" });
  let key = "";
  let inputs = {};
  let points = {};

  function resize(by) {
    const sized = (v) => (by > 0 ? [...v, 0] : v.slice(0, -1));
    actions.moveAll(Object.fromEntries(Object.entries(points).map(([name, v]) => [name, sized(v)])));
  }
  function build(view) {
    inputs = {};
    const rows = shown(view.settings).map((name) => {
      inputs[name] = points[name].map((_, index) => input(name, index));
      return html("div", { class: `line ${name}` }, html("span", { class: "letter" }, `${name} =`), ...inputs[name]);
    });
    const few = points.x.length <= 1;
    const count = html(
      "div",
      { class: "line small" },
      html("button", { onclick: () => resize(-1), disabled: few, "aria-label": "One coordinate fewer" }, "−"),
      html("span", { class: "te-note" }, few ? "1 coordinate" : `${points.x.length} coordinates`),
      html("button", { onclick: () => resize(1), "aria-label": "One coordinate more" }, "+"),
    );
    node.replaceChildren(...rows, count);
  }
  function input(name, index) {
    let gesture = "";
    const words = `${name}, coordinate ${index + 1}`;
    const one = html("input", { type: "number", step: 0.1, "aria-label": words });
    one.addEventListener("focus", () => (gesture = actions.newGesture()));
    one.addEventListener("blur", () => (one.value = trimmed(points[name][index])));
    one.addEventListener("input", () => {
      if (one.value === "" || !Number.isFinite(one.valueAsNumber)) return; // half-typed
      const vector = [...actions.points()[name]];
      vector[index] = one.valueAsNumber;
      actions.move(name, vector, gesture || actions.newGesture());
    });
    return one;
  }
  const trimmed = (value) => String(Number((value ?? 0).toFixed(4)));

  function draw(view) {
    points = view.points;
    const now = `${shown(view.settings)}${points.x.length}`;
    if (now !== key) build(view);
    key = now;
    for (const [name, row] of Object.entries(inputs)) {
      row.forEach((one, index) => {
        const focused = one.getRootNode().activeElement === one;
        if (!focused) one.value = trimmed(points[name][index]);
      });
    }
  }
  return { node, draw };
}

function radiusSlider(words, actions) {
  const { label: title, help, low, step } = words.settings.radius;
  let gesture = "";
  const slider = html("input", { type: "range", min: low, step, "aria-label": title });
  const number = html("span", { class: "te-number" });
  slider.addEventListener("pointerdown", () => (gesture = actions.newGesture()));
  slider.addEventListener("focus", () => (gesture = actions.newGesture()));
  slider.addEventListener("input", () => actions.set({ radius: slider.valueAsNumber }, gesture));
  const node = html("label", { class: "line", title: help }, title, slider, number);
  function draw({ settings, readings }) {
    slider.max = readings.radius_high;
    slider.value = settings.radius;
    number.textContent = tidy(settings.radius);
  }
  return { node, draw };
}

// ------------------------------------------------------------------------------------------------ the panel

function render({ model, el }) {
  const words = model.get("words");
  let readings = model.get("readings");
  let points = copy(readings.points);
  let settings = { ...readings.settings };
  let held = 0;
  let frame = 0;
  let gestures = 0;

  const line = cable(model, {
    onWait(waits) {
      root.classList.toggle("waits", waits);
      busy.hidden = !waits;
    },
    onQuiet: receive,
  });
  const actions = {
    points: () => points, // what the hands made of them, which the drawing follows a frame later
    newGesture: () => `${Date.now()}-${++gestures}`,
    hold(on) {
      held = on ? 1 : 0;
      redraw();
    },
    move(name, vector, gesture) {
      points = { ...points, [name]: vector };
      line.wish({ do: "move", points: { [name]: vector }, gesture });
      redraw();
    },
    moveAll: (all) => line.wish({ do: "move", points: all }),
    set(changes, gesture) {
      settings = { ...settings, ...changes };
      line.wish({ do: "set", settings: changes, gesture });
      redraw();
    },
  };
  const ask = (what, extra = {}) => () => line.wish({ do: what, ...extra });

  const undo = html("button", { onclick: ask("undo"), title: "Ctrl+Z" }, "Undo");
  const reset = html("button", { onclick: ask("reset"), title: "Back to the first vectors" }, "Reset");
  const large = { onclick: project, "aria-pressed": "false", title: "Large type: key p" };
  const projector = html("button", large, "Projector");
  const presets = words.presets.map((name) => html("button", { onclick: ask("preset", { name }) }, name));
  const late = "Waiting for the kernel: the numbers follow.";
  const busy = html("span", { class: "te-note", role: "status", hidden: true }, late);
  const problem = html("div", { class: "problem", role: "alert", hidden: true });
  const views = { plane: plane(actions), coordinates: coordinates(actions) };
  const parts = {
    table: table(words, actions),
    triangle: trianglePanel(words, actions),
    why: whyPanel(words),
    fields: fields(actions),
    radius: radiusSlider(words, actions),
  };
  const hint = html("div", { class: "te-note small" });
  const drawings = [views.plane.node, views.coordinates.node];
  const tools = html("div", { class: "bar tools" }, undo, reset, projector);
  const root = html(
    "div",
    { class: "te-lab te-distance", tabindex: -1, onkeydown: keys },
    html("div", { class: "bar" }, html("div", { class: "te-title" }, "How far is x from y?"), busy, tools),
    html("div", { class: "bar" }, ...presets),
    html(
      "div",
      { class: "columns" },
      html("div", { class: "stack" }, ...drawings, parts.radius.node, parts.fields.node, hint),
      html("div", { class: "stack" }, problem, parts.table.node, parts.table.help, parts.triangle.node, parts.why.node),
    ),
  );

  function project() {
    const on = root.classList.toggle("te-projector");
    projector.setAttribute("aria-pressed", on);
    redraw();
  }
  function keys(event) {
    const typing = event.target.matches?.('input[type="number"]');
    if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !typing) {
      ask("undo")();
      event.preventDefault();
    } else if (event.key === "p" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      project();
      event.preventDefault();
    }
  }
  function receive() {
    readings = model.get("readings");
    if (line.quiet()) {
      points = copy(readings.points);
      settings = { ...readings.settings };
    }
    redraw();
  }
  function redraw() {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      draw();
    });
  }
  function draw() {
    const flat = points.x.length === 2;
    views.plane.node.toggleAttribute("hidden", !flat);
    views.coordinates.node.toggleAttribute("hidden", flat);
    parts.radius.node.hidden = !flat || settings.triangle;
    const drawn = flat ? views.plane : views.coordinates;
    const size = sizeOf(drawn.node.clientWidth || 560, root.classList.contains("te-projector"));
    const view = { points, settings, readings, held, size, rows: words.rows };
    drawn.draw(view);
    for (const part of Object.values(parts)) part.draw(view);
    undo.disabled = !readings.can_undo;
    problem.textContent = readings.problem;
    problem.hidden = !readings.problem;
    const what = flat ? "the tips of the arrows" : "the dots";
    hint.textContent = `Drag ${what}, or focus one and use the arrow keys; Shift moves by whole steps. Ctrl+Z undoes.`;
  }

  model.on("change:readings", receive);
  el.append(root);
  const watcher = new ResizeObserver(redraw); // also when the cell is shown for the first time
  watcher.observe(root);
  draw();
  return () => {
    cancelAnimationFrame(frame);
    watcher.disconnect();
    model.off("change:readings", receive);
    line.close();
  };
}

export default { render };
