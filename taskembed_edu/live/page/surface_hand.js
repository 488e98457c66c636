// A start that the learner puts on the surface: by mouse, finger or arrow keys, with its loss beside it, read from the grid
// and not asked from the kernel. "Train from here" begins the run again there; what is best, a button reveals.

import { element, freshId, rounded, setText } from "./base.js";
import { settled, lossAt } from "./surface_numbers.js";

/** @import { Point } from "./types.js" */
/** @import { SurfaceView } from "./surface.js" */

const HAND_KEYS =
  "Arrow keys put a start on the surface and move it, with Shift farther. Enter trains from there, Escape takes it away.";
const PUT_ONE = "Click on the surface, or press an arrow key: where would you start?";
/** @type {Record<string, Point>} */
const START_KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const NUDGE = 0.1; // how far an arrow key moves a start
const LONG_NUDGE = 0.5; // with Shift
const TRAIN = "Begins the run again at your start. Undo brings the old run back.";
const BEST_ONE = "Shows the start with the lowest loss after these inner steps.";
const COMPARE = "The ways of MAML, first-order MAML and Reptile from the run's first start, on the same tasks.";
const HIT = 12; // CSS pixels round a dot that the pointer finds

// A loss in words; what lies above the scale is not known more exactly.
/** @param {number} loss @param {number} high */
export function lossWords(loss, high) {
  return Number.isFinite(loss) ? rounded(loss) : `above ${rounded(high)}`;
}

/** @param {number} steps */
export function afterWords(steps) {
  return steps === 0 ? "before any inner loop" : `after ${steps} inner step${steps === 1 ? "" : "s"}`;
}

export class StartByHand {
  /** @type {Point | null} */
  start = null;
  bestShown = false;

  /** @param {SurfaceView} view */
  constructor(view) {
    this.view = view;
    this.canvas = view.canvas;
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-roledescription", "loss over the start");
    const hint = element("p", "te-unseen", view.root, HAND_KEYS);
    hint.id = freshId("surface-keys");
    this.canvas.setAttribute("aria-describedby", hint.id);
    const foot = element("div", "te-surface-foot", view.root);
    this.told = element("p", "te-surface-told", foot);
    this.told.setAttribute("role", "status");
    const buttons = element("div", "te-group", foot);
    this.train = this.button(buttons, "Train from here", TRAIN, () => this.trainFromHere(), "te-live-only");
    this.reveal = this.button(buttons, "Best on the grid", BEST_ONE, () => this.showBest());
    this.button(buttons, "Compare the methods", COMPARE, () => view.page.say({ do: "compare methods" }), "te-live-only");
    this.about = element("p", "te-note te-surface-about", foot);
    this.listen();
  }

  /** @param {Element} parent @param {string} words @param {string} about @param {() => void} act @param {string} [more] */
  button(parent, words, about, act, more = "") {
    const made = element("button", `te-button ${more}`, parent, words);
    made.addEventListener("click", act);
    made.setAttribute("aria-description", about);
    element("span", "te-bubble", made, about).setAttribute("aria-hidden", "true");
    return made;
  }

  listen() {
    const { canvas, view } = this;
    canvas.addEventListener("pointerdown", (event) => this.grip(event));
    canvas.addEventListener("pointermove", (event) => this.pointAt(event));
    canvas.addEventListener("pointerleave", () => view.page.set("hover", -1));
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  // The losses of the start looked at, in one line; and what the surface is the mean of.
  tell() {
    const { view, start: hand } = this;
    const { packet, grid, before, best } = view;
    this.train.disabled = !hand;
    if (!packet || !grid || !before || !best) return;
    this.train.hidden = !packet.by_hand;
    const start = hand ?? view.runs[0]?.start;
    const steps = view.stepsShown();
    const words = [];
    if (start) {
      const [first, last] = [lossAt(before, start), lossAt(grid, start)];
      const named = hand ? `Your start (${hand.map((v) => v.toFixed(2)).join(", ")})` : "The run's start";
      const after = steps ? `, ${lossWords(last, packet.high)} ${afterWords(steps)}` : "";
      words.push(`${named.replaceAll("-", "−")}: loss ${lossWords(first, packet.high)} before${after}.`);
      const lower = last - best.loss;
      const better = Number.isFinite(lower) ? `${rounded(Math.max(0, lower))} lower` : `at ${rounded(best.loss)}`;
      words.push(lower < 0.005 ? "None of the grid is better." : `The best of the grid is ${better}.`);
    }
    if (!hand) words.push(PUT_ONE);
    setText(this.told, words.join(" "));
    this.canvas.setAttribute("aria-label", `The loss over the start ${afterWords(steps)}. ${words[0] ?? ""}`);
    const ways = packet.ways_about && packet.ways?.length ? ` Ways: ${packet.ways_about}.` : "";
    setText(this.about, `Mean query loss of ${packet.n_tasks} tasks at inner rate ${packet.inner_lr}.${ways}`);
  }

  /** @param {MouseEvent} event @returns {Point} */
  under(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * this.view.ratio, (event.clientY - box.top) * this.view.ratio];
  }

  /** @param {PointerEvent} event */
  grip(event) {
    if (event.button || !this.view.packet) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.put(this.view.painter.ground.startAt(...this.under(event)));
    /** @param {PointerEvent} moved */
    const move = (moved) => this.put(this.view.painter.ground.startAt(...this.under(moved)));
    this.canvas.addEventListener("pointermove", move);
    this.canvas.addEventListener("lostpointercapture", () => this.canvas.removeEventListener("pointermove", move), { once: true });
  }

  // The task whose optimum is under the pointer.
  /** @param {PointerEvent} event */
  pointAt(event) {
    if (event.buttons) return;
    const [x, y] = this.under(event);
    let [least, at] = [HIT * this.view.ratio, -1];
    for (let i = 0; i < this.view.optima.length / 2; i++) {
      const far = Math.hypot(this.view.painter.ground.x(this.view.optima[2 * i]) - x, this.view.painter.ground.y(this.view.optima[2 * i + 1]) - y);
      if (far < least && this.view.isThere(i)) [least, at] = [far, i];
    }
    this.view.page.set("hover", at);
    this.canvas.title = at < 0 ? "" : (this.view.page.model.get("tasks")?.names[at] ?? "");
  }

  /** @param {Point | null} start */
  put(start) {
    const { packet } = this.view;
    this.start = start && packet ? settled(start, packet) : null;
    this.tell();
    this.view.draw();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.view.packet) return;
    const arrow = START_KEYS[event.key];
    if (arrow) this.nudge(arrow, event.shiftKey ? LONG_NUDGE : NUDGE);
    else if (event.key === "Enter" && this.start) this.trainFromHere();
    else if (event.key === "Escape" && this.start) this.put(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {Point} arrow @param {number} far */
  nudge([right, up], far) {
    const from = this.start ?? this.view.runs[0]?.start ?? [0, 0];
    this.put([from[0] + right * far, from[1] + up * far]);
  }

  // The start becomes two settings, and the run begins again: so undo and a replay know it.
  trainFromHere() {
    if (!this.start || this.view.page.recorded || this.train.hidden) return;
    const [[first, second], { names, page }] = [this.start, this.view];
    page.say({ do: "set", changes: { [`start_${names[0]}`]: first, [`start_${names[1]}`]: second } });
    page.say({ do: "reset" });
    this.put(null);
  }

  /** @param {boolean} [shown] */
  showBest(shown = !this.bestShown) {
    this.bestShown = shown;
    this.reveal.setAttribute("aria-pressed", String(this.bestShown));
    this.view.draw();
  }
}
