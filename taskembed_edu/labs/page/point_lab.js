// The frame of all labs with points to drag: the state that Python sent plus the learner's changes since, undo, reset,
// presets, projector mode, keys, and when to draw. Python computes every number: `words` comes once, `readings` is the
// whole state. A lab adds its markup, its drawing and its own features: see CONTRIBUTING, "Add a lab".
//
// In the markup, a button with data-ask="undo" sends that command to Python, data-setting="radius" is a control of that
// setting and data-label="radius" its label, data-reading="says.rest" shows that reading, and the lab itself fills
// data-part="plane". data-presets holds the preset buttons, data-projector is a button; .te-late: Python is busy.

import { bindSetting } from "./controls.js";
import { button, change, setText } from "./dom.js";
import { messageQueue } from "./message_queue.js";

/** @template {Lab.Readings} R @template {Lab.Words} W */
export class PointLabPage {
  held = false; // is a handle being dragged? The view then does not change
  unit = 1; // scale of text and handles in a drawing: larger in projector mode
  #frame = 0;
  #gestures = 0;
  // Changes that Python has not acknowledged yet. They are drawn at once, and dropped when all are acknowledged.
  /** @type {Map<string | number, number[]>} */ moved = new Map();
  /** @type {Partial<R["settings"]>} */ #chosen = {};

  /** @param {Lab.RenderProps} props @param {Lab.MakeLab<R, W>} makeLab */
  constructor({ model, el }, makeLab) {
    this.model = model;
    this.words = /** @type {W} */ (model.get("words"));
    this.now = /** @type {R} */ (model.get("readings"));
    this.points = /** @type {R["points"]} */ (this.now.points); // as drawn, with changes not acknowledged yet
    this.settings = /** @type {R["settings"]} */ (this.now.settings);
    this.queue = messageQueue(model, (waits) => this.root.classList.toggle("te-waits", waits), () => this.#receive());
    el.innerHTML = String(model.get("markup")); // a file of the package
    this.root = /** @type {HTMLElement} */ (el.firstElementChild);
    this.presets = this.words.presets.map((name) => button(name, () => this.ask("preset", { name })));
    for (const node of this.find("presets")) node.append(...this.presets);
    for (const node of this.find("ask")) change(node, { onclick: () => this.ask(node.dataset.ask ?? "") });
    for (const node of this.find("projector")) change(node, { onclick: () => this.#project(!this.#projected) });
    for (const node of this.find("label")) {
      const { label, help } = this.words.settings[node.dataset.label ?? ""];
      change(node, { title: help }).append(label);
    }
    this.controls = this.find("setting").map((node) => bindSetting(this, /** @type {HTMLInputElement} */ (node)));
    this.lab = makeLab(this);
    change(this.root, { onkeydown: this.#press });
    window.addEventListener("keydown", this.#keep, true);
    model.on("change:readings", this.#receive);
    this.watcher = new ResizeObserver(() => this.redraw()); // also when the cell is shown for the first time
    for (const node of [this.root, ...(this.lab.resized ?? [])]) this.watcher.observe(node);
    this.#changed(null);
  }

  close = () => {
    cancelAnimationFrame(this.#frame);
    this.lab.interrupt?.();
    this.lab.close?.();
    this.watcher.disconnect();
    window.removeEventListener("keydown", this.#keep, true);
    this.model.off("change:readings", this.#receive);
    this.queue.close();
  };

  /** The elements with this data attribute, or with this value of it. @type {Lab.Find} */
  find = (name, value = "") =>
    Array.from(this.root.querySelectorAll(value ? `[data-${name}="${value}"]` : `[data-${name}]`));
  /** One of the lab's own elements; its markup decides the element's type. @type {(name: string) => any} */
  part = (name) => this.find("part", name)[0];
  /** All changes of one gesture (one drag of a point or slider) are one undo step. */
  newGesture = () => `${this.queue.page}-${++this.#gestures}`;

  /** Move the point that `points` has under this key; `message` tells Python the same. @type {Lab.Move} */
  move(key, place, message) {
    this.lab.interrupt?.();
    this.moved.set(key, place);
    this.queue.send({ do: "move", ...message });
    this.#changed(this.now);
  }

  /** @param {Partial<R["settings"]>} changes @param {string} [gesture] */
  set(changes, gesture) {
    Object.assign(this.#chosen, changes);
    this.queue.send({ do: "set", settings: changes, gesture: gesture || undefined });
    this.#changed(this.now);
  }

  /** Send any other command to Python. @param {string} what @param {object} [more] */
  ask(what, more) {
    this.lab.interrupt?.();
    this.queue.send({ do: what, ...more });
  }

  /** @param {boolean} held */
  hold(held) {
    if (held) this.lab.interrupt?.();
    this.held = held;
    this.#changed(this.now);
  }

  get #projected() {
    return this.root.classList.contains("te-projector");
  }

  /** @param {boolean} on */
  #project(on) {
    this.root.classList.toggle("te-projector", on);
    this.unit = on ? 1.4 : 1;
    for (const node of this.find("projector")) change(node, { "aria-pressed": String(on) }).textContent = on ? "Leave projector mode" : "Projector";
    this.redraw();
  }

  /** @param {KeyboardEvent} event */
  #press = (event) => {
    const { key, altKey, shiftKey, target } = event;
    if (key === "Escape" && this.#projected) return this.#project(false); // from a menu or a number too
    if (target instanceof Element && target.matches('input:is([type="number"], [type="search"]), select')) return; // the user types there
    const command = event.ctrlKey || event.metaKey;
    if (key === "p" && !command && !altKey) this.#project(!this.#projected);
    else if (key === "z" && command && !shiftKey) this.ask("undo");
    else return;
    event.preventDefault();
  };

  /** Single keys go to the lab while it has the focus (in JupyterLab they move and cut cells); Ctrl+S still saves. The
   * window listens, because JupyterLab checks the element before its own listeners run. @param {KeyboardEvent} event */
  #keep = ({ key, ctrlKey, metaKey, shiftKey, target }) => {
    if (!(target instanceof Element && this.root.contains(target))) return;
    const ours = ctrlKey || metaKey ? key === "z" : !(shiftKey && key === "Enter");
    target.toggleAttribute("data-lm-suppress-shortcuts", ours);
  };

  #receive = () => {
    const before = this.now;
    this.now = /** @type {R} */ (this.model.get("readings"));
    if (this.queue.isQuiet()) {
      this.moved.clear();
      this.#chosen = {};
    }
    this.#changed(before);
  };

  /** @param {R | null} before */
  #changed(before) {
    const { now } = this;
    this.settings = { ...now.settings, ...this.#chosen };
    this.points = structuredClone(now.points);
    for (const [key, place] of this.moved) {
      if (this.points[key]?.length === place.length) this.points[key] = place; // Python may have replaced the points
    }
    const pressed = (/** @type {Node} */ node) => now.scene && String(now.scene === node.textContent);
    for (const node of this.presets) change(node, { "aria-pressed": pressed(node) });
    for (const node of this.find("ask", "undo")) change(node, { disabled: !now.can_undo });
    for (const node of this.find("reading")) {
      const path = node.dataset.reading?.split(".") ?? [];
      setText(node, path.reduce((value, name) => value[name], /** @type {any} */ (now)));
    }
    for (const show of this.controls) show();
    this.lab.show(before);
    this.redraw();
  }

  /** Draw in the next animation frame, and in each one after it while the lab's drawing still moves. */
  redraw() {
    this.#frame ||= requestAnimationFrame((time) => {
      this.#frame = 0;
      if (this.lab.draw(time)) this.redraw();
    });
  }
}
