// Above the map: which map is drawn. UMAP and PCA are the run's own setting; "Both" is a way to look: the run is drawn by
// UMAP, and a PCA map of the same moment stands beside it. Nothing of the run changes with the second map.

import { element, freshId, setText } from "./base.js";

/** @import { LabPage } from "./lab.js" */
/** @import { ChoiceControl, Control, RunPicture } from "./types.js" */

const BOTH = "both";
const CONFIRM_SWITCH_MS = 2500; // a choice that is not confirmed by then counts as refused
const ABOUT_BOTH = "Both shows the two maps of this step side by side, and changes nothing in the run.";
const TWO_RUNS = "Both is off: each run has its map already.";

// One run's picture as its two maps: what UMAP has drawn, and what PCA has. Null: there is no such map at this step, or it
// has not come yet. Scores, neighbours and answers belong to the moment, so both have them; trails belong to a map.
/** @param {RunPicture} picture @returns {[umap: RunPicture | null, pca: RunPicture | null]} */
export function sidesOf(picture) {
  const { pca, ...moment } = picture;
  if (picture.projection === "pca") return [null, picture];
  if (!pca) return [moment, null];
  const readings = { ...picture.readings, ...pca.readings };
  return [moment, { ...moment, trails: null, start: undefined, ...pca, readings, projection: "pca" }];
}

export class MapSwitch {
  /** @type {string | undefined} */
  pending = undefined; // the choice that the kernel has not confirmed yet
  confirmTimer = 0;
  /** @type {{ value: string, radio: HTMLInputElement }[]} */
  choices = [];

  /** @param {LabPage} page @param {ChoiceControl} spec @param {Element} parent @param {(value: string) => void} changed */
  constructor(page, spec, parent, changed) {
    this.page = page;
    this.spec = spec;
    this.group = `${spec.name}-${freshId("map")}`; // two labs of one page must not share a group
    this.root = element("div", "te-control te-control-radio", parent);
    this.root.dataset.setting = spec.name;
    const label = element("span", "te-control-label", this.root, spec.label);
    label.id = freshId("map");
    this.radios = element("div", "te-radios", this.root);
    this.radios.setAttribute("role", "radiogroup");
    this.radios.setAttribute("aria-labelledby", label.id);
    this.why = element("span", "te-note te-switch-why", this.root);
    this.why.id = freshId("why");
    this.help = element("p", "te-bubble te-control-help", this.root, `${spec.help} ${ABOUT_BOTH}`);
    this.help.id = freshId("help");
    this.radios.setAttribute("aria-describedby", `${this.why.id} ${this.help.id}`);
    for (const { value, label: words } of spec.options) this.add(String(value), words, changed);
    this.add(BOTH, "Both", () => this.page.say({ do: BOTH }));
    this.update(spec);
  }

  /** @param {string} value @param {string} words @param {(value: string) => void} act */
  add(value, words, act) {
    const choice = element("label", "te-radio", this.radios);
    const radio = element("input", `te-set-projection`, choice);
    Object.assign(radio, { type: "radio", name: this.group, value });
    element("span", "", choice, words);
    radio.addEventListener("change", () => {
      this.pending = value;
      clearTimeout(this.confirmTimer);
      this.confirmTimer = window.setTimeout(() => this.forget(), CONFIRM_SWITCH_MS);
      act(value);
    });
    this.choices.push({ value, radio });
  }

  remove() {
    clearTimeout(this.confirmTimer);
  }

  forget() {
    this.pending = undefined;
    this.update(this.spec);
  }

  /** @param {Control} spec */
  update(spec) {
    this.spec = /** @type {ChoiceControl} */ (spec);
    const now = this.page.both() ? BOTH : String(spec.value);
    if (this.pending === now) {
      this.pending = undefined;
      clearTimeout(this.confirmTimer);
    }
    const several = this.page.runCount() > 1;
    for (const { value, radio } of this.choices) {
      radio.checked = value === (this.pending ?? now);
      radio.disabled = !spec.enabled || (several && value === BOTH);
    }
    setText(this.why, several ? TWO_RUNS : "");
    this.why.title = this.why.textContent ?? ""; // a narrow lab has no room for all of it
  }
}
