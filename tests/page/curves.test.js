// Rows, ranges, pieces of a line, and marks along the time.

import assert from "node:assert/strict";
import { test } from "node:test";

import { curvesOf, leftOutOnAWall, piecesOf, rangeOf, rowAfter, ticksOf } from "../../taskembed_edu/live/page/curves.js";
import { Rows } from "../../taskembed_edu/live/page/rows.js";
import { grouped } from "../../taskembed_edu/live/page/timeline.js";

const packet = (first, ...rows) => ({ first, columns: ["step", "loss"], values: Float32Array.from(rows.flat()) });

function rowsOf(...rows) {
  const made = new Rows();
  made.take(packet(0, ...rows));
  return made;
}

// ---- panels ----

test("a wall has room for three panels, and the scores are one of them", () => {
  const loss = { named: true, unit: false, pairs: false };
  const distance = { named: false, unit: false, pairs: false };
  const scores = { named: false, unit: true, pairs: false };
  const active = { named: false, unit: true, pairs: true };
  const own = { ...distance };
  assert.deepEqual(leftOutOnAWall([loss, distance, scores]), new Set());
  const out = (...panels) => [...leftOutOnAWall(panels)];
  assert.ok(out(loss, distance, scores, active).every((panel) => panel === active));
  assert.equal(out(loss, distance, scores, active).length, 1);
  const two = out(loss, distance, scores, own, active);
  assert.equal(two.length, 2);
  assert.ok(two.includes(active) && two.some((panel) => panel === own));
});

// ---- rows ----

test("rows grow, and what was sent again replaces what was there", () => {
  const rows = rowsOf([0, 4], [10, 3]);
  assert.equal(rows.take(packet(1, [10, 2], [20, 1])), true);
  assert.deepEqual([rows.count, rows.at(1, "loss"), rows.at(2, "loss"), rows.lastStep()], [3, 2, 1, 20]);
});

test("rows that begin after a gap are not taken", () => {
  const rows = rowsOf([0, 4]);
  assert.equal(rows.take(packet(2, [20, 1])), false);
  assert.equal(rows.count, 1);
});

test("a run that begins anew is shorter than before", () => {
  const rows = rowsOf([0, 4], [10, 3], [20, 2]);
  rows.take(packet(0, [0, 9]));
  assert.deepEqual([rows.count, rows.lastStep()], [1, 0]);
});

test("a column is known once it has a number", () => {
  const rows = rowsOf([0, NaN]);
  assert.equal(rows.known.has("loss"), false);
  rows.take(packet(1, [10, 0.5]));
  assert.equal(rows.known.has("loss"), true);
  rows.take(packet(0, [0, NaN]));
  assert.equal(rows.known.has("loss"), false);
});

test("what is not there is no number", () => {
  const rows = rowsOf([0, 4]);
  for (const [row, key] of [[-1, "loss"], [1, "loss"], [0, "purity"]]) assert.ok(Number.isNaN(rows.at(row, key)));
  assert.equal(new Rows().lastStep(), 0);
});

test("the row at a step is the last one that is not after it", () => {
  const rows = rowsOf([0, 1], [10, 1], [25, 1]);
  assert.deepEqual([-1, 0, 9, 10, 24.9, 25, 99].map((step) => rows.rowAt(step)), [-1, 0, 0, 1, 1, 2, 2]);
  assert.equal(new Rows().rowAt(5), -1);
});

test("rows that were put away are none", () => {
  const rows = rowsOf([0, 1]);
  rows.clear();
  assert.deepEqual([rows.count, rows.known.size], [0, 0]);
});

// ---- ranges ----

test("a curve without an end begins at 0, with a little air above", () => {
  assert.deepEqual(rangeOf([rowsOf([0, 2], [1, 100])], ["loss"], false), [0, 108]);
});

test("scores end at 1, and reach below 0 where one does", () => {
  assert.deepEqual(rangeOf([rowsOf([0, 0.3])], ["loss"], true), [0, 1]);
  assert.deepEqual(rangeOf([rowsOf([0, -0.25], [1, 0.5])], ["loss"], true), [-0.25, 1]);
});

test("no number, infinity or zeros only: 0 to 1", () => {
  for (const value of [NaN, Infinity, 0]) assert.deepEqual(rangeOf([rowsOf([0, value])], ["loss"], false), [0, 1]);
  assert.deepEqual(rangeOf([], ["loss"], false), [0, 1]);
});

test("the range is that of all runs", () => {
  assert.deepEqual(rangeOf([rowsOf([0, 25]), rowsOf([0, 50])], ["loss"], false), [0, 54]);
});

test("three lines: the middle one without its number, but zero with it where values lie below", () => {
  assert.deepEqual(ticksOf(0, 4), [{ value: 0, written: true }, { value: 2, written: false }, { value: 4, written: true }]);
  assert.deepEqual(ticksOf(-1, 1).map(({ value, written }) => [value, written]), [[-1, true], [0, true], [1, true]]);
});

// ---- lines ----

test("a line is one piece", () => {
  assert.deepEqual(piecesOf(rowsOf([0, 4], [10, 3], [20, 2]), "loss", []), [[0, 4, 10, 3, 20, 2]]);
});

test("what is no number is left out, and the line goes on past it", () => {
  assert.deepEqual(piecesOf(rowsOf([0, NaN], [10, 3], [20, Infinity], [30, 1]), "loss", []), [[10, 3, 30, 1]]);
  assert.deepEqual(piecesOf(new Rows(), "loss", [10]), []);
});

test("a line is broken where the unit changed, between two points and at a point", () => {
  const rows = rowsOf([0, 1], [10, 1], [20, 5], [30, 5]);
  assert.deepEqual(piecesOf(rows, "loss", [15]), [[0, 1, 10, 1], [20, 5, 30, 5]]);
  assert.deepEqual(piecesOf(rows, "loss", [20]), [[0, 1, 10, 1], [20, 5, 30, 5]]);
  assert.equal(piecesOf(rows, "loss", [11, 12, 13]).length, 2); // a slider on its way
  assert.equal(piecesOf(rows, "loss", [5, 25]).length, 3);
});

test("a change before the first point or after the last breaks nothing", () => {
  const rows = rowsOf([10, 1], [20, 1]);
  assert.equal(piecesOf(rows, "loss", [0]).length, 1);
  assert.equal(piecesOf(rows, "loss", [10]).length, 1);
  assert.equal(piecesOf(rows, "loss", [30]).length, 1);
});

test("a long run is thinned, and its last row is drawn", () => {
  const rows = rowsOf(...Array.from({ length: 5000 }, (_, k) => [k, 1]));
  const [piece] = piecesOf(rows, "loss", []);
  assert.equal(piece.length / 2, 1251); // every fourth of 5,000 rows, and the last
  assert.equal(piece.at(-2), 4999);
});

test("the row after: by the stride, then the last one, then none", () => {
  assert.deepEqual([0, 4, 8, 9].map((row) => rowAfter(row, 4, 10)), [4, 8, 9, 10]);
});

// ---- marks ----

const place = (share) => ({ share, step: Math.round(1000 * share), text: `at ${share}` });

test("marks that lie close are one, at the place of the first", () => {
  const groups = grouped([place(0.5), place(0.11), place(0.1)], 0.02);
  assert.deepEqual(groups.map(({ share, marks }) => [share, marks.map(({ step }) => step)]), [
    [0.1, [100, 110]],
    [0.5, [500]],
  ]);
});

test("a chain of marks does not become one: each is held against the first", () => {
  assert.equal(grouped([place(0.1), place(0.115), place(0.13)], 0.02).length, 2);
  assert.deepEqual(grouped([]), []);
});

// ---- what is drawn together ----

/** @param {object} more */
const declared = (more) => ({
  label: "One", help: "One.", panel: "Scores", unit: true, light: "#000", dark: "#fff", beside_map: false, breaks: false, pairs: false, ...more,
});

test("panels are drawn as they are declared, in order, and the first says which setting changed", () => {
  const scores = { loss: declared({ panel: "Loss", unit: false }), b: declared({}), a: declared({}), under: declared({ panel: null, beside_map: true }) };
  const curves = curvesOf({ panels: ["Loss", "Scores"], scores });
  assert.deepEqual(curves.map(({ title, keys, named, unit }) => [title, keys, named, unit]), [
    ["Loss", ["loss"], true, false],
    ["Scores", ["b", "a"], false, true],
  ]);
  assert.equal(curves[1].declared.a, scores.a);
});

test("a panel ends at 1, or needs pairs, where all that is in it does", () => {
  const of = (...members) => {
    const [{ unit, pairs }] = curvesOf({ panels: ["Scores"], scores: Object.fromEntries(members.map((each, k) => [`s${k}`, declared(each)])) });
    return [unit, pairs];
  };
  assert.deepEqual(of({ pairs: true }), [true, true]);
  assert.deepEqual(of({ pairs: true }, {}), [true, false]);
  assert.deepEqual(of({}, { unit: false }), [false, false]);
});

test("a page that has been told nothing has no curves", () => {
  assert.deepEqual(curvesOf(undefined), []);
});
