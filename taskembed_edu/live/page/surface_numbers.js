// The loss over the start as numbers: its value between the points of the grid, its best start, lines of one height, and
// where the axes have their marks. Nothing here draws.

import { wordsOf } from "./packets.js";

/** @import { Point, SurfacePacket } from "./types.js" */

const OFF_SCALE = 65535; // above the highest loss before any inner loop, or not finite

/**
 * @typedef {object} Grid the losses after one number of inner steps: rows from below, each from the left
 * @property {number} n
 * @property {Float32Array} losses Infinity where a start's loss is above `high`, or its inner loop diverges
 * @property {[low: number, high: number]} x
 * @property {[low: number, high: number]} y
 * @property {number} high above this a loss is not known exactly
 * @property {[low: number, high: number]} scale the losses of the lightest and the darkest colour
 */

/** @param {SurfacePacket} packet @param {number} steps @returns {Grid} */
export function gridAfter(packet, steps) {
  const { n, x, y, high, scale } = packet;
  const size = n * n;
  const at = Math.max(0, packet.steps.indexOf(steps));
  const levels = wordsOf(packet.losses).subarray(at * size, (at + 1) * size);
  const losses = Float32Array.from(levels, (level) => (level === OFF_SCALE ? Infinity : (level / (OFF_SCALE - 1)) * high));
  return { n, losses, x, y, high, scale };
}

/** @param {number} value @param {[number, number]} ends @param {number} n @returns {[cell: number, share: number]} */
function cellOf(value, [low, high], n) {
  const place = Math.min(1, Math.max(0, (value - low) / (high - low))) * (n - 1);
  const cell = Math.min(n - 2, Math.floor(place));
  return [cell, place - cell];
}

// The loss of a start, by bilinear interpolation; outside the grid that of its edge.
/** @param {Grid} grid @param {Point} start */
export function lossAt({ n, losses, x, y }, [px, py]) {
  const [[column, across], [row, up]] = [cellOf(px, x, n), cellOf(py, y, n)];
  const corner = row * n + column;
  /** @type {[number, number][]} */
  const parts = [
    [losses[corner], (1 - across) * (1 - up)],
    [losses[corner + 1], across * (1 - up)],
    [losses[corner + n], (1 - across) * up],
    [losses[corner + n + 1], across * up],
  ];
  // A corner without weight does not count: 0 times infinity is no number.
  return parts.reduce((sum, [loss, weight]) => (weight > 0 ? sum + weight * loss : sum), 0);
}

// The best start of the grid.
/** @param {Grid} grid @returns {{ start: Point, loss: number }} */
export function bestOf({ n, losses, x, y }) {
  let at = 0;
  for (let k = 1; k < losses.length; k++) if (losses[k] < losses[at]) at = k;
  /** @param {number} k @param {[number, number]} ends */
  const value = (k, [low, high]) => low + ((high - low) * k) / (n - 1);
  return { start: [value(at % n, x), value(Math.floor(at / n), y)], loss: losses[at] };
}

// Where a loss stands on a scale, 0 ... 1. It is a mean of squares: its root is what the scale shows in even steps.
/** @param {number} loss @param {[low: number, high: number]} scale */
export function shareOf(loss, [low, high]) {
  const [from, to] = [Math.sqrt(low), Math.sqrt(high)];
  return Math.min(1, Math.max(0, (Math.sqrt(Math.max(0, loss)) - from) / Math.max(1e-9, to - from)));
}

// The lowest and the highest loss of the grid, as far as the scale goes.
/** @param {Grid} grid @returns {[low: number, high: number]} */
export function rangeOfLosses({ losses, high }) {
  const known = losses.filter((loss) => loss <= high);
  return known.length ? [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))] : [0, high];
}

// The lines of one height between two losses: their roots are evenly spaced, every second line is strong. There are 8 to 17.
/** @param {number} low @param {number} high @returns {{ loss: number, strong: boolean }[]} */
export function levelLines(low, high) {
  const [from, to] = [Math.sqrt(low), Math.sqrt(high)];
  const unit = 2 ** Math.ceil(Math.log2(Math.max(1e-3, to - from) / 16));
  const [first, last] = [Math.ceil(from / unit + 1e-6), Math.floor(to / unit)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => ({ loss: ((first + k) * unit) ** 2, strong: (first + k) % 2 === 0 }));
}

// The line of one height, as pieces [x, y, x, y] in cells of the grid: marching squares, each saddle cut by its middle.
/** @param {Grid} grid @param {number} loss @returns {number[][]} */
export function lineAt({ n, losses }, loss) {
  /** @type {number[][]} */
  const pieces = [];
  const top = 1e9;
  for (let row = 0; row < n - 1; row++) {
    for (let column = 0; column < n - 1; column++) {
      const k = row * n + column;
      const corners = [losses[k], losses[k + 1], losses[k + n + 1], losses[k + n]].map((v) => Math.min(v, top));
      for (const [from, to] of cuts(corners, loss)) {
        pieces.push([column + from[0], row + from[1], column + to[0], row + to[1]]);
      }
    }
  }
  return pieces;
}

/** @type {Point[]} */
const CORNERS = [[0, 0], [1, 0], [1, 1], [0, 1]];

// Where a line crosses the sides of one cell: none, one piece, or two.
/** @param {number[]} corners counter-clockwise from below left @param {number} loss @returns {[Point, Point][]} */
function cuts(corners, loss) {
  /** @type {Point[]} */
  const ends = [];
  corners.forEach((value, k) => {
    const next = corners[(k + 1) % 4];
    if (value < loss === next < loss) return;
    const share = (loss - value) / (next - value);
    const [from, to] = [CORNERS[k], CORNERS[(k + 1) % 4]];
    ends.push([from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])]);
  });
  if (ends.length < 4) return ends.length === 2 ? [[ends[0], ends[1]]] : [];
  const middle = corners.reduce((sum, value) => sum + value, 0) / 4;
  const turned = middle < loss === corners[0] < loss;
  return turned ? [[ends[0], ends[1]], [ends[2], ends[3]]] : [[ends[3], ends[0]], [ends[1], ends[2]]];
}

// The marks of an axis: a phase has parts of pi, everything else round numbers.
/** @param {string} name @param {[number, number]} ends @returns {{ value: number, text: string }[]} */
export function marksOf(name, [low, high]) {
  const angle = name === "phase";
  const unit = angle ? Math.PI / 2 : [1, 2, 5, 10, 20, 50].find((each) => (high - low) / each <= 7) ?? high - low;
  const [first, last] = [Math.ceil(low / unit - 1e-6), Math.floor(high / unit + 1e-6)];
  return Array.from({ length: last - first + 1 }, (_, k) => {
    const count = first + k;
    return { value: count * unit, text: angle ? partOfPi(count) : String(count * unit).replace("-", "−") };
  });
}

/** @param {number} halves */
function partOfPi(halves) {
  if (!halves) return "0";
  const whole = Math.abs(halves) % 2 === 0;
  const count = whole ? Math.abs(halves) / 2 : Math.abs(halves);
  return `${halves < 0 ? "−" : ""}${count === 1 ? "" : count}π${whole ? "" : "/2"}`;
}

// A start as the settings can have it: on their steps, inside the surface. Both numbers 0 would mean "at random".
/** @param {Point} start @param {Pick<SurfacePacket, "x" | "y">} surface @param {number} [step] @returns {Point} */
export function settled([px, py], { x, y }, step = 0.05) {
  /** @param {number} value @param {[number, number]} ends */
  const within = (value, [low, high]) => {
    const steps = Math.min(Math.floor(high / step), Math.max(Math.ceil(low / step), Math.round(value / step)));
    return Number((steps * step).toFixed(4));
  };
  const [a, b] = [within(px, x), within(py, y)];
  return a || b ? [a, b] : [0, step];
}
