// DistanceLab's plane: vectors as arrows with their tips to drag, the ball round x, and what the distance measures.

import { change, svg, whenChanged } from "./dom.js";
import { drawWays } from "./distance_ways.js";
import { makeHandle, SHAPES } from "./handle.js";
import { insideLabel, labelNode, spreadLabels } from "./labels.js";
import { clamp, roundStep, snapped, tidy } from "./numbers.js";
import { arrow, ball, gridLines, toPixel, toPlace } from "./plane.js";

export const TIPS = { x: SHAPES[0], y: SHAPES[1], z: SHAPES[2] };

/** The vectors that are shown. @type {(page: Lab.DistancePage) => Lab.VectorName[]} */
export const shownVectors = (page) => (page.settings.triangle ? ["x", "y", "z"] : ["x", "y"]);

/** Drawn in the page's own pixels, so that type and handles keep their size at every width. */
/** @type {(page: Lab.DistancePage, node: SVGElement) => Lab.Size} */
export function sizeOf({ unit }, node) {
  const width = node.clientWidth || 560;
  const height = Math.min(0.8 * width, Math.max(360, 0.6 * window.innerHeight)); // the numbers beside it stay in view
  return { width, height, unit };
}

/** @type {(vector: number[]) => string} */
const listed = (vector) => `(${vector.map((v) => tidy(v)).join(", ")})`;

/** @param {Lab.DistancePage} page */
export function distancePlane(page) {
  const [node, grid, ways] = ["plane", "grid", "ways"].map((name) => page.part(name));
  const sizeChanged = whenChanged();
  let step = 1; // value between two grid lines
  /** @type {Lab.View} */
  let view = { x: 0, y: 0, scale: 50, width: 560, height: 448, unit: 1 };

  /** @type {(name: Lab.VectorName, pixel: Lab.Pair, grain: number, gesture: string) => void} */
  function put(name, [px, py], grain, gesture) {
    const inside = [clamp(px, 12, view.width - 12), clamp(py, 12, view.height - 12)];
    const vector = toPlace(view, inside).map((v) => snapped(v, grain));
    page.move(name, vector, { points: { [name]: vector }, gesture });
  }
  /** @type {(name: Lab.VectorName) => SVGGElement} */
  const tip = (name) =>
    makeHandle(page, {
      kind: name,
      shape: TIPS[name],
      role: "slider",
      "aria-roledescription": "vector to drag",
      at: () => toPixel(view, page.points[name]),
      moveTo: (pixel, whole, gesture) => put(name, pixel, whole ? step : step / 20, gesture),
      nudge([right, up], whole, gesture) {
        const by = whole ? step : step / 10;
        const [a, b] = page.points[name];
        put(name, toPixel(view, [a + right * by, b + up * by]), step / 100, gesture);
      },
    });
  const tips = { z: tip("z"), y: tip("y"), x: tip("x") };
  page.part("tips").append(...Object.values(tips));

  /** The grid's step grows by 1, 2, 5, 10 until every vector fits; it stays put while something is held. */
  function fit() {
    const size = sizeOf(page, node);
    if (!page.held) {
      const reach = shownVectors(page).map((name) => Math.max(Math.abs(page.points[name][0]) / 5.1, Math.abs(page.points[name][1]) / 4));
      const least = Math.max(...reach);
      step = roundStep(Math.max(least, least < 0.08 && least > 0 ? least : 1));
    }
    view = { ...size, x: 0, y: 0, scale: Math.min(size.width / 11.2, size.height / 8.96) / step };
  }
  function drawGrid() {
    change(node, { viewBox: `0 0 ${view.width} ${view.height}` });
    const { lines, across, upward } = gridLines(view, step);
    const [cx, cy] = toPixel(view, [0, 0]);
    const below = cy + 5 + 11 * view.unit;
    const seen = upward.filter(([v, y]) => v && y > 8 && y < view.height - 8);
    const ticks = [
      ...across.filter(([v]) => v).map(([v, x]) => labelNode({ words: tidy(v, 6), x, y: below, kind: "tick" })),
      ...seen.map(([v, y]) => labelNode({ words: tidy(v, 6), x: cx - 7, y: y + 4, anchor: "end", kind: "tick" })),
    ];
    grid.replaceChildren(...lines, ...ticks);
  }
  function draw() {
    fit();
    sizeChanged(`${step} ${view.width} ${view.height} ${view.unit}`, drawGrid);
    const names = shownVectors(page);
    const drawn = drawWays(page, view);
    const taken = names.map((name) => handleBox(view, page.points[name]));
    const labels = spreadLabels([...names.map(nameLabel), ...drawn.labels], taken, view);
    const under = page.settings.triangle ? [] : drawBall(page, view);
    ways.replaceChildren(...under, ...drawn.shapes, ...names.flatMap(vectorArrow), ...labels.map(labelNode));
    for (const name of /** @type {Lab.VectorName[]} */ (Object.keys(tips))) {
      const transform = `translate(${toPixel(view, page.points[name])}) scale(${view.unit})`;
      change(tips[name], { hidden: !names.includes(name), transform, ...described(name) });
    }
  }
  /** @type {(name: Lab.VectorName) => Lab.Attributes} */
  function described(name) {
    const { settings, now, points, words } = page;
    const row = words.rows.find(({ key }) => key === settings.metric);
    const value = now.values[settings.metric] ?? "undefined";
    return {
      "aria-label": `Vector ${name} at ${listed(points[name])}. Arrow keys move it, with Shift by whole steps.`,
      "aria-valuenow": points[name][0],
      "aria-valuetext": `${listed(points[name])}; ${row?.name} of x and y: ${value}`,
    };
  }
  /** From the origin to the tip's handle: along how far, and in which direction. */
  /** @param {Lab.VectorName} name */
  function ray(name) {
    const [[cx, cy], [px, py]] = [toPixel(view, [0, 0]), toPixel(view, page.points[name])];
    const far = Math.hypot(px - cx, py - cy);
    return { cx, cy, px, py, far, ux: (px - cx) / (far || 1), uy: (py - cy) / (far || 1) };
  }
  /** @param {Lab.VectorName} name @returns {SVGElement[]} */
  function vectorArrow(name) {
    const { cx, cy, px, py, far, ux, uy } = ray(name);
    const { unit } = view;
    if (far < 26 * unit) return [svg("line", { class: `arrow ${name}`, x1: cx, y1: cy, x2: px, y2: py })];
    const end = [px - ux * 9 * unit, py - uy * 9 * unit]; // short of the handle
    return [arrow([cx, cy], end, 14 * unit, 6.5 * unit, `arrow ${name}`)];
  }
  /** @param {Lab.VectorName} name @returns {Lab.Label} */
  function nameLabel(name) {
    const { px, py, ux, uy } = ray(name);
    const words = `${name} ${listed(page.points[name])}`;
    const level = Math.abs(uy) < 0.2 ? -14 : uy < 0 ? uy * 22 : uy * 22 + 10; // not on the axis
    const anchor = ux > 0.35 ? "start" : ux < -0.35 ? "end" : "middle";
    const place = { x: px + ux * 18 * view.unit, y: py + level * view.unit };
    return insideLabel({ words, ...place, anchor, kind: `name ${name}` }, view);
  }
  return draw;
}

/** @type {(view: Lab.View, place: number[]) => Lab.Box} */
function handleBox(view, place) {
  const [x, y] = toPixel(view, place);
  const reach = 10 * view.unit;
  return [x - reach, y - reach, x + reach, y + reach];
}

/** All points at the radius from x: a circle, a diamond, or two directions. */
/** @type {(page: Lab.DistancePage, view: Lab.View) => SVGElement[]} */
function drawBall({ settings, points }, view) {
  const { metric, radius } = settings;
  if (metric === "cosine" && !points.x.some((v) => v)) return [];
  const what = metric === "cosine" ? "directions" : "points";
  const words = `dashed: all ${what} at distance ${tidy(radius)} from x`;
  const key = insideLabel({ words, x: 10, y: view.height - 12, anchor: "start", kind: "ball-name" }, view);
  const shape = { manhattan: "diamond", cosine: "wedge" }[metric] ?? "circle";
  const sizes = { squared_euclidean: Math.sqrt(radius), cosine: Math.acos(1 - Math.min(radius, 2)) };
  const size = /** @type {Record<string, number>} */ (sizes)[metric] ?? radius;
  return [ball(view, shape, toPixel(view, points.x), size, "ball"), labelNode(key)];
}
