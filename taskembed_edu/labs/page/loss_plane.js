// LossLab's plane: the points to drag, on their way to where they are, and the view that follows them.

import { change, onHover, svg, whenChanged } from "./dom.js";
import { makeHandle, SHAPES } from "./handle.js";
import { labelBox, labelNode } from "./labels.js";
import { drawForces } from "./loss_forces.js";
import { drawLinks, drawRegions } from "./loss_links.js";
import { between, clamp, ease, roundStep, snapped } from "./numbers.js";
import { gridLines, toPixel, toPlace } from "./plane.js";

const SOME_ROWS = 10; // where there are more, the sums are drawn in place of each force

/** @param {Lab.LossStage} stage */
export function lossPlane(stage) {
  const { page } = stage;
  const node = page.part("plane");
  const renamed = whenChanged();
  /** @type {SVGGElement[]} */ let points = [];
  /** @type {number[][]} */ let shown = []; // where the points are drawn now
  /** @type {Lab.View | null} */ let view = null;
  /** @type {Lab.View | null} */ let wanted = null; // the view on its way
  /** @type {Lab.Glide | null} */ let glide = null;

  /** The view that shows the points, a fair part of the margin, and under the cosine the origin. */
  /** @param {Lab.Size} size @returns {Lab.View} */
  function fit(size) {
    const [region] = page.now.regions;
    const corners = [...page.points];
    if (page.now.settings.metric === "cosine") corners.push([0, 0]);
    else if (region) {
      const [x, y] = page.points[region.anchor];
      const reach = Math.min(region.size, 6);
      corners.push([x - reach, y - reach], [x + reach, y + reach]);
    }
    const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
    const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const room = size.unit > 1 ? 74 : 56;
    const across = (size.width - 2 * room) / Math.max(right - left, 0.5);
    const upward = (size.height - 2 * room) / Math.max(high - low, 0.5);
    return { ...size, x: (left + right) / 2, y: (low + high) / 2, scale: Math.min(across, upward, 150) };
  }
  /** Zoom where the points or the margin have left the view, or have grown small in it. */
  /** @param {Lab.LossReadings | null} before @param {Lab.View} old */
  function follow(before, old) {
    const { now } = page;
    const follows = ["metric", "loss", "anchors", "mining"]; // settings that change where the margin lies
    const jump = before?.scene !== now.scene || follows.some((name) => before.settings[name] !== now.settings[name]);
    const out = page.points.some((point) => {
      const [x, y] = toPixel(old, point);
      return x < 20 || y < 20 || x > old.width - 20 || y > old.height - 20;
    });
    const fitting = fit(old);
    const misfit = fitting.scale < old.scale || fitting.scale > 1.6 * old.scale;
    const margin = before && before.settings.margin !== now.settings.margin;
    return jump || out || (margin && misfit) ? fitting : old;
  }
  /** Let the points and the view glide to where they should be. @param {number} duration */
  function start(duration) {
    const reduced = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const still = shown.length !== page.points.length || reduced || page.held;
    if (still && !page.held) view = wanted;
    glide = { from: still ? page.points : shown, view, start: performance.now(), duration };
  }
  /** @param {Lab.LossReadings | null} before */
  function show(before) {
    const { now } = page;
    renamed(now.names.join(), makePoints);
    if (before?.scene !== now.scene) {
      stage.each = now.rows.length <= SOME_ROWS;
      stage.summed = !stage.each;
    }
    if (stage.hot !== null && stage.hot >= now.rows.length) stage.hot = null;
    if (stage.anchor >= page.points.length) stage.anchor = 0;
    points.forEach((point, i) => {
      const [x, y] = page.points[i].map((v) => v.toFixed(2));
      const words = `${now.names[i]}, class ${now.labels[i] + 1}, at ${x}, ${y}. Arrow keys move it.`;
      change(point, { "aria-label": words });
    });
    if (!wanted) return; // not on the page yet
    if (!page.held) wanted = follow(before, wanted);
    start(page.moved.size ? 1 : now.before && !before?.before ? 900 : 260);
  }
  /** One frame; true while points or view are on their way. @param {number} time */
  function draw(time) {
    const { width, height } = node.getBoundingClientRect();
    if (!width) return false;
    if (!view || view.width !== width || view.height !== height) {
      change(node, { viewBox: `0 0 ${width} ${height}` });
      view = wanted = fit({ width, height, unit: page.unit });
      start(1);
    }
    if (!glide || !wanted) return false;
    const t = clamp((time - glide.start) / glide.duration, 0, 1);
    const [{ from, view: old }, go] = [glide, ease(t)];
    shown = page.points.map((to, i) => to.map((v, k) => between(from[i]?.[k] ?? v, v, go)));
    if (!page.held && old) {
      const [x, y, scale] = [between(old.x, wanted.x, go), between(old.y, wanted.y, go), between(old.scale, wanted.scale, go)];
      view = { ...wanted, x, y, scale };
    }
    paint(view);
    return t < 1;
  }

  // drawing

  /** @param {Lab.View} seen */
  function paint(seen) {
    const { shows, marks, before, labels, names, rows } = page.now;
    const at = shown.map((point) => toPixel(seen, point));
    const texts = (page.held ? [] : marks).map((mark) => {
      const [x, y] = toPixel(seen, mark.at);
      return { words: mark.text, x, y: y + 34 };
    });
    const taken = [
      ...at.map(([x, y], i) => labelBox({ words: names[i], x, y: y - (seen.unit > 1 ? 27 : 17) }, seen.unit)),
      ...texts.map((text) => labelBox(text, seen.unit)),
      ...at.map(([x, y]) => /** @type {Lab.Box} */ ([x - 12, y - 12, x + 12, y + 12])),
    ];
    const forces = shows.forces ? drawForces(stage, seen, at) : { arrows: [], sums: [] };
    const trails = (before ?? []).flatMap((place, i) => {
      const [x, y] = toPixel(seen, place);
      if (Math.hypot(at[i][0] - x, at[i][1] - y) < 1) return [];
      const ghost = svg("path", { class: "te-ghost", d: SHAPES[labels[i]], transform: `translate(${x},${y})` });
      return [svg("line", { x1: x, y1: y, x2: at[i][0], y2: at[i][1] }), ghost];
    });
    const regions = shows.regions ? drawRegions(stage, seen, at) : [];
    const layers = { ...drawLinks(stage, seen, at, taken), ...forces, regions, trails, marks: texts.map(labelNode), grid: grid(seen, at) };
    for (const [name, nodes] of Object.entries(layers)) page.part(name).replaceChildren(...nodes);
    const lit = stage.hot === null ? [] : (rows[stage.hot]?.members ?? []);
    points.forEach((point, i) => {
      change(point, { transform: `translate(${at[i]})` });
      point.classList.toggle("te-lit", lit.includes(i));
    });
  }
  /** The grid, its unit as a bar, and under the cosine the origin with a ray to each point. */
  /** @type {(seen: Lab.View, at: Lab.Pair[]) => SVGElement[]} */
  function grid(seen, at) {
    const step = Math.max(0.1, roundStep(36 / seen.scale));
    const [end, bottom] = [20 + step * seen.scale, seen.height - 16];
    const bar = svg("path", { class: "te-bar", d: `M14,${bottom - 5}v5h${step * seen.scale}v-5` });
    const unit = svg("text", { class: "te-unit", x: end, y: bottom + 2 }, String(step));
    const nodes = [...gridLines(seen, step).lines, bar, unit];
    if (page.now.settings.metric !== "cosine") return nodes;
    const [x, y] = toPixel(seen, [0, 0]);
    const cross = svg("path", { class: "te-bar", d: `M${x - 8},${y}h16M${x},${y - 8}v16` });
    const rays = at.map(([x2, y2]) => svg("line", { class: "te-ray", x1: x, y1: y, x2, y2 }));
    return [...nodes, cross, svg("text", { class: "te-unit", x: x + 8, y: y + 18 }, "origin"), ...rays];
  }

  // the points

  function makePoints() {
    shown = [];
    points = page.now.names.map(makePoint);
    page.part("points").replaceChildren(...points);
  }
  /** @type {(name: string, i: number) => SVGGElement} */
  function makePoint(name, i) {
    const move = (/** @type {number[]} */ place, /** @type {string} */ gesture) => {
      const to = place.map((v) => snapped(v, 0.01));
      page.move(i, to, { name, to, gesture });
    };
    const choose = () => {
      if (page.held) return;
      stage.anchor = i;
      stage.say(() => (page.now.shows.forces ? page.now.points_said[i] : ""));
      page.redraw();
    };
    const label = svg("text", { class: "te-name", y: -17, "text-anchor": "middle" }, name);
    const handle = makeHandle(page, {
      kind: `te-point te-class-${page.now.labels[i]}`,
      shape: SHAPES[page.now.labels[i]],
      role: "button",
      "aria-roledescription": "movable point",
      joinKeys: true,
      at: () => (view ? toPixel(view, page.points[i]) : [0, 0]),
      moveTo([x, y], _whole, gesture) {
        if (view) move(toPlace(view, [clamp(x, 10, view.width - 10), clamp(y, 10, view.height - 10)]), gesture);
      },
      nudge(way, whole, gesture) {
        move(page.points[i].map((v, k) => v + (whole ? 0.5 : 0.1) * way[k]), gesture);
      },
    }, label);
    return onHover(handle, choose, () => stage.say(null));
  }
  return { show, draw };
}
