// The controls in a lab's markup: data-setting="radius" marks one that changes this setting in Python and shows it.

import { change, html } from "./dom.js";

/** Limits, choices and label are declared in Python. Returns what shows the value. @type {Lab.BindSetting} */
export function bindSetting(page, node) {
  const name = node.dataset.setting ?? "";
  const { label, low, high, step, choices = [] } = /** @type {Lab.Declared} */ (page.words.settings[name]);
  const [pulled, typed, ticked] = ["range", "number", "checkbox"].map((type) => node.type === type);
  let gesture = "";
  const begin = () => (gesture = page.newGesture()); // one drag of a slider, from press to release, is one undo step
  const set = () => {
    const input = /** @type {HTMLInputElement} */ (node);
    if (ticked) page.set({ [name]: input.checked });
    else if (node.value !== "") page.set({ [name]: pulled || typed ? input.valueAsNumber : node.value }, gesture);
  };
  node.append(...choices.map((choice) => html("option", { value: choice.value }, choice.label)));
  change(node, { "aria-label": typed ? `${label}, typed` : label });
  if (pulled) change(node, { min: low, step, onpointerdown: begin, onfocus: begin, oninput: set });
  else change(node, { onchange: set });
  if (typed) change(node, { min: low, step: "any", onkeydown: (event) => event.key === "Enter" && set() });
  return () => {
    const value = page.settings[name];
    if (pulled || typed) change(node, { max: high ?? page.now[`${name}_high`] }); // it may depend on other settings
    for (const option of node.querySelectorAll("option")) {
      change(option, { disabled: !(page.now.choices?.[name] ?? [option.value]).includes(option.value) });
    }
    if (ticked) change(node, { checked: value });
    else if (!typed) node.value = value;
    else if (document.activeElement !== node) node.value = String(Number(value.toFixed(4)));
  };
}
