// LossLab's forces as arrows: of each term, and summed.

import { setText } from "./dom.js";
import { arrow } from "./plane.js";

/** @type {Lab.DrawForces} */
export function drawForces(stage, view, at) {
  const { rows, total } = stage.page.now;
  const scale = view.scale * scaleOf(stage, view);
  /** @type {(i: number, force: number[], kind: string, head?: number, aside?: number) => SVGElement[]} */
  const drawn = (i, [fx, fy], kind, head = 13, aside = 5) => {
    const [dx, dy] = [fx * scale, -fy * scale];
    const size = Math.hypot(dx, dy);
    if (size < 2) return [];
    // aside, so that two points pulled at each other do not hide each other's arrow
    const [x, y] = [at[i][0] - (dy / size) * aside, at[i][1] + (dx / size) * aside];
    const length = Math.min(head, size);
    return [arrow([x, y], [x + dx, y + dy], length, 0.48 * length, `te-arrow ${kind}`)];
  };
  const arrows = rows.flatMap((row, number) => {
    const lit = stage.hot === number;
    if (!row.active || !(stage.each || lit)) return [];
    const kinds = row.kind === "triplet" ? ["anchor", "similar", "different"] : [row.kind, row.kind];
    const seen = lit ? "te-lit" : stage.hot !== null ? "te-dim" : "";
    return row.members.flatMap((i, k) => drawn(i, row.forces[k], `te-${kinds[k]} ${seen}`));
  });
  return { arrows, sums: stage.summed ? total.flatMap((force, i) => drawn(i, force, "te-sum", 17, 0)) : [] };
}

/** True to size, 1 as long as one unit; smaller where a force would not fit, larger where none could be seen. */
/** @param {Lab.LossStage} stage @param {Lab.View} view */
function scaleOf({ page }, { width, height, scale }) {
  const length = (/** @type {number[]} */ force) => Math.hypot(...force);
  const longest = Math.max(0, ...[...page.now.total, ...page.now.rows.flatMap((row) => row.forces)].map(length));
  const room = (0.4 * Math.min(width, 1.4 * height)) / scale;
  const factor = [10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01].find((f) => f * longest <= room) ?? room / longest;
  const chosen = longest * scale > 34 ? Math.min(1, factor) : factor;
  const size = chosen < 1 ? `at ${Number(chosen.toPrecision(2))} of their size` : `${chosen} times as long`;
  setText(page.part("scale"), longest < 1e-9 || chosen === 1 ? "" : `forces drawn ${size}`);
  return chosen;
}
