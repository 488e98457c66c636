// What a lasso holds, in numbers, against plain loops; the same tasks as CSV; and one run's picture as two maps.

import assert from "node:assert/strict";
import { test } from "node:test";

import { sidesOf } from "../../taskembed_edu/live/page/map_switch.js";
import { readingsOf } from "../../taskembed_edu/live/page/readings.js";
import { asCsv, commonest, distanceRows, meanDirection, meanOf, selectionTable, truthRows } from "../../taskembed_edu/live/page/selection_numbers.js";
import { Viewport } from "../../taskembed_edu/live/page/viewport.js";

const floats = (...values) => new Uint8Array(Float32Array.from(values).buffer);
const DEGREE = Math.PI / 180;
const NONE = new Uint8Array(0);

const TASKS = {
  n: 6,
  names: ["a", "b, c", 'd "e"', "f", "g", "h"],
  colours: [
    { name: "size", kind: "quantity", entries: [], groups: NONE, values: floats(1, 2, 3, 4, 5, 6), angle: false },
    { name: "turn", kind: "angle", entries: [], groups: NONE, values: floats(350 * DEGREE, 10 * DEGREE, 90 * DEGREE, 180 * DEGREE, 270 * DEGREE, 0), angle: true },
    { name: "branch", kind: "category", entries: ["Baltic", "Celtic", "Slavic", "Turkic", "Uralic"].map((label) => ({ label })), groups: Uint8Array.of(0, 1, 1, 2, 3, 4) },
  ],
};

test("the mean of some tasks is that of a plain loop", () => {
  for (let seed = 1; seed < 50; seed++) {
    const values = Array.from({ length: 20 }, (_, k) => ((seed * 7919 + k * 104729) % 997) / 100 - 4);
    const tasks = values.map((_, k) => k).filter((k) => (k * seed) % 3 === 0);
    let sum = 0;
    for (const k of tasks) sum += values[k];
    assert.ok(Math.abs(meanOf(values, tasks) - sum / tasks.length) < 1e-12);
  }
  assert.ok(Number.isNaN(meanOf([1, 2], [])));
});

test("angles on both sides of 0 have their mean at 0, and angles all round have none", () => {
  assert.ok(Math.abs(meanDirection([350 * DEGREE, 10 * DEGREE], [0, 1])) < 1e-6);
  assert.ok(Math.abs(meanDirection([80 * DEGREE, 100 * DEGREE], [0, 1]) - 90) < 1e-6);
  assert.ok(Math.abs(meanDirection([-80 * DEGREE, -100 * DEGREE], [0, 1], -180) + 90) < 1e-6);
  assert.ok(Math.abs(meanDirection([260 * DEGREE, 280 * DEGREE], [0, 1]) - 270) < 1e-6);
  assert.ok(Number.isNaN(meanDirection([0, Math.PI], [0, 1])));
  assert.ok(Number.isNaN(meanDirection([0, 90, 180, 270].map((v) => v * DEGREE), [0, 1, 2, 3])));
});

test("the commonest categories come first, of equals by the alphabet", () => {
  assert.deepEqual(commonest(["c", "b", "b", "a", "c", "d"], [0, 1, 2, 3, 4, 5]), [["b", 2], ["c", 2], ["a", 1], ["d", 1]]);
  assert.deepEqual(commonest(["c", "b", "b"], [0]), [["c", 1]]);
});

test("a category that every task has for itself is a name, and many categories are not one of others", () => {
  const own = { name: "language", kind: "category", entries: [{ label: "A" }, { label: "others" }], groups: Uint8Array.of(0, 1, 1) };
  const tasks = { n: 3, names: ["x", "y", "z"], colours: [{ ...own, labels: ["A", "B", "C"] }] };
  assert.deepEqual(truthRows(tasks, [0, 1]), []);
  assert.deepEqual(selectionTable(tasks, [2], [], 5), [["task", "name", "true language", "step"], [2, "z", "C", 5]]);
  assert.equal(truthRows({ ...tasks, colours: [{ ...own, labels: ["A", "B", "B"] }] }, [1, 2])[0].some, "B 2");
});

test("each true parameter is a row: a mean, a direction, or the commonest; beside all tasks", () => {
  assert.deepEqual(truthRows(TASKS, [0, 1]), [
    { label: "size, mean", some: "1.50", all: "3.50" },
    { label: "turn, mean direction", some: "0°", all: "0°" },
    { label: "branch, commonest", some: "Baltic 1, Celtic 1", all: "Celtic 2, Baltic 1, Slavic 1, 2 others" },
  ]);
  assert.equal(truthRows(TASKS, [3])[1].some, "180°");
  assert.equal(truthRows(TASKS, [2, 4])[1].some, "all directions");
  assert.deepEqual(truthRows({ ...TASKS, colours: [] }, [1]), []);
});

test("distances are those of this selection, a row a run, and nothing where no answer has come", () => {
  const told = { n: 2, apart: 0.25, apart_all: 1.5, truth: 3, truth_all: null };
  assert.deepEqual(distanceRows([{ name: "", told }], 2), [
    { label: "distance in the embedding, mean", some: "0.25", all: "1.50" },
    { label: "true distance, mean", some: "3.00", all: "–" },
  ]);
  assert.equal(distanceRows([{ name: "", told }], 3), null, "the answer to another selection");
  assert.equal(distanceRows([{ name: "", told: undefined }], 2), null);
  const { truth: _truth, truth_all: _all, ...unknown } = told;
  const two = distanceRows([{ name: "Run A", told: unknown }, { name: "Run B", told: { ...unknown, apart: null } }], 2);
  assert.deepEqual(two.map(({ label, some }) => [label, some]), [
    ["distance in the embedding, mean, Run A", "0.25"],
    ["distance in the embedding, mean, Run B", "–"],
  ]);
});

test("the selected tasks are a table that every reader of CSV reads", () => {
  const places = [0, 0, 1.5, -2, 3, 4, 0, 0, 0, 0, 0, 0];
  const rows = selectionTable(TASKS, [1, 2], [{ name: "map", places }, { name: "pca", places: places.map((v) => 2 * v) }], 40);
  assert.deepEqual(rows[0], ["task", "name", "true size", "true turn", "true branch", "map_x", "map_y", "pca_x", "pca_y", "step"]);
  assert.deepEqual(rows[1].filter((_, k) => k !== 3), [1, "b, c", 2, "Celtic", 1.5, -2, 3, -4, 40]);
  assert.equal(asCsv([["a", 'd "e"', "b, c", "x\ny", -1.5]]), 'a,"d ""e""","b, c","x\ny",-1.5\r\n');
});

test("one run's picture is two maps; trails belong to a map, what is said of the moment to both", () => {
  const pca = { box: [0, 0, 2, 2], points: floats(1), trails: { n: 1 } };
  const picture = { run: 0, step: 30, projection: "umap", box: [0, 0, 1, 1], points: floats(2), trails: { n: 7 }, links: { task: 3 }, readings: {}, pca };
  const [umap, beside] = sidesOf(picture);
  assert.deepEqual([umap.projection, umap.trails.n, umap.pca], ["umap", 7, undefined]);
  assert.deepEqual([beside.projection, beside.box, beside.trails.n, beside.links.task], ["pca", [0, 0, 2, 2], 1, 3]);
  const { trails: _trails, ...bare } = pca;
  assert.equal(sidesOf({ ...picture, pca: bare })[1].trails, null, "UMAP's trails are none of PCA's");
  assert.deepEqual(sidesOf({ ...picture, pca: undefined })[1], null);
  assert.deepEqual(sidesOf({ ...bare, projection: "pca" })[0], null);
});

test("a reading of maps is said of both, and one of the moment once", () => {
  const run = { readings: { trust: 0.9, jitter: 0.1 }, pca: { readings: { trust: 0.7 } } };
  assert.deepEqual([readingsOf(run, "trust"), readingsOf(run, "jitter")], [[0.9, 0.7], [0.1]]);
  assert.deepEqual(readingsOf({ readings: { trust: 0.9 } }, "trust"), [0.9]);
});

test("a view shows a box as large as it goes, goes no nearer than to one point's surroundings, and back", () => {
  const view = new Viewport();
  view.resize(400, 300, 0);
  view.showBox([0, 0, 1, 1], 0, false); // nothing to see yet: nothing happens
  assert.equal(view.own, false);
  view.follow([0, 0, 10, 10], 0, false);
  const whole = view.to.span;
  view.showBox([2, 2, 3, 3], 0, false);
  assert.ok(view.zoom() > 8 && view.zoom() < 11, `${view.zoom()}`);
  assert.ok(view.screenX(2) >= 0 && view.screenX(3) <= 400 && view.screenY(3) >= 0 && view.screenY(2) <= 300);
  view.showBox([5, 5, 5, 5], 0, false);
  assert.ok(Math.abs(view.zoom() - 8) < 1e-9);
  view.release(0, false);
  assert.equal(view.to.span, whole);
});
