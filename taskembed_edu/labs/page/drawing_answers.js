// What the network answers: a bar for each class of the support set, and the drawing's place on a map of scripts.

import { bytesOfText, putInk } from "./drawing_ink.js";
import { change, html, onHover, setText, svg } from "./dom.js";
import { SHAPES } from "./handle.js";
import { labelNode } from "./labels.js";
import { clamp } from "./numbers.js";

const percent = (/** @type {number} */ share) => `${Math.round(100 * share)} %`;

/** @type {(distance: number) => string} */
const short = (distance) => (distance >= 100 ? distance.toFixed(0) : distance.toPrecision(3));

/** The table of classes. Returns what shows the state. @param {Lab.PadPage} page */
export function classTable(page) {
  const { support } = page.words;
  page.part("answers").hidden = !support.length;
  const rows = support.map(({ name, pictures }) => {
    const shown = pictures.map((text) => {
      const canvas = html("canvas", { class: "ink pixels example", width: 28, height: 28 });
      putInk(canvas, bytesOfText(text));
      return canvas;
    });
    const set = html("span", { role: "img", "aria-label": `${pictures.length} of its pictures` }, ...shown);
    const bar = html("div", { class: "fill" });
    const share = html("span", { class: "te-number" });
    const away = html("td", { class: "value te-number" });
    const line = html(
      "tr",
      { "data-class": name },
      html("th", { scope: "row", dir: "auto" }, name),
      html("td", {}, set),
      html("td", {}, html("div", { class: "track" }, html("div", { class: "rail" }, bar), share)),
      away,
    );
    return { line, bar, share, away };
  });
  page.part("rows").append(...rows.map(({ line }) => line));
  return () => {
    const { probabilities, distances } = page.now;
    const most = Math.max(...probabilities);
    rows.forEach(({ line, bar, share, away }, k) => {
      const known = k < probabilities.length;
      line.classList.toggle("best", known && probabilities[k] === most);
      bar.style.width = known ? `${100 * probabilities[k]}%` : "0";
      setText(share, known ? percent(probabilities[k]) : "–");
      setText(away, known ? short(distances[k]) : "–");
    });
  };
}

/** A view in which these points fill the drawing but for a margin. @type {Lab.FitMap} */
export function mapView(points, width, height, unit) {
  const [xs, ys] = [0, 1].map((side) => points.map((point) => point[side]));
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const margin = 22 * unit;
  const scale = Math.min((width - 2 * margin) / Math.max(1e-9, right - left), (height - 2 * margin) / Math.max(1e-9, high - low));
  return ([x, y]) => [width / 2 + (x - (left + right) / 2) * scale, height / 2 - (y - (low + high) / 2) * scale];
}

/** The map of scripts, where there is one. Returns what shows and draws it. @type {Lab.MakeMap} */
export function scriptMap(page) {
  page.part("map").hidden = !page.words.map;
  return page.words.map ? shownMap(page, page.words.map) : { show() {}, draw() {}, resized: [] };
}

/** @type {Lab.ShowMap} */
function shownMap(page, map) {
  const [plane, points, place, legend] = ["plane", "points", "place", "legend"].map((name) => page.part(name));
  const dots = map.points.map((_, k) => {
    const { colour, shape } = map.entries[map.groups[k]];
    return svg("path", { d: SHAPES[shape], fill: colour, class: "dot" });
  });
  points.append(...dots);
  legend.append(...map.entries.map((entry, group) => legendEntry(entry, (on) => light(on ? group : -1))));

  /** One script's letters stand out; -1: all alike. @param {number} group */
  function light(group) {
    dots.forEach((dot, k) => dot.classList.toggle("dim", group >= 0 && map.groups[k] !== group));
  }

  function show() {
    const { now } = page;
    setText(page.part("near"), now.near ? `The letter with the nearest features is ${now.near}.` : "");
    const where = now.near ? ` The drawing is marked; the nearest letter is ${now.near}.` : "";
    change(plane, { "aria-label": `Map of ${map.points.length} letters of ${map.names.length} scripts.${where}` });
  }

  function draw() {
    const { width } = plane.getBoundingClientRect();
    const [unit, height] = [page.unit, Math.round(Math.min(0.55 * width, 330 * page.unit))];
    if (!width) return;
    change(plane, { viewBox: `0 0 ${width} ${height}` });
    const toMap = mapView(map.points, width, height, unit);
    const places = map.points.map(toMap);
    dots.forEach((dot, k) => change(dot, { transform: `translate(${places[k]}) scale(${0.38 * unit})` }));
    const mine = page.now.place && toMap(page.now.place);
    place.replaceChildren();
    if (mine) place.append(...drawingMark([clamp(mine[0], 12, width - 12), clamp(mine[1], 12, height - 12)], width, unit));
  }

  return { show, draw, resized: [plane] };
}

/** The drawing's place, and its name above or below it. @type {(place: Lab.Pair, width: number, unit: number) => SVGElement[]} */
function drawingMark([x, y], width, unit) {
  const mark = svg("path", { d: SHAPES[5], class: "mine", transform: `translate(${x},${y}) scale(${1.1 * unit})` });
  const half = 55 * unit; // of its words
  const at = { x: clamp(x, half, Math.max(half, width - half)), y: y > 32 * unit ? y - 16 * unit : y + 26 * unit };
  return [mark, labelNode({ words: "your drawing", ...at, kind: "mine-name" })];
}

/** A script's sign and name; while the pointer is on it, its letters stand out. @type {Lab.LegendEntry} */
function legendEntry({ label, colour, shape }, light) {
  const sign = svg("svg", { viewBox: "-12 -12 24 24", "aria-hidden": "true" }, svg("path", { d: SHAPES[shape], fill: colour }));
  return onHover(html("span", { class: "entry" }, sign, label), () => light(true), () => light(false));
}
