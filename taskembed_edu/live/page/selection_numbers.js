// What a lasso holds, in numbers: each true parameter of the selected tasks beside that of all tasks, and the same tasks as
// a table. The kernel adds what only it knows, the distances (live/selection.py).

import { counted, rounded } from "./base.js";
import { bytesOf, floatsOf } from "./packets.js";

/** @import { Colouring, SelectionPacket, Tasks } from "./types.js" */
/** @typedef {{ label: string, some: string, all: string }} NumberRow of the panel */
/** @typedef {{ name: string, places: ArrayLike<number> }} PlacedMap x, y, x, y, ... of all tasks */

const NAMED = 3; // so many of a category's values are named; the others are counted together
const NO_DIRECTION = 0.2; // angles whose mean arrow is shorter than this have no common direction

// The mean of these tasks' values; NaN where there are none.
/** @param {ArrayLike<number>} values @param {number[]} tasks */
export function meanOf(values, tasks) {
  return tasks.reduce((sum, i) => sum + values[i], 0) / tasks.length;
}

// The mean direction of these tasks' angles, in degrees; NaN where they point all ways. Each angle is an arrow of length 1:
// the mean of 350° and 10° is 0°, not 180°. `low` is the first degree of the full turn that the answer lies in.
/** @param {ArrayLike<number>} radians @param {number[]} tasks @param {number} [low] */
export function meanDirection(radians, tasks, low = 0) {
  const x = tasks.reduce((sum, i) => sum + Math.cos(radians[i]), 0) / tasks.length;
  const y = tasks.reduce((sum, i) => sum + Math.sin(radians[i]), 0) / tasks.length;
  if (!(Math.hypot(x, y) >= NO_DIRECTION)) return NaN;
  const degrees = (180 * Math.atan2(y, x)) / Math.PI;
  return degrees - 360 * Math.floor((degrees - low + 1e-6) / 360);
}

// The commonest categories of these tasks with their counts, the most frequent first; of equals by the alphabet.
/** @param {string[]} labels of all tasks @param {number[]} tasks @returns {[label: string, count: number][]} */
export function commonest(labels, tasks) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const i of tasks) counts.set(labels[i], (counts.get(labels[i]) ?? 0) + 1);
  return [...counts].sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1));
}

// Each task's category in words.
/** @param {Colouring} colouring @returns {string[]} */
function categories({ labels, groups, entries }) {
  return labels ?? Array.from(bytesOf(groups), (group) => entries[group]?.label ?? String(group));
}

// Has every task a category of its own? Then it is a name, and has no commonest value.
/** @param {Colouring} colouring */
function isName(colouring) {
  const labels = colouring.values ? [] : categories(colouring);
  return labels.length > 1 && new Set(labels).size === labels.length;
}

/** @param {Colouring} colouring @param {number[]} tasks */
function inWords(colouring, tasks) {
  if (colouring.values) {
    const values = floatsOf(colouring.values);
    if (!colouring.angle) return rounded(meanOf(values, tasks));
    const low = values.some((value) => value < 0) ? -180 : 0;
    const mean = meanDirection(values, tasks, low);
    return Number.isNaN(mean) ? "all directions" : `${(Math.round(mean) % 360) + 0}°`;
  }
  const counts = commonest(categories(colouring), tasks);
  const named = counts.slice(0, NAMED).map(([label, count]) => `${label} ${counted(count)}`);
  const others = counts.slice(NAMED).reduce((sum, [, count]) => sum + count, 0);
  return [...named, ...(others ? [`${counted(others)} others`] : [])].join(", ");
}

/** @param {Colouring} colouring */
function rowName({ name, kind, values, angle }) {
  if (kind === "category" || !values) return `${name}, commonest`;
  return angle ? `${name}, mean direction` : `${name}, mean`;
}

// One row a true parameter: the selected tasks, and all of them. A parameter that only names the tasks has none.
/** @param {Tasks} tasks @param {number[]} selected @returns {NumberRow[]} */
export function truthRows(tasks, selected) {
  const every = Array.from({ length: tasks.n }, (_, i) => i);
  return tasks.colours.filter((colouring) => !isName(colouring)).map((colouring) => ({
    label: rowName(colouring),
    some: inWords(colouring, selected),
    all: inWords(colouring, every),
  }));
}

// The rows of the distances: one a run in the embedding, and one in truth, where that is known. Null: the kernel's answer
// to this selection has not come, or there is no kernel.
/** @param {{ name: string, told: SelectionPacket | null | undefined }[]} runs @param {number} n @returns {NumberRow[] | null} */
export function distanceRows(runs, n) {
  const told = runs.flatMap(({ name, told: one }) => (one && one.n === n ? [{ name, one }] : []));
  if (!told.length) return null;
  const embedding = told.map(({ name, one }) => ({
    label: ["distance in the embedding, mean", name].filter(Boolean).join(", "),
    some: rounded(one.apart),
    all: rounded(one.apart_all),
  }));
  const [{ one }] = told;
  const truth = one.truth === undefined ? [] : [{ label: "true distance, mean", some: rounded(one.truth), all: rounded(one.truth_all) }];
  return [...embedding, ...truth];
}

// The selected tasks as rows of a table, the header first: number, name, true parameters, places on the maps, step.
/** @param {Tasks} tasks @param {number[]} selected @param {PlacedMap[]} maps @param {number} step @returns {(string | number)[][]} */
export function selectionTable(tasks, selected, maps, step) {
  const truths = tasks.colours.map((colouring) => ({
    name: `true ${colouring.name}`,
    known: colouring.values ? floatsOf(colouring.values) : categories(colouring),
  }));
  const header = ["task", "name", ...truths.map(({ name }) => name), ...maps.flatMap(({ name }) => [`${name}_x`, `${name}_y`]), "step"];
  const rows = selected.map((i) => [
    i,
    tasks.names[i],
    ...truths.map(({ known }) => known[i]),
    ...maps.flatMap(({ places }) => [places[2 * i], places[2 * i + 1]]),
    step,
  ]);
  return [header, ...rows];
}

// Rows as CSV (RFC 4180): a field with a comma, a quote or a line break is quoted.
/** @param {(string | number)[][]} rows */
export function asCsv(rows) {
  /** @param {string | number} field */
  const written = (field) => (/[",\r\n]/.test(String(field)) ? `"${String(field).replaceAll('"', '""')}"` : String(field));
  return rows.map((row) => `${row.map(written).join(",")}\r\n`).join("");
}
