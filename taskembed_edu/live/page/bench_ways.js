// What a page knows of a start: its packet decoded, its colours, and its answers laid over a task's card.

import { bytesOf, floatsOf, wordsOf } from "./packets.js";

/** @import { BenchPacket, BenchWay, Bytes, Point, TaskData } from "./types.js" */
/**
 * @typedef {object} ShownWay one start, decoded
 * @property {string} name
 * @property {string} label
 * @property {string} short its name beside its curve
 * @property {string} colour of its lines
 * @property {string} text of its words: the same hue, dark enough to be read
 * @property {number[]} dashes of its curve: a second run's lets the first one's be seen below it
 * @property {ArrayLike<number>} support its losses by step
 * @property {Record<string, ArrayLike<number>>} query each measure by step
 * @property {Uint16Array | null} curves
 * @property {number} diverged
 * @property {Record<string, number>} [flat] measures of what takes no step
 * @property {BenchWay} [way]
 */

// Okabe and Ito's hues for light and for dark paper, and for words. A second run's learned start has a hue of its own.
const START_HUES = {
  random: { light: ["#d55e00", "#a84300"], dark: ["#f27a2c", "#ff9a57"] },
  learned: { light: ["#0072b2", "#0072b2"], dark: ["#56b4e9", "#7cc5ef"] },
  second: { light: ["#b0568a", "#94436f"], dark: ["#e3a8c9", "#e3a8c9"] },
  nearest: { light: ["#009e73", "#00714f"], dark: ["#1fbe91", "#3fd1a7"] },
  flat: { light: ["#57606a", "#57606a"], dark: ["#aab2bb", "#aab2bb"] },
};

// Every start of a packet, in the colours of this paper.
/** @param {BenchPacket} packet @param {boolean} dark @returns {ShownWay[]} */
export function shownWays(packet, dark) {
  const paper = dark ? "dark" : "light";
  let learned = 0;
  const ways = packet.ways.map((way) => {
    const hue = way.name === "random" ? "random" : way.name === "nearest task" ? "nearest" : learned++ ? "second" : "learned";
    const [colour, text] = START_HUES[hue][paper];
    const query = Object.fromEntries(Object.entries(way.query).map(([name, values]) => [name, floatsOf(values)]));
    const curves = way.curves ? wordsOf(way.curves) : null;
    const short = way.label.replace(/ \(.*/, "");
    return { name: way.name, label: way.label, short, colour, text, dashes: hue === "second" ? [8, 5] : [], support: floatsOf(way.support), query, curves, diverged: way.diverged, way };
  });
  const [colour, text] = START_HUES.flat[paper];
  const flat = packet.flat.map(({ name, label, ...numbers }) => {
    const flat = /** @type {Record<string, number>} */ (numbers);
    return { name, label, short: label, colour, text, dashes: [], support: [], query: {}, curves: null, diverged: -1, flat };
  });
  return [...ways, ...flat];
}

// The answers of a network after this step, laid over its task's card.
/** @param {TaskData} data @param {BenchWay} way @param {number} step */
export function layAnswers(data, way, step) {
  if (way.classes && (data.kind === "scatter" || data.kind === "images" || data.kind === "names")) {
    const each = data.kind === "images" ? data.n_images : (data.kind === "names" ? data.rows : data.points).length;
    const classes = bytesOf(way.classes).subarray(step * each, (step + 1) * each);
    if (classes.length === each) data.fit = { classes };
  }
  if (way.words && data.kind === "words") data.fit = { words: way.words[step] };
}

/** @param {Bytes | undefined} bytes @returns {Point[]} */
export function pairsOf(bytes) {
  const numbers = floatsOf(bytes);
  return Array.from({ length: numbers.length >> 1 }, (_, k) => [numbers[2 * k], numbers[2 * k + 1]]);
}
