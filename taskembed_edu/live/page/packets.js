// Decodes the packets that are sent as bytes. The kernel sends DataViews, the exported file holds typed arrays. Both
// are little-endian, as is every machine that runs a browser.

/** @import { Bytes, Card, Colouring, CurveCard, Fit, PlacedPoints, Point, ScatterCard, TaskData } from "./types.js" */

const BYTES = new Uint8Array(0);

/** @param {Bytes | null | undefined} view */
export function bytesOf(view) {
  if (!view) return BYTES;
  if (view instanceof ArrayBuffer) return new Uint8Array(view);
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

// A Uint16Array must start at an even address, but the bytes of a message may start at an odd one: then copy them.
/** @param {Bytes | null | undefined} view */
export function wordsOf(view) {
  const bytes = bytesOf(view);
  if (bytes.byteOffset % 2) return new Uint16Array(bytes.slice().buffer, 0, bytes.length >> 1);
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
}

// Always a copy: a Float32Array must start at a multiple of 4, and the bytes of a message may not.
/** @param {Bytes | null | undefined} given */
export function floatsOf(given) {
  return new Float32Array(bytesOf(given).slice().buffer);
}

// The number of tasks in a run's picture: 4 bytes per task.
/** @param {{ points?: Bytes } | null | undefined} runPicture */
export function countOf(runPicture) {
  return runPicture?.points ? runPicture.points.byteLength >> 2 : 0;
}

// Writes the places on the map into `places` (x, y, x, y, ...). The array is reused for every frame, to save memory.
/** @param {PlacedPoints} runPicture @param {Float32Array} places */
export function decodePlaces(runPicture, places) {
  const words = wordsOf(runPicture.points);
  const [left, bottom, right, top] = runPicture.box;
  const [wide, high] = [(right - left) / 65535, (top - bottom) / 65535];
  for (let i = 0; i < words.length; i += 2) {
    places[i] = left + wide * words[i];
    places[i + 1] = bottom + high * words[i + 1];
  }
}

// Writes the bounding box of the points into `box`, without those for which `without(k)` is true.
/** @param {Float32Array} places @param {Float64Array} box @param {(k: number) => boolean} [without] */
export function boundsOf(places, box, without = () => false) {
  box.fill(Infinity, 0, 2).fill(-Infinity, 2, 4);
  for (let i = 0; i < places.length; i += 2) {
    if (without(i >> 1)) continue;
    if (places[i] < box[0]) box[0] = places[i];
    if (places[i] > box[2]) box[2] = places[i];
    if (places[i + 1] < box[1]) box[1] = places[i + 1];
    if (places[i + 1] > box[3]) box[3] = places[i + 1];
  }
}

// One entry of tasks.colours as arrays; a task without an entry is a blue circle of group 0.
/** @param {Pick<Colouring, "rgb" | "shapes" | "groups"> | null | undefined} colouring @param {number} n */
export function decodeColouring(colouring, n) {
  const [rgb, shapes, groups] = [bytesOf(colouring?.rgb), bytesOf(colouring?.shapes), bytesOf(colouring?.groups)];
  if (rgb.length >= 3 * n && shapes.length >= n) {
    return { rgb, shapes, groups: groups.length >= n ? groups : new Uint8Array(n) };
  }
  const plain = new Uint8Array(3 * n);
  for (let i = 0; i < n; i++) plain.set([0, 114, 178], 3 * i);
  return { rgb: plain, shapes: new Uint8Array(n), groups: new Uint8Array(n) };
}

// One task's own data, from the card packet of all tasks, as plain numbers that card.js draws.
/** @param {Card | null | undefined} card @param {number} i @returns {TaskData | null} */
export function decodeCard(card, i) {
  if (card?.kind === "curve") {
    return { kind: "curve", x: card.x, y: card.y, points: scaled(card, i), curve: heights(card, i) };
  }
  if (card?.kind === "scatter") {
    const classes = bytesOf(card.classes).subarray(i * card.n_points, (i + 1) * card.n_points);
    return { kind: "scatter", x: card.x, y: card.y, points: scaled(card, i), classes };
  }
  if (card?.kind === "images") {
    const { width, height, n_images } = card;
    const each = width * height;
    const pixels = bytesOf(card.pixels).subarray(i * n_images * each, (i + 1) * n_images * each);
    const labels = bytesOf(card.labels).subarray(i * n_images, (i + 1) * n_images);
    return { kind: "images", width, height, n_images, pixels, labels, names: card.class_names?.[i] };
  }
  if (card?.kind === "drawing") return { kind: "drawing", x: card.x, y: card.y, drawing: card.drawings[i] };
  if (card?.kind === "names") return { kind: "names", rows: card.words[i] };
  if (card?.kind === "words") return { kind: "words", rows: card.words[i], shown: card.shown?.[i] };
  return null;
}

// One task's predictions by its own network, from the picture's predictions of all tasks. `card` gives the axes that
// they are drawn on.
/** @param {Fit | null | undefined} fit @param {Card | null | undefined} card @param {number} i */
export function decodeFit(fit, card, i) {
  if (fit?.kind === "words" && card?.kind === "words") return { words: fit.words[i] };
  if (fit?.kind === "classes" && fit.n === answered(card)) {
    return { classes: bytesOf(fit.classes).subarray(i * fit.n, (i + 1) * fit.n) };
  }
  if (fit?.kind === "path" && card?.kind === "drawing") return { path: pathOf(fit, i) };
  if (fit?.kind !== "curve" || card?.kind !== "curve") return null;
  const levels = bytesOf(fit.points).subarray(i * fit.n, (i + 1) * fit.n);
  const [[left, right], [low, high]] = [card.x, card.y];
  /** @param {number} k */
  const x = (k) => left + ((right - left) * k) / Math.max(1, fit.n - 1);
  return { curve: Array.from(levels, (level, k) => [x(k), low + ((high - low) * level) / 255]) };
}

// How many classes a network gives one task of this card; -1 where it gives none.
/** @param {Card | null | undefined} card */
function answered(card) {
  if (card?.kind === "scatter") return card.n_points;
  if (card?.kind === "images") return card.n_images;
  return card?.kind === "names" ? card.words[0].length : -1;
}

// The points as shares (0 ... 1) of the card's axes, as in a drawing's own lines.
/** @param {Fit & { kind: "path" }} fit @param {number} i @returns {Point[]} */
function pathOf({ n, points }, i) {
  const levels = bytesOf(points).subarray(i * n, (i + 1) * n);
  return Array.from({ length: n >> 1 }, (_, k) => [levels[2 * k] / 255, levels[2 * k + 1] / 255]);
}

/** @param {CurveCard | ScatterCard} card @param {number} i @returns {Point[]} */
function scaled(card, i) {
  const words = wordsOf(card.points);
  const from = 2 * card.n_points * i;
  return Array.from({ length: card.n_points }, (_, k) => [
    card.x[0] + ((card.x[1] - card.x[0]) * words[from + 2 * k]) / 65535,
    card.y[0] + ((card.y[1] - card.y[0]) * words[from + 2 * k + 1]) / 65535,
  ]);
}

/** @param {CurveCard} card @param {number} i @returns {Point[]} */
function heights(card, i) {
  const words = wordsOf(card.curve);
  return Array.from({ length: card.n_curve }, (_, k) => [
    card.x[0] + ((card.x[1] - card.x[0]) * k) / Math.max(1, card.n_curve - 1),
    card.y[0] + ((card.y[1] - card.y[0]) * words[i * card.n_curve + k]) / 65535,
  ]);
}
