// Which neighbours are others in another map of the same tasks: as the kernel tells it (packets.py, `OTHER_RUN`), for a page
// that has no kernel.

/** @import { Changes } from "./types.js" */

export const OTHER_RUN = "other run";

// `own` and `other` hold the k nearest of each of n tasks, one task after another. Compared are sets: a neighbour that only
// changed its place is not lost.
/**
 * @param {{ own: ArrayLike<number>, other: ArrayLike<number>, k: number }} neighbours
 * @param {number} n
 * @param {number} chosen
 * @returns {Pick<Changes, "counts" | "share" | "lost" | "gained"> & { counts: Uint8Array }}
 */
export function changesBetween({ own, other, k }, n, chosen) {
  /** @param {ArrayLike<number>} near @param {number} i */
  const of = (near, i) => Array.from({ length: k }, (_, place) => near[k * i + place]);
  /** @param {number} i */
  const lost = (i) => of(own, i).filter((j) => !of(other, i).includes(j));
  const counts = Uint8Array.from({ length: n }, (_, i) => lost(i).length);
  const changed = counts.reduce((sum, count) => sum + count, 0);
  const known = chosen >= 0 && chosen < n;
  return {
    counts,
    share: n * k ? changed / (n * k) : 0,
    lost: known ? lost(chosen) : [],
    gained: known ? of(other, chosen).filter((j) => !of(own, chosen).includes(j)) : [],
  };
}
