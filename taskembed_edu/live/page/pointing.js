// Hands on the map: pointer, wheel, pinch and keys. They set the shared values; the map draws what those say.

const REACH = 16; // how near, in CSS pixels, the pointer must come to a point
const CLICK = 4; // a press that moves less is a click
const PASSING_MS = 250;

export class Pointing {
  constructor(map) {
    this.map = map;
    this.here = null; // "pointer" or "keys" while this map is the one that is pointed at
    this.pointers = new Map();
    this.passed = -Infinity;
    const on = (name, callback, options) => map.canvas.addEventListener(name, callback, options);
    on("pointermove", (event) => this.move(event));
    on("pointerdown", (event) => this.down(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.up(event, true));
    on("pointerleave", () => this.here === "pointer" && this.point(-1, null));
    on("blur", () => this.here === "keys" && this.point(-1, null));
    on("wheel", (event) => this.wheel(event), { passive: false });
    on("keydown", (event) => this.key(event));
    this.outside = (event) => {
      if (event.target !== map.canvas) this.passed = event.timeStamp;
    };
    window.addEventListener("wheel", this.outside, { capture: true, passive: true });
  }

  remove() {
    window.removeEventListener("wheel", this.outside, { capture: true });
  }

  point(i, here) {
    const { state, details } = this.map;
    this.here = here;
    if (state.get("hover") === i) details.hover();
    else state.set("hover", i);
  }

  // ---- pointer ----

  place(event) {
    const box = this.map.canvas.getBoundingClientRect();
    const ratio = this.map.canvas.width / box.width;
    return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
  }

  nearest(x, y) {
    const { screen, n, ratio } = this.map;
    let [best, at] = [(REACH * ratio) ** 2, -1];
    for (let i = 0; i < n; i++) {
      if (!this.map.shown(i)) continue;
      const d = (screen[2 * i] - x) ** 2 + (screen[2 * i + 1] - y) ** 2;
      if (d < best) [best, at] = [d, i];
    }
    return at;
  }

  down(event) {
    if (event.button) return;
    const { canvas, lasso } = this.map;
    const [x, y] = this.place(event);
    canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x, y, fromX: x, fromY: y, dragged: false });
    if (this.pointers.size > 1) lasso.drop();
    else if (lasso.wants(event)) lasso.begin(x, y, event.ctrlKey || event.metaKey);
  }

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

  drag(held, x, y) {
    if (this.map.state.get("hover") >= 0) this.point(-1, null);
    this.map.canvas.classList.add("te-dragging");
    this.map.pan(x - held.x, y - held.y);
  }

  // Two fingers: the distance between them zooms, round the finger that rests.
  pinch(id, x, y) {
    const other = [...this.pointers].find(([key]) => key !== id)[1];
    const held = this.pointers.get(id);
    held.dragged = other.dragged = true;
    const [before, after] = [Math.hypot(held.x - other.x, held.y - other.y), Math.hypot(x - other.x, y - other.y)];
    if (before > 1 && after > 1) this.map.zoom(after / before, other.x, other.y);
  }

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

  choose(i) {
    const { state } = this.map;
    state.set("chosen", i === state.get("chosen") ? -1 : i);
  }

  // The wheel zooms with Ctrl or Cmd, or after a click into the map. Who only reads on scrolls the page, and a page
  // that is being scrolled past the map goes on scrolling.
  wheel(event) {
    const meant = event.ctrlKey || event.metaKey;
    if (!meant && !this.map.canvas.matches(":focus")) return;
    if (event.timeStamp - this.passed < PASSING_MS && !meant) {
      this.passed = event.timeStamp;
      return;
    }
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.002; // a pinch on a touchpad comes as a fine wheel with Ctrl
    this.map.zoom(Math.exp(-event.deltaY * lines * speed), ...this.place(event));
  }

  // ---- keys ----

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const act = arrow ? () => this.arrow(arrow, event.shiftKey) : this.keys()[event.key];
    if (!act || act() === false) return;
    event.preventDefault();
    event.stopPropagation(); // space would also press Play
  }

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

  // Let go of one thing at a time: a lasso under way, the chosen task, the selection, the task looked at.
  escape() {
    const { state, lasso } = this.map;
    if (lasso.drawing) return lasso.drop();
    if (state.get("chosen") >= 0) return state.set("chosen", -1);
    if (state.get("selected")?.length) return state.set("selected", []);
    if (lasso.mode) return lasso.setMode(false);
    return state.get("hover") >= 0 && this.point(-1, null);
  }

  arrow([right, down], shift) {
    const { map } = this;
    if (shift) return map.pan(-80 * right * map.ratio, -80 * down * map.ratio, true);
    const from = map.state.get("hover");
    const i = from < 0 ? this.middle() : this.towards(from, right, down);
    if (i >= 0) this.visit(i);
  }

  visit(i) {
    this.map.reveal(i);
    this.point(i, "keys");
  }

  // The next task that is shown, in the order of the tasks: so that every one of them is reached.
  step(from, by) {
    for (let i = from + by; i >= 0 && i < this.map.n; i += by) if (this.map.shown(i)) return this.visit(i);
  }

  // Where a walk begins: at the task that was chosen, else in the middle of what is seen.
  middle() {
    const { map } = this;
    const chosen = map.painter.chosen();
    if (map.shown(chosen)) return chosen;
    return this.best((x, y) => (x - map.canvas.width / 2) ** 2 + (y - map.canvas.height / 2) ** 2);
  }

  // The nearest task in one direction: what lies askew counts as farther away.
  towards(from, right, down) {
    const { screen } = this.map;
    const [x0, y0] = [screen[2 * from], screen[2 * from + 1]];
    return this.best((x, y) => {
      const along = (x - x0) * right + (y - y0) * down;
      const askew = Math.abs((x - x0) * down) + Math.abs((y - y0) * right);
      return along > 0.5 ? along * along + 4 * askew * askew : Infinity;
    }, from);
  }

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
