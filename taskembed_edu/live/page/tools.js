// The buttons in the map's corner: zoom, lasso, and switches for labels, pictures and trails, where there are any.

import { element, freshId, setText } from "./base.js";

/** @import { TaskMapView } from "./map.js" */

const PICTURES_LABEL = "Pictures: the tasks' own pictures in place of their points, where they have room";
const TRAILS_LABEL = "Trails: the way of each task from its start";

export class MapTools {
  /** @param {TaskMapView} map */
  constructor(map) {
    this.map = map;
    this.root = element("div", "te-map-tools", map.stage);
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", "Map view");
    /** @param {string} text @param {string} label @param {() => void} act */
    const tool = (text, label, act) => this.tool(text, label, act);
    tool("+", "Zoom in", () => map.zoom(1.5));
    tool("−", "Zoom out", () => map.zoom(1 / 1.5));
    tool("fit", "Fit all tasks", () => map.fit());
    map.lasso.addButton(tool);
    this.labels = this.toggle("labels", "Labels: the tasks' names beside their points");
    this.pictures = tool("pictures", PICTURES_LABEL, () => map.state.set("pictures", !map.thumbnails.shown()));
    this.trails = this.toggle("trails", TRAILS_LABEL);
    this.excuse = element("span", "te-map-excuse te-note", this.root);
    this.excuse.id = freshId("no-trails");
    /** @type {number[][] | null} */
    this.measured = null; // see `boxes`
    this.shown = ""; // which buttons and words there were when they were last measured
    this.show();
  }

  /** @param {string} text @param {string} label @param {() => void} act */
  tool(text, label, act) {
    const button = element("button", "te-map-tool", this.root, text);
    button.setAttribute("aria-label", label);
    button.title = label;
    button.addEventListener("click", act);
    return button;
  }

  // A switch that is on until it is pressed; it acts on all maps.
  /** @param {"labels" | "trails"} name @param {string} label @returns {HTMLButtonElement} */
  toggle(name, label) {
    const { state } = this.map;
    const flip = () => state.set(name, state.get(name) === false);
    const tool = this.tool(name, label, () => {
      if (tool.getAttribute("aria-disabled") !== "true") flip();
    });
    return tool;
  }

  show() {
    const { labels, thumbnails, trails, start, state } = this.map;
    const missing = trails.excuse();
    this.labels.hidden = !labels.possible();
    this.pictures.hidden = !thumbnails.possible();
    this.trails.hidden = !trails.possible() && !missing;
    this.labels.setAttribute("aria-pressed", String(state.get("labels") !== false));
    this.pictures.setAttribute("aria-pressed", String(thumbnails.shown()));
    this.trails.setAttribute("aria-pressed", String(!missing && state.get("trails") !== false));
    this.excuseTrails(missing);
    if (!missing) this.excuseStart(start.excuse());
    const shown = [this.labels.hidden, this.pictures.hidden, this.trails.hidden, this.excuse.textContent].join();
    if (shown !== this.shown) this.forget();
    this.shown = shown;
  }

  // The boxes of the buttons and the text beside them, in pixels of the canvas: no name may lie under them. They are
  // measured once: measuring at every paint would make the browser compute the page's layout each time.
  boxes() {
    const { root, map } = this;
    const parts = /** @type {HTMLElement[]} */ ([...root.children]);
    this.measured ??= parts.map((one) => {
      const [left, top] = [root.offsetLeft + one.offsetLeft, root.offsetTop + one.offsetTop];
      return one.offsetWidth ? [left, top, left + one.offsetWidth, top + one.offsetHeight].map((v) => v * map.ratio) : [];
    });
    return this.measured;
  }

  // How far down the buttons reach, in pixels of the canvas.
  bottom() {
    const ends = this.boxes().filter((box) => box.length).map((box) => box[3]);
    return ends.length ? Math.max(...ends) + 6 * this.map.ratio : 0;
  }

  // The map's size or its buttons changed: measure again.
  forget() {
    this.measured = null;
  }

  // Where a family has trails but this map has none, the switch stays, cannot be used, and shows the reason. It is
  // marked with aria-disabled and not with `disabled`, because a disabled button would lose the focus.
  /** @param {[few: string, whole: string] | null} missing */
  excuseTrails(missing) {
    const { trails, excuse } = this;
    const [few, whole] = missing ?? ["", ""];
    setText(excuse, few);
    excuse.hidden = !few;
    excuse.title = few; // a small map has no room for all of it
    trails.title = few ? `${few}. ${whole}` : TRAILS_LABEL;
    for (const [name, value] of [["aria-disabled", "true"], ["aria-describedby", excuse.id]]) {
      if (few) trails.setAttribute(name, value);
      else trails.removeAttribute(name);
    }
  }

  // UMAP has no place for a start: the line says so. No switch stands beside it, the legend has it for all maps.
  /** @param {string[] | null} missing */
  excuseStart(missing) {
    setText(this.excuse, missing?.[0] ?? "");
    this.excuse.hidden = !missing;
    this.excuse.title = missing?.join(". ") ?? "";
  }
}
