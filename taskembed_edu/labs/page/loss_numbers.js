// LossLab's settings, and the table of its pairs or triplets.

import { slider } from "./controls.js";
import { change, html, onHover, setText, whenChanged } from "./dom.js";

/** One control for each setting that Python declares; hovered or focused, it explains itself. */
/** @param {Lab.LossStage} stage @returns {Lab.Part} */
export function lossControls({ page, say }) {
  const parts = page.words.controls.map((declared) => {
    const { node, show } = declared.choices.length ? choice(page, declared) : number(page, declared);
    const attributes = { class: "te-control", "data-name": declared.name };
    const label = html("label", attributes, html("span", {}, declared.label), node);
    return { node: onHover(label, () => say(() => declared.help), () => say(null)), show };
  });
  const node = html("div", { class: "te-controls te-card" }, ...parts.map((part) => part.node));
  return { node, show: () => parts.forEach((part) => part.show()) };
}

/** @param {Lab.LossPage} page @param {Lab.Declared} declared @returns {Lab.Part} */
function choice(page, { name, label, choices }) {
  const options = choices.map((one) => html("option", { value: one.value }, one.label));
  const set = () => void page.set({ [name]: node.value });
  const node = html("select", { "aria-label": label, onchange: set }, ...options);
  const show = () => {
    node.value = page.settings[name];
    if (name === "mining") for (const one of options) one.disabled = !page.now.minings.includes(one.value);
  };
  return { node, show };
}

/** @param {Lab.LossPage} page @param {Lab.Declared} declared @returns {Lab.Part} */
function number(page, declared) {
  const { name, label, low, high } = declared;
  const pulled = slider(page, declared);
  const typed = () => {
    if (entry.value !== "") page.set({ [name]: Number(entry.value) });
  };
  const limits = { type: "number", min: low, step: "any", "aria-label": `${label}, typed` };
  const entry = html("input", { ...limits, onchange: typed, onkeydown: ({ key }) => key === "Enter" && typed() });
  const show = () => {
    const end = high ?? page.now.margin_high;
    pulled.show(end);
    entry.max = String(end);
    if (document.activeElement !== entry) entry.value = String(Number(page.settings[name].toFixed(4)));
  };
  return { node: html("span", { class: "te-number-control" }, pulled.node, entry), show };
}

/** A row for each pair or triplet: hovered or focused, it lights up in the plane. @param {Lab.LossStage} stage */
export function lossTable(stage) {
  const { page, light } = stage;
  const rebuilt = whenChanged();
  const head = html("tr");
  const body = html("tbody");
  const hidden = html("p", { class: "te-note" });
  const table = html("table", {}, html("thead", {}, head), body);
  const node = html("div", { class: "te-terms te-card" }, table, hidden);
  /** @type {{ line: HTMLElement, kind: HTMLElement, cells: HTMLElement[] }[]} */
  let rows = [];

  function build() {
    const { names, titles } = page.now;
    rows = page.now.rows.map((row, k) => {
      const kind = html("span", { class: "te-kind" });
      const words = row.members.map((i) => names[i]).join(row.kind === "triplet" ? " · " : " – ");
      const cells = titles.slice(1).map(() => html("td"));
      const line = html("tr", { tabindex: 0 }, html("td", {}, kind, words), ...cells);
      return { line: onHover(line, () => light(k), () => light(null)), kind, cells };
    });
    head.replaceChildren(...titles.map((title) => html("th", { scope: "col" }, title)));
    body.replaceChildren(...rows.map(({ line }) => line));
  }
  function show() {
    const { now } = page;
    rebuilt(JSON.stringify([now.names, now.titles, now.rows.map((row) => row.members)]), build);
    rows.forEach(({ line, kind, cells }, k) => {
      const { sort, active } = now.rows[k];
      change(kind, { class: `te-kind te-${sort}` });
      [kind, ...cells].forEach((cell, column) => setText(cell, now.cells[k][column]));
      line.classList.toggle("te-idle", !active && now.shows.judged);
    });
    hidden.textContent = now.rows_hidden ? `and ${now.rows_hidden} more; the loss counts them all` : "";
  }
  const lit = () => rows.forEach(({ line }, k) => line.classList.toggle("te-lit", k === stage.hot));
  return { node, show, light: lit };
}
