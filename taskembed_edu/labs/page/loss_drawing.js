// What LossLab draws between its points: lines with their distances, the margin round an anchor, and forces.

import { onHover, setText, svg } from "./dom.js";
import { insideLabel, labelNode, placeLabel } from "./labels.js";
import { clamp } from "./numbers.js";
import { arrow, ball, toPixel } from "./plane.js";

const SOME_REGIONS = 6; // where there are more, only the chosen anchor's is drawn

/** @type {Lab.DrawLinks} */
export function drawLinks({ page, hot, light }, view, at, taken) {
  const { links, many_links: many, shows } = page.now;
  /** @type {Lab.Links} */ const drawn = { links: [], measures: [] };
  for (const link of links) {
    const lit = hot !== null && link.rows.includes(hot);
    const [d, places] = curve(at, link.from, link.to, many);
    const classes = { "te-lit": lit, "te-many": many && !lit, "te-idle": shows.judged && !link.active };
    const paths = [svg("path", { class: "te-hit", d }), svg("path", { d })];
    const node = svg("g", { class: `te-link te-${link.kind}` }, ...paths);
    for (const [name, on] of Object.entries(classes)) node.classList.toggle(name, on);
    drawn.links.push(onHover(node, () => light(link.rows[0]), () => light(null)));
    if (!shows.measures && !(lit && shows.distances)) continue;
    const label = placeLabel({ words: link.text, x: 0, y: 0, kind: "te-measure" }, places, taken, view.unit);
    drawn.measures.push(labelNode(label));
  }
  return drawn;
}

/** A straight line, or a curve round a point on it, and places for its label, the best first. @type {Lab.Curve} */
function curve(at, i, j, straight) {
  const [[x1, y1], [x2, y2]] = at[i][0] <= at[j][0] ? [at[i], at[j]] : [at[j], at[i]]; // from left to right
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = Math.hypot(dx, dy);
  if (length < 1) return [`M${x1},${y1}L${x2},${y2}`, [[x1, y1 + 29]]];
  let bow = 0; // positive: curved upwards
  at.forEach(([x, y], k) => {
    const along = ((x - x1) * dx + (y - y1) * dy) / length ** 2;
    if (straight || k === i || k === j || along < 0.05 || along > 0.95) return;
    const below = ((y - y1) * dx - (x - x1) * dy) / length;
    const near = Math.max(0, 1 - Math.abs(below) / 30);
    if (near > Math.abs(bow)) bow = below >= -1 ? near : -near;
  });
  const height = bow * Math.min(0.2 * length, 62);
  /** The point at share `t` of the line, `h` pixels above the curve. @type {(t: number, h: number) => Lab.Pair} */
  const beside = (t, h) => {
    const up = 4 * t * (1 - t) * height + h; // the curve's height there, plus h
    return [x1 + t * dx + (dy / length) * up, y1 + t * dy - (dx / length) * up];
  };
  const [cx, cy] = beside(0.5, height);
  const path = bow ? `M${x1},${y1}Q${cx},${cy} ${x2},${y2}` : `M${x1},${y1}L${x2},${y2}`;
  const steep = 12 * Math.abs(dy / length); // a label needs more room beside a steep line than above a flat one
  const sides = bow > 0 ? [14 + steep, -18 - steep] : [-18 - steep, 14 + steep];
  const heights = [...sides, ...sides.map((h) => 1.7 * h)];
  const places = [0.5, 0.62, 0.38, 0.74, 0.26].flatMap((t) => heights.map((h) => beside(t, h)));
  return [path, places.map(([x, y]) => [x, y + 5])]; // a label's place is its baseline
}

/** The margin round each anchor: strong for the chosen one, faint for the others. @type {Lab.DrawRegions} */
export function drawRegions({ page, hot, anchor }, view, at) {
  const { regions, rows } = page.now;
  const lit = hot === null ? null : rows[hot]?.members;
  const chosen = lit ? lit[0] : (regions.find((region) => region.anchor === anchor) ?? regions[0])?.anchor;
  const largest = Math.max(...regions.filter((region) => region.anchor === chosen).map(({ size }) => size));
  return regions.flatMap((region) => {
    const main = region.anchor === chosen && (!lit || lit.length < 3 || lit[1] === region.positive);
    if (!main && regions.length > SOME_REGIONS) return [];
    const centre = at[region.anchor];
    const filled = main && (lit || region.size === largest);
    const kind = `te-region${main ? " te-main" : ""}${filled ? " te-filled" : ""}`;
    const nodes = [ball(view, region.shape, centre, region.size, kind)];
    if (main && region.inner > 0) nodes.push(ball(view, region.shape, centre, region.inner, "te-inner"));
    if (filled && region.size > 0) nodes.push(regionText(region, view, centre));
    return nodes;
  });
}

/** @type {(region: Lab.Region, view: Lab.View, centre: Lab.Pair) => SVGElement} */
function regionText({ positive, radius, shape, size }, view, [x, y]) {
  const words = positive === null ? `margin ${radius}` : `d(a,p) + margin = ${radius}`;
  const [ox, oy] = toPixel(view, [0, 0]);
  const beside = /** @type {Lab.Label} */ ({ words, x: ox - 14, y: oy - 10, anchor: "end" });
  const label = shape === "wedge" ? beside : { words, x, y: y + size * view.scale + 18 };
  const clear = { ...label, y: clamp(label.y, 20, view.height - 30), kind: "te-region-text" }; // off the scale bar
  return labelNode(insideLabel(clear, view));
}

/** Forces as arrows: of each term, and summed. @type {Lab.DrawForces} */
export function drawForces(stage, view, at) {
  const { rows, total } = stage.page.now;
  const scale = view.scale * scaleOf(stage, view);
  /** @type {(i: number, force: number[], kind: string, head?: number, aside?: number) => SVGElement[]} */
  const drawn = (i, [fx, fy], kind, head = 13, aside = 5) => {
    const [dx, dy] = [fx * scale, -fy * scale];
    const size = Math.hypot(dx, dy);
    if (size < 2) return [];
    // Moved aside, so that the arrows of two points that attract each other do not overlap.
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

/** A force of 1 is one unit long; shorter where arrows would not fit, longer where all are tiny. @type {Lab.ScaleOf} */
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
