// DistanceLab: two vectors to drag, or their coordinates, with every distance between them. Each part returns the
// function that updates it.

import { distanceCoordinates } from "./distance_coordinates.js";
import { distancePlane, shownVectors } from "./distance_plane.js";
import { change, html, onHover, whenChanged } from "./dom.js";
import { minus, tidy } from "./numbers.js";
import { PointLabPage } from "./point_lab.js";

/** @type {(holds: boolean | null, words?: string) => HTMLElement | string} */
const verdict = (holds, words = "") =>
  holds === null ? "" : html("span", { class: holds ? "yes" : "no" }, `${holds ? "✓" : "✗"} ${words}`);

/** One row per distance: a click chooses it, hover or focus explains it. @param {Lab.DistancePage} page */
function distanceTable(page) {
  const group = Math.random().toString(36).slice(2);
  const help = page.part("help");
  /** @type {string | null} */ let hovered = null;
  const formula = (/** @type {string} */ key) =>
    html("span", { class: "formula" }, page.part(key).content.cloneNode(true));
  const rows = page.words.rows.map(({ key, name }) => {
    const isDistance = key in page.words.metrics;
    const choose = () => isDistance && page.set({ metric: key });
    const radio = html("input", { type: "radio", name: group, value: key, onchange: choose });
    const mark = isDistance ? radio : html("span", { class: "no", "aria-hidden": "true" }, "✗");
    const title = isDistance ? name : html("span", {}, name, html("div", { class: "te-note" }, "not a distance"));
    const value = html("td", { class: "value te-number" });
    const kept = html("td", { class: "verdict if-triangle" });
    const named = html("td", {}, html("label", {}, mark, title));
    const line = html("tr", { "data-key": key }, named, html("td", { class: "written" }, formula(key)), value, kept);
    line.addEventListener("click", ({ target }) => target instanceof Element && (target.closest("label") || choose()));
    onHover(line, () => explain(key), () => explain(null));
    return { key, line, radio, value, kept };
  });
  page.part("rows").append(...rows.map(({ line }) => line));

  /** @param {string | null} key */
  function explain(key) {
    hovered = key;
    const chosen = key ?? page.settings.metric;
    const row = page.words.rows.find((one) => one.key === chosen);
    const worked = html("div", { class: "worked" }, formula(chosen), minus(page.now.worked[chosen]));
    help.replaceChildren(html("div", {}, html("b", {}, `${row?.name}. `), row?.words ?? ""), worked);
  }
  return () => {
    for (const { key, line, radio, value, kept } of rows) {
      const [number, holds] = [page.now.values[key], page.now.triangles[key] ?? null];
      line.classList.toggle("chosen", key === page.settings.metric);
      radio.checked = key === page.settings.metric;
      value.textContent = number === null ? page.words.undefined : minus(number);
      value.classList.toggle("undefined", number === null);
      kept.replaceChildren(verdict(holds));
      change(kept, { "aria-label": holds === null ? "" : holds ? "holds" : "broken" });
    }
    explain(hovered);
  };
}

/** Bars that compare the direct path with the path through y. @param {Lab.DistancePage} page */
function trianglePanel(page) {
  const [direct, detour, sentence] = ["direct", "detour", "verdict"].map((name) => page.part(name));
  return () => {
    const { triangle, says } = page.now;
    const most = Math.max(triangle.direct ?? 0, triangle.detour ?? 0, 1e-12);
    const bar = (/** @type {number | null} */ value, kind = "") =>
      html("div", { class: kind, style: `width:${(100 * (value ?? 0)) / most}%` });
    direct.replaceChildren(bar(triangle.direct));
    detour.replaceChildren(bar(triangle.first, "detour"), bar(triangle.second, "detour"));
    sentence.replaceChildren(verdict(says.holds, says.verdict));
  };
}

/** Why the similarity is not a distance: words and numbers alternate. @param {Lab.DistancePage} page */
function reasonsList(page) {
  const list = page.part("reasons");
  const number = (/** @type {string} */ text) => html("span", { class: "te-number" }, minus(text));
  return () => {
    const reasons = page.now.reasons.map((parts) => parts.map((part, k) => (k % 2 ? number(part) : part)));
    list.replaceChildren(...reasons.map((parts) => html("li", {}, ...parts)));
  };
}

/** Fields to type the coordinates, and buttons that change their number. @param {Lab.DistancePage} page */
function vectorFields(page) {
  const shapeChanged = whenChanged();
  /** @type {(() => void)[]} */ let shows = [];
  /** @param {Lab.VectorName} name @param {number} index */
  function makeField(name, index) {
    let gesture = "";
    const input = html("input", { type: "number", step: 0.1, "aria-label": `${name}, coordinate ${index + 1}` });
    const show = () => (input.value = String(Number((page.points[name][index] ?? 0).toFixed(4))));
    const move = () => {
      if (!Number.isFinite(input.valueAsNumber)) return; // typing is not finished
      const vector = page.points[name].with(index, input.valueAsNumber);
      page.move(name, vector, { points: { [name]: vector }, gesture });
    };
    shows.push(() => document.activeElement === input || show());
    return change(input, { onfocus: () => (gesture = page.newGesture()), onblur: show, oninput: move });
  }
  const resize = (/** @type {(vector: number[]) => number[]} */ resized) => () => {
    const points = Object.entries(page.points).map(([name, vector]) => [name, resized(vector)]);
    page.ask("move", { points: Object.fromEntries(points) });
  };
  change(page.part("fewer"), { onclick: resize((vector) => vector.slice(0, -1)) });
  change(page.part("more"), { onclick: resize((vector) => [...vector, 0]) });
  function build() {
    shows = [];
    const rows = shownVectors(page).map((name) => {
      const inputs = page.points[name].map((_, index) => makeField(name, index));
      return html("div", { class: `line ${name}` }, html("span", { class: "letter" }, `${name} =`), ...inputs);
    });
    page.part("vectors").replaceChildren(...rows);
    change(page.part("fewer"), { disabled: page.points.x.length <= 1 });
  }
  return () => {
    shapeChanged(`${shownVectors(page)} ${page.points.x.length}`, build);
    for (const show of shows) show();
  };
}

/** @param {Lab.DistancePage} page @returns {Lab.LabParts<Lab.DistanceReadings>} */
function distanceLab(page) {
  const [plane, coordinates] = [distancePlane(page), distanceCoordinates(page)];
  const shown = [distanceTable(page), trianglePanel(page), reasonsList(page), vectorFields(page)];
  const isFlat = () => page.points.x.length === 2;
  function show() {
    page.root.classList.toggle("is-flat", isFlat());
    page.root.classList.toggle("is-triangle", page.settings.triangle);
    page.part("radius").textContent = tidy(page.settings.radius);
    for (const part of shown) part();
  }
  return { show, draw: () => (isFlat() ? plane() : coordinates()) };
}

export default { render: (/** @type {Lab.RenderProps} */ props) => new PointLabPage(props, distanceLab).close };
