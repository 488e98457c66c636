// DistanceLab in any dimension: one line a coordinate, with its numbers as dots to drag, the difference between them,
// and what it adds to the sum.

import { change, svg, whenChanged } from "./dom.js";
import { TIPS, shownVectors, sizeOf } from "./distance_plane.js";
import { makeHandle } from "./handle.js";
import { labelNode } from "./labels.js";
import { clamp, minus, roundStep, snapped, tidy } from "./numbers.js";

const ROWS_SHOWN = 12; // of a longer vector the first coordinates are drawn, all of them count
const STEPS = 8; // shown on the number line
const TOP = 46;

/** @param {Lab.DistancePage} page */
export function distanceCoordinates(page) {
  const [node, lines, handles] = ["coordinates", "lines", "dots"].map((name) => page.part(name));
  const countChanged = whenChanged();
  /** @type {{ name: Lab.VectorName, index: number, dot: SVGGElement }[]} */
  let dots = [];
  let size = { width: 560, height: 448, unit: 1 };
  let low = 0;
  let step = 1;
  let count = 0; // of lines
  let tall = 60; // of one line
  const left = () => 40 * size.unit;
  const right = () => 0.66 * size.width;
  const shares = () => 0.71 * size.width; // where the second column begins
  const toX = (/** @type {number} */ value) => left() + ((value - low) / (STEPS * step)) * (right() - left());
  const toY = (/** @type {number} */ index) => TOP * size.unit + 6 + tall * (index + 0.5);

  /** The smallest round step at which the number line holds 0 and every number. */
  function fit() {
    const all = shownVectors(page).flatMap((name) => page.points[name].slice(0, ROWS_SHOWN));
    const [least, most] = [Math.min(0, ...all), Math.max(0, ...all)];
    const begin = () => (low = Math.floor(least / step - 0.5) * step);
    step = roundStep(Math.max((most - least) / 6, 0.1));
    if (most <= begin() + (STEPS - 0.5) * step) return;
    step = roundStep(step * 1.5);
    begin();
  }
  function makeDots() {
    const names = shownVectors(page).reverse(); // x on top
    const places = Array.from({ length: count }, (_, index) => names.map((name) => ({ name, index })));
    dots = places.flat().map((place) => ({ ...place, dot: dotHandle(place) }));
    handles.replaceChildren(...dots.map(({ dot }) => dot));
  }
  /** @param {{ name: Lab.VectorName, index: number }} place */
  function dotHandle({ name, index }) {
    const value = () => page.points[name][index];
    /** @type {(to: number, grain: number, gesture: string) => void} */
    const put = (to, grain, gesture) => {
      const vector = page.points[name].with(index, snapped(clamp(to, low, low + STEPS * step), grain));
      page.move(name, vector, { points: { [name]: vector }, gesture });
    };
    return makeHandle(page, {
      kind: name,
      shape: TIPS[name],
      role: "slider",
      "aria-roledescription": "vector to drag",
      at: () => [toX(value()), toY(index)],
      moveTo([px], whole, gesture) {
        put(low + ((px - left()) / (right() - left())) * STEPS * step, whole ? step : step / 20, gesture);
      },
      nudge: ([across, up], whole, gesture) =>
        put(value() + (across + up) * (whole ? step : step / 10), step / 100, gesture),
    });
  }
  function draw() {
    size = sizeOf(page, node);
    if (!page.held) fit();
    count = Math.min(page.points.x.length, ROWS_SHOWN);
    tall = Math.min(104 * size.unit, (size.height - (TOP + 46) * size.unit) / count);
    change(node, { viewBox: `0 0 ${size.width} ${size.height}` });
    countChanged(`${count} ${shownVectors(page)}`, makeDots);
    lines.replaceChildren(...scale(), ...words(), ...rows());
    for (const { name, index, dot } of dots) {
      const value = page.points[name][index];
      change(dot, {
        transform: `translate(${toX(value)},${toY(index)}) scale(${Math.min(size.unit, tall / 24)})`,
        "aria-label": `Coordinate ${index + 1} of ${name}: ${tidy(value)}. Arrow keys move it, with Shift by whole steps.`,
        "aria-valuenow": value,
        "aria-valuetext": tidy(value),
      });
    }
  }
  const scale = () =>
    Array.from({ length: STEPS + 1 }, (_, k) => low + k * step).flatMap((value) => {
      const kind = Math.abs(value) < 1e-9 * step ? "te-axis" : "te-grid-line";
      const ends = { y1: TOP * size.unit, y2: size.height - 40 * size.unit };
      const number = { words: tidy(value, 6), x: toX(value), y: (TOP - 8) * size.unit, kind: "tick" };
      return [svg("line", { class: kind, x1: toX(value), x2: toX(value), ...ends }), labelNode(number)];
    });
  function words() {
    const what = { manhattan: "|difference|", cosine: "product" }[page.settings.metric] ?? "difference²";
    const hidden = page.points.x.length - ROWS_SHOWN;
    const more = hidden > 0 ? `and ${hidden} more coordinates, all of them counted` : "coordinate by coordinate";
    const { width, height, unit } = size;
    /** @type {Lab.Label[]} */
    const labels = [
      { words: more, x: 12, y: 18 * unit, anchor: "start", kind: "tick" },
      { words: what, x: shares(), y: (TOP - 8) * unit, anchor: "start" },
      { words: minus(page.now.total), x: width - 14, y: height - 14 * unit, anchor: "end", kind: "strong" },
    ];
    return labels.map(labelNode);
  }
  function rows() {
    const parts = page.now.parts.slice(0, ROWS_SHOWN);
    const range = { largest: Math.max(...parts.map(Math.abs), 1e-12), signed: parts.some((part) => part < 0) };
    const { x, y } = page.points;
    return Array.from({ length: count }, (_, k) => [
      svg("line", { class: "te-grid-line", x1: left(), x2: right(), y1: toY(k), y2: toY(k) }),
      svg("line", { class: "way", x1: toX(x[k]), x2: toX(y[k]), y1: toY(k), y2: toY(k) }),
      labelNode({ words: String(k + 1), x: 12, y: toY(k) + 5, anchor: "start", kind: "strong" }),
      ...share(parts[k] ?? 0, range, toY(k)),
    ]).flat();
  }
  /** A square for a square, a bar for a length; products may be negative, and their bars then start in the middle. */
  /** @type {(part: number, range: { largest: number, signed: boolean }, y: number) => SVGElement[]} */
  function share(part, { largest, signed }, y) {
    const squares = page.settings.metric === "euclidean" || page.settings.metric === "squared_euclidean";
    const room = squares ? Math.min(tall * 0.8, 0.13 * size.width) : 0.15 * size.width;
    const ratio = Math.abs(part) / largest;
    const width = (signed ? room / 2 : room) * (squares ? Math.sqrt(ratio) : ratio);
    const height = squares ? width : Math.min(18 * size.unit, tall * 0.7);
    const zero = shares() + (signed ? room / 2 : 0);
    const bar = { x: part < 0 ? zero - width : zero, y: y - height / 2, width, height };
    const middle = svg("line", { class: "te-axis", x1: zero, x2: zero, y1: y - tall / 2, y2: y + tall / 2 });
    const number = labelNode({ words: tidy(part), x: shares() + room + 10, y: y + 5, anchor: "start", kind: "strong" });
    return [svg("rect", { class: part < 0 ? "area detour" : "share", ...bar }), ...(signed ? [middle] : []), number];
  }
  return draw;
}
