// Draws what a distance measures: the line, the square on it, the staircase, or the angle. Python sends which sides are
// measured (between x and y, or along the triangle) and the labels beside them.

import { svg } from "./dom.js";
import { insideLabel } from "./labels.js";
import { toPixel } from "./plane.js";

/** @type {(page: Lab.DistancePage, view: Lab.View) => Lab.Drawing} */
export function drawWays({ now, points }, view) {
  const [x, y, z, origin] = [points.x, points.y, points.z, [0, 0]].map((place) => toPixel(view, place));
  // Squares and labels lie outside the triangle; for a single side they lie away from the origin.
  const outside = now.sides.length > 1 ? side(x, z, y) || -side(x, z, origin) || 1 : -side(x, y, origin) || 1;
  const ways = now.sides.map(({ ends, kind, texts }) => {
    const [a, b] = ends.map((name) => toPixel(view, points[name]));
    const away = kind === "direct" ? -outside : outside;
    return WAYS[now.settings.metric]({ a, b, away, texts, kind, vectors: ends.map((name) => points[name]), view });
  });
  return { shapes: ways.flatMap((way) => way.shapes), labels: ways.flatMap((way) => way.labels) };
}

/** The side of the line from a to b on which a point lies: 1, -1, or 0 on the line. @type {Lab.Side} */
function side(a, b, point) {
  const cross = (point[0] - a[0]) * (b[1] - a[1]) - (point[1] - a[1]) * (b[0] - a[0]);
  return Math.abs(cross) < 1e-6 ? 0 : Math.sign(cross);
}

/** The unit normal of a-b on that side, and the length of a-b. @type {Lab.Normal} */
function normal(a, b, away) {
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
  return length ? [((b[1] - a[1]) / length) * away, ((a[0] - b[0]) / length) * away, length] : [0, -1, 0];
}

/** @type {(a: Lab.Pair, b: Lab.Pair, kind: string) => SVGElement} */
const straight = (a, b, kind) => svg("line", { class: `way ${kind}`, x1: a[0], y1: a[1], x2: b[0], y2: b[1] });

/** @type {(view: Lab.View, words: string, x: number, y: number, anchor?: Lab.Anchor) => Lab.Label} */
const strong = (view, words, x, y, anchor) => insideLabel({ words, x, y, anchor, kind: "strong" }, view);

/** @type {Record<string, (way: Lab.Way) => Lab.Drawing>} */
const WAYS = {
  euclidean({ a, b, away, texts, kind, view }) {
    const [nx, ny] = normal(a, b, away);
    const off = 17 * view.unit;
    const [x, y] = [(a[0] + b[0]) / 2 + nx * off * 1.3, (a[1] + b[1]) / 2 + ny * off + 5];
    return { shapes: [straight(a, b, kind)], labels: [strong(view, texts[0], x, y)] };
  },
  squared_euclidean({ a, b, away, texts, kind, view }) {
    const [nx, ny, length] = normal(a, b, away);
    const [c, d] = [b, a].map((p) => [p[0] + nx * length, p[1] + ny * length]);
    const area = svg("path", { class: `area ${kind}`, d: `M${a}L${b}L${c}L${d}Z` });
    const label = strong(view, texts[0], (a[0] + c[0]) / 2, (a[1] + c[1]) / 2 + 5);
    return { shapes: [area, straight(a, b, kind)], labels: [label] };
  },
  manhattan({ a, b, away, texts, kind, view }) {
    const corners = /** @type {Lab.Pair[]} */ ([[b[0], a[1]], [a[0], b[1]]]); // horizontal first, or vertical first
    const [x, y] = corners.find((corner) => side(a, b, corner) === away) ?? corners[0];
    const road = svg("path", { class: `way ${kind}`, d: `M${a}L${x},${y}L${b}` });
    const [middleX, middleY] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    const level = y + (y >= middleY ? 7 + 11 * view.unit : -7);
    if (kind) return { shapes: [road], labels: [strong(view, texts[0], (x + middleX) / 2, level)] };
    const stairs = [0.25, 0.5, 0.75, 1].map((t) => `H${a[0] + (b[0] - a[0]) * t}V${a[1] + (b[1] - a[1]) * t}`);
    const across = strong(view, texts[0], middleX, level);
    const right = x >= middleX;
    const along = strong(view, texts[1], x + (right ? 8 : -8), middleY + 5, right ? "start" : "end");
    const thin = svg("path", { class: "way thin", d: `M${a}${stairs.join("")}` });
    return { shapes: [thin, road], labels: [across, along] };
  },
  cosine({ texts, kind, vectors, view }) {
    if (!vectors.every((vector) => vector.some((entry) => entry))) return { shapes: [], labels: [] };
    const [start, end] = vectors.map(([a, b]) => Math.atan2(b, a));
    let sweep = end - start;
    if (sweep > Math.PI + 1e-9) sweep -= 2 * Math.PI;
    if (sweep <= -Math.PI + 1e-9) sweep += 2 * Math.PI;
    const [cx, cy] = toPixel(view, [0, 0]);
    const radius = (kind === "direct" ? 92 : 58) * view.unit;
    const at = (/** @type {number} */ angle, r = radius) => [cx + r * Math.cos(angle), cy - r * Math.sin(angle)];
    const arc = `A${radius},${radius} 0 0 ${sweep > 0 ? 0 : 1} ${at(start + sweep)}`;
    const sector = svg("path", { class: "sector", d: `M${cx},${cy}L${at(start)}${arc}Z` });
    const edge = svg("path", { class: `way ${kind}`, d: `M${at(start)}${arc}` });
    const beside = radius + (kind === "detour" ? -19 : 22) * view.unit;
    const [x, y] = at(start + sweep * (kind === "direct" ? 0.28 : 0.5), beside);
    return { shapes: kind ? [edge] : [sector, edge], labels: [strong(view, texts[0], x, y + 5)] };
  },
};
