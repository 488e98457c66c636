// What every part of the page stands on: making elements, reading numbers and bytes, the view-wide state.
//
// Nothing in this folder knows Jupyter: the model is anything with get, set, save_changes, on, off and send.

/** @import { Stop, View } from "./types.js" */

const TAKES_KEYS = new Set(["button", "input", "select", "textarea", "summary", "canvas", "dialog", "a"]);
let elementCount = 0;

// JupyterLab reads single keys as commands for the cell: an element that takes keys asks it not to.
/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {Element | null} [parent]
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, className, parent, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  if (TAKES_KEYS.has(tag)) made.dataset.lmSuppressShortcuts = "true";
  if (tag === "button") made.setAttribute("type", "button");
  if (parent) parent.append(made);
  return made;
}

// An id that no other panel on this page has.
/** @param {string} word */
export function freshId(word) {
  elementCount += 1;
  return `te-${word}-${elementCount}-${Math.random().toString(36).slice(2, 7)}`;
}

// What draws on a canvas. `kept`: in memory and not on a graphics card, which is quicker where that card is software.
/** @param {HTMLCanvasElement | OffscreenCanvas} canvas @param {boolean} [kept] */
export function penOf(canvas, kept = false) {
  const pen = canvas.getContext("2d", { willReadFrequently: kept });
  if (!pen) throw new Error("This browser gives no canvas to draw on.");
  return /** @type {CanvasRenderingContext2D} */ (pen);
}

// Text is only replaced where it differs: a live region would read the same words again.
/** @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const MINUS = "−";

/** @param {number | null | undefined} value */
export function rounded(value) {
  if (value == null || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 100 ? size.toFixed(0) : size >= 0.1 ? size.toFixed(2) : size >= 0.001 ? size.toFixed(3) : size.toExponential(0);
  return value < 0 ? MINUS + text : text;
}

// What lies between -1 and 1, always as wide: a row of such numbers does not break anew with every step.
/** @param {number} value */
export function hundredths(value) {
  return Number.isFinite(value) ? value.toFixed(2).replace("-", MINUS) : "–";
}

/** @param {number} value */
export function counted(value) {
  return value.toLocaleString("en-GB");
}

/** @param {number} share */
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

/** @param {keyof typeof ICONS} name @param {Element} parent */
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
/** @param {() => void} callback @returns {Stop} */
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
/** @param {() => void} work */
export function oncePerFrame(work) {
  let request = 0; // 0: none
  const ask = () => {
    request ||= requestAnimationFrame(() => {
      request = 0;
      work();
    });
  };
  ask.stop = () => {
    cancelAnimationFrame(request);
    request = 0;
  };
  return ask;
}

// View-wide values that several parts share: which task is hovered, chosen, selected; which groups are hidden.
export class Shared {
  /** @param {View} values */
  constructor(values) {
    this.values = { ...values };
    /** @type {Map<string, Set<() => void>>} */
    this.listeners = new Map();
  }

  /** @template {keyof View} Name @param {Name} name @returns {View[Name]} */
  get(name) {
    return this.values[name];
  }

  /** @template {keyof View} Name @param {Name} name @param {View[Name]} value */
  set(name, value) {
    if (this.values[name] === value) return;
    this.values[name] = value;
    for (const callback of this.listeners.get(name) ?? []) callback();
  }

  // Listen to one or several names ("chosen hover"); returns what ends it.
  /** @param {string} names @param {() => void} callback @returns {Stop} */
  on(names, callback) {
    const list = names.split(" ");
    for (const name of list) {
      const callbacks = this.listeners.get(name) ?? new Set();
      this.listeners.set(name, callbacks.add(callback));
    }
    return () => list.forEach((name) => this.listeners.get(name)?.delete(callback));
  }
}
