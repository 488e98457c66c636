// Writes words on a canvas and keeps their boxes. A canvas is one picture to the browser: without the boxes nobody could
// ask whether two of its words overlap, or whether its edge cuts one (tests/browser/text_boxes.js does).

import { penOf } from "./base.js";

/** @typedef {{ words: string, x: number, y: number, width: number, height: number }} WrittenBox CSS pixels on the canvas */
/** @typedef {{ __written?: WrittenBox[], __lines?: number[][] }} Keeper what a canvas holds for tests and tools */

// Called when a canvas is drawn anew: nothing stands on it yet.
/** @param {CanvasRenderingContext2D} context */
export function wipeWritten({ canvas }) {
  Object.assign(canvas, { __written: [], __lines: [] });
}

// A canvas drawn anew from nothing, as large as its box and as sharp as the screen. The pen's unit is a CSS pixel, its
// letters are `size` times the canvas's own, which are `em` high.
/** @param {HTMLCanvasElement} canvas @param {number} size @param {boolean} [kept] as in `penOf` @returns {{ pen: CanvasRenderingContext2D, em: number }} */
export function freshPen(canvas, size, kept = false) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(canvas.clientHeight * ratio);
  const pen = penOf(canvas, kept);
  pen.scale(ratio, ratio);
  wipeWritten(pen);
  const { fontSize, fontFamily } = getComputedStyle(canvas);
  const em = parseFloat(fontSize);
  pen.font = `${size * em}px ${fontFamily}`;
  return { pen, em };
}

// Keeps the box of words that were drawn some other way. It is given in the context's own units.
/** @param {CanvasRenderingContext2D} context @param {string} words @param {[left: number, top: number, right: number, bottom: number]} box */
export function keepWritten(context, words, [left, top, right, bottom]) {
  const kept = /** @type {Keeper} */ (context.canvas).__written;
  if (!kept || !words) return;
  const unit = context.getTransform().a / (window.devicePixelRatio || 1);
  kept.push({ words, x: left * unit, y: top * unit, width: (right - left) * unit, height: (bottom - top) * unit });
}

// The box of the ink of these words at (x, y), as the context's font, alignment and base line place them.
/** @param {CanvasRenderingContext2D} context @param {string} words @param {number} x @param {number} y @returns {[number, number, number, number]} */
export function inkBox(context, words, x, y) {
  const ink = context.measureText(words);
  return [x - ink.actualBoundingBoxLeft, y - ink.actualBoundingBoxAscent, x + ink.actualBoundingBoxRight, y + ink.actualBoundingBoxDescent];
}

/** @param {CanvasRenderingContext2D} context @param {string} words @param {number} x @param {number} y */
export function write(context, words, x, y) {
  context.fillText(words, x, y);
  keepWritten(context, words, inkBox(context, words, x, y));
}

// Keeps a line that no words may cross.
/** @param {CanvasRenderingContext2D} context @param {[x: number, y: number, to_x: number, to_y: number]} ends */
export function keepLine(context, ends) {
  const kept = /** @type {Keeper} */ (context.canvas).__lines;
  const unit = context.getTransform().a / (window.devicePixelRatio || 1);
  kept?.push(ends.map((v) => v * unit));
}
