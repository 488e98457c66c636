// The curves' rows of one run (packets.rows_packet), in one growing array, so that a run of many thousand frames needs
// no object per frame.

import { floatsOf } from "./packets.js";

/** @import { RunRows } from "./types.js" */

export class Rows {
  /** @type {string[]} */
  columns = [];
  count = 0;
  values = new Float32Array(0);
  /** @type {Set<string>} */
  known = new Set(); // columns that have at least one number in this run

  clear() {
    this.columns = [];
    this.count = 0;
    this.values = new Float32Array(0);
    this.known.clear();
  }

  // Returns false where rows in between are missing; the caller then requests all rows.
  /** @param {RunRows} packet */
  take({ first, columns, values }) {
    if (first > this.count) return false;
    const fresh = floatsOf(values);
    const wide = columns.length;
    this.columns = columns;
    const end = first * wide + fresh.length;
    if (end > this.values.length) {
      const grown = new Float32Array(Math.max(2 * this.values.length, end));
      grown.set(this.values.subarray(0, first * wide));
      this.values = grown;
    }
    this.values.set(fresh, first * wide);
    this.count = end / wide;
    if (!first) this.known.clear();
    for (let k = 0; k < fresh.length; k++) if (Number.isFinite(fresh[k])) this.known.add(columns[k % wide]);
    return true;
  }

  /** @param {number} row @param {string} key */
  at(row, key) {
    const column = this.columns.indexOf(key);
    return column < 0 || row < 0 || row >= this.count ? NaN : this.values[row * this.columns.length + column];
  }

  /** @param {number} row */
  step(row) {
    return this.at(row, "step");
  }

  lastStep() {
    return this.count ? this.step(this.count - 1) : 0;
  }

  // The last row at or before a step (rows are in the order of steps); -1 where there is none.
  /** @param {number} step */
  rowAt(step) {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.step(middle) <= step) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
