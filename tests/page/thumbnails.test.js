// Pictures on the map: how large, how crisp, which of them have room; and the pad's strokes and palette.

import assert from "node:assert/strict";
import { test } from "node:test";

import { extendStroke } from "../../taskembed_edu/labs/page/drawing_paper.js";
import { letterAfter, lettersFound } from "../../taskembed_edu/labs/page/drawing_letters.js";
import { mapView } from "../../taskembed_edu/labs/page/drawing_answers.js";
import { picturesInWords } from "../../taskembed_edu/live/page/card.js";
import { crispSide, placePictures, roomOf, sideOf } from "../../taskembed_edu/live/page/thumbnails.js";

test("pictures are smaller where there are more, larger where the map is zoomed, and never too small to be known", () => {
  const side = (n, zoom = 1, letters = 1) => sideOf(n, 800, 400, zoom, letters);
  assert.ok(side(20) > side(100) && side(100) >= side(1000));
  assert.ok(side(1000) >= 24);
  assert.ok(side(100, 4) > side(100, 2) && side(100, 2) > side(100));
  assert.ok(side(100, 400) <= 76 && side(100, 0.25) === side(100));
  assert.ok(side(20, 1, 1.5) > side(20));
  assert.ok(roomOf(100, 800, 400) === 2 * roomOf(400, 800, 400));
});

test("a zoom that goes on changes the side in steps", () => {
  const sides = new Set(Array.from({ length: 100 }, (_, k) => sideOf(200, 800, 400, 1 + k / 10, 1)));
  assert.ok(sides.size >= 4 && sides.size <= 9, `${sides.size}`);
});

test("a picture is as large as its pixels, or a whole number of times, or smoothed", () => {
  assert.deepEqual([20.4, 28, 40, 56, 100].map((side) => crispSide(side, 28)), [20, 28, 28, 56, 84]);
});

test("no two pictures meet, who comes first has his, and who is left out meets one", () => {
  const n = 400;
  const screen = Float32Array.from({ length: 2 * n }, (_, k) => (k * k * 7919) % 611);
  const has = new Uint8Array(n);
  const order = Array.from({ length: n }, (_, i) => (i * 37) % n);
  placePictures(order, screen, 30, has);
  assert.equal(has[order[0]], 1);
  const meets = (i, j) => Math.abs(screen[2 * i] - screen[2 * j]) < 30 && Math.abs(screen[2 * i + 1] - screen[2 * j + 1]) < 30;
  order.forEach((i, place) => {
    const before = order.slice(0, place).filter((j) => has[j] && meets(i, j));
    assert.equal(has[i], before.length ? 0 : 1);
  });
  placePictures([5], screen, 30, has);
  assert.deepEqual([has[5], has.reduce((sum, one) => sum + one)], [1, 1]);
});

test("a card of pictures says what it shows", () => {
  const labels = Uint8Array.from([0, 0, 1, 1]);
  assert.equal(picturesInWords({ labels, names: ["α", "β"], n_images: 4 }), "4 pictures, 2 each of α and β");
  assert.equal(picturesInWords({ labels: Uint8Array.from([7, 8, 9]), n_images: 3 }), "3 pictures, 1 each of 7, 8 and 9");
  assert.equal(picturesInWords({ labels: new Uint8Array(0), n_images: 3 }), "3 pictures");
});

// ---- the drawing pad ----

test("a stroke takes no point twice", () => {
  const stroke = [[0.1, 0.1]];
  extendStroke(stroke, [0.1, 0.102]);
  extendStroke(stroke, [0.1, 0.2]);
  assert.deepEqual(stroke, [[0.1, 0.1], [0.1, 0.2]]);
});

test("letters are found by words of their name, by themselves and by script", () => {
  const palette = { scripts: ["Greek", "Hebrew"], letters: ["α", "Α", "א"], names: ["GREEK SMALL LETTER ALPHA", "GREEK CAPITAL LETTER ALPHA", "HEBREW LETTER ALEF"], script_of: [0, 0, 1] };
  assert.deepEqual(lettersFound(palette, "", -1), [0, 1, 2]);
  assert.deepEqual(lettersFound(palette, " small alpha", -1), [0]);
  assert.deepEqual(lettersFound(palette, "alpha", 1), []);
  assert.deepEqual(lettersFound(palette, "א", -1), [2]);
});

test("arrow keys go through the letters as they stand in rows", () => {
  assert.deepEqual(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].map((key) => letterAfter(key, 4, 10, 3)), [3, 5, 1, 7, 0, 9]);
  assert.equal(letterAfter("ArrowDown", 8, 10, 3), 8);
  assert.equal(letterAfter("a", 4, 10, 3), null);
});

test("a map of letters fills its drawing but for a margin, upright", () => {
  const place = mapView([[0, 0], [2, 1]], 200, 100, 1);
  const [[left, low], [right, high]] = [place([0, 0]), place([2, 1])];
  assert.ok(left >= 22 - 1e-9 && right <= 178 + 1e-9 && high < low && low <= 78 + 1e-9);
});
