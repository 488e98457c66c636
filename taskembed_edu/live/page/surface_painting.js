// What the surface shows, from the lowest layer up: its ground, the tasks' inner loops and optima, each run's start with its
// way, the ways of the methods, the best start, and the start that the learner has put there.

import { meets } from "./labels.js";
import { cssOf, drawMarker, outlineOf, rgbOf } from "./shapes.js";
import { arrowAlpha, drawCross, headOf } from "./start.js";
import { INK, SurfaceGround } from "./surface_ground.js";
import { wipeWritten, write } from "./written.js";

/** @import { Point, Rgb } from "./types.js" */
/** @import { SurfaceView } from "./surface.js" */
/** @typedef {{ words: string, x: number, y: number, colour: string }} Name words beside a point of the canvas */

const INK_RGB = [22, 32, 43];
const PAPER = "#ffffff";
const WHITE = [255, 255, 255];
const HAND = "#0072b2";
const BEST = "#f0e442";
/** @type {Point[]} */
const LABEL_SIDES = [1, 2, 3, 4, 5].flatMap((away) => [[1, 1 - away], [-1, 1 - away], [1, away - 1], [-1, away - 1]]);
const WAY_DASHES = [[], [6, 4]];

export class SurfacePainter {
  /** @param {SurfaceView} view */
  constructor(view) {
    this.view = view;
    this.ground = new SurfaceGround(view);
  }

  paint() {
    const { view, ground } = this;
    const { canvas, context: c, grid } = view;
    const { box } = ground;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.globalAlpha = 1;
    c.clearRect(0, 0, canvas.width, canvas.height);
    wipeWritten(c);
    if (!grid || box.right <= box.left || box.bottom <= box.top) return;
    ground.paint(c);
    c.save();
    c.beginPath();
    c.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    c.clip();
    view.runs.forEach((run) => this.loops(c, run));
    this.optima(c);
    view.runs.forEach((run, k) => this.way(c, run.way, INK_RGB, 2, WAY_DASHES[k] ?? []));
    view.ways.forEach((way) => this.way(c, way.places, rgbOf(way.colour, INK), 2.4, []));
    c.restore();
    const names = [...this.wayEnds(c), ...view.runs.map((run, k) => this.runStart(c, run, k)), ...this.handAndBest(c)];
    this.labels(c, names.reverse());
  }

  // ---- on the surface ----

  // The tasks' inner loops from one run's start: thin, those of the chosen, hovered and selected tasks strong.
  /** @param {CanvasRenderingContext2D} c @param {SurfaceView["runs"][number]} run */
  loops(c, { start, ends }) {
    const { view } = this;
    const [x0, y0] = [this.ground.x(start[0]), this.ground.y(start[1])];
    const strong = new Set(view.strongTasks());
    const all = Array.from({ length: ends.length / 2 }, (_, i) => i).filter((i) => view.isThere(i));
    for (const [tasks, alpha, width] of /** @type {[number[], number, number][]} */ ([
      [all.filter((i) => !strong.has(i)), arrowAlpha(all.length), 1],
      [all.filter((i) => strong.has(i)), 1, 2.4],
    ])) {
      c.globalAlpha = alpha;
      c.strokeStyle = INK;
      c.lineWidth = this.wide(width);
      c.beginPath();
      for (const i of tasks) {
        const [x, y] = [this.ground.x(ends[2 * i]), this.ground.y(ends[2 * i + 1])];
        c.moveTo(x0, y0);
        c.lineTo(x, y);
        const head = headOf(x0, y0, x, y, this.wide(5));
        if (!head) continue;
        c.moveTo(...head[0]);
        c.lineTo(x, y);
        c.lineTo(...head[1]);
      }
      c.stroke();
    }
    c.globalAlpha = 1;
  }

  /** @param {number} width CSS pixels; on a wall more */
  wide(width) {
    return width * this.view.ratio * (this.view.page.get("projector") ? 1.3 : 1);
  }

  // Each task's true optimum, in its colour on the map.
  /** @param {CanvasRenderingContext2D} c */
  optima(c) {
    const { view } = this;
    const r = this.wide(view.optima.length > 200 ? 3.2 : 4.4);
    const strong = new Set(view.strongTasks());
    for (let i = 0; i < view.optima.length / 2; i++) {
      const [x, y] = [this.ground.x(view.optima[2 * i]), this.ground.y(view.optima[2 * i + 1])];
      if (!view.isThere(i)) continue;
      const rgb = view.colourOf(i);
      const outline = cssOf(outlineOf([...rgb], WHITE, INK_RGB));
      drawMarker(c, view.shapeOf(i), x, y, strong.has(i) ? 1.5 * r : r, cssOf(rgb), outline);
    }
  }

  // A line over any colour: white below it.
  /** @param {CanvasRenderingContext2D} c @param {Float32Array} places @param {Rgb} rgb @param {number} width @param {number[]} dash */
  way(c, places, rgb, width, dash) {
    c.lineJoin = c.lineCap = "round";
    for (const [colour, wide, dashed] of /** @type {[string, number, number[]][]} */ ([[PAPER, width + 2.4, []], [cssOf(rgb), width, dash]])) {
      c.strokeStyle = colour;
      c.lineWidth = this.wide(wide);
      c.setLineDash(dashed.map((v) => v * this.view.ratio));
      c.beginPath();
      for (let k = 0; k < places.length; k += 2) c[k ? "lineTo" : "moveTo"](this.ground.x(places[k]), this.ground.y(places[k + 1]));
      c.stroke();
    }
    c.setLineDash([]);
    c.lineCap = "butt";
  }

  /** @param {CanvasRenderingContext2D} c @param {SurfaceView["runs"][number]} run @param {number} k @returns {Name} */
  runStart(c, { start }, k) {
    const { view } = this;
    const [x, y] = this.inside(start);
    drawCross(c, x, y, this.wide(8), { paper: PAPER, ink: INK });
    return { words: view.runs.length > 1 ? `start ${"AB"[k]}` : "start", x, y, colour: INK };
  }

  // The place of a start on the canvas; one that lies outside stands at the edge.
  /** @param {Point} start @returns {Point} */
  inside(start) {
    const { left, right, top, bottom } = this.ground.box;
    return [Math.min(right, Math.max(left, this.ground.x(start[0]))), Math.min(bottom, Math.max(top, this.ground.y(start[1])))];
  }

  // Where each method has come to.
  /** @param {CanvasRenderingContext2D} c @returns {Name[]} */
  wayEnds(c) {
    return this.view.ways.map(({ label, colour, places }) => {
      const [x, y] = this.inside([places[places.length - 2], places[places.length - 1]]);
      drawMarker(c, 0, x, y, this.wide(5), colour, PAPER);
      return { words: label, x, y, colour: cssOf(outlineOf(rgbOf(colour, INK), WHITE, INK_RGB)) };
    });
  }

  // Words beside their points, with a white halo; each at the first side where it meets no other.
  /** @param {CanvasRenderingContext2D} c @param {Name[]} names */
  labels(c, names) {
    this.ground.font(0.9, 600);
    const [gap, { size, box }] = [this.wide(11), this.ground];
    /** @type {number[]} */
    const taken = [];
    [c.textAlign, c.textBaseline, c.lineJoin, c.globalAlpha] = ["left", "middle", "round", 1];
    for (const { words, x, y, colour } of names) {
      const wide = c.measureText(words).width;
      const places = LABEL_SIDES.map(([across, down]) => [across > 0 ? x + gap : x - gap - wide, y + 1.25 * down * size]);
      /** @param {number[]} place */
      const boxOf = ([left, middle]) => [left, middle - 0.6 * size, left + wide, middle + 0.6 * size];
      /** @param {number[]} each */
      const fits = ([left, top, right, bottom]) => left > box.left && right < box.right && top > box.top && bottom < box.bottom && !meets([left, top, right, bottom], taken);
      const [left, middle] = places.find((place) => fits(boxOf(place))) ?? places[0];
      taken.push(...boxOf([left, middle]));
      if (Math.abs(middle - y) > 2 * size) this.leader(c, x, y, left > x ? left : left + wide, middle, colour);
      c.fillStyle = colour;
      [c.lineWidth, c.strokeStyle] = [4 * this.view.ratio, PAPER];
      c.strokeText(words, left, middle);
      write(c, words, left, middle);
    }
  }

  // A line to words that stand away from their point.
  /** @param {CanvasRenderingContext2D} c @param {number} x @param {number} y @param {number} to_x @param {number} to_y @param {string} colour */
  leader(c, x, y, to_x, to_y, colour) {
    for (const [tone, width] of /** @type {[string, number][]} */ ([[PAPER, 3], [colour, 1.2]])) {
      [c.strokeStyle, c.lineWidth] = [tone, this.wide(width)];
      c.beginPath();
      c.moveTo(x, y);
      c.lineTo(to_x, to_y);
      c.stroke();
    }
  }

  // ---- by hand ----

  /** @param {CanvasRenderingContext2D} c @returns {Name[]} */
  handAndBest(c) {
    const { view } = this;
    /** @type {Name[]} */
    const names = [];
    if (view.hand.bestShown && view.best) {
      const [x, y] = this.inside(view.best.start);
      star(c, x, y, this.wide(9), BEST, INK, this.view.ratio);
      names.push({ words: "best", x, y, colour: INK });
    }
    if (!view.hand.start) return names;
    const [x, y] = this.inside(view.hand.start);
    for (const [colour, width] of /** @type {[string, number][]} */ ([[PAPER, 5], [HAND, 2.6]])) {
      c.beginPath();
      c.arc(x, y, this.wide(8), 0, 2 * Math.PI);
      c.moveTo(x + this.wide(1.6), y);
      c.arc(x, y, this.wide(1.6), 0, 2 * Math.PI);
      [c.strokeStyle, c.lineWidth] = [colour, this.wide(width)];
      c.stroke();
    }
    return [...names, { words: "yours", x, y, colour: HAND }];
  }
}

/** @param {CanvasRenderingContext2D} c @param {number} x @param {number} y @param {number} r @param {string} fill @param {string} line @param {number} ratio */
function star(c, x, y, r, fill, line, ratio) {
  c.beginPath();
  for (let k = 0; k < 10; k++) {
    const [far, angle] = [k % 2 ? 0.42 * r : r, (Math.PI * k) / 5 - Math.PI / 2];
    c[k ? "lineTo" : "moveTo"](x + far * Math.cos(angle), y + far * Math.sin(angle));
  }
  c.closePath();
  [c.fillStyle, c.strokeStyle, c.lineWidth] = [fill, line, 1.4 * ratio];
  c.fill();
  c.stroke();
}
