// Ticks of an axis: round numbers.

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
