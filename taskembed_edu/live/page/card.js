// Draws a task's own data: small beside the pointer, larger when the task is chosen.

import { element, penOf, rounded, setText } from "./base.js";
import { drawDrawing, drawingAxes } from "./drawing.js";
import { cssOf, drawMarker, inkInto, outlineOf, rgbOf } from "./shapes.js";
import { wipeWritten, write } from "./written.js";

/** @import { Axes, CurveData, DrawingData, ImagesData, NameRow, NamesData, Palette, Point, ScatterData, TaskData, WordRow, WordsData } from "./types.js" */

const LABEL_HIGH = 12; // CSS pixels below an image
const LONGEST_WORD = 16; // letters; a longer word (Finnish) may be broken, or its column would take the others' room

// Shows one task's data: a canvas, or for words and names a table, which a screen reader reads as a table.
export class TaskPicture {
  /** @param {Element} parent */
  constructor(parent) {
    this.canvas = element("canvas", "", parent);
    this.table = element("table", "te-map-words", parent);
    this.table.hidden = true;
    this.shape = ""; // the table's number of rows, and its columns
    /** @type {HTMLTableCellElement[][]} */
    this.cells = [];
    /** @type {HTMLTableRowElement[]} */
    this.rows = [];
  }

  /** @param {TaskData | null} data @param {Palette} palette @param {number} wide @param {number} high */
  draw(data, palette, wide, high) {
    const text = data?.kind === "words" || data?.kind === "names" ? data : null;
    this.table.hidden = !text;
    drawCard(this.canvas, data?.kind === "words" || data?.kind === "names" ? null : data, palette, wide, high);
    this.table.classList.toggle("te-names", text?.kind === "names");
    if (text?.kind === "words") this.writeWords(text);
    if (text?.kind === "names") this.writeNames(text);
  }

  // One row per number: its word as written, the same in plain letters, what the task's own network spells, and whether
  // the network saw this number in training.
  /** @param {WordsData} data */
  writeWords({ rows, fit, shown }) {
    const known = fit && shown;
    this.write(["#", "word", "letters", ...(known ? ["its network", "training"] : fit ? ["its network"] : [])], rows, fit?.words);
    rows.forEach((row, k) => {
      const cells = this.cells[k];
      if (fit) cells[3].classList.toggle("te-wrong", fit.words[k] !== row[2]);
      if (known) setText(cells[4], shown[k] ? "shown" : "new");
      if (known) cells[4].classList.toggle("te-new", !shown[k]);
      const was = shown?.[k] ? "was shown to this network in training" : "was not shown to this network in training";
      this.rows[k].title = known ? `${row[0]} ${was}` : "";
    });
  }

  // One row per name: its language, the name as written, the same in plain letters, and which language the task's own
  // network takes it for.
  /** @param {NamesData} data */
  writeNames(data) {
    const answers = data.fit ? languagesOf(data, data.fit.classes) : undefined;
    this.write(["language", "name", "letters", ...(answers ? ["its network"] : [])], data.rows, answers);
    data.rows.forEach((row, k) => {
      if (answers) this.cells[k][3].classList.toggle("te-wrong", answers[k] !== row[0]);
      this.rows[k].title = "";
    });
  }

  /** @param {string[]} heads @param {(WordRow | NameRow)[]} rows @param {string[]} [answers] */
  write(heads, rows, answers) {
    const long = rows.some((row) => row.slice(1).some((words) => words.split(" ").some((word) => word.length > LONGEST_WORD)));
    this.table.classList.toggle("te-long-words", long);
    const shape = `${rows.length} ${heads.join()}`;
    if (this.shape !== shape) this.build(heads, rows.length);
    this.shape = shape;
    rows.forEach((row, k) => {
      const texts = [...row, ...(answers ? [answers[k] || "–"] : [])];
      texts.forEach((text, column) => setText(this.cells[k][column], text));
    });
  }

  /** @param {string[]} heads @param {number} n */
  build(heads, n) {
    this.table.replaceChildren();
    const head = element("tr", "", element("thead", "", this.table));
    for (const text of heads) element("th", "", head, text).scope = "col";
    const body = element("tbody", "", this.table);
    this.rows = Array.from({ length: n }, () => element("tr", "", body));
    this.cells = this.rows.map((row) =>
      heads.map((_, k) => Object.assign(element("td", "", row), { dir: k === 1 ? "auto" : "ltr" })),
    );
  }
}

const NOUNS = { images: "pictures", names: "names", scatter: "points" };

// How well the task's own network fits its data, in a few words. `spoken`: for a screen reader.
/** @param {TaskData | null} data @param {boolean} [spoken] */
export function fitNote(data, spoken = false) {
  if (!data?.fit) return "";
  if (data.kind === "curve") {
    return spoken ? `its network is ${rounded(meanGap(data.curve, data.fit.curve))} off on average` : "solid: truth, dashed: the network";
  }
  if (data.kind === "drawing") return spoken ? "" : "dashed: its network";
  if (data.kind === "words") return wordsNote(data.rows, data.fit.words, data.shown);
  const wrong = wrongAnswers(data).length;
  const total = data.fit.classes.length;
  return `its network has ${wrong} of ${total} ${NOUNS[data.kind]} wrong`;
}

// Describes a picture for a screen reader; "" where the name and the note already do.
/** @param {TaskData | null} data */
export function pictureWords(data) {
  if (data?.kind === "images") return picturesInWords(data);
  return data?.kind === "drawing" ? data.drawing.spoken : "";
}

// "10 pictures, 2 each of alpha and beta": what a card of pictures shows.
/** @param {ImagesData} data */
export function picturesInWords({ labels, names, n_images }) {
  const kinds = [...new Set(labels)].map((label) => classOf(label, names));
  const each = n_images / Math.max(1, kinds.length);
  const listed = kinds.length > 1 ? `${kinds.slice(0, -1).join(", ")} and ${kinds.at(-1)}` : (kinds[0] ?? "");
  return `${n_images} pictures${listed && Number.isInteger(each) ? `, ${each} each of ${listed}` : ""}`;
}

// What a person calls the class with this label.
/** @param {number | string} label @param {string[]} [names] */
function classOf(label, names) {
  return names?.[Number(label)] ?? String(label);
}

// How many words are right. Where some numbers were seen in training and others not, both groups are counted
// separately.
/** @param {WordRow[]} rows @param {string[]} words @param {boolean[]} [shown] */
function wordsNote(rows, words, shown) {
  const right = rows.map((row, k) => row[2] === words[k]);
  /** @param {boolean[]} those */
  const share = (those) => `${those.filter(Boolean).length} of ${those.length}`;
  const note = `its network spells ${share(right)} right`;
  if (!shown?.includes(true) || !shown.includes(false)) return note;
  return `${note}: ${share(right.filter((_, k) => shown[k]))} shown, ${share(right.filter((_, k) => !shown[k]))} new`;
}

// The mean absolute difference in y between the network's curve and the true one, over the network's own x.
/** @param {Point[]} curve @param {Point[]} answer */
export function meanGap(curve, answer) {
  /** @param {number} share */
  const true_y = (share) => {
    const at = share * (curve.length - 1);
    const k = Math.min(curve.length - 2, Math.floor(at));
    return curve[k][1] + (at - k) * (curve[k + 1][1] - curve[k][1]);
  };
  const gaps = answer.map(([, y], k) => Math.abs(y - true_y(k / Math.max(1, answer.length - 1))));
  return gaps.reduce((sum, gap) => sum + gap, 0) / Math.max(1, gaps.length);
}

// The label of each predicted class. The pictures are sorted by class, so class c has the label of its first picture.
/** @param {ImagesData} data @param {Uint8Array} classes */
function answersOf({ labels, n_images }, classes) {
  const each = n_images / new Set(labels).size;
  return Array.from(classes, (c) => labels[c * each] ?? "?");
}

// The language of each predicted class. The rows are sorted by class, so class c is that of its first row.
/** @param {NamesData} data @param {Uint8Array} classes */
function languagesOf({ rows }, classes) {
  const each = rows.length / new Set(rows.map(([language]) => language)).size;
  return Array.from(classes, (c) => rows[c * each]?.[0] ?? "?");
}

// What is right and what the network answers, one each for a task's points, pictures or names.
/** @param {ImagesData | NamesData | ScatterData} data @param {Uint8Array} classes @returns {[ArrayLike<string | number>, (string | number)[]]} */
function rightAndAnswered(data, classes) {
  if (data.kind === "images") return [data.labels, answersOf(data, classes)];
  if (data.kind === "names") return [data.rows.map(([language]) => language), languagesOf(data, classes)];
  return [data.classes, Array.from(classes)];
}

// The indices of the points, pictures or names that the network classifies wrongly.
/** @param {ImagesData | NamesData | ScatterData} data */
export function wrongAnswers(data) {
  if (!data.fit) return [];
  const [right, answers] = rightAndAnswered(data, data.fit.classes);
  return answers.map((answer, k) => (answer === right[k] ? -1 : k)).filter((k) => k >= 0);
}

// Draw one task's data (decodeCard) into a canvas of this size in CSS pixels;
// hide the canvas where the family has no picture.
/**
 * @param {HTMLCanvasElement} canvas
 * @param {CurveData | ScatterData | ImagesData | DrawingData | null} data
 * @param {Palette} palette
 * @param {number} wide
 * @param {number} high
 */
function drawCard(canvas, data, palette, wide, high) {
  const ratio = window.devicePixelRatio || 1;
  canvas.hidden = !data;
  if (!data) return;
  canvas.width = Math.round(wide * ratio);
  canvas.height = Math.round(high * ratio);
  canvas.style.width = `${wide}px`;
  canvas.style.height = `${high}px`;
  const context = penOf(canvas, true);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  wipeWritten(context);
  if (data.kind === "curve") drawCurve(context, data, palette, wide, high);
  else if (data.kind === "scatter") drawScatter(context, data, palette, wide, high);
  else if (data.kind === "drawing") drawOwn(context, data, palette, drawingAxes(data, wide, high));
  else drawImages(context, data, palette, wide, high);
}

// Maps the data's axes to the canvas, with room for a marker at the edges and for one line of numbers below.
/** @param {CurveData | ScatterData} data @param {number} wide @param {number} high @returns {Axes} */
function axesOf(data, wide, high) {
  const [edge, foot] = [6, 15];
  /** @param {number} v */
  const x = (v) => edge + ((v - data.x[0]) / (data.x[1] - data.x[0] || 1)) * (wide - 2 * edge);
  /** @param {number} v */
  const y = (v) => high - foot - ((v - data.y[0]) / (data.y[1] - data.y[0] || 1)) * (high - foot - edge);
  return { x, y };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {CurveData | ScatterData} data
 * @param {Palette} palette
 * @param {number} wide
 * @param {number} high
 * @param {Axes} axes
 */
function drawFrame(context, data, palette, wide, high, { x, y }) {
  context.strokeStyle = cssOf(palette.line);
  context.lineWidth = 1;
  context.beginPath();
  const zero = data.y[0] < 0 && data.y[1] > 0 ? Math.round(y(0)) + 0.5 : Math.round(y(data.y[0])) + 0.5;
  context.moveTo(x(data.x[0]), zero);
  context.lineTo(x(data.x[1]), zero);
  context.stroke();
  context.fillStyle = cssOf(palette.soft);
  context.font = "10px system-ui, sans-serif";
  context.textBaseline = "alphabetic";
  context.textAlign = "left";
  write(context, shortNumber(data.x[0]), x(data.x[0]), high - 3);
  context.textAlign = "right";
  write(context, shortNumber(data.x[1]), x(data.x[1]), high - 3);
  context.textAlign = "center";
  write(context, `y: ${shortNumber(data.y[0])} to ${shortNumber(data.y[1])}`, wide / 2, high - 3);
}

/** @param {number} value */
function shortNumber(value) {
  return `${+value.toPrecision(2)}`.replace("-", "−");
}

// A regression task: the true curve, the points that the network was given, and the curve that it fitted to them.
/**
 * @param {CanvasRenderingContext2D} context
 * @param {CurveData} data
 * @param {Palette} palette
 * @param {number} wide
 * @param {number} high
 */
function drawCurve(context, data, palette, wide, high) {
  const axes = axesOf(data, wide, high);
  drawFrame(context, data, palette, wide, high, axes);
  context.beginPath();
  data.curve.forEach(([px, py], k) => context[k ? "lineTo" : "moveTo"](axes.x(px), axes.y(py)));
  context.strokeStyle = cssOf(palette.truth);
  context.lineWidth = 2;
  context.stroke();
  if (data.fit) drawAnswer(context, data.fit.curve, palette, axes);
  for (const [px, py] of data.points) {
    drawMarker(context, 0, axes.x(px), axes.y(py), 2.8, cssOf(palette.ink), cssOf(palette.paper));
  }
}

// The network's own curve, in a colour that is never used for a true one.
/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point[]} curve
 * @param {Palette} palette
 * @param {Axes} axes
 */
function drawAnswer(context, curve, palette, axes) {
  context.beginPath();
  curve.forEach(([px, py], k) => context[k ? "lineTo" : "moveTo"](axes.x(px), axes.y(py)));
  context.setLineDash([5, 3]);
  context.lineWidth = 2;
  context.strokeStyle = cssOf(palette.lost);
  context.stroke();
  context.setLineDash([]);
}

const CLASS_COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

// Points of a classification task: colour and shape show the class.
/**
 * @param {CanvasRenderingContext2D} context
 * @param {ScatterData} data
 * @param {Palette} palette
 * @param {number} wide
 * @param {number} high
 */
function drawScatter(context, data, palette, wide, high) {
  const axes = axesOf(data, wide, high);
  drawFrame(context, data, palette, wide, high, axes);
  data.points.forEach(([px, py], k) => {
    const colour = rgbOf(CLASS_COLOURS[data.classes[k] % CLASS_COLOURS.length], "#0072b2");
    const outline = cssOf(outlineOf(colour, palette.paper, palette.ink));
    drawMarker(context, data.classes[k], axes.x(px), axes.y(py), 3.2, cssOf(colour), outline, cssOf(palette.paper));
  });
  if (data.fit) crossOut(context, data, palette, axes);
}

// A cross through each point that the network classifies wrongly.
/**
 * @param {CanvasRenderingContext2D} context
 * @param {ScatterData} data
 * @param {Palette} palette
 * @param {Axes} axes
 */
function crossOut(context, data, palette, axes) {
  context.beginPath();
  for (const k of wrongAnswers(data)) {
    const [x, y, r] = [axes.x(data.points[k][0]), axes.y(data.points[k][1]), 5];
    for (const down of [-r, r]) {
      context.moveTo(x - r, y - down);
      context.lineTo(x + r, y + down);
    }
  }
  context.lineWidth = 1.5;
  context.strokeStyle = cssOf(palette.wrong);
  context.stroke();
}

// The drawing that a family defines itself, and over it the path that the task's own network predicts.
/** @param {CanvasRenderingContext2D} context @param {DrawingData} data @param {Palette} palette @param {Axes} axes */
function drawOwn(context, data, palette, axes) {
  drawDrawing(context, data, palette, axes);
  if (data.fit) drawAnswer(context, data.fit.path, palette, axes);
}

// How many images stand in a row so that each is as large as possible, with its label below it.
/** @param {number} n @param {number} wide @param {number} high */
export function imageGrid(n, wide, high) {
  let [columns, side] = [1, 0];
  for (let k = 1; k <= n; k++) {
    const fits = Math.min(wide / k - 4, high / Math.ceil(n / k) - LABEL_HIGH - 3);
    if (fits > side) [columns, side] = [k, fits];
  }
  return { columns, side };
}

/** @type {HTMLCanvasElement | null} */
let draftCanvas = null; // holds one image at its own resolution, before it is scaled

// Images in rows, each with its true label and the label that the task's network predicts.
/**
 * @param {CanvasRenderingContext2D} context
 * @param {ImagesData} data
 * @param {Palette} palette
 * @param {number} wide
 * @param {number} high
 */
function drawImages(context, data, palette, wide, high) {
  const { width, height, n_images: n, pixels, labels, names } = data;
  const answers = data.fit ? answersOf(data, data.fit.classes) : labels;
  const { columns, side } = imageGrid(n, wide, high);
  const one = (draftCanvas ??= document.createElement("canvas"));
  [one.width, one.height] = [width, height];
  const draft = penOf(one, true);
  const image = draft.createImageData(width, height);
  const ratio = window.devicePixelRatio || 1;
  context.imageSmoothingEnabled = side * ratio < 2 * width; // few large pixels are shown as they are
  context.imageSmoothingQuality = "high";
  context.textAlign = "center";
  context.textBaseline = "top";
  context.font = "10px system-ui, sans-serif";
  for (let k = 0; k < n; k++) {
    inkInto(image.data, pixels.subarray(k * width * height, (k + 1) * width * height), palette);
    draft.putImageData(image, 0, 0);
    const x = ((k % columns) + 0.5) * (wide / columns);
    const y = Math.floor(k / columns) * (side + LABEL_HIGH + 3) + 1;
    context.drawImage(one, x - side / 2, y, side, side);
    context.strokeStyle = cssOf(palette.line);
    context.strokeRect(x - side / 2 + 0.5, y + 0.5, side - 1, side - 1);
    const right = answers[k] === labels[k];
    context.fillStyle = cssOf(right ? palette.ink : palette.wrong);
    const label = classOf(labels[k], names);
    write(context, right ? label : `${label} → ${classOf(answers[k], names)}`, x, y + side + 1);
  }
}
