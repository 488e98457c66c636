// The arithmetic of the bench: curves between two steps, axes, labels, points.

import assert from "node:assert/strict";
import { test } from "node:test";

import { roundTicks } from "../../taskembed_edu/live/page/axis_ticks.js";
import {
  curveAt,
  decadesOf,
  onPlane,
  samePoints,
  spread,
  stepTime,
  valueAt,
  widestGap,
} from "../../taskembed_edu/live/page/bench_numbers.js";

const LEVELS = Uint16Array.from([0, 65535, 65535, 0, 0, 0]); // two places, after 0, 1 and 2 steps

test("a curve between two steps lies between their curves, and at a step it is that step's", () => {
  assert.deepEqual(Array.from(curveAt(LEVELS, 2, 0, [-1, 1], -1)), [-1, 1]);
  assert.deepEqual(Array.from(curveAt(LEVELS, 2, 0.5, [-1, 1], -1)), [0, 0]);
  assert.deepEqual(Array.from(curveAt(LEVELS, 2, 1, [-1, 1], -1)), [1, -1]);
});

test("where a network is lost there is no curve, nor on the way there", () => {
  assert.equal(curveAt(LEVELS, 2, 2, [-1, 1], 2), null);
  assert.equal(curveAt(LEVELS, 2, 1.1, [-1, 1], 2), null);
  assert.notEqual(curveAt(LEVELS, 2, 1, [-1, 1], 2), null);
});

test("a marker moves along the line of a logarithmic axis", () => {
  assert.equal(valueAt([100, 1], 0), 100);
  assert.ok(Math.abs(valueAt([100, 1], 0.5) - 10) < 1e-9);
  assert.equal(valueAt([0, 2], 0.5), 1);
  assert.ok(Number.isNaN(valueAt([1, NaN], 0.5)));
});

test("an axis of losses holds all that are finite, and at least a decade", () => {
  const [low, high] = decadesOf([0.5, 3, NaN, Infinity, 0]);
  assert.ok(low <= 0.5 && high >= 3 && high / low >= 10);
  const [least, most] = decadesOf([1e-9, 20]);
  assert.ok(least > 5e-5 && least < 1e-4 && most > 20, "what is as good as no loss does not stretch the axis");
  assert.deepEqual(decadesOf([]), [0.1, 1]);
});

test("ticks are round numbers between the ends", () => {
  assert.deepEqual(roundTicks([-5, 5], 6), [-4, -2, 0, 2, 4]);
});

test("labels stand apart, inside, and in the order of their lines", () => {
  const places = spread([50, 52, 10, 300], 20, [0, 100]);
  const sorted = [...places].sort((one, other) => one - other);
  assert.ok(sorted.every((y, k) => y >= 0 && y <= 100 && (!k || y - sorted[k - 1] >= 20 - 1e-9)), `${places}`);
  assert.ok(places[2] < places[0] && places[0] < places[1] && places[1] < places[3]);
  assert.deepEqual(spread([30], 20, [0, 100]), [30]);
});

test("a point stays on the plane; one without a pointer stands in the widest gap", () => {
  assert.deepEqual(onPlane([1.23456, -99], [-5, 5], [-7, 7]), [1.23, -7]);
  assert.equal(widestGap([[-4, 0], [4, 0]], [-5, 5]), 0);
  assert.equal(widestGap([], [-5, 5]), 0);
});

test("points are the same up to what 32 bits keep of them", () => {
  assert.ok(samePoints([[0.1, 0.2]], [[Math.fround(0.1), Math.fround(0.2)]]));
  assert.ok(!samePoints([[0.1, 0.2]], [[0.11, 0.2]]));
  assert.ok(!samePoints([[0.1, 0.2]], []));
});

test("few steps are slow, and a hundred of them take no longer than twelve seconds", () => {
  assert.equal(stepTime(10), 900);
  assert.ok(100 * stepTime(100) <= 12000);
});
