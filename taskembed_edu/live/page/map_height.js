// The handle below the map: drag it, or use its arrow keys, and the map is as high as the learner wants it. The height is
// kept for the life of the browser's page, so that the lab has it again when it is shown anew.

import { element } from "./base.js";

/** @import { LabPage } from "./lab.js" */
/** @import { Model } from "./types.js" */

const LOWEST_MAP = 160; // CSS pixels
const KEY_STEP = 20; // what an arrow key adds
/** @type {WeakMap<Model, number>} */
const chosenHeights = new WeakMap();

// A height that a map may have, in a window of this height.
/** @param {number} height @param {number} window_height */
export function allowedHeight(height, window_height) {
  return Math.round(Math.max(LOWEST_MAP, Math.min(height, Math.max(LOWEST_MAP, 1.5 * window_height))));
}

export class MapHeight {
  /** @param {LabPage} page @param {Element} parent */
  constructor(page, parent) {
    this.page = page;
    this.root = element("div", "te-height", parent);
    this.root.tabIndex = 0;
    this.root.dataset.lmSuppressShortcuts = "true";
    this.root.title = "Drag to change the map's height; a double click gives the first one back";
    for (const [name, value] of Object.entries({ role: "separator", "aria-orientation": "horizontal", "aria-label": "Height of the map" })) {
      this.root.setAttribute(name, value);
    }
    this.root.setAttribute("aria-valuemin", String(LOWEST_MAP));
    this.root.addEventListener("pointerdown", (event) => this.drag(event));
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("dblclick", () => this.choose(null));
    this.root.addEventListener("focus", () => this.describe());
    this.show();
  }

  now() {
    return this.page.maps[0]?.canvas.clientHeight || this.page.surface.canvas.clientHeight;
  }

  /** @param {number | null} height null: what the style sheet says */
  choose(height) {
    if (height === null) chosenHeights.delete(this.page.model);
    else chosenHeights.set(this.page.model, allowedHeight(height, window.innerHeight));
    this.show();
  }

  // In projector mode the map takes what the wall has.
  show() {
    const height = this.page.get("projector") ? undefined : chosenHeights.get(this.page.model);
    if (height === undefined) this.page.root.style.removeProperty("--te-map-height");
    else this.page.root.style.setProperty("--te-map-height", `${height}px`);
    this.describe();
  }

  describe() {
    this.root.setAttribute("aria-valuemax", String(allowedHeight(Infinity, window.innerHeight)));
    this.root.setAttribute("aria-valuenow", String(this.now()));
    this.root.setAttribute("aria-valuetext", `${this.now()} pixels`);
  }

  /** @param {PointerEvent} event */
  drag(event) {
    if (event.button) return;
    event.preventDefault();
    this.root.focus();
    this.root.setPointerCapture(event.pointerId);
    const from = this.now() - event.clientY;
    /** @param {PointerEvent} moved */
    const move = (moved) => this.choose(from + moved.clientY);
    this.root.addEventListener("pointermove", move);
    this.root.addEventListener("lostpointercapture", () => this.root.removeEventListener("pointermove", move), { once: true });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    /** @type {Record<string, number | undefined>} */
    const steps = { ArrowUp: -KEY_STEP, ArrowDown: KEY_STEP, PageUp: -5 * KEY_STEP, PageDown: 5 * KEY_STEP };
    const by = steps[event.key];
    if (by === undefined && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    event.stopPropagation();
    this.choose(by === undefined ? (event.key === "Home" ? LOWEST_MAP : Infinity) : this.now() + by);
  }
}
