// How strongly a point is drawn. FAINT: filtered out. DIM: others are emphasised. FULL: normal. ABSENT: not drawn.

export const FAINT = 0;
export const DIM = 1;
export const FULL = 2;
export const ABSENT = 3;
export const OPACITY = [0.09, 0.35, 1];

// The level of task i of a group of the legend. A filter overrides a selection, and a selection overrides "What
// changed?", which dims the tasks that keep all their neighbours (`counts` 0). Without `counts` no comparison is shown.
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
