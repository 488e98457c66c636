// The tasks' paths: a thin line from each task's start, through some of its places, to its current place. The kernel
// sends the places in the coordinates of the newest picture (packets.trails), so they do not move while the points
// glide.

import { DIM, FULL, OPACITY } from "./levels.js";
import { boundsOf, bytesOf, decodePlaces } from "./packets.js";
import { cssOf, outlineOf } from "./shapes.js";

/** @import { RunPicture } from "./types.js" */
/** @import { TaskMapView } from "./map.js" */

/** @typedef {{ css: string, tasks: number[] }} Batch tasks of one colour */

const TRAIL_ALPHA = 0.35;

// Why a map has no trails, as a short and a full text, by the kernel's reason (overlays.missing_trails).
/** @type {Record<string, [few: string, whole: string]>} */
const NO_TRAILS = {
  directions: ["No trails: main directions are found anew at every step", "To see trails, let the weights be seen as they are, or as the way from the start."],
  crowd: ["No trails: too many tasks", "So many lines would hide the points."],
  begun: ["Trails begin here", "This is where the tasks start: their ways are drawn from the next step on."],
  anew: ["Trails begin anew from here: other numbers are looked at", "What was looked at before is another way of seeing the tasks, and no part of this one. Train on: their ways are drawn from the next step on."],
  map: ["Trails begin anew from here: UMAP drew another map", "A place on a map before means nothing on this one. Train on: the tasks' ways are drawn from the next step on."],
  room: ["No trails in this file", "It is kept small enough for a mail; the live lab has them."],
};

export class Trails {
  /** @param {TaskMapView} map */
  constructor(map) {
    this.map = map;
    this.m = 0; // number of places per task
    this.missing = ""; // the reason why there are none, where tasks could have some
    /** @type {Batch[] | null} */
    this.batches = null; // null: to be made when trails are next drawn
    this.places = new Float32Array(0);
  }

  /** @param {RunPicture} picture */
  take(picture) {
    const { n: m = 0, points, missing = "" } = picture.trails ?? { n: 0 };
    this.missing = missing;
    const whole = m && bytesOf(points).length === 4 * m * this.map.n;
    this.m = whole ? m : 0;
    const size = 2 * this.m * this.map.n;
    if (this.places.length !== size) this.places = new Float32Array(size);
    if (points && this.m) decodePlaces({ points, box: picture.box }, this.places);
  }

  possible() {
    return this.m > 0;
  }

  // Why there are none: [short text, full text]; null where there are some, or where none are expected.
  excuse() {
    return this.possible() ? null : (NO_TRAILS[this.missing] ?? null);
  }

  shown() {
    return this.possible() && this.map.state.get("trails") !== false;
  }

  // Extends the view's box, so that the tasks' starts are visible as well.
  /** @param {Float64Array} box */
  extend(box) {
    const { places, m, map } = this;
    const own = new Float64Array(4);
    boundsOf(places, own, (k) => map.gone.has(Math.floor(k / m)));
    for (const k of [0, 1]) {
      box[k] = Math.min(box[k], own[k]);
      box[k + 2] = Math.max(box[k + 2], own[k + 2]);
    }
  }

  // The colours changed: the batches are made again.
  forget() {
    this.batches = null;
  }

  // Tasks of one colour are drawn as one path, which is faster. On a continuous scale all colours differ a little, so
  // each channel is rounded to sixteen levels: enough for a thin line.
  batch() {
    const { colouring, n, palette } = this.map;
    /** @type {Map<number, Batch>} */
    const known = new Map();
    for (let i = 0; i < n; i++) {
      const rgb = colouring.rgb.subarray(3 * i, 3 * i + 3);
      const key = ((rgb[0] >> 4) << 8) | ((rgb[1] >> 4) << 4) | (rgb[2] >> 4);
      const batch = known.get(key) ?? { css: cssOf(outlineOf([...rgb], palette.paper, palette.ink)), tasks: [] };
      batch.tasks.push(i);
      known.set(key, batch);
    }
    return [...known.values()];
  }

  /** @param {CanvasRenderingContext2D} context */
  paint(context) {
    const drawn = this.shown() ? this.drawAll(context) : 0;
    context.globalAlpha = 1;
    const { dataset } = this.map.root;
    if (dataset.trails !== String(drawn)) dataset.trails = String(drawn);
  }

  /** @param {CanvasRenderingContext2D} context */
  drawAll(context) {
    const { map } = this;
    const batches = (this.batches ??= this.batch());
    const marked = [map.state.get("hover") ?? -1, map.painter.chosen()].filter((i) => map.shown(i));
    const wide = (map.state.get("projector") ? 2 : 1.25) * map.ratio;
    context.lineJoin = "round";
    let drawn = 0;
    for (const level of [DIM, FULL]) {
      for (const { css, tasks } of batches) {
        const those = tasks.filter((i) => map.levels[i] === level);
        drawn += those.length;
        this.stroke(context, those, css, TRAIL_ALPHA * OPACITY[level], wide);
      }
    }
    for (const { css, tasks } of batches) {
      this.stroke(context, tasks.filter((i) => marked.includes(i)), css, 1, 2 * wide);
    }
    return drawn;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number[]} tasks
   * @param {string} css
   * @param {number} alpha
   * @param {number} wide
   */
  stroke(context, tasks, css, alpha, wide) {
    if (!tasks.length) return;
    const { places, m, map } = this;
    const { viewport, screen } = map;
    context.beginPath();
    for (const i of tasks) {
      for (let k = 2 * m * i; k < 2 * m * (i + 1); k += 2) {
        context[k === 2 * m * i ? "moveTo" : "lineTo"](viewport.screenX(places[k]), viewport.screenY(places[k + 1]));
      }
      context.lineTo(screen[2 * i], screen[2 * i + 1]);
    }
    context.globalAlpha = alpha;
    context.lineWidth = wide;
    context.strokeStyle = css;
    context.stroke();
  }
}
