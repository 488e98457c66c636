// DistanceLab's plane: vectors as arrows with tips to drag, the ball round x, and what the distance measures, drawn.

import { drawWays } from "./distance_ways.js";
import { change, whenChanged } from "./dom.js";
import { makeHandle, SHAPES } from "./handle.js";
import { clearTicks, insideLabel, labelBox, labelNode, spreadLabels } from "./labels.js";
import { clamp, roundStep, snapped, tidy } from "./numbers.js";
import { arrow, ball, gridLines, toPixel, toPlace } from "./plane.js";

export const TIPS = { x: SHAPES[0], y: SHAPES[1], z: SHAPES[2] };

/** The names of the vectors that are shown. @type {(page: Lab.DistancePage) => Lab.VectorName[]} */
export const shownVectors = (page) => (page.settings.triangle ? ["x", "y", "z"] : ["x", "y"]);

/** The drawing's size in CSS pixels, so that text and handles keep their size at every width. @type {Lab.SizeOf} */
export function sizeOf({ unit }, node) {
  const width = node.clientWidth || 560;
  const height = Math.min(0.8 * width, Math.max(360, 0.6 * window.innerHeight)); // the numbers beside it stay visible
  return { width, height, unit };
}

/** @param {Lab.DistancePage} page */
export function distancePlane(page) {
  const [node, grid, ways] = ["plane", "grid", "ways"].map((name) => page.part(name));
  const sizeChanged = whenChanged();
  /** @type {[SVGTextElement, Lab.Label][]} */
  let ticks = []; // the grid's numbers
  let step = 1; // the distance between two grid lines
  let view = { x: 0, y: 0, scale: 50, width: 560, height: 448, unit: 1 };

  /** @type {Lab.Put} */
  function put(name, [px, py], grain, gesture) {
    const inside = [clamp(px, 12, view.width - 12), clamp(py, 12, view.height - 12)];
    const vector = toPlace(view, inside).map((v) => snapped(v, grain));
    page.move(name, vector, { points: { [name]: vector }, gesture });
  }
  /** @param {Lab.VectorName} name @returns {[Lab.VectorName, SVGGElement]} */
  const makeTip = (name) => {
    const tip = makeHandle(page, {
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
    return [name, tip];
  };
  const tips = /** @type {Lab.VectorName[]} */ (["z", "y", "x"]).map(makeTip); // x is drawn on top
  page.part("tips").append(...tips.map(([, tip]) => tip));

  /** The grid's step is the smallest of 1, 2, 5, 10, ... with which every vector fits; it is constant during a drag. */
  function fit() {
    const size = sizeOf(page, node);
    const reach = shownVectors(page).map((name) => page.points[name].map(Math.abs));
    const least = Math.max(...reach.map(([right, up]) => Math.max(right / 5.1, up / 4)));
    if (!page.held) step = roundStep(Math.max(least, least < 0.08 && least > 0 ? least : 1));
    view = { ...size, x: 0, y: 0, scale: Math.min(size.width / 11.2, size.height / 8.96) / step };
  }
  function drawGrid() {
    change(node, { viewBox: `0 0 ${view.width} ${view.height}` });
    const { lines, across, upward } = gridLines(view, step);
    const [cx, cy] = toPixel(view, [0, 0]);
    const below = cy + 5 + 11 * view.unit;
    const seen = upward.filter(([v, y]) => v && y > 8 && y < view.height - 8);
    /** @type {Lab.Label[]} */
    const labels = [
      ...across.filter(([v]) => v).map(([v, x]) => ({ words: tidy(v, 6), x, y: below, kind: "tick" })),
      ...seen.map(([v, y]) => ({ words: tidy(v, 6), x: cx - 7, y: y + 4, anchor: /** @type {const} */ ("end"), kind: "tick" })),
    ];
    ticks = labels.map((label) => [labelNode(label), label]);
    grid.replaceChildren(...lines, ...ticks.map(([node]) => node));
  }
  /** The arrow from the origin, up to its handle, and the vector's name beside it. @param {Lab.VectorName} name */
  function drawVector(name) {
    const [[cx, cy], [x, y], { unit }] = [toPixel(view, [0, 0]), toPixel(view, page.points[name]), view];
    const far = Math.hypot(x - cx, y - cy);
    const [ux, uy] = far ? [(x - cx) / far, (y - cy) / far] : [0, 0];
    const [short, head] = far < 26 * unit ? [0, 0] : [9 * unit, 14 * unit];
    const level = Math.abs(uy) < 0.2 ? -14 : uy < 0 ? uy * 22 : uy * 22 + 10; // keeps the name off the axis
    /** @type {Lab.Anchor} */ const anchor = ux > 0.35 ? "start" : ux < -0.35 ? "end" : "middle";
    const place = { x: x + ux * 18 * unit, y: y + level * unit, anchor, kind: `name ${name}` };
    const label = insideLabel({ words: `${name} ${listed(page.points[name])}`, ...place }, view);
    const line = arrow([cx, cy], [x - ux * short, y - uy * short], head, 0.464 * head, `arrow ${name}`);
    return { line, label, box: [x - 10 * unit, y - 10 * unit, x + 10 * unit, y + 10 * unit] };
  }
  function drawBall() {
    if (!page.now.ball) return { shapes: [], boxes: [] };
    const { shape, size, words } = page.now.ball;
    const key = insideLabel({ words, x: 10, y: view.height - 12, anchor: "start", kind: "ball-name" }, view);
    return { shapes: [ball(view, shape, toPixel(view, page.points.x), size, "ball"), labelNode(key)], boxes: [labelBox(key, view.unit)] };
  }
  /** @param {Lab.VectorName} name @returns {Lab.Attributes} */
  function described(name) {
    const [at, { metric }] = [listed(page.points[name]), page.now.settings];
    const row = page.words.rows.find(({ key }) => key === metric);
    return {
      "aria-label": `Vector ${name} at ${at}. Arrow keys move it, with Shift by whole steps.`,
      "aria-valuenow": page.points[name][0],
      "aria-valuetext": `${at}; ${row?.name} of x and y: ${page.now.values[metric] ?? "undefined"}`,
    };
  }
  return () => {
    fit();
    sizeChanged(`${step} ${view.width} ${view.height} ${view.unit}`, drawGrid);
    const names = shownVectors(page);
    const [vectors, measured] = [names.map(drawVector), drawWays(page, view)];
    const round = drawBall();
    const taken = /** @type {Lab.Box[]} */ ([...vectors.map(({ box }) => box), ...round.boxes]);
    const labels = spreadLabels([...vectors.map(({ label }) => label), ...measured.labels], taken, view);
    const lines = vectors.map(({ line }) => line);
    clearTicks(ticks, taken, view.unit);
    ways.replaceChildren(...round.shapes, ...measured.shapes, ...lines, ...labels.map(labelNode));
    for (const [name, tip] of tips) {
      const transform = `translate(${toPixel(view, page.points[name])}) scale(${view.unit})`;
      change(tip, { hidden: !names.includes(name), transform, ...described(name) });
    }
  };
}

/** @type {(vector: number[]) => string} */
const listed = (vector) => `(${vector.map((v) => tidy(v)).join(", ")})`;
