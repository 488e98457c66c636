// What a lab with a bench shows: the inner loop, the outer loop (the map), or both. A window seldom has room for both.

import { element, freshId } from "./base.js";

/** @import { LabPage } from "./lab.js" */
/** @import { Model } from "./types.js" */

const VIEWS = { inner: "Inner loop", outer: "Outer loop", both: "Both loops" };
const HIGH_ENOUGH = 1000; // CSS pixels of a window that has room for both
/** @type {WeakMap<Model, string>} */
const chosenViews = new WeakMap(); // kept for the life of the browser's page, as the map's height is

export class BenchSwitch {
  /** @param {LabPage} page @param {Element} before */
  constructor(page, before) {
    this.page = page;
    this.row = element("div", "te-view-row");
    before.before(this.row);
    this.root = element("div", "te-view-switch te-radios", this.row);
    this.root.setAttribute("role", "radiogroup");
    this.root.setAttribute("aria-label", "Show");
    const group = freshId("view");
    const first = chosenViews.get(page.model) ?? (window.innerHeight >= HIGH_ENOUGH ? "both" : "inner");
    for (const [view, words] of Object.entries(VIEWS)) {
      const label = element("label", "te-radio", this.root);
      const radio = element("input", "", label);
      Object.assign(radio, { type: "radio", name: group, value: view, checked: view === first });
      label.append(words);
      radio.addEventListener("change", () => this.choose(view));
    }
    this.show(first);
  }

  /** @param {string} view */
  choose(view) {
    chosenViews.set(this.page.model, view);
    this.show(view);
  }

  /** @param {string} view */
  show(view) {
    this.page.root.dataset.view = view;
    this.page.maps.forEach((map) => map.resize()); // a map that was hidden had no size
  }
}
