// Bytes in, numbers out: expected values are worked out by hand.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  boundsOf,
  bytesOf,
  countOf,
  decodeCard,
  decodeColouring,
  decodeFit,
  decodePlaces,
  floatsOf,
  wordsOf,
} from "../../taskembed_edu/live/page/packets.js";

const words = (...numbers) => new Uint8Array(Uint16Array.from(numbers).buffer);

test("nothing is no bytes", () => {
  for (const nothing of [null, undefined]) assert.equal(bytesOf(nothing).length, 0);
});

test("a view of a part of a buffer is that part", () => {
  const buffer = Uint8Array.of(9, 1, 2, 3, 9).buffer;
  assert.deepEqual([...bytesOf(new DataView(buffer, 1, 3))], [1, 2, 3]);
  assert.deepEqual([...bytesOf(buffer)], [9, 1, 2, 3, 9]);
});

test("16-bit numbers may begin at an odd address", () => {
  for (const begin of [1, 2, 3]) {
    const bytes = new Uint8Array(begin + 4);
    bytes.set(words(258, 65535), begin);
    assert.deepEqual([...wordsOf(new DataView(bytes.buffer, begin, 4))], [258, 65535]);
  }
  assert.deepEqual([...wordsOf(words(258, 65535))], [258, 65535]);
});

test("a float may begin anywhere, and the copy is its own", () => {
  const bytes = new Uint8Array(5);
  bytes.set(new Uint8Array(Float32Array.of(1.5).buffer), 1);
  const floats = floatsOf(new DataView(bytes.buffer, 1, 4));
  bytes.fill(0);
  assert.deepEqual([...floats], [1.5]);
});

test("a picture holds four bytes a task", () => {
  assert.equal(countOf({ points: words(1, 2, 3, 4) }), 2);
  assert.equal(countOf(null), 0);
  assert.equal(countOf({}), 0);
});

test("places lie in the picture's box: 0 at its lower left, 65,535 at its upper right", () => {
  const places = new Float32Array(6);
  decodePlaces({ points: words(0, 0, 65535, 65535, 0, 13107), box: [-1, 10, 3, 20] }, places);
  assert.deepEqual([...places], [-1, 10, 3, 20, -1, 12]); // 13,107 is a fifth of 65,535
});

test("bounds leave out who does not count", () => {
  const box = new Float64Array(4);
  boundsOf(Float32Array.of(0, 5, 2, -3, 100, 100), box, (k) => k === 2);
  assert.deepEqual([...box], [0, -3, 2, 5]);
});

test("bounds of nothing are no box", () => {
  const box = new Float64Array(4);
  boundsOf(new Float32Array(0), box);
  assert.deepEqual([...box], [Infinity, Infinity, -Infinity, -Infinity]);
});

test("a colouring that is too short is not believed: blue circles of group 0", () => {
  const short = { rgb: Uint8Array.of(1, 2, 3), shapes: Uint8Array.of(1), groups: Uint8Array.of(1) };
  const { rgb, shapes, groups } = decodeColouring(short, 2);
  assert.deepEqual([[...rgb], [...shapes], [...groups]], [[0, 114, 178, 0, 114, 178], [0, 0], [0, 0]]);
  assert.deepEqual([...decodeColouring({ ...short, shapes: Uint8Array.of(1, 1) }, 2).shapes], [0, 0]);
  assert.deepEqual([...decodeColouring(short, 1).rgb], [1, 2, 3]);
});

const CURVE = {
  kind: "curve", x: [-5, 5], y: [-1, 1], n_points: 1, points: words(0, 65535, 65535, 0), n_curve: 3,
  curve: words(0, 0, 65535, 65535, 0, 0),
};

test("a curve's points and heights lie between the axes' ends", () => {
  const data = decodeCard(CURVE, 1);
  assert.deepEqual(data.points, [[5, -1]]);
  assert.deepEqual(data.curve, [[-5, 1], [0, -1], [5, -1]]);
  assert.deepEqual(decodeCard(CURVE, 0).curve, [[-5, -1], [0, -1], [5, 1]]);
});

test("classes, pictures and words are those of the one task", () => {
  const scatter = { kind: "scatter", x: [0, 1], y: [0, 1], n_points: 2, points: words(0, 0, 0, 0, 65535, 0, 0, 65535), n_classes: 2, classes: Uint8Array.of(0, 0, 1, 0) };
  assert.deepEqual(decodeCard(scatter, 1).points, [[1, 0], [0, 1]]);
  assert.deepEqual([...decodeCard(scatter, 1).classes], [1, 0]);
  const images = { kind: "images", width: 1, height: 2, n_images: 2, pixels: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), labels: Uint8Array.of(0, 1, 2, 3) };
  const second = decodeCard(images, 1);
  assert.deepEqual([[...second.pixels], [...second.labels]], [[5, 6, 7, 8], [2, 3]]);
  const spelt = { kind: "words", words: [[["1", "eins", "eins"]], [["1", "un", "un"]]], shown: [[true], [false]] };
  assert.deepEqual(decodeCard(spelt, 1), { kind: "words", rows: [["1", "un", "un"]], shown: [false] });
});

test("names are those of the one task, and so are the languages that a network takes them for", () => {
  const rows = [["Greek", "Περού", "peroy"], ["Greek", "Κίνα", "kina"], ["Finnish", "Kiina", "kiina"], ["Finnish", "Ruotsi", "ruotsi"]];
  const card = { kind: "names", words: [rows, rows.slice(2)] };
  assert.deepEqual(decodeCard(card, 0), { kind: "names", rows });
  const fit = { kind: "classes", n: 4, classes: Uint8Array.of(0, 1, 1, 0) };
  assert.deepEqual([...decodeFit(fit, card, 0).classes], [0, 1, 1, 0]);
  assert.equal(decodeFit({ ...fit, n: 3 }, card, 0), null);
  assert.equal(decodeFit({ kind: "words", words: [["a"]] }, card, 0), null);
});

test("a family that has no picture has no card", () => {
  assert.equal(decodeCard(null, 0), null);
  assert.equal(decodeCard({ kind: "" }, 0), null);
});

test("a network's curve has levels from 0 to 255 over the card's axes", () => {
  const fit = { kind: "curve", n: 2, points: Uint8Array.of(9, 9, 0, 255) };
  assert.deepEqual(decodeFit(fit, CURVE, 1), { curve: [[-5, -1], [5, 1]] });
});

test("answers that do not belong to the card are left out", () => {
  const scatter = { kind: "scatter", n_points: 2 };
  const fit = { kind: "classes", n: 2, classes: Uint8Array.of(0, 1, 1, 1) };
  assert.deepEqual([...decodeFit(fit, scatter, 1).classes], [1, 1]);
  assert.deepEqual([...decodeFit(fit, { kind: "images", n_images: 2 }, 0).classes], [0, 1]);
  assert.equal(decodeFit(fit, { kind: "scatter", n_points: 3 }, 1), null);
  assert.equal(decodeFit(fit, CURVE, 1), null);
  assert.equal(decodeFit(null, CURVE, 0), null);
  assert.deepEqual(decodeFit({ kind: "words", words: [["a"], ["b"]] }, { kind: "words" }, 1), { words: ["b"] });
});
