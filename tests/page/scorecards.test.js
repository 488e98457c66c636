// The scorecards of two embedders: words, rows, the chart's axes and ticks.

import assert from "node:assert/strict";
import { test } from "node:test";

import { changesBetween } from "../../taskembed_edu/live/page/neighbour_changes.js";
import { judgedWords, transferRows } from "../../taskembed_edu/live/page/scorecards.js";
import { logTicks } from "../../taskembed_edu/live/page/axis_ticks.js";
import { alongSteps, axisOf, transferWords } from "../../taskembed_edu/live/page/transfer_chart.js";

const LOSS = {
  name: "loss",
  label: "Loss",
  help: "The loss.",
  means: [[0.2, 0.1], [0.5, 0.4], [4, 3]],
  texts: [["0.200", "0.100"], ["0.500", "0.400"], ["4", "3"]],
  low: [[0.1, 0.05], [0.4, 0.3], [3, 2]],
  high: [[0.3, 0.2], [0.6, 0.5], [5, 4]],
  better: [0, null],
};
const TRANSFER = { steps: [0, 1], n: 60, starts: ["Metric", "Context", "Random start"], measures: [LOSS] };

test("one step is said once, two are said with their embedders, and runs that began again are owned up to", () => {
  const cards = { names: ["Metric", "Context"], about: "200 tasks never seen" };
  assert.equal(judgedWords({ ...cards, steps: [30, 30] }), "Both at step 30, on 200 tasks never seen.");
  assert.equal(judgedWords({ ...cards, steps: [30, 40] }), "Metric at step 30, Context at step 40, on 200 tasks never seen.");
  assert.match(judgedWords({ ...cards, steps: [30, 30], earlier: true }), /begun again since/);
});

test("a row of transfer for each number of steps, a cell for each start", () => {
  assert.deepEqual(transferRows(TRANSFER, LOSS), [
    { label: "0 steps", texts: ["0.200", "0.500", "4"], better: 0 },
    { label: "1 step", texts: ["0.100", "0.400", "3"], better: null },
  ]);
});

test("steps stand by their logarithm, from one end to the other", () => {
  const places = [0, 1, 5, 20].map((step) => alongSteps(step, 20));
  assert.deepEqual([places[0], places[3]], [0, 1]);
  assert.ok(places[1] > 0.2 && places[2] - places[1] > 0.3);
  assert.equal(alongSteps(0, 0), 0);
});

test("losses stand on a logarithmic axis that holds every band, unless one is 0; shares between 0 and 1", () => {
  const { low, high, log } = axisOf(LOSS);
  assert.ok(log && low < 0.05 && low > 0 && high > 5);
  assert.deepEqual(axisOf({ ...LOSS, low: [[0, 0]] }), { low: 0, high: 5.300000000000001, log: false });
  assert.deepEqual(axisOf({ ...LOSS, name: "accuracy" }), { low: 0, high: 1, log: false });
  assert.deepEqual(axisOf({ name: "loss", low: [[null]], high: [[null]], means: [[null]] }), { low: 0, high: 1, log: false });
});

test("ticks of a logarithmic axis are round, inside, and not too near each other", () => {
  assert.deepEqual(logTicks(0.09, 5.5, 0.05), [0.1, 0.2, 0.5, 1, 2, 5]);
  assert.deepEqual(logTicks(0.09, 5.5, 0.45), [0.1, 1]);
  assert.deepEqual(logTicks(0.31, 0.39, 0.05), [0.31, 0.39]); // no round number lies there
  for (const [low, high] of [[1e-5, 300], [0.31, 0.39], [2.1, 9]]) {
    const ticks = logTicks(low, high, 0.12);
    assert.ok(ticks.every((tick) => tick >= low && tick <= high));
    for (let k = 1; k < ticks.length; k++) assert.ok(Math.log(ticks[k] / ticks[k - 1]) >= 0.12 * Math.log(high / low));
  }
});

test("changed neighbours are compared as sets, and counted for every task", () => {
  const own = [1, 2, 0, 2, 1, 0]; // of three tasks, two each
  const other = [1, 3, 2, 0, 1, 0];
  const found = changesBetween({ own, other, k: 2 }, 3, 0);
  assert.deepEqual([...found.counts], [1, 0, 0]);
  assert.deepEqual([found.lost, found.gained], [[2], [3]]);
  assert.ok(Math.abs(found.share - 1 / 6) < 1e-12);
  assert.deepEqual(changesBetween({ own, other, k: 2 }, 3, -1).lost, []);
});

test("the chart is said in words", () => {
  assert.equal(
    transferWords(TRANSFER, LOSS),
    "Loss on the query sets of 60 new tasks, from 0 to 1 gradient steps: Metric from 0.200 to 0.100, " +
      "Context from 0.500 to 0.400, Random start from 4 to 3",
  );
});
