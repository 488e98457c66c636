// The legend explains the colours and filters tasks by them: categories with their shapes, quantities in six steps,
// angles on a colour wheel. All maps share one legend.

import { element, onTheme, penOf } from "./base.js";
import { cssOf, drawMarker, outlineOf, paletteOf, rgbOf } from "./shapes.js";
import { ARROWS_HELP, drawCross } from "./start.js";

/** @import { Colouring, MapPage, Tasks } from "./types.js" */

export class TaskLegend {
  /** @type {Tasks | null} */
  tasks = null;
  /** @type {HTMLButtonElement[]} */
  entries = [];
  all = element("button", "te-legend-all", null, "Show all");
  arrows = element("button", "te-button te-legend-arrows");

  /** @param {MapPage} page @param {Element} parent */
  constructor(page, parent) {
    this.page = page;
    this.root = element("div", "te-legend", parent);
    this.root.setAttribute("role", "group");
    this.all.addEventListener("click", () => {
      this.page.set("hidden", new Set());
      this.entries[0]?.focus(); // the "Show all" button that had the focus is hidden
    });
    this.arrows.addEventListener("click", () => this.page.set("arrows", this.page.get("arrows") === false));
    this.arrows.setAttribute("aria-description", ARROWS_HELP);
    this.stops = [
      page.on("arrows", () => this.press()),
      page.on("colour", () => this.recolour()),
      page.on("hidden", () => this.press()),
      page.on("projector", () => this.build()),
      onTheme(() => this.build()),
    ];
  }

  remove() {
    this.stops.forEach((stop) => stop());
    this.root.remove();
  }

  /** @param {Tasks} tasks */
  setTasks(tasks) {
    this.tasks = tasks;
    this.recolour();
  }

  // Another colouring has other groups, so the old filter no longer means anything.
  recolour() {
    if (this.page.get("hidden").size) this.page.set("hidden", new Set());
    this.build();
  }

  build() {
    const colouring = this.tasks?.colours?.[this.page.get("colour") ?? 0];
    const focused = [...this.root.querySelectorAll("button")].findIndex((button) => button === document.activeElement);
    this.root.replaceChildren();
    this.root.hidden = !colouring && !this.tasks?.starts;
    this.entries = [];
    this.colours(colouring);
    if (this.tasks?.starts) this.startEntry();
    this.press();
    if (focused >= 0) this.root.querySelectorAll("button")[focused]?.focus();
  }

  /** @param {Colouring | undefined} colouring */
  colours(colouring) {
    if (!colouring) return;
    const { name, kind, stops, entries } = colouring;
    this.root.dataset.kind = kind;
    this.root.setAttribute("aria-label", `Legend: ${name}`);
    element("span", "te-legend-title", this.root, name).title = name; // a long one is shortened
    if (kind === "angle") this.ring(stops);
    const row = element("div", "te-legend-entries", this.root);
    if (kind === "quantity") row.style.setProperty("--te-gradient", `linear-gradient(to right, ${stops.join(", ")})`);
    this.entries = entries.map((entry, group) => this.entry(entry, group, row));
    this.root.append(this.all);
  }

  // The start and its arrows, which all maps by PCA show: what they mean, and a switch.
  startEntry() {
    this.arrows.replaceChildren();
    const icon = element("canvas", "te-legend-icon", this.arrows);
    const ratio = window.devicePixelRatio || 1;
    const side = this.page.get("projector") ? 20 : 14;
    [icon.width, icon.height] = [Math.round(2 * side * ratio), Math.round(side * ratio)];
    Object.assign(icon.style, { width: `${2 * side}px`, height: `${side}px` });
    const { paper, lost, soft } = paletteOf(this.root);
    const [pen, middle] = [penOf(icon), icon.height / 2];
    Object.assign(pen, { strokeStyle: cssOf(soft), lineWidth: 1.5 * ratio });
    pen.beginPath();
    for (const [x, y] of [[icon.width - 5 * ratio, middle - 4 * ratio], [icon.width - 5 * ratio, middle + 4 * ratio], [middle, middle]]) {
      pen.moveTo(x, y);
      pen.lineTo(icon.width - ratio, middle);
    }
    pen.stroke();
    drawCross(pen, middle, middle, 0.4 * icon.height, { paper: cssOf(paper), ink: cssOf(lost) });
    element("span", "", this.arrows, "start, and each task's inner loop");
    element("span", "te-bubble", this.arrows, ARROWS_HELP).setAttribute("aria-hidden", "true");
    this.root.append(this.arrows);
  }

  /** @param {Colouring["entries"][number]} entry @param {number} group @param {Element} row */
  entry({ label, colour, shape }, group, row) {
    const button = element("button", "te-legend-entry", row);
    this.drawIcon(element("canvas", "te-legend-icon", button), colour, shape ?? 0);
    element("span", "", button, label);
    button.title = `${label}: hide or show. Alt-click or double click: only this`;
    button.addEventListener("click", (event) => (event.altKey ? this.only(group) : this.toggle(group)));
    button.addEventListener("dblclick", () => this.only(group));
    button.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.altKey) {
        event.preventDefault();
        this.only(group);
      }
    });
    return button;
  }

  // 0° to the right and counter-clockwise, as in every formula of an angle.
  /** @param {string[]} stops */
  ring(stops) {
    const ring = element("span", "te-legend-ring", this.root);
    ring.setAttribute("aria-hidden", "true");
    ring.style.background = `conic-gradient(from 90deg, ${[...stops].reverse().join(", ")})`;
  }

  /** @param {HTMLCanvasElement} canvas @param {string} colour @param {number} shape */
  drawIcon(canvas, colour, shape) {
    const ratio = window.devicePixelRatio || 1;
    const side = this.page.get("projector") ? 20 : 14;
    canvas.width = canvas.height = Math.round(side * ratio);
    canvas.style.width = canvas.style.height = `${side}px`;
    const palette = paletteOf(this.root);
    const fill = rgbOf(colour, "#0072b2");
    const middle = canvas.width / 2;
    const outline = cssOf(outlineOf(fill, palette.paper, palette.ink));
    drawMarker(penOf(canvas), shape, middle, middle, 0.36 * canvas.width, cssOf(fill), outline);
  }

  /** @param {number} group */
  toggle(group) {
    const hidden = new Set(this.page.get("hidden"));
    if (!hidden.delete(group)) hidden.add(group);
    this.page.set("hidden", hidden);
  }

  /** @param {number} group */
  only(group) {
    const others = this.entries.map((_, k) => k).filter((k) => k !== group);
    this.page.set("hidden", new Set(others));
  }

  press() {
    const hidden = this.page.get("hidden");
    this.entries.forEach((button, group) => button.setAttribute("aria-pressed", String(!hidden.has(group))));
    this.all.hidden = !hidden.size;
    this.arrows.setAttribute("aria-pressed", String(this.page.get("arrows") !== false));
  }
}
