// The loss over the start as numbers, and the arrows from a start.

import assert from "node:assert/strict";
import { test } from "node:test";

import { arrowAlpha, headOf, ringPlaces } from "../../taskembed_edu/live/page/start.js";
import { afterWords, lossWords } from "../../taskembed_edu/live/page/surface_hand.js";
import { bestOf, gridAfter, levelLines, lineAt, marksOf, rangeOfLosses, settled, shareOf, lossAt } from "../../taskembed_edu/live/page/surface_numbers.js";

const near = (got, wanted, off = 1e-6) => assert.ok(Math.abs(got - wanted) <= off, `${got}, expected ${wanted}`);
const ends = { x: [-1, 2], y: [-2, 4] };

// A grid whose losses are a function of the place.
function grid(n, loss, high = 100) {
  const at = (k, [low, top]) => low + ((top - low) * k) / (n - 1);
  const losses = Float32Array.from({ length: n * n }, (_, k) => loss(at(k % n, ends.x), at(Math.floor(k / n), ends.y)));
  return { n, losses, ...ends, high, scale: [0, high] };
}

test("the levels of a packet are losses, and the last level is off the scale", () => {
  const levels = Uint16Array.from([0, 65534, 32767, 65535, 1, 2, 3, 4]);
  const packet = { n: 2, steps: [0, 3], losses: levels, high: 10, scale: [0, 10], ...ends };
  const { losses } = gridAfter(packet, 0);
  assert.deepEqual([losses[0], losses[1], losses[3]], [0, 10, Infinity]);
  near(losses[2], 5);
  near(gridAfter(packet, 3).losses[0], 10 / 65534);
});

test("a loss between the points of the grid is exact on a plane, and at the edge that of the edge", () => {
  const flat = grid(5, (x, y) => 3 + x + 2 * y + 10);
  for (const [x, y] of [[0.3, 1.1], [-1, -2], [2, 4], [1.99, -1.7]]) near(lossAt(flat, [x, y]), 13 + x + 2 * y, 1e-4);
  near(lossAt(flat, [9, -9]), 13 + 2 - 4, 1e-4);
});

test("a corner that is lost spoils the cell, but not its other sides", () => {
  const torn = grid(3, (x, y) => (x === 2 && y === 4 ? Infinity : 1));
  assert.equal(lossAt(torn, [1.5, 3]), Infinity);
  assert.equal(lossAt(torn, [0.5, 1]), 1);
  assert.equal(lossAt(torn, [2, 1]), 1);
});

test("the best start is where the loss is least", () => {
  const { start, loss } = bestOf(grid(13, (x, y) => (x - 0.5) ** 2 + (y - 2) ** 2));
  near(start[0], 0.5);
  near(start[1], 2);
  near(loss, 0);
});

test("the scale is even in the root of the loss, and ends at its ends", () => {
  near(shareOf(4, [1, 9]), 0.5);
  assert.deepEqual([shareOf(0, [1, 9]), shareOf(1e9, [1, 9]), shareOf(Infinity, [1, 9])], [0, 1, 1]);
});

test("between any two losses there are some lines, but not too many, and every second one is strong", () => {
  for (const [low, high] of [[0, 30], [1.4, 17], [0.001, 0.02], [4, 4.4]]) {
    const lines = levelLines(low, high);
    assert.ok(lines.length >= 4 && lines.length <= 18, `${low} to ${high}: ${lines.length}`);
    assert.ok(lines.every(({ loss }) => loss >= low && loss <= high));
    assert.ok(lines.every(({ strong }, k) => k === 0 || strong !== lines[k - 1].strong));
  }
});

test("a line of one height goes where the loss is that high", () => {
  const round = grid(41, (x, y) => (x - 0.5) ** 2 + ((y - 1) / 2) ** 2);
  const pieces = lineAt(round, 1);
  assert.ok(pieces.length > 20);
  for (const [ax, ay, bx, by] of pieces) {
    for (const [cx, cy] of [[ax, ay], [bx, by]]) near(lossAt(round, [-1 + (3 * cx) / 40, -2 + (6 * cy) / 40]), 1, 1e-3);
  }
});

test("a saddle is cut into two pieces", () => {
  const losses = Float32Array.from([0, 1, 1, 0]); // below left, below right, above left, above right
  assert.equal(lineAt({ n: 2, losses, ...ends, high: 1, scale: [0, 1] }, 0.5).length, 2);
});

test("what is off the scale does not count for its range", () => {
  assert.deepEqual(rangeOfLosses({ n: 2, losses: Float32Array.from([2, Infinity, 5, 3]), ...ends, high: 9, scale: [0, 9] }), [2, 5]);
});

test("a phase has parts of pi, an amplitude round numbers", () => {
  assert.deepEqual(marksOf("phase", [-Math.PI, 2 * Math.PI]).map(({ text }) => text), ["−π", "−π/2", "0", "π/2", "π", "3π/2", "2π"]);
  assert.deepEqual(marksOf("amplitude", [-6, 6]).map(({ text }) => text), ["−6", "−4", "−2", "0", "2", "4", "6"]);
});

test("a start by hand stands on the settings' steps, inside, and is never what means at random", () => {
  const surface = { x: [-Math.PI, 2 * Math.PI], y: [-6, 6] };
  assert.deepEqual(settled([1.234, -7], surface), [1.25, -6]);
  assert.deepEqual(settled([-9, 0.02], surface), [-3.1, 0]);
  assert.deepEqual(settled([0.01, -0.01], surface), [0, 0.05]);
});

test("words for losses and steps", () => {
  assert.equal(lossWords(Infinity, 34.9), "above 34.90");
  assert.equal(lossWords(1.234, 34.9), "1.23");
  assert.deepEqual([0, 1, 5].map(afterWords), ["before any inner loop", "after 1 inner step", "after 5 inner steps"]);
});

test("many arrows are lighter than few, and each has a head unless it is shorter than one", () => {
  assert.ok(arrowAlpha(10) === arrowAlpha(60) && arrowAlpha(60) > arrowAlpha(200) && arrowAlpha(5000) > 0.1);
  assert.deepEqual(headOf(0, 0, 10, 0, 4), [[6, 2], [6, -2]]);
  assert.equal(headOf(0, 0, 3, 0, 4), null);
  assert.equal(headOf(1, 1, 1, 1, 4), null);
});

test("the places of a name go round its point, nearest first, and none covers the point", () => {
  const boxes = ringPlaces(100, 50, 40, 12, 10);
  assert.deepEqual(boxes[0], [110, 44, 150, 56]);
  assert.deepEqual(boxes[8], [120, 44, 160, 56]);
  for (const [left, top, right, bottom] of boxes) {
    near(right - left, 40);
    near(bottom - top, 12);
    assert.ok(left >= 100 || right <= 100 || top >= 50 || bottom <= 50);
  }
});
