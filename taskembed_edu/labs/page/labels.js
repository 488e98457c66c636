// Places labels inside a drawing without overlaps. A label is {words, x, y, anchor, kind}; (x, y) is on its baseline.

import { svg } from "./dom.js";
import { clamp } from "./numbers.js";

const LETTER = 8.4; // pixels: about the width of a letter at the drawing's usual font size
const ABOVE = 13; // pixels from the baseline to the top of the letters, with a margin
const BELOW = 4;

/** The label's bounding box: left, top, right, bottom. @type {(label: Lab.Label, unit: number) => Lab.Box} */
export function labelBox({ words, x, y, anchor = "middle" }, unit) {
  const width = LETTER * unit * words.length;
  const left = x - { start: 0, middle: width / 2, end: width }[anchor];
  return [left, y - ABOVE * unit, left + width, y + BELOW * unit];
}
/** @type {(a: Lab.Box, b: Lab.Box) => boolean} */
const apart = (a, b) => a[2] < b[0] || b[2] < a[0] || a[3] < b[1] || b[3] < a[1];

/** The label, moved inside the drawing; one that is too wide begins at the left edge. @type {Lab.InsideLabel} */
export function insideLabel(label, { width, height, unit }) {
  const [left, , right] = labelBox(label, unit);
  const by = Math.max(6 - left, Math.min(0, width - 6 - right));
  return { ...label, x: label.x + by, y: clamp(label.y, 16 * unit, height - 8) };
}

/** The label at the first free place, else at the first place; adds its box to `taken`. @type {Lab.PlaceLabel} */
export function placeLabel(label, places, taken, unit) {
  const placed = places.map(([x, y]) => ({ ...label, x, y }));
  const free = placed.find((one) => taken.every((box) => apart(box, labelBox(one, unit)))) ?? placed[0] ?? label;
  taken.push(labelBox(free, unit));
  return free;
}

/** Moves labels up or down until none overlaps another or `taken`; the first move least. @type {Lab.SpreadLabels} */
export function spreadLabels(labels, taken, { height, unit }) {
  return labels.map((label) => {
    const levels = [0, 14, -14, 26, -26, 38, -38].map((by) => label.y + by * unit);
    const inside = levels.filter((y) => y > ABOVE * unit && y < height - BELOW * unit);
    return placeLabel(label, inside.map((y) => [label.x, y]), taken, unit);
  });
}

/** Shows the numbers of a grid that no label covers, and hides the others. @type {(ticks: [SVGTextElement, Lab.Label][], taken: Lab.Box[], unit: number) => void} */
export function clearTicks(ticks, taken, unit) {
  for (const [node, label] of ticks) {
    const box = labelBox(label, 0.82 * unit); // a grid's numbers are smaller
    node.style.visibility = taken.every((one) => apart(box, one)) ? "" : "hidden";
  }
}

/** @type {(label: Lab.Label) => SVGTextElement} */
export const labelNode = ({ words, x, y, anchor = "middle", kind = "" }) =>
  svg("text", { class: kind, x, y, "text-anchor": anchor }, words);
