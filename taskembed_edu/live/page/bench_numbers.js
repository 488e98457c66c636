// The arithmetic of the bench, without a document: curves between two inner steps, axes, labels, points.

/** @import { Ends, Point } from "./types.js" */

const LEAST_LOSS = 1e-4; // below this a loss is as good as none, and the axis ends

// The heights of a curve at a position between two steps, from levels (0 ... 65,535 of `reach`) of n places each; null
// where the network is lost by then.
/**
 * @param {Uint16Array} levels
 * @param {number} n
 * @param {number} at
 * @param {Ends} reach
 * @param {number} diverged the step from which on there is nothing; -1: it never was
 * @returns {Float32Array | null}
 */
export function curveAt(levels, n, at, reach, diverged) {
  const before = Math.floor(at);
  const after = Math.ceil(at);
  if (diverged >= 0 && after >= diverged) return null;
  const share = at - before;
  const heights = new Float32Array(n);
  for (let k = 0; k < n; k++) {
    const level = (1 - share) * levels[before * n + k] + share * levels[after * n + k];
    heights[k] = reach[0] + ((reach[1] - reach[0]) * level) / 65535;
  }
  return heights;
}

// A value between two steps; on a logarithmic axis the marker of a step then moves along its line.
/** @param {ArrayLike<number>} values @param {number} at */
export function valueAt(values, at) {
  const [before, after] = [values[Math.floor(at)], values[Math.ceil(at)]];
  if (before === after) return before;
  const share = at - Math.floor(at);
  if (!(before > 0 && after > 0)) return before + share * (after - before);
  return Math.exp((1 - share) * Math.log(before) + share * Math.log(after));
}

// The ends of a logarithmic axis with all these numbers on it: at least a decade, and no lower than a loss is told.
/** @param {Iterable<number>} values @returns {Ends} */
export function decadesOf(values) {
  let [low, high] = [Infinity, 0];
  for (const value of values) {
    if (!Number.isFinite(value) || value <= 0) continue;
    low = Math.min(low, Math.max(value, LEAST_LOSS));
    high = Math.max(high, value);
  }
  if (high <= 0) return [0.1, 1];
  high = Math.max(high, 10 * LEAST_LOSS);
  return low > high / 10 ? [high / 10 / 1.1, high * 1.1] : [low / 1.15, high * 1.15];
}

// Heights for labels that wish to stand at `places`, at least `apart` from each other and between the ends: each stays as
// near to its wish as its neighbours allow. The order of the answer is that of the wishes.
/** @param {number[]} places @param {number} apart @param {Ends} ends */
export function spread(places, apart, [low, high]) {
  const order = places.map((_, k) => k).sort((one, other) => places[one] - places[other]);
  const found = places.slice();
  let least = low;
  for (const k of order) least = (found[k] = Math.max(Math.min(Math.max(found[k], low), high), least)) + apart;
  let most = high;
  for (const k of order.reverse()) most = (found[k] = Math.min(found[k], most)) - apart;
  return found;
}

// A place on the plane for a point: rounded to a hundredth, and within the axes.
/** @param {Point} place @param {Ends} x @param {Ends} y @returns {Point} */
export function onPlane([px, py], x, y) {
  /** @param {number} v @param {Ends} ends */
  const kept = (v, [low, high]) => Math.round(100 * Math.min(high, Math.max(low, v))) / 100;
  return [kept(px, x), kept(py, y)];
}

// Where a point that is added without a pointer stands: in the middle of the widest gap along x.
/** @param {Point[]} points @param {Ends} x @returns {number} */
export function widestGap(points, [low, high]) {
  const at = [low, ...points.map(([px]) => px).sort((one, other) => one - other), high];
  let widest = 1;
  for (let k = 2; k < at.length; k++) if (at[k] - at[k - 1] > at[widest] - at[widest - 1]) widest = k;
  return (at[widest] + at[widest - 1]) / 2;
}

// Are these the same points? What comes back from the kernel has been rounded to 32 bits.
/** @param {Point[]} one @param {Point[]} other */
export function samePoints(one, other) {
  return one.length === other.length && one.every(([x, y], k) => Math.abs(x - other[k][0]) < 1e-4 && Math.abs(y - other[k][1]) < 1e-4);
}

// How long one inner step lasts in slow motion, in milliseconds: slow enough to see it, and many steps within 12 s.
/** @param {number} steps */
export function stepTime(steps) {
  return Math.min(900, 12000 / Math.max(1, steps));
}
