// The point labs' frame: steps, texts that keep apart, the grid, and what waits for Python.

import assert from "node:assert/strict";
import { test } from "node:test";

import { insideLabel, labelBox, placeLabel, spreadLabels } from "../../taskembed_edu/labs/page/labels.js";
import { enqueued, messageQueue } from "../../taskembed_edu/labs/page/message_queue.js";
import { clamp, ease, roundStep, snapped, tidy } from "../../taskembed_edu/labs/page/numbers.js";
import { toPixel, toPlace } from "../../taskembed_edu/labs/page/plane.js";

// ---- numbers ----

test("a step is the smallest round one that is large enough", () => {
  const cases = { 1: 1, 1.01: 2, 2.1: 5, 5.5: 10, 0.03: 0.05, 0.1: 0.1, 36: 50, 700: 1000 };
  for (const [least, step] of Object.entries(cases)) {
    assert.ok(Math.abs(roundStep(Number(least)) / step - 1) < 1e-9, least);
  }
  assert.ok(Math.abs(roundStep(0.1 + 0.2 - 0.1) / 0.2 - 1) < 1e-9); // a hair above 0.2 by rounding
});

test("a number snaps to its grain without dust, and never to minus zero", () => {
  assert.equal(snapped(0.29, 0.1), 0.3);
  assert.equal(snapped(1.234, 0.05), 1.25);
  assert.ok(Object.is(snapped(-0.001, 0.01), 0));
});

test("numbers for people", () => {
  assert.deepEqual([tidy(1.5), tidy(-2), tidy(-0.001), tidy(0.12345, 4)], ["1.5", "−2", "0", "0.1235"]);
  assert.deepEqual([clamp(3, 0, 2), clamp(-1, 0, 2), clamp(1, 0, 2)], [2, 0, 1]);
  assert.deepEqual([ease(0), ease(0.5), ease(1)], [0, 0.5, 1]);
});

test("a place of the plane and its pixel are one another's inverse", () => {
  const view = { x: 1, y: -2, scale: 40, width: 400, height: 300, unit: 1 };
  assert.deepEqual(toPixel(view, [1, -2]), [200, 150]);
  assert.deepEqual(toPixel(view, [2, -1]), [240, 110]); // up is less
  assert.deepEqual(toPlace(view, toPixel(view, [3.5, 0.25])), [3.5, 0.25]);
});

// ---- labels ----

const SIZE = { width: 200, height: 100, unit: 1 };
const covers = (a, b) => a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3];

test("a label is moved into the drawing, and one that is too wide begins at its left edge", () => {
  const right = insideLabel({ words: "words", x: 198, y: 50 }, SIZE);
  assert.ok(labelBox(right, 1)[2] <= 194);
  assert.equal(labelBox(insideLabel({ words: "words", x: 1, y: 50, anchor: "end" }, SIZE), 1)[0], 6);
  assert.equal(labelBox(insideLabel({ words: "w".repeat(60), x: 100, y: 50 }, SIZE), 1)[0], 6);
  const levels = [-9, 50, 400].map((y) => insideLabel({ words: "a", x: 50, y }, SIZE));
  assert.deepEqual(levels.map(({ x, y }) => [x, y]), [[50, 16], [50, 50], [50, 92]]);
});

test("a label takes the first free place, or the first where none is free", () => {
  const taken = [[0, 0, 60, 60]];
  const placed = placeLabel({ words: "abc", x: 0, y: 0 }, [[30, 30], [120, 40]], taken, 1);
  assert.deepEqual([placed.x, placed.y, taken.length], [120, 40, 2]);
  assert.equal(placeLabel({ words: "abc", x: 0, y: 0 }, [[30, 30]], taken, 1).x, 30);
});

test("labels on one place are spread until none covers another or a handle", () => {
  const handle = [40, 40, 60, 60];
  const labels = ["first", "other"].map((words) => ({ words, x: 50, y: 50 }));
  const boxes = spreadLabels(labels, [handle], SIZE).map((label) => labelBox(label, 1));
  for (const box of boxes) assert.ok(box[1] > 0 && box[3] < SIZE.height);
  for (const [k, box] of boxes.entries()) {
    for (const other of [handle, ...boxes.slice(0, k)]) assert.ok(!covers(box, other), `${box} on ${other}`);
  }
});

// ---- the message queue ----

test("of one gesture only the latest message waits; others keep their order", () => {
  const drag = (to, gesture = "drag-1") => ({ do: "move", to, gesture });
  let waiting = enqueued([], drag(1));
  waiting = enqueued(enqueued(waiting, drag(2)), { do: "undo" });
  waiting = enqueued(enqueued(waiting, { do: "undo" }), drag(3));
  assert.deepEqual(waiting.map((message) => message.to ?? message.do), [2, "undo", "undo", 3]);
  assert.equal(enqueued([drag(1)], drag(2, "drag-2")).length, 2);
  assert.equal(enqueued([drag(1)], { do: "set", gesture: "drag-1" }).length, 2);
});

test("one message is under way at a time, and answers to other pages count for nothing", () => {
  const sent = [];
  const said = [];
  let hear = () => {};
  const model = {
    on: (_event, listener) => (hear = listener),
    off: () => said.push("off"),
    send: (message) => sent.push(message),
  };
  const queue = messageQueue(model, (waits) => said.push(waits), () => said.push("quiet"));
  for (const to of [1, 2, 3]) queue.send({ do: "move", to, gesture: "drag" });
  assert.deepEqual(sent.map(({ to, number }) => [to, number]), [[1, 1]]);
  hear({ page: "another", heard: 1 });
  hear({ page: queue.page, heard: 9 });
  assert.equal(sent.length, 1);
  hear({ page: queue.page, heard: 1 });
  assert.deepEqual(sent.map(({ to }) => to), [1, 3]);
  assert.ok(!queue.isQuiet());
  hear({ page: queue.page, heard: 2 });
  hear({ page: queue.page, heard: 2 }); // said twice, meant once
  assert.ok(queue.isQuiet());
  queue.close();
  assert.deepEqual(said, [false, false, "quiet", "off"]);
});
