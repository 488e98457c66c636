// The answer to a lasso, below the map, where it covers no point: how many tasks, their true parameters and their distances
// beside those of all tasks; and what may be done with them: see them large, keep them as a table, let them go.

import { counted, element, setText } from "./base.js";
import { asCsv, distanceRows, selectionTable, truthRows } from "./selection_numbers.js";

/** @import { LabPage } from "./lab.js" */
/** @import { RunPicture, Tasks } from "./types.js" */
/** @import { NumberRow } from "./selection_numbers.js" */

const ONE = "One task has no pair: select two or more to see a distance.";
const RECORDED = "Their distances are in the live lab: this page has no kernel to ask.";
const WAITING = "Their distances are on the way.";

export class SelectionView {
  /** @type {NumberRow[]} */
  truth = [];
  rows = ""; // the rows that the table has, as last written

  /** @param {LabPage} page @param {Element} parent */
  constructor(page, parent) {
    this.page = page;
    this.root = element("div", "te-selection", parent);
    this.root.setAttribute("role", "group");
    this.root.hidden = true;
    const head = element("div", "te-selection-head", this.root);
    this.title = element("strong", "", head);
    this.button(head, "Zoom to them", () => this.zoom()).title = "The button fit, or the key 0 on the map, goes back to all tasks";
    this.button(head, "Export them", () => this.save()).title = "A table (CSV) of these tasks alone";
    this.button(head, "Let go", () => this.letGo()).title = "Nothing is selected any more";
    this.table = element("table", "te-selection-table", this.root);
    this.note = element("p", "te-note", this.root);
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation(); // it would also end the projector
      this.letGo();
    });
    this.stops = [page.on("selected", () => this.show())];
  }

  remove() {
    this.stops.forEach((stop) => stop());
    this.root.remove();
  }

  /** @param {Element} parent @param {string} words @param {() => void} act */
  button(parent, words, act) {
    const made = element("button", "te-button", parent, words);
    made.addEventListener("click", act);
    return made;
  }

  tasks() {
    return this.page.model.get("tasks");
  }

  /** @returns {number[]} */
  selected() {
    const n = this.tasks()?.n ?? 0;
    return (this.page.get("selected") ?? []).filter((i) => i < n);
  }

  // The selection or the tasks have changed.
  show() {
    const [tasks, selected] = [this.tasks(), this.selected()];
    this.root.hidden = !selected.length || !tasks;
    if (this.root.hidden || !tasks) return;
    const words = `${counted(selected.length)} ${selected.length === 1 ? "task" : "tasks"} selected`;
    setText(this.title, words);
    this.root.setAttribute("aria-label", words);
    this.truth = truthRows(tasks, selected);
    this.take(this.page.picture().runs ?? []);
  }

  // A picture has come: the distances are those of the moment shown.
  /** @param {RunPicture[]} runs */
  take(runs) {
    if (this.root.hidden) return;
    const n = this.selected().length;
    const told = runs.map(({ run, selection }) => ({ name: this.page.runName(run), told: selection }));
    const distances = distanceRows(told, n);
    this.write([...this.truth, ...(distances ?? [])], n);
    setText(this.note, this.page.recorded ? RECORDED : n === 1 ? ONE : distances ? "" : WAITING);
    this.note.hidden = !this.note.textContent;
  }

  // Cells are filled in place while the rows stay the same: a table that is built anew at every picture flickers.
  /** @param {NumberRow[]} rows @param {number} n */
  write(rows, n) {
    const names = [n, ...rows.map(({ label }) => label)].join("\n");
    if (names !== this.rows) {
      this.rows = names;
      this.table.replaceChildren();
      const head = element("tr", "", element("thead", "", this.table));
      element("td", "", head);
      const all = `all ${counted(this.tasks()?.n ?? 0)}`;
      for (const words of [n === 1 ? "this task" : `these ${counted(n)}`, all]) element("th", "", head, words).scope = "col";
      const body = element("tbody", "", this.table);
      for (const { label } of rows) {
        const row = element("tr", "", body);
        element("th", "", row, label).scope = "row";
        for (const column of ["some", "all"]) element("td", `te-number te-selection-${column}`, row);
      }
    }
    rows.forEach(({ some, all }, k) => {
      const [, first, second] = this.table.tBodies[0].rows[k].cells;
      setText(first, some);
      setText(second, all);
    });
  }

  // ---- what may be done with them ----

  zoom() {
    this.page.maps.forEach((map) => map.zoomTo(this.selected()));
  }

  letGo() {
    this.page.set("selected", []);
    this.page.maps[0]?.canvas.focus();
  }

  save() {
    const tasks = this.tasks();
    if (!this.page.recorded) this.page.say({ do: "export", what: "csv", selected: true });
    else if (tasks) this.download(tasks);
  }

  // Without a kernel the browser keeps the table itself.
  /** @param {Tasks} tasks */
  download(tasks) {
    const several = this.page.runCount() > 1;
    const maps = this.page.maps
      .filter(({ n }) => n === tasks.n)
      .map(({ run, side, glide }) => ({ name: side === "pca" ? "pca" : several ? `map ${"AB"[run]}` : "map", places: glide.to }));
    const step = this.page.get("step");
    const name = `tasks-step-${step}-selected.csv`;
    const url = URL.createObjectURL(new Blob([asCsv(selectionTable(tasks, this.selected(), maps, step))], { type: "text/csv" }));
    const link = element("a");
    Object.assign(link, { href: url, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
    this.page.showNote(`Saved as ${name} in the browser's folder for downloads.`);
  }
}
