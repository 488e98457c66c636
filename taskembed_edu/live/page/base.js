// What every part of the page stands on: making elements, reading numbers and bytes, the view-wide state.
//
// Nothing in this folder knows Jupyter: the model is anything with get, set, save_changes, on, off and send.

const TAKES_KEYS = new Set(["button", "input", "select", "textarea", "summary", "canvas", "dialog", "a"]);
let elementCount = 0;

// JupyterLab reads single keys as commands for the cell: an element that takes keys asks it not to.
export function element(tag, className, parent, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  if (TAKES_KEYS.has(tag)) made.dataset.lmSuppressShortcuts = "true";
  if (tag === "button") made.type = "button";
  if (parent) parent.append(made);
  return made;
}

// An id that no other panel on this page has.
export function freshId(word) {
  elementCount += 1;
  return `te-${word}-${elementCount}-${Math.random().toString(36).slice(2, 7)}`;
}

// Text is only replaced where it differs: a live region would read the same words again.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const MINUS = "−";

export function rounded(value) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 100 ? size.toFixed(0) : size >= 0.1 ? size.toFixed(2) : size >= 0.001 ? size.toFixed(3) : size.toExponential(0);
  return value < 0 ? MINUS + text : text;
}

// What lies between -1 and 1, always as wide: a row of such numbers does not break anew with every step.
export function hundredths(value) {
  return Number.isFinite(value) ? value.toFixed(2).replace("-", MINUS) : "–";
}

export function counted(value) {
  return value.toLocaleString("en-GB");
}

export function percent(share) {
  return `${Math.round(100 * share)} %`;
}

// One of the icons, drawn here so that no font has to be there. They are decoration: the button's words say it all.
export const ICONS = {
  play: "M3 2v12l10-6z",
  pause: "M3 2h4v12H3zM9 2h4v12H9z",
  step: "M3 2v12l7-6zM11 2h2.5v12H11z",
  undo: "M6 2 1.5 6.2 6 10.5V7.8h3.5a2.6 2.6 0 0 1 0 5.2H5v2h4.5a4.6 4.6 0 0 0 0-9.2H6z",
  back: "M11 2v12L3 8z",
  forward: "M5 2v12l8-6z",
};

export function icon(name, parent) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("viewBox", "0 0 16 16");
  drawing.setAttribute("class", "te-icon");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  parent.prepend(drawing);
  return path;
}

// A canvas does not follow the style sheet by itself: another theme is another drawing. Returns what ends it.
export function onTheme(callback) {
  // And again two frames later: JupyterLab changes its attributes and its style sheets one after the other.
  const changed = () => {
    callback();
    requestAnimationFrame(() => requestAnimationFrame(callback));
  };
  const watch = new MutationObserver(changed);
  watch.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", changed);
  return () => {
    watch.disconnect();
    dark.removeEventListener("change", changed);
  };
}

// At most one call an animation frame, however often it is asked for. `stop()` forgets one that waits.
export function oncePerFrame(work) {
  let request = null;
  const ask = () => {
    request ??= requestAnimationFrame(() => {
      request = null;
      work();
    });
  };
  ask.stop = () => {
    cancelAnimationFrame(request);
    request = null;
  };
  return ask;
}

// View-wide values that several parts share: which task is hovered, chosen, selected; which groups are hidden.
export class Shared {
  constructor(values) {
    this.values = new Map(Object.entries(values));
    this.listeners = new Map();
  }

  get(name) {
    return this.values.get(name);
  }

  set(name, value) {
    if (this.values.get(name) === value) return;
    this.values.set(name, value);
    for (const callback of this.listeners.get(name) ?? []) callback(value);
  }

  // Listen to one or several names ("chosen hover"); returns what ends it.
  on(names, callback) {
    const list = names.split(" ");
    for (const name of list) {
      if (!this.listeners.has(name)) this.listeners.set(name, new Set());
      this.listeners.get(name).add(callback);
    }
    return () => list.forEach((name) => this.listeners.get(name).delete(callback));
  }
}
