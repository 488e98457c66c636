// The tasks' pictures on the map, in place of their points: an edge in the colour of the group, and its sign in a corner.
//
// Pictures do not hide each other: where several would meet, one is drawn, and the others stay points, until a zoom gives
// them room. A task that has its picture keeps it while it can, so that pictures do not flicker while points glide.
// Each picture is drawn into a sheet when it is first shown, and copied from there, as markers are.

import { penOf } from "./base.js";
import { ABSENT, FAINT, FULL } from "./levels.js";
import { bytesOf } from "./packets.js";
import { cssOf, drawMarker, inkInto, outlineOf } from "./shapes.js";

/** @import { ImagesCard } from "./types.js" */
/** @import { TaskMapView } from "./map.js" */

// Sides in CSS pixels: in a full map, in an empty one, zoomed in.
const SMALLEST = 24;
const LARGEST = 44;
const ZOOMED = 76;
const ROOMY = 14; // with fewer CSS pixels for each task's side, points are shown unless pictures are asked for
const WITH_TILES = 38; // CSS pixels: a smaller picture shows one of a task's images, a larger one up to four
const STEP = 1.2; // sides change by this factor: while a map is zoomed, the sheet is seldom drawn anew
const MOST_PIXELS = 8e6; // of a sheet
export const SHRUNK = 0.5; // a point among pictures is so much smaller: some lie on a picture

// The share of a map's side that each of n tasks has, in CSS pixels.
/** @param {number} n @param {number} wide @param {number} high in CSS pixels */
export function roomOf(n, wide, high) {
  return 0.55 * Math.sqrt((wide * high) / Math.max(1, n));
}

// A picture's side in CSS pixels; `letters` is the page's size of type compared with the usual one.
/** @param {number} n @param {number} wide @param {number} high @param {number} zoom @param {number} letters */
export function sideOf(n, wide, high, zoom, letters) {
  const side = Math.min(LARGEST, Math.max(SMALLEST, roomOf(n, wide, high) / letters));
  const zoomed = Math.min(ZOOMED, side * Math.sqrt(Math.max(1, zoom)));
  return letters * SMALLEST * STEP ** Math.floor(Math.log(zoomed / SMALLEST + 1e-9) / Math.log(STEP));
}

// A side in device pixels at which an image of so many pixels is crisp: each pixel as large as any other, where there is
// room for that; else it is drawn smaller, smoothed.
/** @param {number} side @param {number} pixels */
export function crispSide(side, pixels) {
  return side >= pixels ? pixels * Math.floor(side / pixels) : Math.round(side);
}

// Which tasks get their picture: `first` has those that come first, in order. `taken` are kept at least this far apart
// along x or y. Writes 1 into `has` for each of them.
/** @param {Iterable<number>} first @param {Float32Array} screen @param {number} apart @param {Uint8Array} has */
export function placePictures(first, screen, apart, has) {
  /** @type {Map<number, number[]>} */
  const cells = new Map();
  /** @param {number} column @param {number} row */
  const key = (column, row) => 100003 * column + row;
  has.fill(0);
  for (const i of first) {
    const [x, y] = [screen[2 * i], screen[2 * i + 1]];
    const [column, row] = [Math.floor(x / apart), Math.floor(y / apart)];
    let free = true;
    for (let k = 0; k < 9 && free; k++) {
      for (const j of cells.get(key(column + (k % 3) - 1, row + Math.floor(k / 3) - 1)) ?? []) {
        if (Math.abs(screen[2 * j] - x) < apart && Math.abs(screen[2 * j + 1] - y) < apart) free = false;
      }
    }
    if (!free) continue;
    has[i] = 1;
    const cell = cells.get(key(column, row));
    if (cell) cell.push(i);
    else cells.set(key(column, row), [i]);
  }
}

export class Thumbnails {
  /** @param {TaskMapView} map */
  constructor(map) {
    this.map = map;
    this.sheet = document.createElement("canvas");
    this.has = new Uint8Array(0); // 1: this task is drawn as a picture; 2: over the others, as it is hovered or chosen
    this.on = false; // are pictures drawn in this paint?
    this.side = 0; // of a picture, in device pixels
    this.edge = 0; // the width of its edge
    this.cell = 1; // the side of a cell of the sheet
    this.columns = 1;
    this.known = ""; // what the sheet is for
    this.ready = new Uint8Array(0); // 1: this task's picture is in the sheet
    this.one = document.createElement("canvas"); // one picture in its own pixels
    /** @type {number[]} */
    this.tiles = []; // which of a task's images a picture shows
    this.signs = false; // do groups have signs of their own?
  }

  // The tasks, the theme or the colours changed.
  forget() {
    this.known = "";
  }

  /** @returns {ImagesCard | null} */
  card() {
    const { tasks, n } = this.map;
    return tasks?.n === n && tasks.card?.kind === "images" && tasks.card.on_map?.length ? tasks.card : null;
  }

  possible() {
    return this.card() !== null;
  }

  shown() {
    return this.possible() && (this.map.state.get("pictures") ?? this.hasRoom());
  }

  hasRoom() {
    const { canvas, n } = this.map;
    return roomOf(n, canvas.clientWidth, canvas.clientHeight) >= ROOMY;
  }

  // Half of the side of what is drawn of a task, with its edge.
  /** @param {number} i */
  reach(i) {
    return this.on && this.has[i] ? this.cell / 2 : this.map.radius() * (this.on ? SHRUNK : 1);
  }

  // Before a paint: which tasks are drawn as pictures, and how large.
  place() {
    const { map } = this;
    const { dataset } = map.root;
    const card = this.shown() ? this.card() : null;
    this.on = card !== null && map.ratio > 0;
    if (this.has.length !== map.n) this.has = new Uint8Array(map.n);
    if (card && this.on) {
      this.draft(card);
      placePictures(this.inOrder(), map.screen, this.cell + map.ratio, this.has);
      for (const i of [map.state.get("hover") ?? -1, map.painter.chosen()]) if (i >= 0 && i < map.n && !this.has[i]) this.has[i] = 2;
    } else this.has.fill(0);
    const drawn = String(this.has.reduce((sum, each) => sum + (each ? 1 : 0), 0));
    if (dataset.pictures !== drawn) dataset.pictures = drawn;
  }

  // Those that are strong come first, and of them those that had a picture.
  inOrder() {
    const { levels, screen, canvas, n } = this.map;
    /** @type {number[][]} */
    const groups = [[], [], [], []];
    for (let i = 0; i < n; i++) {
      if (levels[i] === FAINT || levels[i] === ABSENT) continue;
      const [x, y] = [screen[2 * i], screen[2 * i + 1]];
      if (x < -this.cell || y < -this.cell || x > canvas.width + this.cell || y > canvas.height + this.cell) continue;
      groups[(levels[i] === FULL ? 0 : 2) + (this.has[i] === 1 ? 0 : 1)].push(i);
    }
    return groups.flat();
  }

  /** @param {ImagesCard} card */
  draft(card) {
    const { map } = this;
    const { canvas, ratio, n, letters } = map;
    const most = Math.sqrt(MOST_PIXELS / Math.max(1, n));
    const wished = sideOf(n, canvas.clientWidth, canvas.clientHeight, map.viewport.zoom(), letters / 14);
    const tiles = wished >= WITH_TILES ? (card.on_map ?? []) : (card.on_map ?? []).slice(0, 1);
    const across = Math.ceil(Math.sqrt(tiles.length));
    const pixels = across * Math.max(card.width, card.height);
    const side = crispSide(Math.min(wished * ratio, 0.8 * most), pixels);
    const known = [side, tiles.length, n, ratio].join();
    if (known === this.known) return;
    Object.assign(this, { known, side, tiles, ready: new Uint8Array(n) });
    this.edge = Math.max(2, Math.round(2 * ratio + side / 40));
    this.cell = side + 2 * this.edge + 2 * Math.ceil(ratio); // a rim of paper sets it off from its neighbours
    this.columns = Math.max(1, Math.min(n, Math.floor(4096 / this.cell)));
    [this.sheet.width, this.sheet.height] = [this.columns * this.cell, Math.ceil(n / this.columns) * this.cell];
    [this.one.width, this.one.height] = [across * card.width, across * card.height];
    Object.assign(penOf(this.sheet, true), { imageSmoothingEnabled: side < pixels, imageSmoothingQuality: "high" });
    this.signs = new Set(map.colouring.shapes).size > 1;
  }

  // A task's images side by side, in their own pixels.
  /** @param {ImagesCard} card @param {number} i */
  drawTiles({ width, height, n_images, pixels }, i) {
    const { palette } = this.map;
    const draft = penOf(this.one, true);
    const image = draft.createImageData(width, height);
    const across = this.one.width / width;
    draft.fillStyle = cssOf(palette.paper);
    draft.fillRect(0, 0, this.one.width, this.one.height);
    this.tiles.forEach((tile, k) => {
      const from = (i * n_images + tile) * width * height;
      inkInto(image.data, bytesOf(pixels).subarray(from, from + width * height), palette);
      draft.putImageData(image, (k % across) * width, Math.floor(k / across) * height);
    });
  }

  // One picture with its edge, and the sign of its group in the lower right corner.
  /** @param {ImagesCard} card @param {number} i */
  drawOne(card, i) {
    this.drawTiles(card, i);
    this.ready[i] = 1;
    const { palette, colouring } = this.map;
    const [pen, { one }] = [penOf(this.sheet, true), this];
    const [left, top] = this.corner(i);
    const rim = (this.cell - this.side - 2 * this.edge) / 2;
    const colour = [...colouring.rgb.slice(3 * i, 3 * i + 3)];
    const [edge, paper] = [cssOf(outlineOf(colour, palette.paper, palette.ink)), cssOf(palette.paper)];
    pen.fillStyle = paper;
    pen.fillRect(left, top, this.cell, this.cell);
    pen.fillStyle = edge;
    pen.fillRect(left + rim, top + rim, this.side + 2 * this.edge, this.side + 2 * this.edge);
    const [x, y] = [left + rim + this.edge, top + rim + this.edge];
    const long = Math.max(one.width, one.height);
    const [wide, high] = [one.width, one.height].map((size) => Math.round((size / long) * this.side));
    pen.fillStyle = paper;
    pen.fillRect(x, y, this.side, this.side);
    pen.drawImage(one, x + Math.floor((this.side - wide) / 2), y + Math.floor((this.side - high) / 2), wide, high);
    const r = Math.max(3, 0.09 * this.side);
    if (this.signs) drawMarker(pen, colouring.shapes[i], x + this.side - r, y + this.side - r, r, cssOf(colour), edge, paper);
  }

  /** @param {number} i @returns {[left: number, top: number]} */
  corner(i) {
    return [(i % this.columns) * this.cell, Math.floor(i / this.columns) * this.cell];
  }

  /** @param {CanvasRenderingContext2D} context @param {number} i @param {number} x @param {number} y */
  draw(context, i, x, y) {
    const { cell } = this;
    const card = this.ready[i] ? null : this.card();
    if (card) this.drawOne(card, i);
    const [left, top] = this.corner(i);
    context.drawImage(this.sheet, left, top, cell, cell, Math.round(x - cell / 2), Math.round(y - cell / 2), cell, cell);
  }

  // Adds the outline of a task to a path: a box round a picture, a circle round a point, so far outside.
  /** @param {CanvasRenderingContext2D} context @param {number} i @param {number} gap */
  outline(context, i, gap) {
    const { screen } = this.map;
    const [x, y, r] = [screen[2 * i], screen[2 * i + 1], this.reach(i) + gap];
    if (this.on && this.has[i]) context.roundRect(x - r, y - r, 2 * r, 2 * r, 0.12 * r);
    else {
      context.moveTo(x + r, y);
      context.arc(x, y, r, 0, 2 * Math.PI);
    }
  }
}
