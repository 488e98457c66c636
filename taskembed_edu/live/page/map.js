// The live map of the task space: a canvas that glides from one frame to the next and never draws a stale one.
//
// A new frame replaces the previous one at once, and the drawn points glide to it (glide.js). The view follows the
// points until the learner zooms or pans (viewport.js). The map paints at most once per animation frame, and not at all
// while nothing moves.
//
// The state that both maps of a branched run share is in `page`: hover, chosen, selected, colour, hidden, still,
// projector, labels, pictures, trails, arrows.

import { counted, element, freshId, onTheme, penOf, setText } from "./base.js";
import { TaskDetails } from "./details.js";
import { Glide } from "./glide.js";
import { PointLabels } from "./labels.js";
import { Lasso } from "./lasso.js";
import { ABSENT, FAINT, FULL, levelOf } from "./levels.js";
import { boundsOf, bytesOf, countOf, decodeColouring } from "./packets.js";
import { MapPainter } from "./painting.js";
import { Pointing } from "./pointing.js";
import { MarkerAtlas, paletteOf } from "./shapes.js";
import { StartMark } from "./start.js";
import { Thumbnails } from "./thumbnails.js";
import { MapTools } from "./tools.js";
import { Trails } from "./trails.js";
import { Viewport } from "./viewport.js";

/** @import { MapPage, RunPicture, Tasks } from "./types.js" */

const SMALL = 700; // a map narrower than this has smaller cards
const LETTERS = 14; // the page's size of type, in CSS pixels
const HALL_LETTERS = 20; // with a projector; markers and names grow with it on a large screen

// A marker's radius in device pixels, rounded to 0.5: smaller when there are many tasks, larger in projector mode and
// with the `letters` (CSS pixels) of a large screen.
/** @param {number} n @param {number} ratio @param {boolean} projector @param {boolean} labels @param {number} [letters] */
export function radiusOf(n, ratio, projector, labels, letters = projector ? HALL_LETTERS : LETTERS) {
  const base = (projector ? 9.5 * Math.max(1, letters / HALL_LETTERS) : 6) * (labels ? 0.75 : 1); // beside a name a smaller dot is enough
  const crowd = Math.min(1, Math.max(0.36, Math.sqrt(260 / Math.max(1, n))));
  return Math.round(2 * base * ratio * crowd) / 2;
}

export class TaskMapView {
  root = element("section", "te-map");
  head = element("div", "te-map-head", this.root);
  title = element("span", "te-map-title", this.head);
  stepText = element("span", "te-map-step te-number", this.head);
  stage = element("div", "te-map-stage", this.root);
  canvas = element("canvas", "te-map-canvas", this.stage);
  context = penOf(this.canvas, true);
  hint = element("p", "te-unseen", this.root);
  stampText = element("p", "te-map-stamp", this.stage, "Collapsed: this is one spot, magnified");
  lackText = element("p", "te-map-lack te-note", this.stage);
  said = element("p", "te-unseen", this.root);

  /** @type {Tasks | null} */
  tasks = null;
  /** @type {"" | "umap" | "pca"} */
  side = ""; // with two maps of one run: which of them this is
  /** @type {RunPicture | null} */
  picture = null;
  /** @type {Uint8Array | null} */
  counts = null; // how many of its nearest each task would lose, under another distance
  /** @type {Set<number>} */
  gone = new Set(); // tasks that the picture leaves out because they diverged
  n = 0;
  ratio = 0; // device pixels a CSS pixel; 0: not laid out yet
  letters = LETTERS; // the page's size of type, in CSS pixels
  box = new Float64Array(4);
  viewport = new Viewport();
  atlas = new MarkerAtlas();
  colouring = decodeColouring(null, 0);
  glide = new Glide(0);
  screen = new Float32Array(0); // where the points are on the canvas: x, y, x, y, ...
  levels = new Uint8Array(0);

  drawn = 0;
  request = 0; // the animation frame's id; 0: no paint is requested
  removed = false;
  /** @type {MediaQueryList | null} */
  ratioQuery = null;
  onRatio = () => this.resize();
  resized = new ResizeObserver(this.onRatio);

  /** @param {MapPage} page @param {number} run @param {Element} parent */
  constructor(page, run, parent) {
    this.page = page;
    this.state = page; // get, set, on: what both maps share
    this.run = run;
    this.build(parent);
    this.palette = paletteOf(this.root);
    this.painter = new MapPainter(this);
    this.labels = new PointLabels(this);
    this.thumbnails = new Thumbnails(this);
    this.trails = new Trails(this);
    this.start = new StartMark(this);
    this.details = new TaskDetails(this);
    this.pointing = new Pointing(this);
    this.lasso = new Lasso(this);
    this.tools = new MapTools(this);
    this.stops = this.listen();
    this.resize();
  }

  /** @param {Element} parent */
  build(parent) {
    parent.append(this.root);
    this.root.dataset.run = String(this.run);
    this.root.dataset.drawn = "0";
    Object.assign(this.root, { __map: this }); // for tests and tools
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-roledescription", "map of tasks");
    this.hint.id = freshId("map-keys");
    this.hint.textContent =
      "Arrow keys go to the nearest task in that direction, Page Up and Page Down through all tasks, Home and End to " +
      "the first and last. Enter chooses a task, Space adds it to the selection, Escape lets go. " +
      "Plus, minus and 0 zoom, as does the wheel while the map has the focus; Shift and arrows move the map.";
    this.stampText.setAttribute("aria-hidden", "true"); // the alert says it
    this.stampText.hidden = this.lackText.hidden = true;
    this.said.setAttribute("aria-live", "polite");
  }

  // Stamps a map of collapsed tasks. It would look like any other map, because one spot is magnified to fill the frame.
  /** @param {string | undefined} alarm */
  stamp(alarm) {
    this.root.dataset.collapsed = String(Boolean(alarm));
    this.stampText.hidden = !alarm;
  }

  listen() {
    const repaint = () => this.draw();
    const regroup = () => this.regroup();
    this.resized.observe(this.canvas);
    window.addEventListener("resize", this.onRatio); // the browser's zoom
    return [
      this.state.on("hover", () => this.details.hover()),
      this.state.on("chosen", () => this.details.choose()),
      this.state.on("selected", regroup),
      this.state.on("hidden", regroup),
      this.state.on("colour", () => this.colour()),
      this.state.on("projector", () => this.restyle()),
      this.state.on("labels pictures trails", () => this.tools.show()),
      this.state.on("labels", repaint),
      this.state.on("pictures trails arrows", () => this.makeRoom()),
      this.state.on("still", repaint),
      onTheme(() => this.restyle()),
    ];
  }

  // On another screen the pixel ratio may change while the size in CSS pixels stays the same.
  watchRatio() {
    this.ratioQuery?.removeEventListener("change", this.onRatio);
    this.ratioQuery = window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    this.ratioQuery.addEventListener("change", this.onRatio);
  }

  remove() {
    this.removed = true;
    this.stops.forEach((stop) => stop());
    this.resized.disconnect();
    this.ratioQuery?.removeEventListener("change", this.onRatio); // null where the map was never laid out
    window.removeEventListener("resize", this.onRatio);
    this.pointing.remove();
    cancelAnimationFrame(this.request);
    this.root.remove();
  }

  // ---- receiving tasks and frames ----

  /** @param {number} n */
  allocate(n) {
    this.n = n;
    this.glide = new Glide(n);
    this.screen = new Float32Array(2 * n);
    this.levels = new Uint8Array(n).fill(FULL);
  }

  /** @param {Tasks} tasks */
  setTasks(tasks) {
    this.tasks = tasks;
    this.colour();
    this.details.forget();
    this.tools.show();
  }

  /** @param {number} i */
  name(i) {
    return this.tasks?.names?.[i] ?? `task ${i}`;
  }

  // Takes one run's part of a picture; null where there is nothing to show yet.
  /** @param {RunPicture | null | undefined} picture @param {number} [number] */
  take(picture, number = this.page.model?.get("picture")?.number ?? 0) {
    if (!picture) return;
    const now = performance.now();
    const n = countOf(picture);
    const before = this.picture;
    const same = before !== null && n === this.n;
    this.picture = picture;
    this.lackText.hidden = true;
    if (!same) this.allocate(n);
    const others = this.leaveOut(picture);
    this.trails.take(picture);
    this.start.take(picture);
    this.tools.show(); // before the view is fitted: it keeps clear of the buttons
    const gliding = same && !this.state.get("still") && !document.hidden;
    this.glide.aim(picture, now, gliding);
    // A new projection gives a new map: a zoomed view of the old one means nothing in it.
    const refit = !same || before.projection !== picture.projection;
    if (refit) this.viewport.own = false;
    this.follow(now, gliding, refit);
    if (!same) this.colour();
    if (!same) this.details.choose(); // a reloaded page may have a chosen task from the start
    this.counts = picture.changes ? bytesOf(picture.changes.counts) : null;
    if (this.counts || before?.changes || others) this.regroup();
    if (others) this.details.choose(); // the chosen task may have been left out, or be back
    this.describe(picture, number);
    this.stamp(picture.alarm);
    this.details.take();
    this.draw();
  }

  // One of two maps of one run, or ("") its only one. The card of a chosen task stands below one of them.
  /** @param {"" | "umap" | "pca"} side */
  setSide(side) {
    if (this.side === side) return;
    this.side = side;
    this.root.dataset.side = side;
    this.details.choose();
  }

  // There is no such map of the moment shown: an empty frame says so.
  /** @param {string} words @param {RunPicture} picture the run's picture of that moment */
  lack(words, picture) {
    this.take({ ...picture, projection: this.side, points: new Uint8Array(0), box: [0, 0, 1, 1], trails: null, start: undefined, alarm: "", links: null });
    setText(this.lackText, words);
    this.lackText.hidden = false;
  }

  // Stores which tasks the picture leaves out (they diverged); returns true where the set changed.
  /** @param {RunPicture} picture */
  leaveOut(picture) {
    const before = [...this.gone].join();
    this.gone = new Set(picture.left_out ?? []);
    return [...this.gone].join() !== before;
  }

  // Fits the view to everything that is drawn.
  /** @param {number} now @param {boolean} gliding @param {boolean} refit */
  follow(now, gliding, refit) {
    boundsOf(this.glide.to, this.box, (i) => this.gone.has(i));
    if (this.trails.shown()) this.trails.extend(this.box);
    if (this.start.shown()) this.start.extend(this.box);
    if (this.gone.size >= this.n) this.box.set([0, 0, 1, 1]);
    this.reserve();
    this.viewport.follow(this.box, now, gliding, refit);
  }

  // The buttons and the scale bar keep their strips of the map to themselves.
  reserve() {
    const { viewport, ratio, letters } = this;
    viewport.head = this.tools.bottom();
    viewport.foot = 1.3 * letters * (ratio || 1); // for a map without a bar too: PCA and UMAP have one frame
    viewport.named = Boolean(this.tasks?.labels) || this.thumbnails.shown();
  }

  // Pictures, trails, or the start with its arrows were switched on or off: the view makes room for them, or gives it back.
  makeRoom() {
    if (this.picture) this.follow(performance.now(), !this.state.get("still"), true);
    this.draw();
  }

  /** @param {RunPicture} picture @param {number} number */
  describe(picture, number) {
    const data = this.root.dataset;
    [data.step, data.frame, data.tasks] = [picture.step, number, this.n].map(String);
    this.stepText.textContent = `step ${counted(picture.step)}`;
    const name = this.page.runName?.(this.run) ?? "";
    const drawn = (picture.projection ?? "").toUpperCase(); // PCA, UMAP
    const title = [name, this.side ? drawn : `Task space, ${drawn}`].filter(Boolean).join(": "); // short where it must be read
    const tasks = this.n ? `Map of ${this.n - this.gone.size} tasks` : "No map of this step";
    const label = `${tasks}, ${drawn}${name ? `, ${name}` : ""}`;
    setText(this.title, title);
    this.title.title = title; // beside the number of selected tasks a small map has no room for all of it
    if (this.canvas.getAttribute("aria-label") !== label) this.canvas.setAttribute("aria-label", label);
    const words = [this.page.wordsId, this.hint.id].filter(Boolean).join(" ");
    if (this.canvas.getAttribute("aria-describedby") !== words) this.canvas.setAttribute("aria-describedby", words);
  }

  // ---- drawing ----

  draw() {
    if (this.request || !this.picture || this.removed) return;
    this.request = requestAnimationFrame(() => {
      this.request = 0;
      this.paint();
    });
  }

  paint() {
    const now = performance.now();
    const { glide, screen, viewport } = this;
    const begun = glide.begun;
    if (glide.ends(now) && viewport.begun === begun) viewport.begun = -Infinity; // end its glide too
    glide.at(now);
    viewport.at(now);
    const { places } = glide;
    for (let i = 0; i < screen.length; i += 2) {
      screen[i] = viewport.screenX(places[i]);
      screen[i + 1] = viewport.screenY(places[i + 1]);
    }
    this.thumbnails.place();
    this.painter.paint();
    this.details.follow();
    this.drawn += 1;
    this.root.dataset.drawn = String(this.drawn);
    const zoom = viewport.zoom().toFixed(2);
    if (this.root.dataset.zoom !== zoom) this.root.dataset.zoom = zoom;
    // Checked after painting: if this paint was still on the way, another one follows that shows the end position.
    if (this.moving(now)) this.draw();
  }

  /** @param {number} now */
  moving(now) {
    return this.glide.progress(now) < 1 || this.viewport.moving(now);
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(this.canvas.clientWidth * ratio), Math.round(this.canvas.clientHeight * ratio)];
    if (!wide || !high) return;
    if (this.ratio !== ratio) this.watchRatio();
    this.ratio = ratio;
    this.root.dataset.small = String(this.isSmall());
    this.letters = this.lettersNow();
    this.tools.forget();
    this.tools.show(); // a map may have become large enough for pictures
    this.reserve();
    if (this.canvas.width !== wide || this.canvas.height !== high) {
      [this.canvas.width, this.canvas.height] = [wide, high];
      this.viewport.resize(wide, high, performance.now());
    }
    this.restyle();
    if (this.picture) this.paint(); // a resized canvas is empty until it is painted
  }

  isSmall() {
    return this.canvas.clientWidth < SMALL;
  }

  // The theme, the size or the mode changed: markers and lines are made anew.
  restyle() {
    this.palette = paletteOf(this.root);
    this.letters = this.lettersNow();
    this.tools.forget();
    this.details.restyle();
    this.colour();
  }

  lettersNow() {
    const least = this.state.get("projector") ? HALL_LETTERS : LETTERS;
    return Math.max(least, parseFloat(getComputedStyle(this.root).fontSize) || 0);
  }

  radius() {
    return radiusOf(this.n, this.ratio || 1, this.state.get("projector"), this.tasks?.labels ?? false, this.letters);
  }

  colour() {
    // Colours arrive with their tasks. A picture with another number of tasks is drawn in one colour until its own
    // arrive.
    const known = this.tasks?.n === this.n ? this.tasks.colours[this.state.get("colour") ?? 0] : null;
    this.colouring = decodeColouring(known, this.n);
    this.atlas.build(this.n, this.colouring.rgb, this.colouring.shapes, this.radius(), this.palette);
    this.labels.forget();
    this.thumbnails.forget();
    this.trails.forget();
    this.regroup();
  }

  // Computes how strongly each point is drawn; done when a choice changes, not at every paint.
  regroup() {
    const hidden = this.state.get("hidden") ?? new Set();
    const selected = new Set(this.state.get("selected") ?? []);
    const counts = this.counts?.some((count) => count > 0) ? this.counts : null;
    const view = { gone: this.gone, hidden, selected, counts };
    this.lasso.count(selected.size);
    for (let i = 0; i < this.n; i++) this.levels[i] = levelOf(i, this.colouring.groups[i], view);
    const hover = this.state.get("hover");
    if (hover >= 0 && hover < this.n && !this.shown(hover)) this.state.set("hover", -1);
    this.draw();
  }

  /** @param {number} i */
  shown(i) {
    return i >= 0 && i < this.n && this.levels[i] !== FAINT && this.levels[i] !== ABSENT;
  }

  // ---- zoom and pan ----

  /** @param {number} factor @param {number} [x] @param {number} [y] */
  zoom(factor, x, y) {
    this.viewport.zoomBy(factor, performance.now(), !this.state.get("still"), x, y);
    this.draw();
  }

  /** @param {number} dx @param {number} dy @param {boolean} [glide] */
  pan(dx, dy, glide = false) {
    this.viewport.panBy(dx, dy, performance.now(), glide && !this.state.get("still"));
    this.draw();
  }

  fit() {
    this.viewport.release(performance.now(), !this.state.get("still"));
    this.draw();
  }

  // Shows these tasks as large as they go; "fit" shows all tasks again.
  /** @param {number[]} tasks */
  zoomTo(tasks) {
    const those = new Set(tasks.filter((i) => i < this.n && !this.gone.has(i)));
    if (!those.size) return;
    const box = new Float64Array(4);
    boundsOf(this.glide.to, box, (i) => !those.has(i));
    this.viewport.showBox(box, performance.now(), !this.state.get("still"));
    this.draw();
  }

  // Pans until the task that was found or that the keyboard moved to is visible, where the learner's zoom has left it
  // outside. What counts is the view that a glide goes to: names are typed faster than the map glides.
  /** @param {number} i */
  reveal(i) {
    const { viewport, glide } = this;
    if (!viewport.own || i >= this.n) return;
    const [x, y] = viewport.goesTo(glide.to[2 * i], glide.to[2 * i + 1]);
    const edge = 24 * this.ratio;
    /** @param {number} at @param {number} size */
    const past = (at, size) => Math.min(0, at - edge) + Math.max(0, at - (size - edge));
    const [dx, dy] = [past(x, viewport.wide), past(y, viewport.high)];
    if (dx || dy) this.pan(-dx, -dy, true);
  }

  // Where the tasks stand, in CSS pixels from the canvas' upper left corner: x, y, x, y, ... (for tests and tools).
  screenPositions() {
    return this.screen.map((v) => v / this.ratio);
  }

  /** @param {string} text */
  say(text) {
    setText(this.said, text);
  }
}
