// A handle: a point that mouse, finger or arrow keys move.

import { change, svg } from "./dom.js";

// Shapes that differ without colour: circle, square, triangle, diamond, triangle down, plus, cross, pentagon.
export const SHAPES = [
  "M-9,0a9,9 0 1,0 18,0a9,9 0 1,0 -18,0",
  "M-8,-8h16v16h-16z",
  "M0,-10.5L10,8H-10z",
  "M0,-11L11,0L0,11L-11,0z",
  "M0,10.5L10,-8H-10z",
  "M-4,-10h8v6h6v8h-6v6h-8v-6h-6v-8h6z",
  "M0,-5L6,-11L11,-6L5,0L11,6L6,11L0,5L-6,11L-11,6L-5,0L-11,-6L-6,-11z",
  "M0,-10.5L10,-3.2L6.2,8.5H-6.2L-10,-3.2z",
];

/** @type {Record<string, Lab.Pair>} */
const ARROW_KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** `at` returns the handle's place in the drawing; `moveTo` (to a place) and `nudge` (right, up) move it. With
 * `joinKeys` all arrow keys during one focus are one undo step, else each press is one. @type {Lab.MakeHandle} */
export function makeHandle(page, { kind, shape, at, moveTo, nudge, joinKeys, ...attributes }, ...children) {
  /** @type {Lab.Pair | null} */ let grip = null; // offset from the pointer to the handle, so that it does not jump
  let gesture = "";
  const rings = [svg("circle", { class: "te-reach", r: 24 }), svg("circle", { class: "te-halo", r: 17 })];
  const drawn = [...rings, svg("path", { class: "te-shape", d: shape }), ...children];
  const node = svg("g", { class: `te-handle ${kind}`, tabindex: 0, ...attributes }, ...drawn);
  const pointer = (/** @type {MouseEvent} */ { clientX, clientY }) =>
    new DOMPoint(clientX, clientY).matrixTransform(node.ownerSVGElement?.getScreenCTM()?.inverse());
  // A finger on a handle drags it, elsewhere it scrolls the page. (CSS touch-action has no effect on parts of an SVG.)
  node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  return change(node, {
    onpointerdown(event) {
      if (event.button !== 0) return;
      const [{ x, y }, [left, top]] = [pointer(event), at()];
      grip = [left - x, top - y];
      node.setPointerCapture(event.pointerId);
      node.focus({ preventScroll: true });
      gesture = page.newGesture();
      node.classList.add("te-held");
      page.hold(true);
      event.preventDefault();
    },
    onpointermove(event) {
      if (!grip) return;
      const { x, y } = pointer(event);
      moveTo([x + grip[0], y + grip[1]], event.shiftKey, gesture);
    },
    onlostpointercapture() {
      grip = null;
      gesture = "";
      node.classList.remove("te-held");
      page.hold(false);
    },
    onfocus: () => (gesture = ""),
    onkeydown(event) {
      const way = ARROW_KEYS[event.key];
      if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
      if (!gesture || !(event.repeat || joinKeys)) gesture = page.newGesture(); // a key held down is one undo step
      nudge(way, event.shiftKey, gesture);
      event.preventDefault();
    },
  });
}
