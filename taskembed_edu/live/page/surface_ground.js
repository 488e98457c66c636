// The ground of the surface: the losses with their lines of one height, kept in a canvas of their own until they change, the
// two axes, and the scale of the losses beside them. It says where a start lies on the canvas.

import { penOf } from "./base.js";
import { cssOf, rgbOf } from "./shapes.js";
import { levelLines, lineAt, marksOf, rangeOfLosses, shareOf } from "./surface_numbers.js";
import { keepWritten, write } from "./written.js";

/** @import { Point, Rgb } from "./types.js" */
/** @import { SurfaceView } from "./surface.js" */

export const INK = "#16202b"; // on the surface, which is the same in both themes

export class SurfaceGround {
  /** @param {SurfaceView} view */
  constructor(view) {
    this.view = view;
    this.kept = document.createElement("canvas"); // the losses, one pixel each, and the lines
    this.painted = ""; // of what `ground` is
    this.bar = { left: 0, wide: 0 };
    this.box = { left: 0, right: 1, top: 0, bottom: 1 }; // of the surface, in device pixels
    this.size = 14;
  }

  /** @param {number} value */
  x(value) {
    const [low, high] = this.view.grid?.x ?? [0, 1];
    return this.box.left + ((this.box.right - this.box.left) * (value - low)) / (high - low);
  }

  /** @param {number} value */
  y(value) {
    const [low, high] = this.view.grid?.y ?? [0, 1];
    return this.box.bottom - ((this.box.bottom - this.box.top) * (value - low)) / (high - low);
  }

  // The inverse: the start at a position on the canvas, in device pixels.
  /** @param {number} px @param {number} py @returns {Point} */
  startAt(px, py) {
    const { left, right, top, bottom } = this.box;
    const { x: [x0, x1], y: [y0, y1] } = this.view.grid ?? { x: [0, 1], y: [0, 1] };
    return [x0 + ((x1 - x0) * (px - left)) / (right - left), y1 - ((y1 - y0) * (py - top)) / (bottom - top)];
  }

  // Where the surface lies on the canvas: the rest is for the axes and the scale.
  /** @param {HTMLCanvasElement} canvas @param {number} ratio @param {number} letters CSS pixels */
  place(canvas, ratio, letters) {
    this.size = letters * ratio;
    this.bar = { left: canvas.width - 4.6 * this.size, wide: 0.9 * this.size };
    this.box = {
      left: Math.round(3.4 * this.size),
      right: Math.round(canvas.width - 5.4 * this.size),
      top: Math.round(0.7 * this.size),
      bottom: Math.round(canvas.height - 2.7 * this.size),
    };
  }

  /** @param {number} share of the page's letters @param {number} [weight] */
  font(share, weight = 400) {
    this.view.context.font = `${weight} ${Math.round(share * this.size)}px system-ui, sans-serif`;
  }

  /** @param {CanvasRenderingContext2D} c */
  paint(c) {
    this.font(0.86);
    this.losses(c);
    this.axes(c);
    this.scale(c);
  }

  /** @param {CanvasRenderingContext2D} c */
  losses(c) {
    const { left, right, top, bottom } = this.box;
    const key = [this.view.shownKey, left, right, top, bottom].join();
    if (this.painted !== key) this.make(right - left, bottom - top);
    this.painted = key;
    c.drawImage(this.kept, left, top);
    c.strokeStyle = cssOf(this.view.palette.line);
    c.lineWidth = this.view.ratio;
    c.strokeRect(left, top, right - left, bottom - top);
  }

  /** @param {number} wide @param {number} high */
  make(wide, high) {
    const { grid, stops } = this.view;
    if (!grid) return;
    [this.kept.width, this.kept.height] = [wide, high];
    const c = penOf(this.kept, true);
    const image = c.createImageData(wide, high);
    const tones = scaleOf(stops, 256);
    const { n, losses } = grid;
    for (let py = 0; py < high; py++) {
      const row = ((n - 1) * (high - 0.5 - py)) / high;
      const r = Math.min(n - 2, Math.floor(row));
      for (let px = 0; px < wide; px++) {
        const column = ((n - 1) * (px + 0.5)) / wide;
        const k = r * n + Math.min(n - 2, Math.floor(column));
        const [u, v] = [column - (k % n), row - r];
        const below = (1 - u) * Math.min(losses[k], 1e9) + u * Math.min(losses[k + 1], 1e9);
        const above = (1 - u) * Math.min(losses[k + n], 1e9) + u * Math.min(losses[k + n + 1], 1e9);
        const tone = tones[Math.round(255 * shareOf((1 - v) * below + v * above, grid.scale))];
        const at = 4 * (py * wide + px);
        [image.data[at], image.data[at + 1], image.data[at + 2], image.data[at + 3]] = [tone[0], tone[1], tone[2], 255];
      }
    }
    c.putImageData(image, 0, 0);
    this.lines(c, wide, high);
  }

  /** @param {CanvasRenderingContext2D} c @param {number} wide @param {number} high */
  lines(c, wide, high) {
    const { grid, ratio } = this.view;
    if (!grid) return;
    c.strokeStyle = INK;
    for (const { loss, strong } of levelLines(...rangeOfLosses(grid))) {
      c.globalAlpha = strong ? 0.42 : 0.2;
      c.lineWidth = (strong ? 1.1 : 0.8) * ratio;
      c.beginPath();
      for (const [ax, ay, bx, by] of lineAt(grid, loss)) {
        c.moveTo((wide * ax) / (grid.n - 1), high - (high * ay) / (grid.n - 1));
        c.lineTo((wide * bx) / (grid.n - 1), high - (high * by) / (grid.n - 1));
      }
      c.stroke();
    }
    c.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} c */
  axes(c) {
    const { view, box, size } = this;
    const { grid, palette, ratio } = view;
    if (!grid) return;
    [c.strokeStyle, c.fillStyle, c.lineWidth] = [cssOf(palette.soft), cssOf(palette.soft), ratio];
    [c.textAlign, c.textBaseline] = ["center", "top"];
    const [across, upward] = view.names;
    for (const { value, text } of marksOf(across, grid.x)) this.mark(c, this.x(value), box.bottom, 0, 1, text);
    c.textBaseline = "bottom";
    write(c, across, (box.left + box.right) / 2, view.canvas.height - 0.1 * size);
    [c.textAlign, c.textBaseline] = ["right", "middle"];
    const marks = marksOf(upward, grid.y);
    const every = Math.ceil((1.15 * size * (marks.length - 1)) / (box.bottom - box.top)); // a low picture has room for few
    marks.forEach(({ value, text }, k) => {
      if (k % every === 0) this.mark(c, box.left, this.y(value), -1, 0, text);
    });
    c.save();
    c.translate(0.75 * size, (box.top + box.bottom) / 2);
    c.rotate(-Math.PI / 2);
    [c.textAlign, c.textBaseline] = ["center", "middle"];
    c.fillText(upward, 0, 0);
    const half = c.measureText(upward).width / 2;
    c.restore();
    const middle = (box.top + box.bottom) / 2;
    keepWritten(c, upward, [0.3 * size, middle - half, 1.2 * size, middle + half]);
  }

  /** @param {CanvasRenderingContext2D} c @param {number} x @param {number} y @param {number} dx @param {number} dy @param {string} text */
  mark(c, x, y, dx, dy, text) {
    const length = 4 * this.view.ratio;
    c.beginPath();
    c.moveTo(x, y);
    c.lineTo(x + length * dx, y + length * dy);
    c.stroke();
    write(c, text, x + 1.6 * length * dx, y + 1.6 * length * dy);
  }

  // The scale of the losses, with the strong lines as its marks.
  /** @param {CanvasRenderingContext2D} c */
  scale(c) {
    const { view, box, bar } = this;
    const { grid, palette, ratio } = view;
    if (!grid) return;
    const filling = c.createLinearGradient(0, box.bottom, 0, box.top);
    view.stops.forEach((stop, k) => filling.addColorStop(k / (view.stops.length - 1), stop));
    c.fillStyle = filling;
    c.fillRect(bar.left, box.top, bar.wide, box.bottom - box.top);
    c.strokeStyle = cssOf(palette.line);
    c.lineWidth = ratio;
    c.strokeRect(bar.left, box.top, bar.wide, box.bottom - box.top);
    [c.strokeStyle, c.fillStyle] = [cssOf(palette.soft), cssOf(palette.soft)];
    [c.textAlign, c.textBaseline] = ["left", "middle"];
    let last = Infinity;
    for (const { loss, strong } of levelLines(...grid.scale)) {
      const y = box.bottom - (box.bottom - box.top) * shareOf(loss, grid.scale);
      if (!strong) continue;
      if (last - y < 1.1 * this.size) continue;
      last = y;
      this.mark(c, bar.left + bar.wide, y, 1, 0, String(Number(loss.toPrecision(3))));
    }
    [c.textAlign, c.textBaseline] = ["left", "bottom"];
    write(c, "loss", bar.left, view.canvas.height - 0.1 * this.size);
  }
}

// So many colours between these stops, evenly.
/** @param {string[]} stops @param {number} count @returns {Rgb[]} */
export function scaleOf(stops, count) {
  const known = stops.map((stop) => rgbOf(stop, "#888888"));
  return Array.from({ length: count }, (_, k) => {
    const place = (k / (count - 1)) * (known.length - 1);
    const at = Math.min(known.length - 2, Math.floor(place));
    return known[at].map((v, part) => v + (place - at) * (known[at + 1][part] - v));
  });
}
