// The paper: what mouse, pen and finger draw on. A stroke is drawn at once, and sent to Python when it is finished.

import { bytesOfText, inkPen, putInk } from "./drawing_ink.js";
import { change, html } from "./dom.js";
import { clamp } from "./numbers.js";

const NEAREST_POINTS = 0.004; // of the paper's side: a hand does not draw finer
const MOST_STROKE_POINTS = 1900; // Python takes some more

/** Adds a point to a stroke, unless it lies on the last one. @type {(stroke: Lab.Pair[], point: Lab.Pair) => void} */
export function extendStroke(stroke, [x, y]) {
  const last = stroke.at(-1);
  if (stroke.length >= MOST_STROKE_POINTS) return;
  if (!last || Math.hypot(x - last[0], y - last[1]) >= NEAREST_POINTS) stroke.push([x, y]);
}

/** @type {(pen: CanvasRenderingContext2D, stroke: number[][], side: number) => void} */
function paintStroke(pen, stroke, side) {
  pen.beginPath();
  stroke.forEach(([x, y], k) => pen[k ? "lineTo" : "moveTo"](x * side, y * side));
  if (stroke.length === 1) pen.lineTo(stroke[0][0] * side, stroke[0][1] * side); // a dot: the line's round ends
  pen.stroke();
}

/** Returns what shows the state, and what paints it. @type {Lab.MakePaper} */
export function drawingPaper(page) {
  const [paper, frame, invite] = ["paper", "frame", "invite"].map((name) => page.part(name));
  const shown = html("canvas", { width: 28, height: 28 }); // a picture that was opened or chosen
  /** @type {Map<number, Lab.Pair[]>} */ const held = new Map(); // strokes that are being drawn, by pointer
  /** @type {number[][][]} */ let sent = []; // strokes that Python has not acknowledged
  const placeOf = (/** @type {PointerEvent} */ { clientX, clientY }) => {
    const box = paper.getBoundingClientRect();
    const [x, y] = [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
    return /** @type {Lab.Pair} */ ([x, y].map((v) => Number(clamp(v, 0, 1).toFixed(4))));
  };
  change(paper, {
    onpointerdown(/** @type {PointerEvent} */ event) {
      if (event.button !== 0) return;
      paper.setPointerCapture(event.pointerId);
      page.root.focus({ preventScroll: true });
      held.set(event.pointerId, [placeOf(event)]);
      page.hold(true);
      event.preventDefault();
    },
    onpointermove(/** @type {PointerEvent} */ event) {
      const stroke = held.get(event.pointerId);
      if (!stroke) return;
      const moves = event.getCoalescedEvents?.() ?? [];
      for (const move of moves.length ? moves : [event]) extendStroke(stroke, placeOf(move));
      page.redraw();
    },
    onpointerup: (/** @type {PointerEvent} */ event) => finish(event.pointerId, true),
    onpointercancel: (/** @type {PointerEvent} */ event) => finish(event.pointerId, false),
  });

  /** @param {number} id @param {boolean} meant */
  function finish(id, meant) {
    const stroke = held.get(id);
    if (!stroke) return;
    held.delete(id);
    if (meant) {
      sent.push(stroke);
      page.ask("stroke", { points: stroke });
    }
    page.hold(held.size > 0);
  }

  function show() {
    if (page.queue.isQuiet()) sent = [];
    const { now } = page;
    const opened = Boolean(now.pixels) && !now.strokes.length;
    const words = `The pad: ${now.said}`;
    change(paper, { "aria-label": words, "data-strokes": now.strokes.length });
    putInk(shown, bytesOfText(opened ? now.pixels : ""));
    invite.hidden = opened || now.strokes.length + sent.length + held.size > 0;
  }

  function draw() {
    const side = frame.clientWidth;
    const pixels = Math.round(side * (window.devicePixelRatio || 1));
    if (paper.width !== pixels) [paper.width, paper.height] = [pixels, pixels];
    const pen = inkPen(paper);
    pen.clearRect(0, 0, pixels, pixels);
    const drawn = [...sent, ...held.values()];
    if (!drawn.length) pen.drawImage(shown, 0, 0, pixels, pixels);
    pen.lineWidth = (page.settings.pen / 28) * pixels;
    pen.lineCap = pen.lineJoin = "round";
    for (const stroke of [...page.now.strokes, ...drawn]) paintStroke(pen, stroke, pixels);
    invite.hidden ||= drawn.length > 0;
  }

  return { show, draw, frame };
}
