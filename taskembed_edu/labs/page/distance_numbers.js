// DistanceLab's numbers: the table of distances, the triangle inequality, the reasons, and the vectors to type.

import { shownVectors } from "./distance_plane.js";
import { button, html, onHover, whenChanged } from "./dom.js";
import { minus } from "./numbers.js";

const COSINE = '<span class="fraction"><span><i>x</i> · <i>y</i></span><span>|<i>x</i>| |<i>y</i>|</span></span>';
/** @type {Record<string, string>} */
const FORMULAS = {
  euclidean: '√<span class="root">Σ (<i>x</i><sub>i</sub> − <i>y</i><sub>i</sub>)<sup>2</sup></span>',
  squared_euclidean: "Σ (<i>x</i><sub>i</sub> − <i>y</i><sub>i</sub>)<sup>2</sup>",
  manhattan: "Σ |<i>x</i><sub>i</sub> − <i>y</i><sub>i</sub>|",
  cosine_similarity: COSINE,
  cosine: `1 − ${COSINE}`,
};

/** @param {string} key */
function formula(key) {
  const node = html("span", { class: "formula" });
  node.innerHTML = FORMULAS[key]; // a constant of this file
  return node;
}

/** @type {(holds: boolean | null, words?: string) => HTMLElement} */
const verdict = (holds, words = "") =>
  holds === null ? html("span") : html("span", { class: holds ? "yes" : "no" }, `${holds ? "✓" : "✗"} ${words}`);

/** One row for each distance, to choose one by; hovered or focused, it explains itself in `help`. */
/** @param {Lab.DistancePage} page */
export function distanceTable(page) {
  const group = Math.random().toString(36).slice(2);
  const help = html("div", { class: "help" });
  const asked = html("th", {}, "triangle");
  /** @type {string | null} */
  let hovered = null;
  const rows = page.words.rows.map(({ key, name }) => {
    const isDistance = key in page.words.metrics;
    const choose = () => isDistance && page.set({ metric: key });
    const radio = html("input", { type: "radio", name: group, value: key, onchange: choose });
    const mark = isDistance ? radio : html("span", { class: "no", "aria-hidden": "true" }, "✗");
    const title = isDistance ? name : html("span", {}, name, html("div", { class: "te-note" }, "not a distance"));
    const value = html("td", { class: "value te-number" });
    const kept = html("td", { class: "verdict" });
    const named = html("td", {}, html("label", {}, mark, title));
    const line = html("tr", { "data-key": key }, named, html("td", { class: "written" }, formula(key)), value, kept);
    line.addEventListener("click", ({ target }) => target instanceof Element && (target.closest("label") || choose()));
    onHover(line, () => explain(key), () => explain(null));
    return { key, line, radio, value, kept };
  });
  const titles = { "from x to y": "", formula: "written", value: "value" };
  const heads = Object.entries(titles).map(([words, kind]) => html("th", { scope: "col", class: kind }, words));
  const body = html("tbody", {}, ...rows.map(({ line }) => line));
  const node = html("table", {}, html("thead", {}, html("tr", {}, ...heads, asked)), body);

  /** @param {string | null} key */
  function explain(key) {
    hovered = key;
    const chosen = key ?? page.settings.metric;
    const row = page.words.rows.find((one) => one.key === chosen);
    const worked = html("div", { class: "worked" }, formula(chosen), minus(page.now.worked[chosen]));
    help.replaceChildren(html("div", {}, html("b", {}, `${row?.name}. `), row?.words ?? ""), worked);
  }
  function show() {
    asked.hidden = !page.settings.triangle;
    for (const { key, line, radio, value, kept } of rows) {
      const [number, holds] = [page.now.values[key], page.now.triangles[key] ?? null];
      line.classList.toggle("chosen", key === page.settings.metric);
      radio.checked = key === page.settings.metric;
      value.textContent = number === null ? page.words.undefined : minus(number);
      value.classList.toggle("undefined", number === null);
      kept.hidden = !page.settings.triangle;
      kept.replaceChildren(verdict(holds));
      kept.setAttribute("aria-label", holds === null ? "" : holds ? "holds" : "broken");
    }
    explain(hovered);
  }
  return { node, help, show };
}

/** The direct way against the way through y, as bars. @param {Lab.DistancePage} page @returns {Lab.Part} */
export function trianglePanel(page) {
  const box = html("input", { type: "checkbox", onchange: () => void page.set({ triangle: box.checked }) });
  const [direct, detour] = [html("div", { class: "track" }), html("div", { class: "track" })];
  const [straight, around] = [html("span", { class: "te-number" }), html("span", { class: "te-number" })];
  const says = html("div", { class: "verdict", "aria-live": "polite" });
  const lines = [html("div", {}, "straight from x to z: ", straight), direct];
  lines.push(html("div", {}, "by way of y: ", around), detour);
  const inside = html("div", {}, html("div", { class: "bars" }, ...lines), says);
  const { label, help } = page.words.settings.triangle;
  const node = html("div", { class: "te-card" }, html("label", { class: "line", title: help }, box, label), inside);

  function show() {
    const { triangle, legs, triangles, triangle_said: said } = page.now;
    const holds = triangles[page.settings.metric];
    box.checked = page.settings.triangle;
    inside.hidden = !page.settings.triangle;
    const most = Math.max(triangle.direct ?? 0, triangle.detour ?? 0, 1e-12);
    const bar = (/** @type {number | null} */ value, kind = "") =>
      html("div", { class: kind, style: `width:${(100 * (value ?? 0)) / most}%` });
    direct.replaceChildren(bar(triangle.direct));
    detour.replaceChildren(bar(triangle.first, "detour"), bar(triangle.second, "detour"));
    straight.textContent = holds === null ? "" : legs.direct;
    around.textContent = holds === null ? "" : `${legs.first} + ${legs.second} = ${legs.detour}`;
    says.replaceChildren(verdict(holds, said.verdict), html("span", { class: "te-note" }, said.rest));
  }
  return { node, show };
}

/** Three reasons, each with the numbers of the vectors at hand. @param {Lab.DistancePage} page @returns {Lab.Part} */
export function whyPanel(page) {
  const list = html("ol");
  const title = html("summary", {}, "Why cosine similarity is not a distance");
  const node = html("details", { class: "te-card why" }, title, list);
  const number = (/** @type {string} */ text) => html("span", { class: "te-number" }, minus(text));
  const show = () => {
    // words and numbers take turns
    const reasons = page.now.reasons.map((parts) => parts.map((part, k) => (k % 2 ? number(part) : part)));
    list.replaceChildren(...reasons.map((parts) => html("li", {}, ...parts)));
  };
  return { node, show };
}

/** The coordinates as numbers to type, and buttons for their count. @param {Lab.DistancePage} page @returns {Lab.Part} */
export function vectorFields(page) {
  const node = html("div", { class: "fields" });
  const shapeChanged = whenChanged();
  /** @type {{ one: HTMLInputElement, value: () => number }[]} */
  let inputs = [];
  const trimmed = (/** @type {number | undefined} */ value) => String(Number((value ?? 0).toFixed(4)));

  /** @param {Lab.VectorName} name @param {number} index */
  function input(name, index) {
    let gesture = "";
    const value = () => page.points[name][index];
    const typed = () => {
      if (!Number.isFinite(one.valueAsNumber)) return; // half-typed
      const vector = page.points[name].with(index, one.valueAsNumber);
      page.move(name, vector, { points: { [name]: vector }, gesture });
    };
    const attributes = { type: "number", step: 0.1, "aria-label": `${name}, coordinate ${index + 1}`, oninput: typed };
    const one = html("input", { ...attributes, onfocus: () => (gesture = page.newGesture()) });
    one.addEventListener("blur", () => (one.value = trimmed(value())));
    inputs.push({ one, value });
    return one;
  }
  function build() {
    inputs = [];
    const rows = shownVectors(page).map((name) => {
      const numbers = page.points[name].map((_, index) => input(name, index));
      return html("div", { class: `line ${name}` }, html("span", { class: "letter" }, `${name} =`), ...numbers);
    });
    const count = page.points.x.length;
    const resize = (/** @type {(vector: number[]) => number[]} */ resized) => {
      const points = Object.entries(page.points).map(([name, vector]) => [name, resized(vector)]);
      page.ask("move", { points: Object.fromEntries(points) });
    };
    const few = { "aria-label": "One coordinate fewer", disabled: count <= 1 };
    const fewer = button("−", () => resize((vector) => vector.slice(0, -1)), few);
    const more = button("+", () => resize((vector) => [...vector, 0]), { "aria-label": "One coordinate more" });
    const words = html("span", { class: "te-note" }, count === 1 ? "1 coordinate" : `${count} coordinates`);
    node.replaceChildren(...rows, html("div", { class: "line small" }, fewer, words, more));
  }
  function show() {
    shapeChanged(`${shownVectors(page)} ${page.points.x.length}`, build);
    for (const { one, value } of inputs) if (document.activeElement !== one) one.value = trimmed(value());
  }
  return { node, show };
}
