// LossLab's plane: the points to drag, animated to their new places, and the view that follows them.

import { change, onHover, svg, whenChanged } from "./dom.js";
import { makeHandle, SHAPES } from "./handle.js";
import { labelBox, labelNode } from "./labels.js";
import { drawForces, drawLinks, drawRegions } from "./loss_drawing.js";
import { between, clamp, ease, roundStep, snapped } from "./numbers.js";
import { gridLines, toPixel, toPlace } from "./plane.js";

const SOME_ROWS = 10; // where there are more, the summed forces are drawn and not each term's

/** @param {Lab.LossStage} stage */
export function lossPlane(stage) {
  const { page } = stage;
  const node = page.part("plane");
  const renamed = whenChanged();
  /** @type {SVGGElement[]} */ let points = [];
  /** @type {number[][]} */ let shown = []; // where the points are drawn now
  /** @type {Lab.View | null} */ let view = null;
  /** @type {Lab.View | null} */ let target = null; // the view that the animation ends at
  /** @type {Lab.Glide} */ let glide = { from: [], view, start: 0, duration: 1 };
  /** The view that shows the points, the margin up to 6 units, and under the cosine the origin. @type {Lab.Fit} */
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
  /** Fit again where points or margin have left the view, or have become small in it. @type {Lab.Follow} */
  function follow(before, old) {
    const fitting = fit(old);
    if (before?.view_key !== page.now.view_key) return fitting;
    const places = page.points.map((point) => toPixel(old, point));
    const out = places.some(([x, y]) => x < 20 || y < 20 || x > old.width - 20 || y > old.height - 20);
    const misfit = fitting.scale < old.scale || fitting.scale > 1.6 * old.scale;
    return out || (misfit && before.settings.margin !== page.now.settings.margin) ? fitting : old;
  }
  /** Start the animation of points and view to their targets. @param {number} duration */
  function start(duration) {
    const reduced = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const still = shown.length !== page.points.length || reduced || page.held;
    if (still && !page.held) view = target;
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
    points.forEach((point, i) => {
      const at = page.points[i].map((v) => v.toFixed(2)).join(", ");
      change(point, { "aria-label": `${now.names[i]}, class ${now.labels[i] + 1}, at ${at}. Arrow keys move it.` });
    });
    if (target && !page.held) target = follow(before, target);
    start(page.moved.size ? 1 : now.before && !before?.before ? 900 : 260);
  }
  /** Draw one frame; returns true while points or view still move. @param {number} time */
  function draw(time) {
    const { width, height } = node.getBoundingClientRect();
    if (!width) return false; // not laid out yet
    const { unit } = page;
    if (!view || !target || view.width !== width || view.height !== height || view.unit !== unit) {
      change(node, { viewBox: `0 0 ${width} ${height}` });
      view = target = fit({ width, height, unit });
      start(1);
    }
    const t = clamp((time - glide.start) / glide.duration, 0, 1);
    const way = (/** @type {number} */ from, /** @type {number} */ to) => between(from, to, ease(t));
    shown = page.points.map((to, i) => to.map((v, k) => way(glide.from[i]?.[k] ?? v, v)));
    const { x, y, scale } = glide.view ?? target;
    if (!page.held) view = { ...target, x: way(x, target.x), y: way(y, target.y), scale: way(scale, target.scale) };
    paint(view);
    return t < 1;
  }
  /** @param {Lab.View} seen */
  function paint(seen) {
    const { shows, marks, before, labels, names, rows } = page.now;
    const at = shown.map((point) => toPixel(seen, point));
    const texts = (page.held ? [] : marks).map((mark) => {
      const [x, y] = toPixel(seen, mark.at);
      return { words: mark.text, x, y: y + 34 };
    });
    const above = seen.unit > 1 ? 27 : 17; // pixels from a point to its name
    const named = at.map(([x, y], i) => ({ words: names[i], x, y: y - above }));
    const taken = [...named, ...texts].map((text) => labelBox(text, seen.unit));
    for (const [x, y] of at) taken.push([x - 12, y - 12, x + 12, y + 12]);
    const trails = (before ?? []).flatMap((place, i) => {
      const [[x, y], [x2, y2]] = [toPixel(seen, place), at[i]];
      const ghost = svg("path", { class: "te-ghost", d: SHAPES[labels[i]], transform: `translate(${x},${y})` });
      return Math.hypot(x2 - x, y2 - y) < 1 ? [] : [svg("line", { x1: x, y1: y, x2, y2 }), ghost];
    });
    const layers = {
      ...drawLinks(stage, seen, at, taken),
      ...(shows.forces ? drawForces(stage, seen, at) : { arrows: [], sums: [] }),
      regions: shows.regions ? drawRegions(stage, seen, at) : [],
      marks: texts.map(labelNode),
      grid: drawGrid(seen, at),
      trails,
    };
    for (const [name, nodes] of Object.entries(layers)) page.part(name).replaceChildren(...nodes);
    const lit = stage.hot === null ? [] : (rows[stage.hot]?.members ?? []);
    points.forEach((point, i) => {
      change(point, { transform: `translate(${at[i]})` });
      point.classList.toggle("te-lit", lit.includes(i));
    });
  }
  /** The grid, a bar of one unit, and under the cosine the origin with a ray to each point. @type {Lab.DrawGrid} */
  function drawGrid(seen, at) {
    const step = Math.max(0.1, roundStep(36 / seen.scale));
    const [length, bottom] = [step * seen.scale, seen.height - 16];
    const bar = svg("path", { class: "te-bar", d: `M14,${bottom - 5}v5h${length}v-5` });
    const unit = svg("text", { class: "te-unit", x: 20 + length, y: bottom + 2 }, String(step));
    const nodes = [...gridLines(seen, step).lines, bar, unit];
    if (page.now.settings.metric !== "cosine") return nodes;
    const [x1, y1] = toPixel(seen, [0, 0]);
    const cross = svg("path", { class: "te-bar", d: `M${x1 - 8},${y1}h16M${x1},${y1 - 8}v16` });
    const rays = at.map(([x2, y2]) => svg("line", { class: "te-ray", x1, y1, x2, y2 }));
    return [...nodes, cross, svg("text", { class: "te-unit", x: x1 + 8, y: y1 + 18 }, "origin"), ...rays];
  }
  function makePoints() {
    [shown, stage.anchor] = [[], 0];
    points = page.now.names.map(makePoint);
    page.part("points").replaceChildren(...points);
  }
  /** @param {string} name @param {number} i */
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
    /** @type {Lab.Handle} */ const spec = {
      kind: `te-point te-class-${page.now.labels[i]}`,
      shape: SHAPES[page.now.labels[i]],
      role: "button",
      "aria-roledescription": "movable point",
      joinKeys: true,
      at: () => toPixel(/** @type {Lab.View} */ (view), page.points[i]),
      moveTo([x, y], _whole, gesture) {
        if (view) move(toPlace(view, [clamp(x, 10, view.width - 10), clamp(y, 10, view.height - 10)]), gesture);
      },
      nudge: (way, whole, gesture) => move(page.points[i].map((v, k) => v + (whole ? 0.5 : 0.1) * way[k]), gesture),
    };
    const label = svg("text", { class: "te-name", y: -17, "text-anchor": "middle" }, name);
    return onHover(makeHandle(page, spec, label), choose, () => stage.say(null));
  }
  return { show, draw };
}
