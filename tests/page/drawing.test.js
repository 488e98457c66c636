// A family's own picture: to scale, in the middle, and its network's path over it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { pictureWords } from "../../taskembed_edu/live/page/card.js";
import { drawingAxes } from "../../taskembed_edu/live/page/drawing.js";
import { decodeCard, decodeFit } from "../../taskembed_edu/live/page/packets.js";

test("one unit of x is drawn as long as one of y, in the middle", () => {
  const wide = drawingAxes({ x: [0, 1], y: [0, 1] }, 110, 60);
  assert.deepEqual([wide.x(0), wide.x(1), wide.y(0), wide.y(1)], [30, 80, 55, 5]);
  const flat = drawingAxes({ x: [-2, 2], y: [0, 1] }, 50, 60);
  assert.deepEqual([flat.x(0), flat.x(1), flat.y(0), flat.y(1)], [5, 45, 35, 25]);
});

const drawing = { lines: [{ tone: "ink", dashed: false, points: [[0, 1]] }], labels: [], spoken: "one dot" };
const card = { kind: "drawing", x: [0, 4], y: [0, 2], drawings: [null, drawing] };

test("a task's own drawing out of those of all tasks, and its words", () => {
  const data = decodeCard(card, 1);
  assert.deepEqual(data, { kind: "drawing", x: [0, 4], y: [0, 2], drawing });
  assert.equal(pictureWords(data), "one dot");
  assert.equal(pictureWords({ kind: "words", rows: [] }), "");
  assert.equal(pictureWords(null), "");
});

test("a path is places in shares of the axes", () => {
  const fit = { kind: "path", n: 4, points: Uint8Array.of(9, 9, 9, 9, 0, 255, 51, 102) };
  assert.deepEqual(decodeFit(fit, card, 1), { path: [[0, 1], [0.2, 0.4]] });
  assert.equal(decodeFit(fit, { kind: "images", n_images: 4 }, 1), null);
});
