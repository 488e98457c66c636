// The losses of each start over its inner steps: on the query set solid, on the support set dashed, the step shown marked.
// Of classes and words also how many answers are right.

import { element, rounded } from "./base.js";
import { logTicks } from "./axis_ticks.js";
import { decadesOf, valueAt } from "./bench_numbers.js";
import { cssOf } from "./shapes.js";
import { freshPen, write } from "./written.js";

/** @import { ShownWay } from "./bench_ways.js" */
/** @import { Ends, Palette } from "./types.js" */
/** @typedef {{ left: number, right: number, top: number, bottom: number }} Area CSS pixels on the canvas */

const STEP_DASHES = { query: [], support: [5, 4], flat: [1.5, 4] };

// One chart of one measure. `loss` has a logarithmic axis, shares end at 1.
export class StepChart {
  /** @param {Element} parent @param {string} measure @param {string} label */
  constructor(parent, measure, label) {
    this.measure = measure;
    this.root = element("div", "te-bench-chart", parent);
    this.title = element("div", "te-bench-chart-title", this.root, label);
    this.canvas = element("canvas", "te-bench-chart-canvas", this.root);
    this.canvas.setAttribute("role", "img");
    this.canvas.dataset.measure = measure;
  }

  remove() {
    this.root.remove();
  }

  /** @param {ShownWay[]} ways @param {number} steps @param {number} at @param {Palette} palette */
  draw(ways, steps, at, palette) {
    const { canvas } = this;
    if (!canvas.clientWidth) return;
    const { pen: c, em } = freshPen(canvas, 0.85, true);
    const area = { left: 3.1 * em, right: canvas.clientWidth - 8, top: 0.6 * em, bottom: canvas.clientHeight - 1.5 * em };
    const lines = ways.flatMap((way) => this.linesOf(way));
    const log = this.measure === "loss";
    const ends = log ? decadesOf(lines.flatMap(({ values }) => Array.from(values))) : /** @type {Ends} */ ([0, 1]);
    /** @param {number} v */
    const share = (v) => (log ? Math.log(Math.max(v, ends[0]) / ends[0]) / Math.log(ends[1] / ends[0]) : v);
    /** @param {number} v */
    const y = (v) => area.bottom - (area.bottom - area.top) * share(v);
    /** @param {number} step */
    const x = (step) => area.left + ((area.right - area.left) * step) / Math.max(1, steps);
    this.axes(c, area, palette, log ? logTicks(...ends, (1.6 * em) / (area.bottom - area.top)) : [0, 0.5, 1], y, steps);
    this.mark(c, area, palette, x(at));
    for (const line of lines) this.line(c, line, steps, x, y);
    for (const { values, colour, kind } of lines) if (kind === "query" || !this.has(ways)) this.dot(c, values, at, colour, x, y, palette);
    this.describe(ways, at);
  }

  // Has anybody been judged by a query set?
  /** @param {ShownWay[]} ways */
  has(ways) {
    return ways.some((way) => way.query[this.measure]);
  }

  /** @param {ShownWay} way @returns {{ values: ArrayLike<number>, colour: string, kind: "query" | "support" | "flat" }[]} */
  linesOf(way) {
    const { colour } = way;
    if (way.flat) return this.measure in way.flat ? [{ values: [way.flat[this.measure]], colour, kind: "flat" }] : [];
    const query = way.query[this.measure];
    return [
      ...(this.measure === "loss" ? [{ values: way.support, colour, kind: /** @type {const} */ ("support") }] : []),
      ...(query ? [{ values: query, colour, kind: /** @type {const} */ ("query") }] : []),
    ];
  }

  /**
   * @param {CanvasRenderingContext2D} c
   * @param {Area} area
   * @param {Palette} palette
   * @param {number[]} ticks
   * @param {(value: number) => number} y
   * @param {number} steps
   */
  axes(c, area, palette, ticks, y, steps) {
    c.strokeStyle = cssOf(palette.line);
    c.fillStyle = cssOf(palette.soft);
    c.lineWidth = 1;
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const tick of ticks) {
      const at = Math.round(y(tick)) + 0.5;
      c.beginPath();
      c.moveTo(area.left, at);
      c.lineTo(area.right, at);
      c.stroke();
      write(c, tick >= 0.001 || tick === 0 ? `${tick}` : tick.toExponential(0), area.left - 5, Math.min(at, area.bottom - 4));
    }
    c.textBaseline = "top";
    write(c, `inner step ${steps}`, area.right, area.bottom + 5);
    c.textAlign = "left";
    write(c, "0", area.left, area.bottom + 5);
  }

  /** @param {CanvasRenderingContext2D} c @param {Area} area @param {Palette} palette @param {number} at */
  mark(c, area, palette, at) {
    c.strokeStyle = cssOf(palette.soft);
    c.lineWidth = 1.5;
    c.beginPath();
    c.moveTo(at, area.top);
    c.lineTo(at, area.bottom);
    c.stroke();
  }

  /**
   * @param {CanvasRenderingContext2D} c
   * @param {{ values: ArrayLike<number>, colour: string, kind: "query" | "support" | "flat" }} line
   * @param {number} steps
   * @param {(step: number) => number} x
   * @param {(value: number) => number} y
   */
  line(c, { values, colour, kind }, steps, x, y) {
    c.strokeStyle = colour;
    c.lineWidth = kind === "query" ? 2.5 : 1.75;
    c.setLineDash(STEP_DASHES[kind]);
    c.beginPath();
    if (kind === "flat") {
      c.moveTo(x(0), y(values[0]));
      c.lineTo(x(steps), y(values[0]));
    } else {
      for (let step = 0; step < values.length && Number.isFinite(values[step]); step++) c[step ? "lineTo" : "moveTo"](x(step), y(values[step]));
    }
    c.stroke();
    c.setLineDash([]);
  }

  /**
   * @param {CanvasRenderingContext2D} c
   * @param {ArrayLike<number>} values
   * @param {number} at
   * @param {string} colour
   * @param {(step: number) => number} x
   * @param {(value: number) => number} y
   * @param {Palette} palette
   */
  dot(c, values, at, colour, x, y, palette) {
    const value = values.length > 1 ? valueAt(values, at) : NaN;
    if (!Number.isFinite(value)) return;
    c.beginPath();
    c.arc(x(at), y(value), 4, 0, 2 * Math.PI);
    c.fillStyle = colour;
    c.fill();
    c.lineWidth = 1.5;
    c.strokeStyle = cssOf(palette.paper);
    c.stroke();
  }

  /** @param {ShownWay[]} ways @param {number} at */
  describe(ways, at) {
    const said = ways.map((way) => `${way.label} ${rounded(valueOf(way, this.measure, at))}`);
    this.canvas.setAttribute("aria-label", `${this.title.textContent} after ${Math.round(at)} inner steps: ${said.join(", ")}`);
  }
}

// The number of a start that is told at a step: of the query set, or where nobody knows the truth, of the support set.
/** @param {ShownWay} way @param {string} measure @param {number} at */
export function valueOf(way, measure, at) {
  if (way.flat) return way.flat[measure] ?? NaN;
  const values = way.query[measure] ?? (measure === "loss" ? way.support : undefined);
  return values ? values[Math.round(at)] : NaN;
}
