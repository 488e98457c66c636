// Where words stand: marks above a curve, numbers of its axis, shortened names; and how high a map may be.

import assert from "node:assert/strict";
import { test } from "node:test";

import { markPlaces, rowsOfMarks } from "../../taskembed_edu/live/page/curve_marks.js";
import { ticksOf } from "../../taskembed_edu/live/page/curves.js";
import { shortened } from "../../taskembed_edu/live/page/labels.js";
import { allowedHeight } from "../../taskembed_edu/live/page/map_height.js";
import { fittingView } from "../../taskembed_edu/live/page/viewport.js";

test("a mark's words stand right of its line, at the plot's end left of it, else on top of it", () => {
  assert.deepEqual(markPlaces([{ at: 20, wide: 50 }], 0, 200), [{ row: 0, from: 24, over: false }]);
  assert.deepEqual(markPlaces([{ at: 180, wide: 50 }], 0, 200), [{ row: 0, from: 126, over: false }]);
  assert.deepEqual(markPlaces([{ at: 100, wide: 150 }], 0, 200), [{ row: 0, from: 25, over: true }]);
  assert.deepEqual(markPlaces([{ at: 100, wide: 250 }], 0, 200), [null]);
});

test("of two marks the later one is nearer to the plot, and the earlier one stands above it", () => {
  const places = markPlaces([{ at: 20, wide: 80 }, { at: 60, wide: 80 }], 0, 200);
  assert.deepEqual(places.map((place) => place?.row), [1, 0]);
  assert.equal(rowsOfMarks(places), 2);
  assert.deepEqual(markPlaces([{ at: 20, wide: 80 }, { at: 60, wide: 80 }], 0, 200, 1).map((place) => place?.row), [undefined, 0]);
  assert.equal(rowsOfMarks([]), 0);
});

test("no words meet other words, and no line goes through words, wherever marks stand", () => {
  for (let seed = 1; seed < 400; seed++) {
    const draw = (k) => ((seed * 7919 + k * 104729) % 997) / 997;
    const marks = Array.from({ length: 1 + (seed % 7) }, (_, k) => ({ at: 200 * draw(k), wide: 20 + 150 * draw(k + 9) }));
    const places = markPlaces(marks, 0, 200);
    const box = (k) => [places[k].from, places[k].from + marks[k].wide, places[k].row];
    places.forEach((place, k) => {
      if (!place) return;
      assert.ok(place.from >= 0 && place.from + marks[k].wide <= 200);
      places.forEach((other, j) => {
        if (!other || j === k) return;
        const [from, to, row] = box(k);
        const [begin, end, level] = box(j);
        assert.ok(level !== row || to < begin || end < from, "words on words");
        assert.ok(other.row <= row || marks[j].at < from || marks[j].at > to, "a line through words");
      });
    });
  }
});

test("two numbers of an axis never stand on one another: the 0 stays", () => {
  const written = (low, high, apart) => ticksOf(low, high, apart).filter((tick) => tick.written).map(({ value }) => value);
  assert.deepEqual(written(-0.085, 1, 0.1), [0, 1]);
  assert.deepEqual(written(-0.5, 1, 0.1), [-0.5, 0, 1]);
  assert.deepEqual(written(-1, 0.05, 0.1), [-1, 0]);
});

test("a long name ends with dots at its own end, and no letter is cut in half", () => {
  assert.equal(shortened("Dutch", 24), "Dutch");
  assert.equal(shortened("abcdefgh", 5), "\u2068abcd…\u2069");
  assert.equal(shortened("😀😀😀😀", 3), "\u2068😀😀…\u2069");
  assert.equal(shortened("two\nlines", 24), "two lines");
});

test("a map is neither flat nor much higher than the window", () => {
  assert.equal(allowedHeight(20, 720), 160);
  assert.equal(allowedHeight(400.4, 720), 400);
  assert.equal(allowedHeight(Infinity, 720), 1080);
});

test("points keep clear of the strips of the buttons and of the scale bar", () => {
  const [head, foot, high] = [40, 18, 340];
  const { y, span } = fittingView(null, [0, 0, 1, 4], 600, high, { head, foot });
  const at = (value) => high / 2 - ((value - y) * high) / span;
  assert.ok(at(4) > head && at(0) < high - foot, `${at(4)} ${at(0)}`);
});
