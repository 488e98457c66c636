// A point to move, by mouse, finger or arrow keys.

import { change, svg } from "./dom.js";

/** @type {Record<string, Lab.Pair>} */
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** `at` says where the handle is in the drawing; `moveTo` (a place in the drawing) and `nudge` (right, up) move it.
 * With `joinKeys` all arrow keys while it keeps the focus are one step of undo, without it each press is one. */
/** @type {(page: Lab.AnyPage, spec: Lab.Handle, ...children: Node[]) => SVGGElement} */
export function makeHandle(page, { kind, shape, fill, at, moveTo, nudge, joinKeys, ...attributes }, ...children) {
  /** @type {Lab.Pair | null} */
  let grip = null; // from the pointer to the middle of the handle, so that it does not jump
  let gesture = "";
  const node = svg(
    "g",
    { class: `te-handle ${kind}`, tabindex: 0, ...attributes },
    svg("circle", { class: "te-reach", r: 24 }),
    svg("circle", { class: "te-halo", r: 17 }),
    svg("path", { class: "te-shape", d: shape, fill }),
    ...children,
  );
  /** @type {(event: MouseEvent) => Lab.Pair} */
  const pointer = (event) => {
    const place = new DOMPoint(event.clientX, event.clientY);
    const { x, y } = place.matrixTransform(node.ownerSVGElement?.getScreenCTM()?.inverse());
    return [x, y];
  };
  // A finger on a handle drags it, elsewhere it scrolls the page. (Parts of an SVG do not obey CSS touch-action.)
  node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  return change(node, {
    onpointerdown(event) {
      if (event.button !== 0) return;
      const [px, py] = pointer(event);
      const [x, y] = at();
      grip = [x - px, y - py];
      node.setPointerCapture(event.pointerId);
      node.focus({ preventScroll: true });
      gesture = page.newGesture();
      node.classList.add("te-held");
      page.hold(true);
      event.preventDefault();
    },
    onpointermove(event) {
      if (!grip) return;
      const [px, py] = pointer(event);
      moveTo([px + grip[0], py + grip[1]], event.shiftKey, gesture);
    },
    onlostpointercapture() {
      grip = null;
      gesture = "";
      node.classList.remove("te-held");
      page.hold(false);
    },
    onfocus: () => (gesture = ""),
    onkeydown(event) {
      const way = WAYS[event.key];
      if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
      if (!gesture || !(event.repeat || joinKeys)) gesture = page.newGesture(); // a key held down is one step of undo
      nudge(way, event.shiftKey, gesture);
      event.preventDefault();
    },
  });
}
