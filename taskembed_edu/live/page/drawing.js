// Draws a task as lines and labels, for kinds of sample that have no drawing function of their own on the page.

import { cssOf, drawMarker } from "./shapes.js";
import { write } from "./written.js";

/** @import { Axes, DrawingData, Palette, Tone } from "./types.js" */

const EDGE = 5; // CSS pixels that stay free at each edge
const DOT = 2.8; // radius in CSS pixels; a line of one point is drawn as a dot

// Maps shares (0 ... 1) of the drawing's axes to the canvas: centred, with one unit of x as long as one unit of y.
/** @param {Pick<DrawingData, "x" | "y">} data @param {number} wide @param {number} high @returns {Axes} */
export function drawingAxes({ x, y }, wide, high) {
  const [span_x, span_y] = [x[1] - x[0], y[1] - y[0]];
  const unit = Math.min((wide - 2 * EDGE) / span_x, (high - 2 * EDGE) / span_y);
  const [left, bottom] = [(wide - unit * span_x) / 2, (high + unit * span_y) / 2];
  return { x: (share) => left + unit * span_x * share, y: (share) => bottom - unit * span_y * share };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {DrawingData} data
 * @param {Palette} palette
 * @param {Axes} axes
 */
export function drawDrawing(context, { drawing }, palette, axes) {
  /** @param {Tone} tone */
  const colour = (tone) => cssOf(palette[tone === "answer" ? "lost" : tone]);
  for (const { tone, dashed, points } of drawing.lines) {
    const [[x, y]] = points.length ? points : [[0, 0]];
    if (points.length === 1) drawMarker(context, 0, axes.x(x), axes.y(y), DOT, colour(tone), cssOf(palette.paper));
    context.beginPath();
    points.forEach(([px, py], k) => context[k ? "lineTo" : "moveTo"](axes.x(px), axes.y(py)));
    context.setLineDash(dashed ? [4, 3] : []);
    context.lineWidth = 1.6;
    context.strokeStyle = colour(tone);
    context.stroke();
  }
  context.setLineDash([]);
  context.font = "10px system-ui, sans-serif";
  context.textBaseline = "middle";
  for (const { tone, align, text, at } of drawing.labels) {
    context.textAlign = align;
    context.fillStyle = colour(tone);
    write(context, text, axes.x(at[0]), axes.y(at[1]));
  }
}
