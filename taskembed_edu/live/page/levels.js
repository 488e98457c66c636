// How strongly a point is drawn: filtered out; beside what matters now; as usual; not there at all.

export const FAINT = 0;
export const DIM = 1;
export const FULL = 2;
export const ABSENT = 3;
export const OPACITY = [0.09, 0.35, 1];

// The level of task i of a group of the legend. A filter is stronger than a selection, and a selection than "What
// changed?", where tasks that keep all their neighbours (`counts` 0) are pale; without `counts` nothing was asked.
/**
 * @param {number} i
 * @param {number} group
 * @param {{ gone: Set<number>, hidden: Set<number>, selected: Set<number>, counts: Uint8Array | null }} view
 */
export function levelOf(i, group, { gone, hidden, selected, counts }) {
  if (gone.has(i)) return ABSENT;
  if (hidden.has(group)) return FAINT;
  if (selected.size) return selected.has(i) ? FULL : DIM;
  return counts && !counts[i] ? DIM : FULL;
}
