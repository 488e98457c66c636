// The plane: a view {x, y, scale, width, height} has the plane's (x, y) at its centre and `scale` pixels per unit.

import { svg } from "./dom.js";

/** @type {(view: Lab.View, place: number[]) => Lab.Pair} */
export const toPixel = ({ x, y, scale, width, height }, [a, b]) =>
  [width / 2 + (a - x) * scale, height / 2 - (b - y) * scale];
/** @type {(view: Lab.View, pixel: number[]) => Lab.Pair} */
export const toPlace = ({ x, y, scale, width, height }, [px, py]) =>
  [x + (px - width / 2) / scale, y - (py - height / 2) / scale];

/** Lines at every multiple of the step, and [value, pixel] of each, along x and along y. @type {Lab.GridLines} */
export function gridLines(view, step) {
  const { width, height } = view;
  const [[left, high], [right, low]] = [toPlace(view, [0, 0]), toPlace(view, [width, height])];
  /** @type {{ lines: SVGLineElement[], across: Lab.Pair[], upward: Lab.Pair[] }} */
  const grid = { lines: [], across: [], upward: [] };
  const line = (/** @type {Lab.Attributes} */ ends, k = 0) =>
    grid.lines.push(svg("line", { class: k ? "te-grid-line" : "te-axis", ...ends }));
  for (let k = Math.ceil(left / step); k * step <= right; k++) {
    const [x] = toPixel(view, [k * step, 0]);
    line({ x1: x, x2: x, y1: 0, y2: height }, k);
    grid.across.push([k * step, x]);
  }
  for (let k = Math.ceil(low / step); k * step <= high; k++) {
    const [, y] = toPixel(view, [0, k * step]);
    line({ x1: 0, x2: width, y1: y, y2: y }, k);
    grid.upward.push([k * step, y]);
  }
  return grid;
}

/** All points within a distance of a centre (a pixel): a circle or diamond of this half width in the plane; under the
 * cosine, the wedge of directions from the origin with this half angle. @type {Lab.Ball} */
export function ball(view, shape, [x, y], size, kind) {
  const r = size * view.scale;
  if (shape === "circle") return svg("circle", { class: kind, cx: x, cy: y, r });
  const diamond = `M${x + r},${y}L${x},${y - r}L${x - r},${y}L${x},${y + r}Z`;
  if (shape === "diamond") return svg("path", { class: kind, d: diamond });
  const [cx, cy] = toPixel(view, [0, 0]);
  const far = 4 * (view.width + view.height);
  if (size > Math.PI - 1e-6) return svg("circle", { class: kind, cx, cy, r: far });
  const middle = Math.atan2(cy - y, x - cx);
  const end = (/** @type {number} */ angle) => `${cx + far * Math.cos(angle)},${cy - far * Math.sin(angle)}`;
  const arc = `A${far},${far} 0 ${size > Math.PI / 2 ? 1 : 0} 0 ${end(middle + size)}`;
  return svg("path", { class: kind, d: `M${cx},${cy}L${end(middle - size)}${arc}Z` });
}

/** An arrow from pixel to pixel, with a head of this length and half width. @type {Lab.Arrow} */
export function arrow([x, y], [tx, ty], head, half, kind) {
  const far = Math.hypot(tx - x, ty - y) || 1;
  const [ux, uy] = [(tx - x) / far, (ty - y) / far];
  const [bx, by] = [tx - ux * head, ty - uy * head]; // the middle of the head's base
  const d = `M${tx},${ty}L${bx - uy * half},${by + ux * half}L${bx + uy * half},${by - ux * half}Z`;
  return svg("g", { class: kind }, svg("line", { x1: x, y1: y, x2: bx, y2: by }), svg("path", { d }));
}
