// DistanceLab in any dimension: one line per coordinate, with each vector's number as a dot to drag, the difference
// between them, and what it adds to the sum.

import { shownVectors, sizeOf, TIPS } from "./distance_plane.js";
import { change, svg, whenChanged } from "./dom.js";
import { makeHandle } from "./handle.js";
import { labelNode } from "./labels.js";
import { clamp, minus, roundStep, snapped, tidy } from "./numbers.js";

const ROWS_SHOWN = 12; // of a longer vector only the first ones are drawn, but all are computed with
const STEPS = 8; // grid steps on the number line
const TOP = 46;

/** @param {Lab.DistancePage} page */
export function distanceCoordinates(page) {
  const [node, lines, handles] = ["coordinates", "lines", "dots"].map((name) => page.part(name));
  const countChanged = whenChanged();
  /** @type {{ name: Lab.VectorName, index: number, dot: SVGGElement }[]} */ let dots = [];
  let size = { width: 560, height: 448, unit: 1 };
  let low = 0;
  let step = 1;
  let tall = 60; // height of one line
  const left = () => 40 * size.unit;
  const right = () => 0.66 * size.width;
  const shares = () => 0.71 * size.width; // where the second column begins
  const toX = (/** @type {number} */ value) => left() + ((value - low) / (STEPS * step)) * (right() - left());
  const toY = (/** @type {number} */ index) => TOP * size.unit + 6 + tall * (index + 0.5);
  const indices = () => [...page.points.x.keys()].slice(0, ROWS_SHOWN);

  /** Choose the smallest round step with which the number line shows 0 and every number. */
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
    const names = shownVectors(page).reverse(); // x is drawn on top
    dots = indices().flatMap((index) => names.map((name) => ({ name, index, dot: makeDot(name, index) })));
    handles.replaceChildren(...dots.map(({ dot }) => dot));
  }
  /** @param {Lab.VectorName} name @param {number} index */
  function makeDot(name, index) {
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
      moveTo([x], whole, gesture) {
        put(low + ((x - left()) / (right() - left())) * STEPS * step, whole ? step : step / 20, gesture);
      },
      nudge: ([x, y], whole, gesture) => put(value() + (x + y) * (whole ? step : step / 10), step / 100, gesture),
    });
  }
  function drawScale() {
    const [y1, y2] = [TOP * size.unit, size.height - 40 * size.unit];
    return Array.from({ length: STEPS + 1 }, (_, k) => low + k * step).flatMap((value) => {
      const x = toX(value);
      const line = { class: Math.abs(value) < 1e-9 * step ? "te-axis" : "te-grid-line", x1: x, x2: x, y1, y2 };
      return [svg("line", line), labelNode({ words: tidy(value, 6), x, y: y1 - 8 * size.unit, kind: "tick" })];
    });
  }
  function drawWords() {
    const { width, height, unit } = size;
    const hidden = page.points.x.length - ROWS_SHOWN;
    const more = hidden > 0 ? `and ${hidden} more coordinates, all of them counted` : "coordinate by coordinate";
    return [
      labelNode({ words: more, x: 12, y: 18 * unit, anchor: "start", kind: "tick" }),
      labelNode({ words: page.now.part, x: shares(), y: (TOP - 8) * unit, anchor: "start" }),
      labelNode({ words: minus(page.now.total), x: width - 14, y: height - 14 * unit, anchor: "end", kind: "strong" }),
    ];
  }
  function drawRows() {
    const parts = page.now.parts.slice(0, ROWS_SHOWN);
    const range = { largest: Math.max(...parts.map(Math.abs), 1e-12), signed: parts.some((part) => part < 0) };
    return indices().flatMap((k) => {
      const [y, from, to] = [toY(k), toX(page.points.x[k]), toX(page.points.y[k])];
      return [
        svg("line", { class: "te-grid-line", x1: left(), x2: right(), y1: y, y2: y }),
        svg("line", { class: "way", x1: from, x2: to, y1: y, y2: y }),
        labelNode({ words: String(k + 1), x: 12, y: y + 5, anchor: "start", kind: "strong" }),
        ...drawShare(parts[k] ?? 0, range, y),
      ];
    });
  }
  /** A square for a squared part, else a bar; from the middle where parts may be negative. @type {Lab.Share} */
  function drawShare(part, { largest, signed }, y) {
    const squares = ["euclidean", "squared_euclidean"].includes(page.now.settings.metric);
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
  return () => {
    size = sizeOf(page, node);
    if (!page.held) fit();
    tall = Math.min(104 * size.unit, (size.height - (TOP + 46) * size.unit) / indices().length);
    change(node, { viewBox: `0 0 ${size.width} ${size.height}` });
    countChanged(`${indices().length} ${shownVectors(page)}`, makeDots);
    lines.replaceChildren(...drawScale(), ...drawWords(), ...drawRows());
    for (const { name, index, dot } of dots) {
      const value = page.points[name][index];
      const says = `Coordinate ${index + 1} of ${name}: ${tidy(value)}. Arrow keys move it, with Shift by whole steps.`;
      const transform = `translate(${toX(value)},${toY(index)}) scale(${Math.min(size.unit, tall / 24)})`;
      change(dot, { transform, "aria-label": says, "aria-valuenow": value, "aria-valuetext": tidy(value) });
    }
  };
}
