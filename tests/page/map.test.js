// The map's geometry: which part is seen, where points are on their way, where names and cards stand.

import assert from "node:assert/strict";
import { test } from "node:test";

import { cardPlace } from "../../taskembed_edu/live/page/details.js";
import { Glide } from "../../taskembed_edu/live/page/glide.js";
import { chosenSide, cornerBeside, meets } from "../../taskembed_edu/live/page/labels.js";
import { within } from "../../taskembed_edu/live/page/lasso.js";
import { ABSENT, DIM, FAINT, FULL, levelOf } from "../../taskembed_edu/live/page/levels.js";
import { radiusOf } from "../../taskembed_edu/live/page/map.js";
import { neighbourLines } from "../../taskembed_edu/live/page/painting.js";
import { barLength, roundLength } from "../../taskembed_edu/live/page/scale_bar.js";
import { fittingView, Viewport } from "../../taskembed_edu/live/page/viewport.js";

const near = (got, wanted, off = 1e-9) => assert.ok(Math.abs(got - wanted) <= off, `${got}, expected ${wanted}`);

// ---- the view ----

test("a view that fits has its middle in the box and some air round it", () => {
  const { x, y, span } = fittingView(null, [0, 0, 10, 4], 400, 400);
  assert.deepEqual([x, y], [5, 2]);
  near(span, 11.4); // 1.14 times the longer side
});

test("on a wide canvas a wide box needs less", () => {
  near(fittingView(null, [0, 0, 10, 4], 800, 400).span, 1.14 * 5);
});

test("one spot has a view too", () => {
  near(fittingView(null, [3, 3, 3, 3], 400, 400).span, 1.14e-6, 1e-12);
});

test("a view keeps still while the points fill it, and moves when they leave it or shrink in it", () => {
  const view = fittingView(null, [0, 0, 10, 10], 400, 400);
  assert.equal(fittingView(view, [0.5, 0.5, 10, 10], 400, 400), view);
  assert.notEqual(fittingView(view, [0, 0, 11, 10], 400, 400), view);
  assert.notEqual(fittingView(view, [4, 4, 6, 6], 400, 400), view);
});

test("from the map to the screen and back", () => {
  const view = new Viewport();
  view.resize(400, 200, 0);
  view.follow([0, 0, 2, 2], 0, false);
  view.moveTo({ x: 1, y: 1, span: 4 }, 0, false); // 50 pixels a unit
  assert.deepEqual([view.screenX(1), view.screenY(1)], [200, 100]);
  assert.deepEqual([view.screenX(2), view.screenY(2)], [250, 50]); // up is up
  assert.deepEqual(view.placeAt(250, 50), [2, 2]);
});

test("zooming leaves the place under the pointer where it is, and ends at 400 times", () => {
  const view = new Viewport();
  view.resize(200, 200, 0);
  view.follow([0, 0, 2, 2], 0, false);
  const [x, y] = view.placeAt(150, 60);
  view.zoomBy(2, 0, false, 150, 60);
  near(view.zoom(), 2);
  near(view.screenX(x), 150);
  near(view.screenY(y), 60);
  assert.equal(view.own, true);
  view.zoomBy(1e6, 0, false);
  near(view.zoom(), 400);
  view.zoomBy(1e-9, 0, false);
  near(view.zoom(), 0.25);
});

test("a view that was taken over stays until it is given back", () => {
  const view = new Viewport();
  view.resize(200, 200, 0);
  view.follow([0, 0, 2, 2], 0, false);
  view.panBy(50, 0, 0, false);
  const { x } = view.now;
  view.follow([10, 10, 12, 12], 0, false);
  assert.equal(view.now.x, x);
  view.release(0, false);
  assert.equal(view.now.x, 11);
});

test("nothing to see yet: zoom and pan do nothing", () => {
  const view = new Viewport();
  view.zoomBy(2, 0, false);
  view.panBy(5, 5, 0, false);
  assert.deepEqual([view.own, view.zoom()], [false, 1]);
});

test("a glide to another view is three quarters of the way at half its time", () => {
  const view = new Viewport();
  view.resize(100, 100, 0);
  view.moveTo({ x: 8, y: 0, span: 1 }, 1000, true);
  view.at(1060); // of 120 ms: 0.5 (2 - 0.5)
  near(view.now.x, 6);
  assert.equal(view.moving(1060), true);
  assert.equal(view.moving(1120), false);
});

// ---- points on their way ----

const picture = (...numbers) => ({ points: new Uint8Array(Uint16Array.from(numbers).buffer), box: [0, 0, 65535, 65535] });

test("points glide from where they are to where the newest frame has them", () => {
  const glide = new Glide(1);
  glide.aim(picture(100, 0), 0, false);
  glide.at(0);
  assert.deepEqual([...glide.places], [100, 0]);
  glide.aim(picture(200, 40), 1000, true);
  glide.at(1060);
  assert.deepEqual([...glide.places], [175, 30]);
  glide.aim(picture(75, 30), 1060, true); // interrupted: no jump
  glide.at(1060);
  assert.deepEqual([...glide.places], [175, 30]);
  glide.at(1180);
  assert.deepEqual([...glide.places], [75, 30]);
});

test("a clock that went back does not throw points out", () => {
  const glide = new Glide(1);
  glide.aim(picture(100, 0), 1000, true);
  assert.equal(glide.progress(900), 0);
});

test("on a slow machine the picture that comes late is the last one", () => {
  const glide = new Glide(1);
  glide.aim(picture(1, 1), 1000, true);
  assert.equal(glide.ends(1010), false);
  assert.equal(glide.ends(1100), true); // 100 ms in, 90 ms after the last: the next one would come after 180 ms
  assert.equal(glide.progress(1100), 1);
});

// ---- how points are drawn ----

test("absent, filtered, selected, changed: the first that applies", () => {
  const view = { gone: new Set([0]), hidden: new Set([7]), selected: new Set(), counts: Uint8Array.of(0, 0, 2) };
  assert.equal(levelOf(0, 7, view), ABSENT);
  assert.equal(levelOf(1, 7, view), FAINT);
  assert.equal(levelOf(1, 3, view), DIM);
  assert.equal(levelOf(2, 3, view), FULL);
  const selecting = { ...view, selected: new Set([1]) };
  assert.deepEqual([levelOf(1, 3, selecting), levelOf(2, 3, selecting)], [FULL, DIM]);
  assert.equal(levelOf(1, 3, { ...view, counts: null }), FULL);
});

test("markers are smaller in a crowd, and never a speck", () => {
  assert.equal(radiusOf(100, 1, false, false), 6);
  assert.equal(radiusOf(0, 1, false, false), 6);
  assert.equal(radiusOf(1040, 2, false, false), 6); // half, on a screen of twice as many pixels
  assert.equal(radiusOf(1e6, 1, false, false), 2); // 0.36 of 6, to the half
  assert.equal(radiusOf(100, 1, true, false), 9.5);
  assert.equal(radiusOf(100, 1, false, true), 4.5);
});

test("a scale bar has a round length of at most 90 pixels, and only a PCA map has one", () => {
  assert.deepEqual([roundLength(9), roundLength(4.99), roundLength(1), roundLength(0.03)].map((v) => +v.toPrecision(3)), [5, 2, 1, 0.02]);
  const viewport = { scale: 40, box: null };
  assert.equal(barLength({ viewport, picture: { projection: "pca" }, ratio: 1 }), 2);
  assert.equal(barLength({ viewport, picture: { projection: "pca" }, ratio: 2 }), 2); // 4.5 units
  assert.equal(barLength({ viewport, picture: { projection: "umap" }, ratio: 1 }), 0);
  assert.equal(barLength({ viewport, picture: null, ratio: 1 }), 0);
});

test("tasks in one place have no scale bar: rounding is no distance", () => {
  const picture = { projection: "pca" };
  const view = new Viewport();
  view.resize(400, 400, 0);
  view.follow([0, 0, 3e-7, 1e-7], 0, false);
  assert.equal(barLength({ viewport: view, picture, ratio: 1 }), 0);
  view.follow([0, 0, 3e-5, 1e-7], 0, false);
  near(barLength({ viewport: view, picture, ratio: 1 }), 5e-6, 1e-9);
});

test("where a point will stand when the view's glide has ended", () => {
  const view = new Viewport();
  view.resize(200, 200, 0);
  view.follow([0, 0, 2, 2], 0, false);
  const [fromX, fromY] = [view.screenX(2), view.screenY(1)];
  view.panBy(30, -20, 0, true);
  near(view.screenX(2), fromX);
  const [x, y] = view.goesTo(2, 1);
  near(x, fromX + 30);
  near(y, fromY - 20);
});

// ---- names beside points ----

test("boxes meet where they share a place, also an edge", () => {
  const taken = [0, 0, 10, 10, 50, 50, 60, 60];
  assert.equal(meets([10, 10, 20, 20], taken), true);
  assert.equal(meets([11, 0, 20, 10], taken), false);
  assert.equal(meets([55, 40, 58, 70], taken), true);
  assert.equal(meets([0, 0, 10, 10], []), false);
});

test("a name stands at its side of the point, in the middle of the other direction", () => {
  const size = { wide: 40, high: 14, edge: 2 };
  assert.deepEqual(cornerBeside(100, 100, 0, size, 8), [107, 93]); // right: 8 - 1 pixels away
  assert.deepEqual(cornerBeside(100, 100, 1, size, 8), [53, 93]); // left
  assert.deepEqual(cornerBeside(100, 100, 2, size, 8), [80, 80]); // above: its halo may touch
  assert.deepEqual(cornerBeside(100, 100, 3, size, 8), [80, 106]); // below
});

test("the side where it stood last comes first; one that hides points is for those that must have a name", () => {
  const all = () => true;
  const none = () => false;
  assert.equal(chosenSide(3, all, none, false), 3);
  assert.equal(chosenSide(3, (side) => side !== 3, none, false), 0);
  assert.equal(chosenSide(3, all, (side) => side !== 5, false), 5);
  assert.equal(chosenSide(3, all, all, false), -1);
  assert.equal(chosenSide(3, all, all, true), 3);
  assert.equal(chosenSide(3, none, none, true), 3); // no room at all: where it was
  assert.equal(chosenSide(3, none, none, false), -1);
});

// ---- a card beside a point ----

test("a card stands below on the right, and elsewhere where it would hide something", () => {
  const [card, map] = [[100, 60], [400, 300]];
  assert.deepEqual(cardPlace([200, 100], null, card, map), [214, 114]);
  assert.deepEqual(cardPlace([200, 100], [250, 150], card, map), [86, 114]); // the chosen task lies there: on the left
  assert.deepEqual(cardPlace([390, 290], null, card, map), [276, 216]); // in the corner: above on the left
});

test("a card that is larger than its map begins at its upper left", () => {
  assert.deepEqual(cardPlace([10, 10], null, [500, 500], [100, 100]), [0, 0]);
});

// ---- the lasso ----

test("inside a square, outside of it, and in the bay of a U", () => {
  const square = [0, 0, 10, 0, 10, 10, 0, 10];
  assert.equal(within(square, 5, 5), true);
  assert.equal(within(square, 11, 5), false);
  assert.equal(within(square, -1, 5), false);
  assert.equal(within(square, 5, -1), false);
  const u = [0, 0, 9, 0, 9, 9, 6, 9, 6, 3, 3, 3, 3, 9, 0, 9];
  assert.equal(within(u, 4.5, 6), false);
  assert.equal(within(u, 1.5, 6), true);
  assert.equal(within(u, 7.5, 6), true);
  assert.equal(within([], 0, 0), false);
});

// ---- neighbours of the chosen task ----

const mapOf = (chosen, more) => ({ state: { get: () => chosen }, n: 4, gone: new Set(), page: {}, picture: null, tasks: null, ...more });

test("the truth does not wait for the kernel, and a task is not its own neighbour", () => {
  const neighbours = new Uint8Array(Uint16Array.of(1, 2, 0, 2, 2, 3, 0, 1).buffer);
  const lines = neighbourLines(mapOf(2, { tasks: { n: 4, truth: { k: 2, neighbours } } }));
  assert.deepEqual(lines.map(({ tasks }) => tasks), [[], [3]]);
  assert.equal(lines[0].known, false);
});

test("a list of another task is not shown, nor a neighbour that has left the map", () => {
  const links = { task: 2, embedding: [0, 1, 3], truth: [3] };
  const lines = neighbourLines(mapOf(2, { picture: { links }, gone: new Set([1]) }));
  assert.deepEqual(lines.map(({ tasks }) => tasks), [[0, 3], [3]]);
  assert.deepEqual(neighbourLines(mapOf(1, { picture: { links } })).map(({ tasks }) => tasks), [[], []]);
});

test("what changed under another distance", () => {
  const picture = { links: { task: 2, embedding: [0, 1], truth: [] }, changes: { metric: "cosine", lost: [1], gained: [3] } };
  const page = { distanceName: (metric) => ({ cosine: "Cosine distance" })[metric] ?? "Euclidean" };
  const lines = neighbourLines(mapOf(2, { picture, page }));
  assert.deepEqual(lines.map(({ title, tasks }) => [title, tasks]), [
    ["Stays near", [0]],
    ["Only under Euclidean", [1]],
    ["Only under Cosine distance", [3]],
  ]);
});
