// A scale bar in the corner of a PCA map: how long a distance in the embedding is on the map.
//
// A map always fills its frame, so its size shows nothing. Without the bar a margin three times as large gives the same
// picture, and a collapse looks like a healthy cloud. UMAP does not preserve distances, so its map has no bar.

import { cssOf } from "./shapes.js";
import { ONE_PLACE } from "./viewport.js";
import { keepWritten } from "./written.js";

/** @import { TaskMapView } from "./map.js" */
/** @import { Box } from "./types.js" */

const BAR = 90; // the longest bar, in CSS pixels

// The largest 1, 2 or 5 times a power of ten that is at most `longest`.
/** @param {number} longest */
export function roundLength(longest) {
  const power = 10 ** Math.floor(Math.log10(longest));
  return (longest >= 5 * power ? 5 : longest >= 2 * power ? 2 : 1) * power;
}

// Are all tasks in one place? Then the distances on the map are rounding, and no bar may measure them.
/** @param {Box | null} box */
function inOnePlace(box) {
  return box !== null && Math.max(box[2] - box[0], box[3] - box[1]) <= ONE_PLACE;
}

// The distance that the bar of this map represents; 0 where there is no bar.
/** @param {{ viewport: { scale: number, box: Box | null }, picture: { projection: string } | null, ratio: number }} map */
export function barLength({ viewport, picture, ratio }) {
  return picture?.projection === "pca" && viewport.scale > 0 && !inOnePlace(viewport.box) ? roundLength((BAR * ratio) / viewport.scale) : 0;
}

/** @param {TaskMapView} map */
function barLetters(map) {
  return (map.state.get("projector") ? 0.9 : 0.79) * map.letters * map.ratio;
}

// The box of the bar and its text on the canvas: left, top, right, bottom; empty where there is no bar.
/** @param {TaskMapView} map */
export function scaleBarBox(map) {
  const { canvas, ratio, viewport } = map;
  const apart = barLength(map);
  const wide = apart * viewport.scale + 5.5 * barLetters(map); // its words stand left of it
  return apart ? [canvas.width - 20 * ratio - wide, canvas.height - 9 * ratio - barLetters(map), canvas.width, canvas.height] : [];
}

/** @param {TaskMapView} map @param {CanvasRenderingContext2D} context */
export function drawScaleBar(map, context) {
  const { viewport, palette, ratio, canvas } = map;
  const apart = barLength(map);
  if (map.root.dataset.bar !== String(apart)) map.root.dataset.bar = String(apart);
  if (!apart) return;
  const size = barLetters(map);
  const [right, base] = [canvas.width - 12 * ratio, canvas.height - 6 * ratio];
  const left = right - apart * viewport.scale;
  context.globalAlpha = 1;
  for (const { rgb, width } of [{ rgb: palette.paper, width: 5 }, { rgb: palette.ink, width: 2 }]) {
    context.beginPath();
    for (const x of [left, right]) {
      context.moveTo(x, base - 4 * ratio);
      context.lineTo(x, base);
    }
    context.moveTo(left, base);
    context.lineTo(right, base);
    context.lineWidth = width * ratio;
    context.strokeStyle = cssOf(rgb);
    context.stroke();
  }
  const words = `${+apart.toPrecision(1)} apart`;
  context.font = `${size}px system-ui, sans-serif`;
  context.textAlign = "right";
  context.textBaseline = "bottom";
  context.lineWidth = 4 * ratio;
  context.strokeStyle = cssOf(palette.paper);
  const beside = left - 6 * ratio;
  context.strokeText(words, beside, base + 2 * ratio);
  context.fillStyle = cssOf(palette.ink);
  context.fillText(words, beside, base + 2 * ratio);
  keepWritten(context, words, [beside - 5 * size, base - size, beside, base]); // not measured: this is drawn at every paint
}
