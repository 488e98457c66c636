// Controls for a lab's settings, as they are declared in Python.

import { button, change, html } from "./dom.js";

/** A slider whose pull, from press to release, is one step of undo; `show` sets its value and its upper end. */
/** @type {(page: Lab.AnyPage, declared: Lab.Declared) => { node: HTMLInputElement, show: (high: number) => void }} */
export function slider(page, { name, label, low, step }) {
  let gesture = "";
  const begin = () => (gesture = page.newGesture());
  const set = () => void page.set({ [name]: node.valueAsNumber }, gesture);
  const limits = { type: "range", min: low, step, "aria-label": label };
  const node = html("input", { ...limits, onpointerdown: begin, onfocus: begin, oninput: set });
  const show = (/** @type {number} */ high) => {
    node.max = String(high);
    node.value = String(page.settings[name]);
  };
  return { node, show };
}

/** A button that is in or out; `show` follows what `isOn` says. */
/** @type {(words: string, title: string, isOn: () => boolean, press: () => void) => Lab.Toggle} */
export function toggle(words, title, isOn, press) {
  const node = button(words, press, { title });
  return { node, show: () => change(node, { "aria-pressed": String(isOn()) }) };
}
