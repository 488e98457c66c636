// The plane: a view {x, y, scale, width, height} has the plane's (x, y) in its middle and `scale` pixels to a unit.

import { svg } from "./dom.js";

/** @type {(view: Lab.View, place: number[]) => Lab.Pair} */
export const toPixel = ({ x, y, scale, width, height }, [a, b]) =>
  [width / 2 + (a - x) * scale, height / 2 - (b - y) * scale];

/** @type {(view: Lab.View, pixel: number[]) => Lab.Pair} */
export const toPlace = ({ x, y, scale, width, height }, [px, py]) =>
  [x + (px - width / 2) / scale, y - (py - height / 2) / scale];

/** The lines at every multiple of the step, and where they are: [value, pixel] of those across and of those upwards. */
/** @type {(view: Lab.View, step: number) => { lines: SVGLineElement[], across: Lab.Pair[], upward: Lab.Pair[] }} */
export function gridLines(view, step) {
  const { width, height } = view;
  const [[left, high], [right, low]] = [toPlace(view, [0, 0]), toPlace(view, [width, height])];
  /** @type {(from: number, to: number, pixel: (value: number) => number) => Lab.Pair[]} */
  const multiples = (from, to, pixel) => {
    const first = Math.ceil(from / step);
    const values = Array.from({ length: Math.max(0, Math.floor(to / step) - first + 1) }, (_, k) => (first + k) * step);
    return values.map((value) => [value, pixel(value)]);
  };
  /** @type {(value: number) => string} */
  const kind = (value) => (value ? "te-grid-line" : "te-axis");
  const across = multiples(left, right, (value) => toPixel(view, [value, 0])[0]);
  const upward = multiples(low, high, (value) => toPixel(view, [0, value])[1]);
  const lines = [
    ...across.map(([v, x]) => svg("line", { class: kind(v), x1: x, x2: x, y1: 0, y2: height })),
    ...upward.map(([v, y]) => svg("line", { class: kind(v), x1: 0, x2: width, y1: y, y2: y })),
  ];
  return { lines, across, upward };
}

/** All places within a distance of a centre (given as a pixel): a circle or diamond of this half width in the plane,
 * or, under the cosine, the wedge of directions from the origin with this half angle. */
/** @type {(view: Lab.View, shape: string, centre: number[], size: number, kind: string) => SVGElement} */
export function ball(view, shape, [x, y], size, kind) {
  const r = size * view.scale;
  if (shape === "circle") return svg("circle", { class: kind, cx: x, cy: y, r });
  if (shape === "diamond") return svg("path", { class: kind, d: `M${x + r},${y}L${x},${y - r}L${x - r},${y}L${x},${y + r}Z` });
  const [cx, cy] = toPixel(view, [0, 0]);
  const far = 4 * (view.width + view.height);
  if (size > Math.PI - 1e-6) return svg("circle", { class: kind, cx, cy, r: far });
  const middle = Math.atan2(cy - y, x - cx);
  /** @type {(angle: number) => string} */
  const end = (angle) => `${cx + far * Math.cos(angle)},${cy - far * Math.sin(angle)}`;
  const arc = `A${far},${far} 0 ${size > Math.PI / 2 ? 1 : 0} 0 ${end(middle + size)}`;
  return svg("path", { class: kind, d: `M${cx},${cy}L${end(middle - size)}${arc}Z` });
}

/** An arrow from pixel to pixel, with a head of this length and half width. */
/** @type {(from: number[], to: number[], head: number, half: number, kind: string) => SVGGElement} */
export function arrow([x, y], [tx, ty], head, half, kind) {
  const far = Math.hypot(tx - x, ty - y) || 1;
  const [ux, uy] = [(tx - x) / far, (ty - y) / far];
  const [bx, by] = [tx - ux * head, ty - uy * head]; // the middle of the head's base
  const d = `M${tx},${ty}L${bx - uy * half},${by + ux * half}L${bx + uy * half},${by - ux * half}Z`;
  return svg("g", { class: kind }, svg("line", { x1: x, y1: y, x2: bx, y2: by }), svg("path", { d }));
}
