// The plane of a curve: the true curve, what each start makes of it, and the points that mouse, finger or keys move.
//
// Curves are painted on a canvas. Every support point is an element of its own over it, so that Tab leads from point to
// point and a screen reader reads each.

import { roundTicks } from "./axis_ticks.js";
import { element, rounded } from "./base.js";
import { curveAt, onPlane, spread, widestGap } from "./bench_numbers.js";
import { cssOf, drawMarker } from "./shapes.js";
import { freshPen, write } from "./written.js";

/** @import { ShownWay } from "./bench_ways.js" */
/** @import { Ends, Palette, Point } from "./types.js" */
/** @typedef {{ x: Ends, y: Ends, reach: Ends, query: Point[], truth: Uint16Array, ways: ShownWay[], at: number, movable: boolean, draws: boolean }} PlaneView */
/** @typedef {{ left: number, right: number, top: number, bottom: number }} Area CSS pixels of the plot on the canvas */

const PLANE_AIR = 0.2; // the plane is higher than the curves by this share of their height, above and below
const LABELS_SHARE = 0.4; // of the plane's width: what the curves' names may take
const POINT_STEP = 0.1; // what an arrow key moves a point by; with Shift by a whole unit
/** @type {Record<string, Point>} */
const POINT_KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class CurvePlane {
  /** @type {PlaneView | null} */
  view = null;
  /** @type {Point[]} */
  points = []; // as drawn: those of the kernel, or newer ones that it does not know yet
  /** @type {HTMLElement[]} */
  handles = [];
  /** @type {Area} */
  area = { left: 0, right: 1, top: 0, bottom: 1 };
  gesture = 0; // one for each drag, and for each key held down: one step of Undo
  held = -1; // the point that is dragged

  /** @param {Element} parent @param {(points: Point[], gesture: number) => void} changed */
  constructor(parent, changed) {
    this.changed = changed;
    this.root = element("div", "te-bench-plane", parent);
    this.canvas = element("canvas", "te-bench-canvas", this.root);
    this.canvas.setAttribute("role", "img");
    const signs = element("span", "te-bench-key", this.root);
    signs.setAttribute("aria-hidden", "true");
    for (const words of ["support", "query", "truth"]) signs.append(element("i"), words);
    this.layer = element("div", "te-bench-points", this.root);
    this.layer.setAttribute("role", "group");
    this.layer.setAttribute("aria-label", "Support points");
    this.empty = element("p", "te-bench-empty te-note", this.root, "Click to place your points.");
    this.canvas.addEventListener("click", (event) => this.view?.draws && this.add(this.placeOf(event)));
    this.canvas.addEventListener("dblclick", (event) => this.view?.movable && !this.view.draws && this.add(this.placeOf(event)));
  }

  // ---- points ----

  /** @param {Point[]} points */
  setPoints(points) {
    this.points = points;
    while (this.handles.length > points.length) this.handles.pop()?.remove();
    while (this.handles.length < points.length) this.handles.push(this.makeHandle(this.handles.length));
    this.empty.hidden = points.length > 0;
    this.placeHandles();
  }

  /** @param {Point} place */
  add(place) {
    if (!this.view) return;
    const { x, y } = this.view;
    this.gesture += 1;
    this.put([...this.points, onPlane(place, x, widened(y))]);
    this.handles.at(-1)?.focus({ preventScroll: true });
  }

  // For who has no pointer: a point in the widest gap, at the middle of the plane.
  addInGap() {
    if (this.view) this.add([widestGap(this.points, this.view.x), (this.view.y[0] + this.view.y[1]) / 2]);
  }

  /** @param {number} k */
  removePoint(k) {
    this.gesture += 1;
    this.put(this.points.filter((_, other) => other !== k));
    (this.handles[Math.min(k, this.handles.length - 1)] ?? this.root.parentElement)?.focus?.({ preventScroll: true });
  }

  /** @param {number} k @param {Point} place */
  move(k, place) {
    if (!this.view) return;
    const moved = onPlane(place, this.view.x, widened(this.view.y));
    this.put(this.points.map((point, other) => (other === k ? moved : point)));
  }

  /** @param {Point[]} points */
  put(points) {
    this.setPoints(points);
    this.changed(points, this.gesture);
  }

  /** @param {number} k */
  makeHandle(k) {
    const handle = element("div", "te-bench-point", this.layer);
    handle.tabIndex = 0;
    handle.setAttribute("role", "slider");
    handle.setAttribute("aria-roledescription", "point to drag");
    handle.dataset.lmSuppressShortcuts = "true";
    /** @type {Point} */
    let grip = [0, 0]; // from the pointer to the point, so that it does not jump
    handle.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.view?.movable) return;
      const [px, py] = this.pixelOf(this.points[k]);
      grip = [px - event.clientX, py - event.clientY];
      handle.setPointerCapture(event.pointerId);
      handle.focus({ preventScroll: true });
      this.gesture += 1;
      this.held = k;
      event.preventDefault();
    });
    handle.addEventListener("pointermove", ({ clientX, clientY, shiftKey }) => {
      if (this.held !== k) return;
      const [px, py] = this.inPlane([clientX + grip[0], clientY + grip[1]]);
      this.move(k, shiftKey ? [Math.round(px), Math.round(py)] : [px, py]);
    });
    handle.addEventListener("lostpointercapture", () => (this.held = -1));
    handle.addEventListener("keydown", (event) => this.key(event, k));
    return handle;
  }

  /** @param {KeyboardEvent} event @param {number} k */
  key(event, k) {
    if (!this.view?.movable || event.ctrlKey || event.metaKey || event.altKey) return;
    const way = POINT_KEYS[event.key];
    if (way) {
      if (!event.repeat) this.gesture += 1;
      const by = event.shiftKey ? 1 : POINT_STEP;
      this.move(k, [this.points[k][0] + by * way[0], this.points[k][1] + by * way[1]]);
    } else if (event.key === "Delete" || event.key === "Backspace") this.removePoint(k);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  placeHandles() {
    const { view } = this;
    if (!view) return;
    this.handles.forEach((handle, k) => {
      const [x, y] = this.points[k];
      const [px, py] = this.pixelOf(this.points[k]);
      handle.style.transform = `translate(${px}px, ${py}px)`;
      const words = `x ${rounded(x)}, y ${rounded(y)}`;
      const acts = view.movable ? ". Arrow keys move it, Delete removes it" : "";
      for (const [name, value] of Object.entries({
        "aria-label": `Support point ${k + 1} of ${this.points.length}${acts}`,
        "aria-valuenow": String(y),
        "aria-valuetext": words,
        "aria-readonly": String(!view.movable),
      })) {
        handle.setAttribute(name, value);
      }
      handle.title = words;
    });
  }

  // ---- places ----

  /** @param {Point} place @returns {Point} */
  pixelOf([x, y]) {
    const { left, right, top, bottom } = this.area;
    const view = /** @type {PlaneView} */ (this.view);
    const [low, high] = widened(view.y);
    return [left + ((right - left) * (x - view.x[0])) / (view.x[1] - view.x[0]), bottom - ((bottom - top) * (y - low)) / (high - low)];
  }

  /** @param {Point} pixel @returns {Point} */
  inPlane([px, py]) {
    const { left, right, top, bottom } = this.area;
    const view = /** @type {PlaneView} */ (this.view);
    const [low, high] = widened(view.y);
    return [view.x[0] + ((px - left) / (right - left)) * (view.x[1] - view.x[0]), low + ((bottom - py) / (bottom - top)) * (high - low)];
  }

  /** @param {MouseEvent} event @returns {Point} */
  placeOf({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    return this.inPlane([clientX - box.left, clientY - box.top]);
  }

  // ---- painting ----

  /** @param {PlaneView} view @param {Palette} palette */
  draw(view, palette) {
    this.view = view;
    const { canvas } = this;
    if (!canvas.clientWidth) return;
    const { pen: c, em } = freshPen(canvas, 0.85, true);
    const labels = this.labelsOf(view);
    const widest = Math.max(0, ...labels.map(({ words }) => c.measureText(words).width)) + 0.6 * em;
    const beside = widest < LABELS_SHARE * canvas.clientWidth ? widest : 0; // else the legend alone says whose a curve is
    const right = canvas.clientWidth - beside - 0.6 * em;
    this.area = { left: 2.1 * em, right, top: 0.5 * em, bottom: canvas.clientHeight - 1.5 * em };
    this.axes(c, view, palette, em);
    c.save();
    const { left, top, bottom } = this.area;
    c.beginPath();
    c.rect(left, top, right - left, bottom - top);
    c.clip();
    if (view.truth.length) this.path(c, Array.from(view.truth, (level) => heightOf(level, view.reach)), cssOf(palette.ink), 1.25, [2, 3]);
    for (const { curve, colour, begun, dashes } of labels) {
      if (begun) this.path(c, begun, colour, 1, [], 0.35);
      if (curve) this.path(c, curve, colour, 2.75, dashes);
    }
    c.restore();
    for (const point of view.query) this.hollow(c, point, palette);
    if (beside) this.labels(c, labels, em, palette);
    this.placeHandles();
  }

  // What stands at the right end of each curve, and where it wishes to stand.
  /** @param {PlaneView} view */
  labelsOf({ ways, at, reach, truth }) {
    return ways.flatMap(({ short, colour, text, dashes, curves, diverged }) => {
      if (!curves) return [];
      const n = truth.length || curves.length / this.stepsOf(curves, ways);
      const curve = curveAt(curves, n, at, reach, diverged);
      const begun = at > 0 ? curveAt(curves, n, 0, reach, diverged) : null;
      const words = curve ? short : `${short}: lost`;
      return [{ words, colour, text, dashes, curve, begun, end: curve ? curve[n - 1] : 0 }];
    });
  }

  // How many curves of one start there are: one for each step, and the first.
  /** @param {Uint16Array} curves @param {ShownWay[]} ways */
  stepsOf(curves, ways) {
    return ways.find((way) => way.curves === curves)?.support.length ?? 1;
  }

  /** @param {CanvasRenderingContext2D} c @param {PlaneView} view @param {Palette} palette @param {number} em */
  axes(c, view, palette, em) {
    const { left, right, top, bottom } = this.area;
    c.lineWidth = 1;
    c.fillStyle = cssOf(palette.soft);
    c.textAlign = "center";
    c.textBaseline = "top";
    for (const tick of roundTicks(view.x, Math.max(1, Math.min(6, Math.floor((right - left) / (3 * em)))))) {
      const at = Math.round(this.pixelOf([tick, 0])[0]) + 0.5;
      this.rule(c, [at, top, at, bottom], palette, tick === 0);
      write(c, `${tick}`.replace("-", "−"), Math.min(at, right - 4), bottom + 4);
    }
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const tick of roundTicks(widened(view.y), 6)) {
      const at = Math.round(this.pixelOf([view.x[0], tick])[1]) + 0.5;
      if (at < top + 0.3 * em || at > bottom - 0.3 * em) continue;
      this.rule(c, [left, at, right, at], palette, tick === 0);
      write(c, `${tick}`.replace("-", "−"), left - 5, at);
    }
  }

  /** @param {CanvasRenderingContext2D} c @param {number[]} ends @param {Palette} palette @param {boolean} strong */
  rule(c, [x, y, tx, ty], palette, strong) {
    c.globalAlpha = strong ? 1 : 0.5;
    c.strokeStyle = cssOf(palette.line);
    c.beginPath();
    c.moveTo(x, y);
    c.lineTo(tx, ty);
    c.stroke();
    c.globalAlpha = 1;
  }

  /**
   * @param {CanvasRenderingContext2D} c
   * @param {ArrayLike<number>} heights evenly spaced over the axis
   * @param {string} colour
   * @param {number} wide
   * @param {number[]} [dashes]
   * @param {number} [alpha]
   */
  path(c, heights, colour, wide, dashes = [], alpha = 1) {
    const [low, high] = /** @type {PlaneView} */ (this.view).x;
    c.beginPath();
    for (let k = 0; k < heights.length; k++) {
      const [px, py] = this.pixelOf([low + ((high - low) * k) / (heights.length - 1), heights[k]]);
      c[k ? "lineTo" : "moveTo"](px, py);
    }
    c.strokeStyle = colour;
    c.lineWidth = wide;
    c.lineJoin = "round";
    c.globalAlpha = alpha;
    c.setLineDash(dashes);
    c.stroke();
    c.setLineDash([]);
    c.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} c @param {Point} point @param {Palette} palette */
  hollow(c, point, palette) {
    const [px, py] = this.pixelOf(point);
    drawMarker(c, 0, px, py, 3.5, cssOf(palette.paper), cssOf(palette.soft));
  }

  /** @param {CanvasRenderingContext2D} c @param {ReturnType<CurvePlane["labelsOf"]>} labels @param {number} em @param {Palette} palette */
  labels(c, labels, em, palette) {
    const { right, top, bottom } = this.area;
    const wishes = labels.map(({ end }) => this.pixelOf([0, end])[1]);
    const places = spread(wishes, 1.1 * em, [top + 1.6 * em, bottom - 0.6 * em]);
    c.textAlign = "left";
    c.textBaseline = "middle";
    labels.forEach(({ words, text }, k) => {
      c.fillStyle = text;
      c.strokeStyle = cssOf(palette.paper);
      c.lineWidth = 3;
      c.strokeText(words, right + 6, places[k]);
      write(c, words, right + 6, places[k]);
    });
  }
}

// The plane reaches a little beyond the curves: a point, or a start's curve, may lie there.
/** @param {Ends} y @returns {Ends} */
export function widened([low, high]) {
  return [low - PLANE_AIR * (high - low), high + PLANE_AIR * (high - low)];
}

/** @param {number} level @param {Ends} reach */
function heightOf(level, [low, high]) {
  return low + ((high - low) * level) / 65535;
}
