// Input on the map: pointer, wheel, pinch and keys. Input sets the shared values; the map draws from those.

/** @import { TaskMapView } from "./map.js" */

const REACH = 16; // how near, in CSS pixels, the pointer must come to a point
/** @type {Record<string, [right: number, down: number]>} */
const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const CLICK = 4; // a press that moves less is a click
const PASSING_MS = 250;

/** @typedef {"pointer" | "keys" | null} Here */
/** @typedef {{ x: number, y: number, fromX: number, fromY: number, dragged: boolean }} Held a pointer that is pressed */

export class Pointing {
  /** @param {TaskMapView} map */
  constructor(map) {
    this.map = map;
    /** @type {Here} */
    this.here = null; // what hovers a task on this map; null: nothing does
    /** @type {Map<number, Held>} */
    this.pointers = new Map();
    this.passed = -Infinity;
    const { canvas } = map;
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", (event) => this.up(event, true));
    canvas.addEventListener("pointerleave", () => this.leave("pointer"));
    canvas.addEventListener("blur", () => this.leave("keys"));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
    /** @param {WheelEvent} event */
    this.outside = (event) => {
      if (event.target !== map.canvas) this.passed = event.timeStamp;
    };
    window.addEventListener("wheel", this.outside, { capture: true, passive: true });
  }

  remove() {
    window.removeEventListener("wheel", this.outside, { capture: true });
  }

  /** @param {"pointer" | "keys"} here */
  leave(here) {
    if (this.here === here) this.point(-1, null);
  }

  /** @param {number} i @param {Here} here */
  point(i, here) {
    const { state, details } = this.map;
    this.here = here;
    if (state.get("hover") === i) details.hover();
    else state.set("hover", i);
  }

  // ---- pointer ----

  /** @param {MouseEvent} event */
  place(event) {
    const box = this.map.canvas.getBoundingClientRect();
    const ratio = this.map.canvas.width / box.width;
    return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
  }

  /** @param {number} x @param {number} y */
  nearest(x, y) {
    const { screen, thumbnails, n, ratio } = this.map;
    let [best, at] = [Infinity, -1];
    for (let i = 0; i < n; i++) {
      if (!this.map.shown(i)) continue;
      const [dx, dy] = [Math.abs(screen[2 * i] - x), Math.abs(screen[2 * i + 1] - y)];
      const d = dx ** 2 + dy ** 2;
      const inside = thumbnails.has[i] ? Math.max(dx, dy) <= thumbnails.reach(i) : false;
      if (d < best && (inside || d < (REACH * ratio) ** 2)) [best, at] = [d, i];
    }
    return at;
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (event.button) return;
    const { canvas, lasso } = this.map;
    const [x, y] = this.place(event);
    canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x, y, fromX: x, fromY: y, dragged: false });
    if (this.pointers.size > 1) lasso.drop();
    else if (lasso.wants(event)) lasso.begin(x, y, event.ctrlKey || event.metaKey);
  }

  /** @param {PointerEvent} event */
  move(event) {
    const [x, y] = this.place(event);
    const held = this.pointers.get(event.pointerId);
    if (!held) {
      const i = this.nearest(x, y);
      this.map.canvas.classList.toggle("te-over-task", i >= 0);
      if (i !== this.map.state.get("hover") || this.here !== "pointer") this.point(i, "pointer");
      return;
    }
    held.dragged ||= Math.hypot(x - held.fromX, y - held.fromY) > CLICK * this.map.ratio;
    if (this.pointers.size === 2) this.pinch(event.pointerId, x, y);
    else if (this.map.lasso.drawing) this.map.lasso.extend(x, y);
    else if (held.dragged) this.drag(held, x, y);
    [held.x, held.y] = [x, y];
  }

  /** @param {Held} held @param {number} x @param {number} y */
  drag(held, x, y) {
    if (this.map.state.get("hover") >= 0) this.point(-1, null);
    this.map.canvas.classList.add("te-dragging");
    this.map.pan(x - held.x, y - held.y);
  }

  // Two fingers: the change of the distance between them is the zoom factor, centred on the finger that did not move.
  /** @param {number} id @param {number} x @param {number} y */
  pinch(id, x, y) {
    const held = this.pointers.get(id);
    const other = [...this.pointers].find(([key]) => key !== id)?.[1];
    if (!held || !other) return;
    held.dragged = other.dragged = true;
    const [before, after] = [Math.hypot(held.x - other.x, held.y - other.y), Math.hypot(x - other.x, y - other.y)];
    if (before > 1 && after > 1) this.map.zoom(after / before, other.x, other.y);
  }

  /** @param {PointerEvent} event @param {boolean} [cancelled] */
  up(event, cancelled = false) {
    const held = this.pointers.get(event.pointerId);
    if (!held) return;
    this.pointers.delete(event.pointerId);
    this.map.canvas.classList.remove("te-dragging");
    const { lasso } = this.map;
    if (lasso.drawing) {
      if (cancelled) lasso.drop();
      else if (lasso.finish() || held.dragged) return;
    }
    if (!held.dragged && !cancelled) this.choose(this.nearest(held.x, held.y));
  }

  /** @param {number} i */
  choose(i) {
    const { state } = this.map;
    state.set("chosen", i === state.get("chosen") ? -1 : i);
  }

  // The wheel zooms with Ctrl or Cmd, or while the map has the focus. Otherwise it scrolls the page. A scroll that
  // began outside the map goes on scrolling when the map comes under the pointer.
  /** @param {WheelEvent} event */
  wheel(event) {
    const meant = event.ctrlKey || event.metaKey;
    if (!meant && !this.map.canvas.matches(":focus")) return;
    if (event.timeStamp - this.passed < PASSING_MS && !meant) {
      this.passed = event.timeStamp;
      return;
    }
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.002; // a pinch on a touchpad arrives as small wheel events with Ctrl
    const [x, y] = this.place(event);
    this.map.zoom(Math.exp(-event.deltaY * lines * speed), x, y);
  }

  // ---- keys ----

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    /** @type {(() => unknown) | undefined} */
    const act = arrow ? () => this.arrow(arrow, event.shiftKey) : this.keys()[event.key];
    if (!act || act() === false) return;
    event.preventDefault();
    event.stopPropagation(); // otherwise Space would also press Play
  }

  // The action of each key. It returns false where it does nothing now, so that the page may handle the key.
  /** @returns {Record<string, () => unknown>} */
  keys() {
    const { map } = this;
    const hover = map.state.get("hover");
    return {
      Home: () => this.step(-1, 1),
      End: () => this.step(map.n, -1),
      PageDown: () => this.step(hover, 1),
      PageUp: () => this.step(hover < 0 ? map.n : hover, -1),
      Enter: () => hover >= 0 && this.choose(hover),
      " ": () => hover >= 0 && map.lasso.toggle(hover),
      Escape: () => this.escape(),
      "+": () => map.zoom(1.5),
      "=": () => map.zoom(1.5),
      "-": () => map.zoom(1 / 1.5),
      0: () => map.fit(),
    };
  }

  // Cancels one thing at a time, in this order: a lasso being drawn, the chosen task, the selection, lasso mode, the
  // hovered task.
  escape() {
    const { state, lasso } = this.map;
    if (lasso.drawing) lasso.drop();
    else if (state.get("chosen") >= 0) state.set("chosen", -1);
    else if (state.get("selected")?.length) state.set("selected", []);
    else if (lasso.mode) lasso.setMode(false);
    else if (state.get("hover") >= 0) this.point(-1, null);
    else return false;
    return true;
  }

  /** @param {[right: number, down: number]} arrow @param {boolean} shift */
  arrow([right, down], shift) {
    const { map } = this;
    if (shift) {
      map.pan(-80 * right * map.ratio, -80 * down * map.ratio, true);
      return;
    }
    const from = map.state.get("hover");
    const i = from < 0 ? this.middle() : this.towards(from, right, down);
    if (i >= 0) this.visit(i);
  }

  /** @param {number} i */
  visit(i) {
    this.map.reveal(i);
    this.point(i, "keys");
  }

  // Goes to the next visible task in the order of the tasks, so that the keyboard reaches every one.
  /** @param {number} from @param {number} by */
  step(from, by) {
    let i = from + by;
    while (i >= 0 && i < this.map.n && !this.map.shown(i)) i += by;
    if (i >= 0 && i < this.map.n) this.visit(i);
  }

  // Where the arrow keys start: at the chosen task, else at the task nearest to the middle of the canvas.
  middle() {
    const { map } = this;
    const chosen = map.painter.chosen();
    if (map.shown(chosen)) return chosen;
    return this.best((x, y) => (x - map.canvas.width / 2) ** 2 + (y - map.canvas.height / 2) ** 2);
  }

  // The nearest task in one direction; a sideways offset counts double, so that a task straight ahead is preferred.
  /** @param {number} from @param {number} right @param {number} down */
  towards(from, right, down) {
    const { screen } = this.map;
    const [x0, y0] = [screen[2 * from], screen[2 * from + 1]];
    return this.best((x, y) => {
      const along = (x - x0) * right + (y - y0) * down;
      const across = Math.abs((x - x0) * down) + Math.abs((y - y0) * right);
      return along > 0.5 ? along * along + 4 * across * across : Infinity;
    }, from);
  }

  /** @param {(x: number, y: number) => number} cost @param {number} [without] */
  best(cost, without = -1) {
    const { screen, n } = this.map;
    let [least, at] = [Infinity, -1];
    for (let i = 0; i < n; i++) {
      if (i === without || !this.map.shown(i)) continue;
      const d = cost(screen[2 * i], screen[2 * i + 1]);
      if (d < least) [least, at] = [d, i];
    }
    return at;
  }
}
