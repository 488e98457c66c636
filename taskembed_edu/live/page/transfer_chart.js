// What a new task reaches in few gradient steps, from three starts: the network of the nearest known task by each of the
// two embedders, and random weights. A line is the mean over new tasks, its band the bootstrap interval of that mean.

import { logTicks } from "./axis_ticks.js";
import { element, oncePerFrame, onTheme, rounded } from "./base.js";
import { ticksOf } from "./curves.js";
import { freshPen, keepLine, write } from "./written.js";

/** @import { LabPage } from "./lab.js" */
/** @import { Axes, TransferMeasure, TransferPacket } from "./types.js" */
/** @typedef {{ left: number, right: number, top: number, bottom: number }} Room CSS pixels on the canvas */

// The same dashes as the runs' curves; the start that no embedder chose is dotted.
const START_DASHES = [[], [6, 4], [2, 3]];
const START_INKS = ["--te-start-0", "--te-start-1", "--te-start-2"];
const BAND_OPACITY = 0.16; // opacity
const START_DOT = 2.5; // CSS pixels

// How far along the axis a number of steps stands, 0 ... 1: by its logarithm, so that 0, 1 and 5 are not one place.
/** @param {number} step @param {number} last */
export function alongSteps(step, last) {
  return last > 0 ? Math.log1p(step) / Math.log1p(last) : 0;
}

// The axis of the numbers: a share is between 0 and 1. Losses of a good start and of a random one may be far apart, so
// their axis is logarithmic, unless one of them is 0.
/** @param {Pick<TransferMeasure, "name" | "low" | "high" | "means">} measure @returns {{ low: number, high: number, log: boolean }} */
export function axisOf({ name, low, high, means }) {
  if (name !== "loss") return { low: 0, high: 1, log: false };
  const known = [...low, ...high, ...means].flat().filter((value) => value !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  if (!known.length || !(most > 0)) return { low: 0, high: 1, log: false };
  return least > 0 ? { low: 0.9 * least, high: 1.1 * most, log: true } : { low: 0, high: 1.06 * most, log: false };
}

// The chart in words: what each start reaches at first and at last.
/** @param {TransferPacket} transfer @param {TransferMeasure} measure */
export function transferWords({ starts, steps, n }, { label, texts }) {
  const last = steps.length - 1;
  const told = starts.map((name, k) => `${name} from ${texts[k][0] || "–"} to ${texts[k][last] || "–"}`);
  return `${label} on the query sets of ${n} new tasks, from ${steps[0]} to ${steps[last]} gradient steps: ${told.join(", ")}`;
}

// A round number without zeros behind it: 0.2 and not 0.20.
/** @param {number} value */
function tickText(value) {
  return value >= 0.001 && value < 1000 ? String(Number(value.toPrecision(3))) : rounded(value);
}

export class TransferChart {
  /** @type {TransferPacket | null} */
  transfer = null;
  /** @type {TransferMeasure | null} */
  measure = null;

  /** @param {LabPage} page @param {Element} parent */
  constructor(page, parent) {
    this.page = page;
    this.canvas = element("canvas", "te-transfer-canvas", parent);
    this.canvas.setAttribute("role", "img");
    this.draw = oncePerFrame(() => this.paint());
    this.stops = [onTheme(this.draw), page.on("projector", this.draw)];
    this.resized = new ResizeObserver(this.draw);
    this.resized.observe(this.canvas);
  }

  remove() {
    this.stops.forEach((stop) => stop());
    this.resized.disconnect();
    this.draw.stop();
  }

  /** @param {TransferPacket} transfer @param {TransferMeasure} measure */
  show(transfer, measure) {
    [this.transfer, this.measure] = [transfer, measure];
    this.canvas.setAttribute("aria-label", transferWords(transfer, measure));
    this.draw();
  }

  paint() {
    const { canvas, transfer, measure } = this;
    if (!canvas.clientWidth || !transfer || !measure) return;
    const { pen: c, em } = freshPen(canvas, 0.8);
    const room = { left: 2.9 * em, right: canvas.clientWidth - 10, top: 0.6 * em, bottom: canvas.clientHeight - 2.4 * em };
    const { low, high, log } = axisOf(measure);
    const last = transfer.steps[transfer.steps.length - 1];
    /** @param {number} value */
    const share = (value) => (log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low));
    const axes = {
      /** @param {number} step */
      x: (step) => room.left + 6 + (room.right - room.left - 6) * alongSteps(step, last),
      /** @param {number} value */
      y: (value) => room.bottom - (room.bottom - room.top) * share(value),
    };
    const style = getComputedStyle(this.page.root);
    const apart = (1.3 * em) / (room.bottom - room.top);
    const ticks = log ? logTicks(low, high, apart) : ticksOf(low, high).flatMap(({ value, written }) => (written ? [value] : []));
    this.frame(c, room, style, axes, ticks, em);
    for (let start = transfer.starts.length - 1; start >= 0; start--) {
      const ink = style.getPropertyValue(START_INKS[start]);
      this.band(c, transfer.steps, measure.low[start], measure.high[start], ink, axes);
      this.line(c, transfer.steps, measure.means[start], ink, start, axes);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} c
   * @param {Room} room
   * @param {CSSStyleDeclaration} style
   * @param {Axes} axes
   * @param {number[]} ticks
   * @param {number} em
   */
  frame(c, room, style, axes, ticks, em) {
    const steps = this.transfer?.steps ?? [];
    c.lineWidth = 1;
    c.strokeStyle = style.getPropertyValue("--te-line");
    c.fillStyle = style.getPropertyValue("--te-ink-soft");
    c.textBaseline = "middle";
    c.textAlign = "right";
    for (const value of ticks) {
      const at = Math.round(axes.y(value)) + 0.5;
      c.beginPath();
      c.moveTo(room.left, at);
      c.lineTo(room.right, at);
      c.stroke();
      write(c, tickText(value), room.left - 5, at);
    }
    c.textBaseline = "top";
    c.textAlign = "center";
    for (const step of steps) write(c, String(step), axes.x(step), room.bottom + 4);
    write(c, "gradient steps", (room.left + room.right) / 2, room.bottom + 4 + 1.1 * em);
  }

  /**
   * @param {CanvasRenderingContext2D} c
   * @param {number[]} steps
   * @param {(number | null)[]} low
   * @param {(number | null)[]} high
   * @param {string} ink
   * @param {Axes} axes
   */
  band(c, steps, low, high, ink, { x, y }) {
    const known = steps.flatMap((step, k) => {
      const [from, to] = [low[k], high[k]];
      return from === null || to === null ? [] : [{ step, from, to }];
    });
    if (known.length < 2) return;
    c.globalAlpha = BAND_OPACITY;
    c.fillStyle = ink;
    c.beginPath();
    known.forEach(({ step, to }) => c.lineTo(x(step), y(to)));
    known.reverse().forEach(({ step, from }) => c.lineTo(x(step), y(from)));
    c.fill();
    c.globalAlpha = 1;
  }

  /**
   * @param {CanvasRenderingContext2D} c
   * @param {number[]} steps
   * @param {(number | null)[]} means
   * @param {string} ink
   * @param {number} start
   * @param {Axes} axes
   */
  line(c, steps, means, ink, start, { x, y }) {
    /** @type {[number, number][]} */
    const places = steps.flatMap((step, k) => (means[k] === null ? [] : [[x(step), y(/** @type {number} */ (means[k]))]]));
    c.strokeStyle = c.fillStyle = ink;
    c.lineWidth = 2;
    c.setLineDash(START_DASHES[start]);
    c.beginPath();
    places.forEach(([px, py]) => c.lineTo(px, py));
    c.stroke();
    c.setLineDash([]);
    for (const [px, py] of places) {
      c.beginPath();
      c.arc(px, py, START_DOT, 0, 2 * Math.PI);
      c.fill();
    }
    places.slice(1).forEach(([px, py], k) => keepLine(c, [...places[k], px, py]));
  }
}
