// Where the tasks' inner loops begin: a cross with its name, its way over the earlier frames, and an arrow from it to each
// task's place. The kernel sends the way in the coordinates of the map (overlays.start_packet); the arrows end at the points.

import { meets } from "./labels.js";
import { DIM, FULL, OPACITY } from "./levels.js";
import { floatsOf } from "./packets.js";
import { scaleBarBox } from "./scale_bar.js";
import { cssOf } from "./shapes.js";
import { write } from "./written.js";

/** @import { Point, RunPicture } from "./types.js" */
/** @import { TaskMapView } from "./map.js" */

const WORD = "start";
const RINGS = 14; // how many gaps its name may stand away from the cross
/** @type {Point[]} */
const RING_SIDES = [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [1, 1], [-1, -1], [-1, 1]];
const CROWD = 60; // with more arrows than this, each is lighter
const HEAD = 7; // CSS pixels: the length of an arrow's head
const NO_START = ["No start: UMAP has no place for it", "UMAP places the tasks alone. PCA draws the start, and an arrow from it to each task."];
export const ARROWS_HELP =
  "Each arrow is one task's inner loop: from the start to the weights that fit its support set. The outer loop moves " +
  "the start to where all arrows are short and end well.";

// How opaque each of n thin arrows is: many together must not hide the points.
/** @param {number} n */
export function arrowAlpha(n) {
  return 0.5 * Math.min(1, Math.max(0.3, Math.sqrt(CROWD / Math.max(1, n))));
}

// The two ends of an arrow's head, whose tip is at (x, y) and `size` long; null where the arrow is no longer than that.
/** @param {number} fromX @param {number} fromY @param {number} x @param {number} y @param {number} size @returns {[Point, Point] | null} */
export function headOf(fromX, fromY, x, y, size) {
  const far = Math.hypot(x - fromX, y - fromY);
  if (!(far > size)) return null;
  const [ux, uy] = [((x - fromX) / far) * size, ((y - fromY) / far) * size];
  return [[x - ux - 0.5 * uy, y - uy + 0.5 * ux], [x - ux + 0.5 * uy, y - uy - 0.5 * ux]];
}

export class StartMark {
  /** @param {TaskMapView} map */
  constructor(map) {
    this.map = map;
    this.m = 0; // places of the way, the present one last; 0: this map has none
    this.expected = false; // do the tasks have a start, though this map has no place for it?
    this.way = new Float32Array(0);
    this.from = new Float32Array(2); // where the start was drawn last, to glide from
    this.now = new Float32Array(2);
    this.side = 0; // of the places of its name, the last one
    /** @type {number[] | null} */
    this.box = null; // where the name stands: other names keep away
  }

  /** @param {RunPicture} picture */
  take(picture) {
    const { n: m = 0, points } = picture.start ?? { n: 0 };
    const known = this.m > 0;
    this.from.set(this.now);
    this.expected = Boolean(picture.start);
    this.m = points ? m : 0;
    this.way = floatsOf(this.m ? points : null);
    if (!known && this.m) this.from.set(this.way.subarray(-2));
  }

  possible() {
    return this.m > 0;
  }

  shown() {
    return this.possible() && this.map.state.get("arrows") !== false;
  }

  // Why there is none, in short and in full; null where there is one, or where none is expected.
  excuse() {
    return this.expected && !this.m ? NO_START : null;
  }

  // Extends the view's box, so that the start is inside; its way may lead out of it.
  /** @param {Float64Array} box */
  extend(box) {
    for (const side of [0, 1]) {
      const at = this.way[this.way.length - 2 + side];
      box[side] = Math.min(box[side], at);
      box[side + 2] = Math.max(box[side + 2], at);
    }
  }

  // Where the start stands on the canvas at this moment of the glide.
  /** @returns {Point} */
  at() {
    const { from, now, way, map } = this;
    const t = map.glide.progress(performance.now());
    for (const k of [0, 1]) now[k] = from[k] + t * (way[way.length - 2 + k] - from[k]);
    return [map.viewport.screenX(now[0]), map.viewport.screenY(now[1])];
  }

  // Below the points: the way, then the arrows, those of the chosen, the hovered and the selected tasks strong.
  /** @param {CanvasRenderingContext2D} context */
  paint(context) {
    const { map } = this;
    this.box = this.shown() ? this.nameBox(context, this.at()) : null;
    const drawn = this.shown() ? this.drawAll(context) : 0;
    context.globalAlpha = 1;
    const { dataset } = map.root;
    if (dataset.arrows !== String(drawn)) dataset.arrows = String(drawn);
  }

  /** @param {CanvasRenderingContext2D} context */
  drawAll(context) {
    const { map } = this;
    const start = this.at();
    this.drawWay(context, start);
    const strong = this.strong();
    let drawn = 0;
    for (const level of [DIM, FULL]) {
      const tasks = Array.from({ length: map.n }, (_, i) => i).filter((i) => map.levels[i] === level);
      this.arrows(context, start, tasks, arrowAlpha(map.n) * OPACITY[level], 1);
      drawn += tasks.length;
    }
    this.arrows(context, start, strong, 1, 2.2);
    return drawn;
  }

  strong() {
    const { state, n } = this.map;
    const few = [...(state.get("selected") ?? []), state.get("chosen") ?? -1, state.get("hover") ?? -1];
    return few.filter((i, k) => i < n && this.map.shown(i) && few.indexOf(i) === k);
  }

  // A line that fades towards its beginning.
  /** @param {CanvasRenderingContext2D} context @param {Point} start */
  drawWay(context, start) {
    const { map, way, m } = this;
    context.strokeStyle = cssOf(map.palette.lost);
    context.lineWidth = this.wide(2.5);
    context.lineCap = "round";
    for (let k = 0; k < m - 1; k++) {
      const [x, y] = k < m - 2 ? [map.viewport.screenX(way[2 * k + 2]), map.viewport.screenY(way[2 * k + 3])] : start;
      context.globalAlpha = 0.15 + (0.85 * (k + 1)) / m;
      context.beginPath();
      context.moveTo(map.viewport.screenX(way[2 * k]), map.viewport.screenY(way[2 * k + 1]));
      context.lineTo(x, y);
      context.stroke();
    }
    context.lineCap = "butt";
  }

  /** @param {number} width in CSS pixels; on a wall more */
  wide(width) {
    return width * this.map.ratio * (this.map.state.get("projector") ? 1.6 : 1);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Point} start
   * @param {number[]} tasks
   * @param {number} alpha
   * @param {number} width
   */
  arrows(context, start, tasks, alpha, width) {
    const { screen, palette } = this.map;
    const [back, size] = [0.8 * this.map.radius(), this.wide(HEAD)];
    context.globalAlpha = alpha;
    context.strokeStyle = cssOf(palette.soft);
    context.lineWidth = this.wide(width);
    context.beginPath();
    for (const i of tasks) {
      const [dx, dy] = [screen[2 * i] - start[0], screen[2 * i + 1] - start[1]];
      const share = 1 - back / Math.max(back, Math.hypot(dx, dy)); // it ends at the edge of the marker
      const [x, y] = [start[0] + share * dx, start[1] + share * dy];
      context.moveTo(start[0], start[1]);
      context.lineTo(x, y);
      const head = headOf(start[0], start[1], x, y, size);
      if (!head) continue;
      context.moveTo(...head[0]);
      context.lineTo(x, y);
      context.lineTo(...head[1]);
    }
    context.stroke();
  }

  // Where the name stands: beside the cross, or farther away where the points leave room; null where they leave none. It
  // stays where it was as long as it is free there.
  /** @param {CanvasRenderingContext2D} context @param {Point} start @returns {number[] | null} left, top, right, bottom */
  nameBox(context, [x, y]) {
    const { map } = this;
    this.font(context);
    const [wide, high, gap] = [context.measureText(WORD).width, 1.1 * map.letters * map.ratio, this.wide(12)];
    const reach = gap * RINGS + wide + map.radius();
    const near = this.pointsAround(x, y, reach);
    const taken = [...map.tools.boxes(), scaleBarBox(map)].flat();
    const r = map.radius();
    /** @param {number[]} box */
    const isFree = (box) => {
      const inside = box[0] > 0 && box[1] > 0 && box[2] < map.canvas.width && box[3] < map.canvas.height;
      return inside && !meets(box, taken) && near.every(([px, py]) => px + r < box[0] || px - r > box[2] || py + r < box[1] || py - r > box[3]);
    };
    const boxes = ringPlaces(x, y, wide, high, gap);
    const at = isFree(boxes[this.side]) ? this.side : boxes.findIndex(isFree);
    this.side = Math.max(0, at);
    return at < 0 ? null : boxes[at];
  }

  /** @param {number} x @param {number} y @param {number} reach @returns {Point[]} */
  pointsAround(x, y, reach) {
    const { screen, n, gone } = this.map;
    /** @type {Point[]} */
    const found = [];
    for (let i = 0; i < n; i++) {
      const [px, py] = [screen[2 * i], screen[2 * i + 1]];
      if (Math.abs(px - x) < reach && Math.abs(py - y) < reach && !gone.has(i)) found.push([px, py]);
    }
    return found;
  }

  /** @param {CanvasRenderingContext2D} context */
  font(context) {
    context.font = `600 ${0.86 * this.map.letters * this.map.ratio}px system-ui, sans-serif`;
  }

  // Above the points: the cross, with a halo over any colour, and its name.
  /** @param {CanvasRenderingContext2D} context */
  mark(context) {
    if (!this.shown()) return;
    const { map, box } = this;
    const [x, y] = this.at();
    const { paper, ink, lost } = map.palette;
    if (box) this.leader(context, x, y, box);
    drawCross(context, x, y, this.wide(8), { paper: cssOf(paper), ink: cssOf(lost) });
    if (!box) return;
    this.font(context);
    [context.textBaseline, context.textAlign, context.lineJoin] = ["middle", "left", "round"];
    context.lineWidth = 4 * map.ratio;
    [context.strokeStyle, context.fillStyle] = [cssOf(paper), cssOf(ink)];
    context.strokeText(WORD, box[0], (box[1] + box[3]) / 2);
    write(context, WORD, box[0], (box[1] + box[3]) / 2);
  }

  // A line to a name that stands away from its cross.
  /** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y @param {number[]} box */
  leader(context, x, y, [left, top, right, bottom]) {
    const [to_x, to_y] = [Math.min(right, Math.max(left, x)), Math.min(bottom, Math.max(top, y))];
    if (Math.hypot(to_x - x, to_y - y) < this.wide(16)) return;
    context.globalAlpha = 1;
    context.strokeStyle = cssOf(this.map.palette.lost);
    context.lineWidth = this.wide(1.2);
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(to_x, to_y);
    context.stroke();
  }
}

// Boxes of this size round a point: in eight directions, nearest first, each ring one gap farther away.
/** @param {number} x @param {number} y @param {number} wide @param {number} high @param {number} gap @returns {number[][]} */
export function ringPlaces(x, y, wide, high, gap) {
  return Array.from({ length: RINGS }, (_, ring) => RING_SIDES.map(([across, down]) => {
    const away = gap * (ring + 1);
    const left = x + across * (away + wide / 2) - wide / 2;
    const top = y + down * (away + high / 2) - high / 2;
    return [left, top, left + wide, top + high];
  })).flat();
}

// The mark of a start, on the map and on the surface of the loss: an upright cross.
/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} r
 * @param {{ paper: string, ink: string }} colours
 */
export function drawCross(context, x, y, r, { paper, ink }) {
  context.globalAlpha = 1;
  context.lineCap = "round";
  for (const [colour, wide] of /** @type {[string, number][]} */ ([[paper, 0.8], [ink, 0.42]])) {
    context.strokeStyle = colour;
    context.lineWidth = wide * r;
    context.beginPath();
    context.moveTo(x - r, y);
    context.lineTo(x + r, y);
    context.moveTo(x, y - r);
    context.lineTo(x, y + r);
    context.stroke();
  }
  context.lineCap = "butt";
}
