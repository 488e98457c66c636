// The lasso: draw round tasks to select them. With the button the drag is a lasso; with Shift it is one at any time.

import { counted, element, setText } from "./base.js";
import { cssOf } from "./shapes.js";

/** @import { TaskMapView } from "./map.js" */

export class Lasso {
  /** @param {TaskMapView} map */
  constructor(map) {
    this.map = map;
    this.mode = false;
    this.drawing = false;
    this.add = false; // keep the current selection and add to it
    /** @type {number[]} */
    this.path = []; // x, y, x, y, ... in map coordinates, not pixels: zooming keeps the lasso round its points
    /** @type {HTMLButtonElement | null} */
    this.button = null; // created together with the map's other buttons
    this.chip = element("button", "te-map-chip");
    map.title.after(this.chip);
    this.chip.hidden = true;
    this.chip.addEventListener("click", () => {
      map.state.set("selected", []);
      map.canvas.focus();
    });
  }

  /** @param {(text: string, label: string, act: () => void) => HTMLButtonElement} tool */
  addButton(tool) {
    this.button = tool("lasso", "Lasso: drag round tasks to select them", () => this.setMode(!this.mode));
    this.setMode(false);
  }

  /** @param {boolean} mode */
  setMode(mode) {
    this.mode = mode;
    this.button?.setAttribute("aria-pressed", String(mode));
    this.map.canvas.classList.toggle("te-lassoing", mode);
  }

  // Shows above the map how many tasks are selected; a click clears the selection.
  /** @param {number} n */
  count(n) {
    this.chip.hidden = !n;
    if (n) setText(this.chip, `${counted(n)} selected ×`);
    this.chip.setAttribute("aria-label", `${counted(n)} tasks selected: let them go`);
    this.map.root.dataset.selected = String(n);
  }

  /** @param {MouseEvent} event */
  wants(event) {
    return this.mode || event.shiftKey;
  }

  /** @param {number} x @param {number} y @param {boolean} add */
  begin(x, y, add) {
    this.drawing = true;
    this.add = add;
    this.path = [];
    this.extend(x, y);
  }

  /** @param {number} x @param {number} y */
  extend(x, y) {
    const { viewport } = this.map;
    viewport.at(performance.now());
    this.path.push(...viewport.placeAt(x, y));
    this.map.draw();
  }

  drop() {
    this.drawing = false;
    this.path = [];
    this.map.draw();
  }

  // Selects the tasks inside; returns true where the drag was long enough to count as a lasso.
  finish() {
    const { map, path } = this;
    const meant = path.length >= 6;
    if (meant) {
      const inside = this.add ? new Set(map.state.get("selected")) : new Set();
      // Use the points' current places, not those of the last paint.
      map.glide.at(performance.now());
      for (let i = 0; i < map.n; i++) {
        if (map.shown(i) && within(path, map.glide.places[2 * i], map.glide.places[2 * i + 1])) inside.add(i);
      }
      map.state.set("selected", [...inside].sort((a, b) => a - b));
      const words = inside.size ? `${counted(inside.size)} tasks selected.` : "No task lies inside the line: nothing is selected.";
      map.say(words);
      if (!inside.size) map.page.showNote?.(words);
    }
    this.drop();
    return meant;
  }

  /** @param {number} i */
  toggle(i) {
    const { state } = this.map;
    const selected = new Set(state.get("selected"));
    if (!selected.delete(i)) selected.add(i);
    state.set("selected", [...selected].sort((a, b) => a - b));
    this.map.details.hover();
  }

  /** @param {CanvasRenderingContext2D} context */
  paint(context) {
    if (!this.drawing || this.path.length < 4) return;
    const { viewport, palette, ratio } = this.map;
    context.globalAlpha = 1;
    context.beginPath();
    for (let k = 0; k < this.path.length; k += 2) {
      context[k ? "lineTo" : "moveTo"](viewport.screenX(this.path[k]), viewport.screenY(this.path[k + 1]));
    }
    context.closePath();
    context.fillStyle = cssOf(palette.truth);
    context.globalAlpha = 0.12;
    context.fill();
    context.globalAlpha = 1;
    context.lineWidth = 1.5 * ratio;
    context.setLineDash([5 * ratio, 4 * ratio]);
    context.strokeStyle = cssOf(palette.truth);
    context.stroke();
    context.setLineDash([]);
  }
}

// Is (x, y) inside the closed path? A ray to the right crosses its sides an odd number of times.
/** @param {number[]} path @param {number} x @param {number} y */
export function within(path, x, y) {
  let inside = false;
  for (let k = 0, before = path.length - 2; k < path.length; before = k, k += 2) {
    const [x1, y1, x2, y2] = [path[before], path[before + 1], path[k], path[k + 1]];
    if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
  }
  return inside;
}
