// Numbers in words, colours, and what a card says.

import assert from "node:assert/strict";
import { test } from "node:test";

import { counted, hundredths, percent, rounded, Shared } from "../../taskembed_edu/live/page/base.js";
import { fitNote, imageGrid, meanGap, wrongAnswers } from "../../taskembed_edu/live/page/card.js";
import { decimals, nearestOption, valueText } from "../../taskembed_edu/live/page/controls.js";
import { found } from "../../taskembed_edu/live/page/find.js";
import { summed } from "../../taskembed_edu/live/page/recorded.js";
import { contrast, cssOf, outlineOf } from "../../taskembed_edu/live/page/shapes.js";
import { withoutNumbers } from "../../taskembed_edu/live/page/transport.js";

test("a task is found by a part of its name, and a beginning comes first", () => {
  const names = ["New Latin", "Latvian", "latin", "Finnish"];
  assert.deepEqual(found(names, " Lat "), [1, 2, 0]);
  assert.deepEqual(found(names, "FINN"), [3]);
  assert.deepEqual(found(names, "x"), []);
  assert.deepEqual(found(names, "  "), []);
});

// ---- numbers ----

test("a number is rounded to what its size allows", () => {
  const cases = { "–": NaN, 0: 0, 1234: 1234.4, 100: 100, 99.99: 99.99, "0.10": 0.1, "0.050": 0.05, "5e-4": 0.0005, "−2.00": -2 };
  for (const [text, value] of Object.entries(cases)) assert.equal(rounded(value), text);
  assert.equal(rounded(null), "–");
  assert.equal(rounded(undefined), "–");
  assert.equal(rounded(Infinity), "–");
});

test("a score is always as wide", () => {
  assert.deepEqual([1, 0.5, -0.25, NaN].map(hundredths), ["1.00", "0.50", "−0.25", "–"]);
});

test("counts and shares", () => {
  assert.equal(counted(1234567), "1,234,567");
  assert.equal(percent(0.256), "26 %");
});

test("a value has as many decimals as its slider's step", () => {
  assert.equal(decimals(1, 0.05), "1.00");
  assert.equal(decimals(3, 1), "3");
  assert.equal(decimals(0.5), "0.50");
  assert.equal(decimals(1, 0.00001), "1.0000"); // four are enough
});

test("the nearest of round numbers is the one that a factor is nearest to", () => {
  const options = [0.001, 0.01, 0.1].map((value) => ({ value, label: String(value) }));
  assert.equal(nearestOption(options, 0.01), 1);
  assert.equal(nearestOption(options, 0.031), 1); // 3.1 times 0.01; 3.2 times below 0.1
  assert.equal(nearestOption(options, 0.033), 2);
  assert.equal(nearestOption(options, 99), 2);
  assert.equal(valueText({ kind: "steps", options }, 0.033), "0.033"); // typed exactly
  assert.equal(valueText({ kind: "steps", options }, 0.1), "0.1");
  assert.equal(valueText({ kind: "range", step: 0.5 }, 2), "2.0");
  assert.equal(valueText({ kind: "range", step: 0.5 }, 2.125), "2.125");
  assert.equal(valueText({ kind: "choice", options: [] }, NaN), "");
});

test("a sentence is not spoken anew for a number in it", () => {
  assert.equal(withoutNumbers("Loss 1.25 at step 1,300"), withoutNumbers("Loss 7e-05 at step 9"));
  assert.notEqual(withoutNumbers("Run A: 1"), withoutNumbers("Run B: 1"));
});

// ---- colours ----

test("contrast is what the guidelines say", () => {
  const [black, white] = [[0, 0, 0], [255, 255, 255]];
  assert.equal(contrast(black, white), 21);
  assert.equal(contrast(white, black), 21);
  assert.equal(contrast(white, white), 1);
  assert.ok(Math.abs(contrast([119, 119, 119], white) - 4.48) < 0.005); // the well-known #777
  assert.ok(Math.abs(contrast([51, 51, 51], white) - 12.63) < 0.005); // and #333
});

test("an outline is the fill where that stands out, else it moves to the ink until it does", () => {
  const [paper, ink] = [[255, 255, 255], [31, 35, 40]];
  assert.deepEqual(outlineOf([0, 114, 178], paper, ink), [0, 114, 178]);
  const pale = outlineOf([254, 232, 56], paper, ink);
  assert.ok(contrast(pale, paper) >= 3.2);
  assert.ok(contrast(pale, paper) < 4.5); // no further than it must
  assert.equal(cssOf([1, 2, 3]), "rgb(1,2,3)");
});

// ---- what a card says ----

test("how far a network is off, between the points of the true curve too", () => {
  const truth = [[0, 0], [1, 2], [2, 0]];
  assert.equal(meanGap(truth, truth), 0);
  assert.equal(meanGap(truth, [[0, 1], [1, 2], [2, 0]]), 1 / 3);
  assert.equal(meanGap(truth, [[0, 0], [0.5, 1], [1, 2], [1.5, 1], [2, 1]]), 0.2);
});

const SCATTER = { kind: "scatter", points: [], classes: Uint8Array.of(0, 1, 1), fit: { classes: Uint8Array.of(0, 0, 1) } };
// Two classes of two pictures each: class 0 is called 7, class 1 is called 3.
const IMAGES = { kind: "images", n_images: 4, labels: Uint8Array.of(7, 7, 3, 3), fit: { classes: Uint8Array.of(0, 1, 1, 1) } };

test("which points and pictures a network has wrong", () => {
  assert.deepEqual(wrongAnswers(SCATTER), [1]);
  assert.deepEqual(wrongAnswers(IMAGES), [1]);
  assert.deepEqual(wrongAnswers({ ...SCATTER, fit: null }), []);
});

test("what a card says of the network", () => {
  assert.equal(fitNote(null), "");
  assert.equal(fitNote({ ...SCATTER, fit: null }), "");
  assert.equal(fitNote(SCATTER), "its network has 1 of 3 points wrong");
  assert.equal(fitNote(IMAGES), "its network has 1 of 4 pictures wrong");
  const curve = { kind: "curve", curve: [[0, 0], [1, 0]], fit: { curve: [[0, 0.25], [1, 0.25]] } };
  assert.equal(fitNote(curve), "solid: truth, dashed: the network");
  assert.equal(fitNote(curve, true), "its network is 0.25 off on average");
});

test("words that were shown in training and others are counted apart, where there are both", () => {
  const rows = [["1", "un", "un"], ["2", "deux", "deux"], ["3", "trois", "trois"]];
  const fit = { words: ["un", "due", "trois"] };
  assert.equal(fitNote({ kind: "words", rows, fit }), "its network spells 2 of 3 right");
  assert.equal(fitNote({ kind: "words", rows, fit, shown: [true, true, true] }), "its network spells 2 of 3 right");
  assert.equal(fitNote({ kind: "words", rows, fit, shown: [true, true, false] }), "its network spells 2 of 3 right: 1 of 2 shown, 1 of 1 new");
});

test("pictures stand in as many columns as make them largest", () => {
  assert.deepEqual(imageGrid(1, 100, 115), { columns: 1, side: 96 });
  assert.deepEqual(imageGrid(10, 150, 86), { columns: 5, side: 26 });
  assert.deepEqual(imageGrid(0, 100, 100), { columns: 1, side: 0 });
});

// ---- a recorded run ----

test("frames are the sums of their differences, and wrap round", () => {
  assert.deepEqual([...summed(Uint16Array.of(65535, 0, 1, 2, 7, 65533), 3)], [65535, 0, 0, 2, 7, 65535]);
  assert.deepEqual([...summed(Uint8Array.of(200, 100), 2)], [200, 44]);
  assert.deepEqual([...summed(new Uint16Array(0), 0)], []);
});

// ---- what the parts share ----

test("who listens hears of another value once, and of the same value not at all", () => {
  const shared = new Shared({ chosen: -1, hover: -1 });
  const heard = [];
  const stop = shared.on("chosen hover", () => heard.push([shared.get("chosen"), shared.get("hover")]));
  shared.set("chosen", 3);
  shared.set("chosen", 3);
  shared.set("hover", 5);
  stop();
  shared.set("chosen", 4);
  assert.deepEqual(heard, [[3, -1], [3, 5]]);
});

test("a name's language is right or wrong, and a class without a name is none", () => {
  const rows = [["Greek", "Περού", "peroy"], ["Greek", "Κίνα", "kina"], ["Finnish", "Kiina", "kiina"], ["Finnish", "Ruotsi", "ruotsi"]];
  const names = { kind: "names", rows, fit: { classes: Uint8Array.of(0, 1, 1, 7) } };
  assert.deepEqual(wrongAnswers(names), [1, 3]);
  assert.equal(fitNote(names), "its network has 2 of 4 names wrong");
  assert.deepEqual(wrongAnswers({ kind: "names", rows }), []);
});
