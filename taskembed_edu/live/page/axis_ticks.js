// Ticks of an axis: round numbers.

/** @import { Ends } from "./types.js" */

// Round numbers on a logarithmic axis, no two of them nearer than `apart` of its length: powers of ten first, then their
// fives and twos. Where there are none, the ends.
/** @param {number} low @param {number} high @param {number} apart @returns {number[]} */
export function logTicks(low, high, apart) {
  /** @type {number[]} */
  const ticks = [];
  const length = Math.log(high / low);
  for (const first of [1, 5, 2]) {
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      const value = Number(`${first}e${power}`);
      const free = ticks.every((other) => Math.abs(Math.log(value / other)) >= apart * length);
      if (value >= low && value <= high && free) ticks.push(value);
    }
  }
  return ticks.length > 1 ? ticks.sort((one, other) => one - other) : [low, high];
}

// Round numbers between the ends: multiples of 1, 2 or 5 times a power of ten, at most `most` + 1 of them.
/** @param {Ends} ends @param {number} [most] */
export function roundTicks([low, high], most = 6) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((each) => each * power >= rough - 1e-12) ?? 10) * power;
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) ticks.push(+(k * step).toPrecision(12));
  return ticks;
}
