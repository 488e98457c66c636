// Above the map: the choice of projection, "Embed again" and "What changed?". Below it: how far the map can be trusted.

import { element, freshId, percent, rounded, setText } from "./base.js";
import { MenuButton } from "./dialogs.js";

/** @import { LabPage } from "./lab.js" */
/** @import { RunPicture, Transport } from "./types.js" */

export class MapBarView {
  /** @param {LabPage} page @param {Element} parent */
  constructor(page, parent) {
    this.page = page;
    this.root = element("div", page.recorded ? "te-map-bar" : "te-map-bar te-live-only", parent);
    this.switchPlace = element("div", "te-map-switch", this.root);
    this.again = element("button", "te-button te-again", this.root, "Embed again");
    this.again.setAttribute("aria-description", "Draw this map again from the start. What stays the same was not chance.");
    this.again.addEventListener("click", () => page.say({ do: "embed again" }));
    this.changed = element("button", "te-button te-changed", this.root, "What changed?");
    new MenuButton(this.changed, () => this.others(), (metric) => page.say({ do: "compare", metric }));
    this.result = element("div", "te-changes", parent);
    this.result.hidden = true;
    this.sentence = element("span", "", this.result);
    this.sentence.setAttribute("role", "status");
    this.done = element("button", "te-button", this.result, "Done");
    this.done.addEventListener("click", () => page.say({ do: "compare", metric: "" }));
  }

  now() {
    return this.page.model.get("controls")?.find(({ name }) => name === "metric");
  }

  others() {
    const metrics = this.page.transport().metrics ?? [];
    return metrics
      .filter(({ value }) => value !== this.now()?.value)
      .map(({ value, label, about }) => ({ value: String(value), label: `Compared with ${label}`, about: about ?? "same weights, other distance" }));
  }

  /** @param {Partial<Transport>} transport */
  show(transport) {
    this.root.hidden = this.page.recorded && !transport.metrics?.length; // a recording can compare its two runs
    this.again.hidden = this.page.recorded || transport.projection === "pca"; // PCA is deterministic: the same map would come out again
    this.changed.hidden = !(transport.metrics ?? []).length;
    this.result.hidden = !transport.compare;
  }

  /** @param {RunPicture[]} runs */
  showChanges(runs) {
    const compared = runs.flatMap(({ run, changes }) => (changes ? [{ run, changes }] : []));
    if (!compared.length) return;
    const [{ changes: first }] = compared;
    if (first.names) {
      const [one, other] = first.names;
      const words = `Of the five nearest neighbours, ${percent(first.share)} in ${one} are others than in ${other}.`;
      setText(this.sentence, `${words} A task with a thick ring has many others; a pale task keeps its five. Click a task to see which.`);
      return;
    }
    const label = this.page.distanceName(first.metric);
    const shares = compared.map(({ run, changes }) => [percent(changes.share), this.page.runName(run)].filter(Boolean).join(" in ").trim());
    setText(
      this.sentence,
      `Under ${label}, with the same weights, ${shares.join(" and ")} of the five nearest neighbours are others. A task with a thick ring would change many of its five; a pale task keeps them. Click a task to see which.`,
    );
  }
}

export class ReadingsView {
  /** @param {LabPage} page @param {Element} parent */
  constructor(page, parent) {
    this.page = page;
    this.root = element("div", "te-readings", parent);
    this.ask = element("button", "te-button te-ask", this.root, "What may I read from this picture?");
    this.ask.addEventListener("click", () => page.dialogs.showReading());
    /** @type {{ key: string, entry: Element, number: Element }[]} */
    this.entries = [];
    this.declare();
  }

  // The readings beside the map, as the kernel declares them.
  declare() {
    const declared = Object.entries(this.page.model.get("help")?.scores ?? {}).filter(([, { beside_map }]) => beside_map);
    this.entries.forEach(({ entry }) => entry.remove());
    this.entries = declared.map(([key, { label, help }]) => this.makeEntry(key, label, help));
    this.ask.before(...this.entries.map(({ entry }) => entry));
  }

  /** @param {string} key @param {string} label @param {string} help */
  makeEntry(key, label, help) {
    const entry = element("span", "te-reading");
    entry.tabIndex = 0;
    entry.dataset.lmSuppressShortcuts = "true";
    const bubble = element("span", "te-bubble", entry, help);
    bubble.id = freshId(key);
    entry.setAttribute("aria-describedby", bubble.id);
    element("span", "te-reading-name", entry, `${label} `);
    const number = element("span", "te-number", entry, "–");
    number.dataset.reading = key;
    return { key, entry, number };
  }

  /** @param {RunPicture[]} runs */
  show(runs) {
    for (const { key, number } of this.entries) {
      setText(number, runs.flatMap((run) => readingsOf(run, key)).map(rounded).join(" | "));
    }
  }
}

// A run's reading; where two maps of it stand side by side and this is a reading of maps, that of each, in their order.
/** @param {RunPicture} run @param {string} key @returns {(number | undefined)[]} */
export function readingsOf({ readings, pca }, key) {
  const second = pca?.readings ?? {};
  return key in second ? [readings?.[key], second[key]] : [readings?.[key]];
}
