// What every part of the page uses: making elements, formatting numbers, drawing contexts, the shared view state.
//
// Nothing in this folder knows Jupyter: a model is any object with get, set, save_changes, on, off and send.

/** @import { Stop, View } from "./types.js" */

const TAKES_KEYS = new Set(["button", "input", "select", "textarea", "summary", "canvas", "dialog", "a"]);
let elementCount = 0;

// JupyterLab reads single keys as commands for the cell. The attribute on an element that takes keys turns this off.
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

// A canvas's drawing context. `kept`: its pixels stay in memory and not on a graphics card, which is faster where that
// card is emulated in software.
/** @param {HTMLCanvasElement | OffscreenCanvas} canvas @param {boolean} [kept] */
export function penOf(canvas, kept = false) {
  const pen = canvas.getContext("2d", { willReadFrequently: kept });
  if (!pen) throw new Error("This browser gives no canvas to draw on.");
  return /** @type {CanvasRenderingContext2D} */ (pen);
}

// Replaces the text only where it differs: otherwise a screen reader would read a live region's same words again.
/** @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// A "?" that explains something on hover and on focus; a screen reader reads the text as the button's description.
/** @param {Element} parent @param {string} about @param {string} words */
export function helpMark(parent, about, words) {
  const mark = element("button", "te-button te-help-mark", parent, "?");
  mark.setAttribute("aria-label", `About ${about}`);
  const bubble = element("span", "te-bubble", mark, words);
  bubble.setAttribute("aria-hidden", "true");
  mark.setAttribute("aria-description", words);
  return mark;
}

const WITH_A_TIP = ".te-button:not(.te-help-mark), .te-control";

// Who clicks has read the tip, and wants to see what lies below it: it closes, and comes back with the next visit of the
// pointer or the keyboard. A "?" keeps its tip: on a touch screen a tap is what opens it.
/** @param {HTMLElement} root */
export function closeTipsOnPress(root) {
  root.addEventListener("pointerdown", (event) => {
    const place = event.target instanceof Element ? event.target.closest(WITH_A_TIP) : null;
    if (!(place instanceof HTMLElement) || place.dataset.tip) return;
    place.dataset.tip = "closed";
    const done = new AbortController();
    const open = () => {
      delete place.dataset.tip;
      done.abort();
    };
    const { signal } = done;
    place.addEventListener("pointerenter", open, { signal });
    // A finger that is lifted leaves too: its tip stays closed.
    place.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && open(), { signal });
    place.addEventListener("focusin", () => place.matches(":focus-visible, :has(:focus-visible)") && open(), { signal });
  });
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

// A number from -1 to 1 with two decimals. The width stays constant, so a row of them does not wrap anew at every step.
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

// The icons' SVG paths: drawn here, so that no icon font is needed. They are decoration; the button has a label in
// words.
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

// Calls back when the theme changes: a canvas does not follow the style sheet, so it has to be redrawn. Returns a
// function that stops this.
/** @param {() => void} callback @returns {Stop} */
export function onTheme(callback) {
  // Call back again two frames later: JupyterLab changes its attributes first and its style sheets afterwards.
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

// Calls `work` at most once per animation frame, however often it is requested. `stop()` cancels a pending call.
/** @param {() => void} work */
export function oncePerFrame(work) {
  let request = 0; // the animation frame's id; 0: none is pending
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

  // Listens to one or several names ("chosen hover"); returns a function that stops this.
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
