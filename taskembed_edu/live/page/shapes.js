// Markers: one of four shapes, one fill colour, and an outline that is visible in both themes.
//
// A marker is drawn once into an atlas and copied from there: in software rendering 5,000 small copies take a third of
// the time of 5,000 paths, and the outline adds nothing.

import { penOf } from "./base.js";

/** @import { Palette, Rgb } from "./types.js" */

/** @type {((c: CanvasRenderingContext2D, x: number, y: number, r: number) => void)[]} */
const SHAPES = [
  (c, x, y, r) => c.arc(x, y, r, 0, 2 * Math.PI),
  (c, x, y, r) => c.rect(x - 0.89 * r, y - 0.89 * r, 1.78 * r, 1.78 * r),
  (c, x, y, r) => polygon(c, x, y, 1.25 * r, 3, -Math.PI / 2),
  (c, x, y, r) => polygon(c, x, y, 1.25 * r, 4, 0),
];

/**
 * @param {CanvasRenderingContext2D} c
 * @param {number} x
 * @param {number} y
 * @param {number} r
 * @param {number} corners
 * @param {number} turn
 */
function polygon(c, x, y, r, corners, turn) {
  for (let k = 0; k < corners; k++) {
    const angle = turn + (2 * Math.PI * k) / corners;
    c[k ? "lineTo" : "moveTo"](x + r * Math.cos(angle), y + r * Math.sin(angle));
  }
  c.closePath();
}

// ---- colours ----

/** @type {CanvasRenderingContext2D | null} */
let parser = null;

// Any CSS colour as [red, green, blue]; the browser is the parser.
/** @param {string} css @param {string} fallback @returns {Rgb} */
export function rgbOf(css, fallback) {
  const context = (parser ??= penOf(new OffscreenCanvas(1, 1), true));
  context.clearRect(0, 0, 1, 1);
  context.fillStyle = fallback;
  context.fillStyle = (css || "").trim() || fallback;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

/** @param {ArrayLike<number>} rgb */
export function cssOf(rgb) {
  return `rgb(${rgb[0]},${rgb[1]},${rgb[2]})`;
}

// Relative luminance and contrast as the Web Content Accessibility Guidelines 2.2 define them.
/** @param {Rgb} rgb */
function luminance(rgb) {
  const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** @param {Rgb} one @param {Rgb} other */
export function contrast(one, other) {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

// The fill colour where its contrast with the paper is at least 3:1; else the fill mixed with ink until it is.
/** @param {Rgb} fill @param {Rgb} paper @param {Rgb} ink */
export function outlineOf(fill, paper, ink) {
  let outline = fill;
  for (let share = 0.15; share <= 1 && contrast(outline, paper) < 3.2; share += 0.05) {
    outline = fill.map((v, k) => Math.round(v + share * (ink[k] - v)));
  }
  return outline;
}

// The theme's colours for a canvas, which does not follow the style sheet by itself.
/** @param {Element} root @returns {Palette} */
export function paletteOf(root) {
  const style = getComputedStyle(root);
  /** @param {string} name @param {string} fallback */
  const read = (name, fallback) => rgbOf(style.getPropertyValue(name), fallback);
  const dark = luminance(read("--te-paper", "#ffffff")) < 0.2;
  return {
    dark,
    paper: read("--te-paper", "#ffffff"),
    ink: read("--te-ink", "#1f2328"),
    soft: read("--te-ink-soft", "#57606a"),
    line: read("--te-line", "#d0d7de"),
    // Okabe and Ito's hues, lighter on dark paper, so that thin lines reach 3:1 on both.
    near: dark ? [255, 255, 255] : [31, 35, 40],
    truth: dark ? [86, 180, 233] : [0, 114, 178],
    lost: dark ? [242, 122, 44] : [213, 94, 0],
    gained: dark ? [31, 190, 145] : [0, 138, 100],
    wrong: read("--te-wrong", dark ? "#ff9a57" : "#a84300"), // dark enough for small words
  };
}

// Writes a picture's bytes (255 is ink) as red, green, blue and opaque: ink on paper, in the theme's colours.
/** @param {Uint8ClampedArray} rgba @param {Uint8Array} bytes @param {Palette} palette */
export function inkInto(rgba, bytes, { paper, ink }) {
  for (let p = 0; p < bytes.length; p++) {
    const share = bytes[p] / 255;
    for (let c = 0; c < 3; c++) rgba[4 * p + c] = paper[c] + share * (ink[c] - paper[c]);
    rgba[4 * p + 3] = 255;
  }
}

// ---- one marker ----

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} shape
 * @param {number} x
 * @param {number} y
 * @param {number} r
 * @param {string} fill
 * @param {string} outline
 * @param {string} [halo]
 */
export function drawMarker(context, shape, x, y, r, fill, outline, halo) {
  context.beginPath();
  SHAPES[shape % SHAPES.length](context, x, y, r);
  context.lineJoin = "round";
  if (halo) {
    context.lineWidth = Math.max(1.5, r / 1.8);
    context.strokeStyle = halo;
    context.stroke();
  }
  context.fillStyle = fill;
  context.fill();
  context.lineWidth = Math.max(1, r / 5);
  context.strokeStyle = outline;
  context.stroke();
}

// All markers of one colouring: which cell of the atlas each task uses, and where that cell lies.
export class MarkerAtlas {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.context = penOf(this.canvas, true);
    this.cells = new Uint16Array(0);
    this.size = 1; // side of a cell, in device pixels
    this.columns = 1;
  }

  // `rgb`: 3n bytes, `shapes`: n bytes, r: the radius in device pixels.
  /**
   * @param {number} n
   * @param {Uint8Array} rgb
   * @param {Uint8Array} shapes
   * @param {number} r
   * @param {Palette} palette
   */
  build(n, rgb, shapes, r, palette) {
    const known = new Map();
    if (this.cells.length !== n) this.cells = new Uint16Array(n);
    for (let i = 0; i < n; i++) {
      const key = shapes[i] * 0x1000000 + rgb[3 * i] * 0x10000 + rgb[3 * i + 1] * 0x100 + rgb[3 * i + 2];
      let cell = known.get(key);
      if (cell === undefined) known.set(key, (cell = known.size));
      this.cells[i] = cell;
    }
    this.size = 2 * Math.ceil(1.25 * r + Math.max(1.5, r / 1.8)) + 2;
    this.columns = Math.max(1, Math.floor(2048 / this.size));
    this.canvas.width = this.columns * this.size;
    this.canvas.height = Math.ceil(Math.max(1, known.size) / this.columns) * this.size;
    const halo = cssOf(palette.paper);
    for (const [key, cell] of known) {
      const fill = [(key >> 16) & 255, (key >> 8) & 255, key & 255];
      const [x, y] = [this.left(cell) + this.size / 2, this.top(cell) + this.size / 2];
      const outline = cssOf(outlineOf(fill, palette.paper, palette.ink));
      drawMarker(this.context, Math.floor(key / 0x1000000), x, y, r, cssOf(fill), outline, halo);
    }
  }

  /** @param {number} cell */
  left(cell) {
    return (cell % this.columns) * this.size;
  }

  /** @param {number} cell */
  top(cell) {
    return Math.floor(cell / this.columns) * this.size;
  }

  // `scale`: smaller than it was made, where pictures take the room.
  /** @param {CanvasRenderingContext2D} context @param {number} i @param {number} x @param {number} y @param {number} [scale] */
  draw(context, i, x, y, scale = 1) {
    const [cell, size] = [this.cells[i], this.size];
    const seen = scale * size;
    context.drawImage(this.canvas, this.left(cell), this.top(cell), size, size, x - seen / 2, y - seen / 2, seen, seen);
  }
}
