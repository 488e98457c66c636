// The tasks' names beside their points, for families with few tasks and short, telling names (tasks.labels).
//
// Every name is drawn once into an off-screen sheet and copied from there, as markers are: letters with a halo are the
// slowest thing that a canvas draws.

import { penOf } from "./base.js";
import { DIM, FULL } from "./levels.js";
import { scaleBarBox } from "./scale_bar.js";
import { cssOf } from "./shapes.js";
import { keepWritten } from "./written.js";

/** @import { TaskMapView } from "./map.js" */

const LABEL_SIZE = [0.82, 0.85]; // of the page's own letters; with a projector
const LONGEST_LABEL = 24; // letters
// Where a name may stand beside its point: right, left, above, below, and between two of them.
const SIDES = [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [1, 1], [-1, -1], [-1, 1]];

export class PointLabels {
  /** @param {TaskMapView} map */
  constructor(map) {
    this.map = map;
    this.sheet = document.createElement("canvas");
    /** @type {number[]} */
    this.boxes = []; // left, top, right, bottom of the labels placed so far in this picture
    /** @type {number[]} */
    this.taken = []; // the same for what lies over the map: buttons, the scale bar
    this.known = false; // are the names measured and drawn in the sheet?
    this.widths = new Float32Array(0);
    this.sides = new Uint8Array(0); // each name's last side: the name stays there while its point moves
    this.edge = 0; // width of the halo
    this.high = 0; // height of a name with its halo
  }

  // The tasks, the theme or the size changed: the names are measured and drawn again when they are next shown.
  forget() {
    this.known = false;
  }

  possible() {
    const { tasks, n } = this.map;
    return Boolean(tasks?.labels) && tasks?.n === n;
  }

  shown() {
    return this.possible() && this.map.state.get("labels") !== false;
  }

  /** @param {number} i */
  text(i) {
    return shortened(this.map.name(i), LONGEST_LABEL);
  }

  draft() {
    const { map, sheet } = this;
    const { n, ratio, palette } = map;
    const size = LABEL_SIZE[map.state.get("projector") ? 1 : 0] * map.letters * ratio;
    const context = penOf(sheet, true);
    const font = `${size}px system-ui, sans-serif`;
    context.font = font;
    this.edge = Math.ceil(2 * ratio);
    this.high = Math.ceil(1.25 * size) + 2 * this.edge;
    this.widths = Float32Array.from({ length: n }, (_, i) => Math.ceil(context.measureText(this.text(i)).width) + 2 * this.edge);
    this.sides = new Uint8Array(n);
    this.known = true;
    [sheet.width, sheet.height] = [Math.max(1, ...this.widths), Math.max(1, n * this.high)];
    context.font = font; // resizing a canvas resets its font
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 2 * this.edge;
    context.strokeStyle = cssOf(palette.paper);
    context.fillStyle = cssOf(palette.ink);
    for (let i = 0; i < n; i++) {
      const y = (i + 0.5) * this.high;
      context.strokeText(this.text(i), this.edge, y);
      context.fillText(this.text(i), this.edge, y);
    }
  }

  /** @param {CanvasRenderingContext2D} context */
  paint(context) {
    const drawn = this.shown() ? this.drawAll(context) : 0;
    context.globalAlpha = 1;
    const { dataset } = this.map.root;
    if (dataset.labels !== String(drawn)) dataset.labels = String(drawn);
  }

  // The hovered and the chosen task always get their name; any other name is omitted where it finds no room.
  /** @param {CanvasRenderingContext2D} context */
  drawAll(context) {
    const { map, boxes } = this;
    if (!map.ratio) return 0; // not laid out yet: there is no size to draw names in
    if (!this.known) this.draft();
    boxes.length = 0;
    this.taken = [...map.tools.boxes(), scaleBarBox(map), map.start.box ?? []].flat();
    const marked = [...new Set([map.state.get("hover") ?? -1, map.painter.chosen()])].filter((i) => map.shown(i));
    let drawn = 0;
    for (const i of marked) drawn += this.draw(context, i, true);
    for (const level of [FULL, DIM]) {
      for (let i = 0; i < map.n; i++) {
        if (map.levels[i] === level && !marked.includes(i)) drawn += this.draw(context, i, false);
      }
    }
    return drawn;
  }

  /** @param {CanvasRenderingContext2D} context @param {number} i @param {boolean} always */
  draw(context, i, always) {
    const { map, widths, high } = this;
    const [x, y] = [map.screen[2 * i], map.screen[2 * i + 1]];
    if (x < 0 || y < 0 || x > map.canvas.width || y > map.canvas.height) return 0;
    const side = this.sideFor(i, x, y, always);
    if (side < 0) return 0;
    this.sides[i] = side;
    const [left, top] = this.corner(i, x, y, side);
    /** @type {[number, number, number, number]} */
    const box = [left + this.edge, top + this.edge, left + widths[i] - this.edge, top + high - this.edge];
    this.boxes.push(...box);
    keepWritten(context, this.text(i), [box[0], top + 2 * this.edge, box[2], top + high - 2 * this.edge]);
    context.globalAlpha = map.levels[i] === DIM ? 0.5 : 1;
    context.drawImage(this.sheet, 0, i * high, widths[i], high, left, top, widths[i], high);
    return 1;
  }

  /** @param {number} i @param {number} x @param {number} y @param {boolean} always */
  sideFor(i, x, y, always) {
    return chosenSide(this.sides[i], (side) => this.fits(i, x, y, side), (side) => this.covers(i, x, y, side), always);
  }

  // Would the name overlap another task's point? Points that are filtered out are so faint that they do not count.
  /** @param {number} i @param {number} x @param {number} y @param {number} side */
  covers(i, x, y, side) {
    const { edge, high, widths, map } = this;
    const [left, top] = this.corner(i, x, y, side);
    for (let j = 0; j < map.n; j++) {
      const reach = 0.85 * map.thumbnails.reach(j); // neither a marker nor a letter fills its box
      const [px, py] = [map.screen[2 * j], map.screen[2 * j + 1]];
      const beside = px + reach < left + edge || px - reach > left + widths[i] - edge;
      if (j !== i && !beside && py + reach > top + 2 * edge && py - reach < top + high - 2 * edge && map.shown(j)) return true;
    }
    return false;
  }

  /** @param {number} i @param {number} x @param {number} y @param {number} side */
  corner(i, x, y, side) {
    const { widths, high, edge, map } = this;
    return cornerBeside(x, y, side, { wide: widths[i], high, edge }, map.thumbnails.reach(i) + map.ratio);
  }

  /** @param {number} i @param {number} x @param {number} y @param {number} side */
  fits(i, x, y, side) {
    const { edge, high, widths, map } = this;
    const [left, top] = this.corner(i, x, y, side);
    const [right, bottom] = [left + widths[i], top + high];
    if (left < 0 || top < 0 || right > map.canvas.width || bottom > map.canvas.height) return false;
    const box = [left + edge, top + edge, right - edge, bottom - edge];
    return !meets(box, this.boxes) && !meets(box, this.taken);
  }
}

// A name of at most so many letters. Where it is cut, the dots stand at its own end: at the left in Hebrew or Arabic
// (the two signs round the name tell the browser to take its direction from its first letter).
/** @param {string} name @param {number} longest */
export function shortened(name, longest) {
  const letters = Array.from(name.replace(/\s+/g, " "));
  return letters.length > longest ? `\u2068${letters.slice(0, longest - 1).join("")}…\u2069` : letters.join("");
}

// The name's last side, else the first side that overlaps no name, no point and nothing that lies over the map; -1
// where there is none. A half-hidden name cannot be read, so a name that overlaps a point is omitted just as one that
// overlaps another name. With `always` the name takes a side that overlaps points, or else its last side.
/**
 * @param {number} last
 * @param {(side: number) => boolean} fits
 * @param {(side: number) => boolean} covers
 * @param {boolean} always
 */
export function chosenSide(last, fits, covers, always) {
  const room = [last, ...SIDES.keys()].filter(fits);
  const free = room.find((side) => !covers(side));
  return free ?? (always ? (room[0] ?? last) : -1);
}

// The upper left corner of a name at a side of the point (x, y), `gap` pixels away. The size includes the halo, which
// is `edge` wide. At a diagonal side the name may come a little nearer.
/**
 * @param {number} x
 * @param {number} y
 * @param {number} side
 * @param {{ wide: number, high: number, edge: number }} size
 * @param {number} gap
 */
export function cornerBeside(x, y, side, { wide, high, edge }, gap) {
  const [across, down] = SIDES[side];
  const near = gap * (across && down ? 0.6 : 1);
  /** @param {number} sign @param {number} length @param {number} inset */
  const away = (sign, length, inset) => (sign ? sign * (near - inset + length / 2) : 0) - length / 2;
  return [Math.round(x + away(across, wide, edge / 2)), Math.round(y + away(down, high, edge))];
}

// Does a box overlap any of these boxes? They are one flat list: left, top, right, bottom, left, ...
/** @param {number[]} box @param {number[]} boxes */
export function meets([left, top, right, bottom], boxes) {
  for (let k = 0; k < boxes.length; k += 4) {
    if (left <= boxes[k + 2] && right >= boxes[k] && top <= boxes[k + 3] && bottom >= boxes[k + 1]) return true;
  }
  return false;
}
