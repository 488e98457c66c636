// The loss over the start, for a learner of two numbers: the surface in the place of the map, with a switch between them.
//
// The kernel sends a surface where settings or tasks have changed (live/surface.py), and with each picture where the run's
// start and the ends of its inner loops are. A start that the learner puts there by hand is the page's own: its loss is
// read from the grid, so that it follows the pointer without asking the kernel.

import { element, freshId, helpMark, oncePerFrame, onTheme, penOf } from "./base.js";
import { decodeColouring, decodePlaces } from "./packets.js";
import { paletteOf } from "./shapes.js";
import { ARROWS_HELP } from "./start.js";
import { afterWords, StartByHand } from "./surface_hand.js";
import { bestOf, gridAfter } from "./surface_numbers.js";
import { SurfacePainter } from "./surface_painting.js";

/** @import { LabPage } from "./lab.js" */
/** @import { PlaceOnPlane, Point, RunPicture, SurfacePacket } from "./types.js" */

/** @typedef {{ start: Point, way: Float32Array, ends: Float32Array }} RunOnPlane */

const TITLE = "The loss over the start";
const HELP = `A place is a start: a whole network of two numbers. Its height is the mean loss of the tasks after so many inner steps from there. Dots are the tasks' own best networks. ${ARROWS_HELP}`;
export class SurfaceView {
  root = element("section", "te-surface");
  head = element("div", "te-surface-head", this.root);
  steps = element("div", "te-surface-steps te-radios");
  stage = element("div", "te-surface-stage", this.root);
  canvas = element("canvas", "te-surface-canvas", this.stage);
  context = penOf(this.canvas, true);
  switch = element("div", "te-radios te-plane-switch");
  /** @type {HTMLInputElement[]} */
  radios = [];
  draw = oncePerFrame(() => this.paint());
  painter = new SurfacePainter(this);
  resized = new ResizeObserver(this.draw);

  /** @type {SurfacePacket | null} */
  packet = null;
  /** @type {import("./surface_numbers.js").Grid | null} */
  grid = null; // after the steps shown
  /** @type {import("./surface_numbers.js").Grid | null} */
  before = null; // after no step
  /** @type {{ start: Point, loss: number } | null} */
  best = null;
  /** @type {number | null} */
  chosenSteps = null; // null: the run's own
  shownKey = "";
  /** @type {[string, string]} */
  names = ["", ""];
  /** @type {string[]} */
  stops = [];
  optima = new Float32Array(0);
  /** @type {RunOnPlane[]} */
  runs = [];
  /** @type {{ label: string, colour: string, places: Float32Array }[]} */
  ways = [];
  /** @type {RunPicture[]} */
  pictures = [];
  ratio = 1;
  drawn = 0;
  colouring = decodeColouring(null, 0);
  gone = new Set(/** @type {number[]} */ ([]));

  /** @param {LabPage} page @param {Element} parent @param {Element} bar where the switch between map and surface stands */
  constructor(page, parent, bar) {
    this.page = page;
    this.build();
    this.hand = new StartByHand(this);
    this.buildSwitch();
    const place = document.createComment("the loss over the start"); // before the time slider, also for the Tab key
    parent.append(place);
    this.attach = () => {
      place.before(this.root);
      bar.prepend(this.switch); // first: it stays where it is when what belongs to the map comes and goes
    };
    this.palette = paletteOf(page.root);
    this.resized.observe(this.canvas);
    this.ends = [
      page.on("hover chosen selected hidden", this.draw),
      page.on("colour", () => this.recolour()),
      page.on("plane", () => this.show()),
      page.on("projector", () => this.restyle()),
      onTheme(() => this.restyle()),
    ];
    this.show();
  }

  // ---- building ----

  build() {
    this.root.setAttribute("aria-label", TITLE);
    Object.assign(this.root, { __surface: this }); // for tests and tools
    const title = element("span", "te-map-title", this.head, TITLE);
    helpMark(title, TITLE, HELP);
    this.head.append(this.steps);
    this.steps.setAttribute("role", "radiogroup");
    this.steps.setAttribute("aria-label", "Inner steps of the surface");
  }

  // Map or surface: a way to look, no setting.
  buildSwitch() {
    this.switch.setAttribute("role", "radiogroup");
    this.switch.setAttribute("aria-label", "What is shown");
    const group = freshId("plane");
    this.radios = [["surface", "Loss over the start"], ["map", "Task map"]].map(([value, words]) => {
      const radio = this.radio(this.switch, group, words, () => this.page.set("plane", /** @type {"map" | "surface"} */ (value)));
      radio.value = value;
      return radio;
    });
  }

  /** @param {Element} parent @param {string} name @param {string} words @param {() => void} act */
  radio(parent, name, words, act) {
    const label = element("label", "te-radio", parent);
    const radio = element("input", "", label);
    Object.assign(radio, { type: "radio", name });
    element("span", "", label, words);
    radio.addEventListener("change", act);
    return radio;
  }

  remove() {
    this.ends.forEach((stop) => stop());
    this.resized.disconnect();
    this.draw.stop();
    this.root.remove();
  }

  // ---- what comes from the kernel ----

  takeSurface() {
    const packet = this.page.model.get("surface");
    this.packet = packet?.names ? /** @type {SurfacePacket} */ (packet) : null;
    if (this.packet) {
      const { names, stops, optima, box } = this.packet;
      [this.names, this.stops, this.optima] = [names, stops, placesIn(optima, box)];
      this.ways = (this.packet.ways ?? []).map(({ label, colour, points }) => ({ label, colour, places: placesIn(points, box) }));
    }
    this.chooseSteps();
    this.take(this.pictures);
    this.show();
  }

  /** @param {RunPicture[]} pictures */
  take(pictures) {
    this.pictures = pictures;
    const { packet } = this;
    this.gone = new Set(pictures.flatMap(({ left_out }) => left_out ?? []));
    this.runs = packet ? pictures.flatMap(({ plane }) => (plane ? [runOnPlane(plane, packet.box)] : [])) : [];
    if (this.optima.length && this.colouring.shapes.length !== this.optima.length / 2) this.recolour();
    this.hand.tell();
    this.draw();
  }

  // Which surface is shown: after the chosen steps, else after those of the run.
  chooseSteps() {
    const { packet } = this;
    if (!packet) return;
    const steps = this.stepsShown();
    const known = packet.steps.join();
    if (this.steps.dataset.known !== known) this.makeSteps(packet.steps);
    this.steps.dataset.known = known;
    for (const radio of this.steps.querySelectorAll("input")) {
      radio.checked = Number(radio.value) === steps;
      radio.parentElement?.classList.toggle("te-own-steps", Number(radio.value) === packet.own);
    }
    [this.before, this.grid] = [gridAfter(packet, 0), gridAfter(packet, steps)];
    this.best = bestOf(this.grid);
    this.shownKey = `${steps} ${packet.inner_lr} ${packet.high} ${this.best.loss} ${this.best.start.join()} ${this.drawnOf(packet)}`;
  }

  // A number for each packet: another one may have the same settings and other tasks.
  /** @param {SurfacePacket} packet */
  drawnOf(packet) {
    if (this.numbered !== packet) [this.numbered, this.number] = [packet, (this.number ?? 0) + 1];
    return this.number;
  }

  /** @type {SurfacePacket | undefined} */
  numbered = undefined;
  /** @type {number | undefined} */
  number = undefined;

  stepsShown() {
    const { packet, chosenSteps } = this;
    if (!packet) return 0;
    return chosenSteps !== null && packet.steps.includes(chosenSteps) ? chosenSteps : packet.own;
  }

  /** @param {number[]} all */
  makeSteps(all) {
    const group = freshId("steps");
    this.steps.replaceChildren();
    element("span", "te-control-label", this.steps, "after");
    for (const steps of all) {
      const radio = this.radio(this.steps, group, String(steps), () => {
        this.chosenSteps = steps;
        this.hand.showBest(false); // of these steps it is to be guessed first
        this.chooseSteps();
        this.hand.tell();
        this.draw();
      });
      radio.value = String(steps);
      radio.setAttribute("aria-label", afterWords(steps));
    }
    element("span", "te-control-label", this.steps, "inner steps");
  }

  // ---- showing ----

  show() {
    const there = Boolean(this.packet);
    if (there && !this.root.parentElement) this.attach(); // where there has never been a plane, nothing of it is on the page
    const plane = there ? this.page.get("plane") : "map";
    this.page.root.dataset.plane = plane;
    this.page.countPictures();
    this.switch.hidden = !there;
    this.root.hidden = plane !== "surface";
    this.radios.forEach((radio) => (radio.checked = radio.value === plane));
    this.restyle();
  }

  restyle() {
    this.palette = paletteOf(this.page.root);
    this.draw();
  }

  recolour() {
    const tasks = this.page.model.get("tasks");
    this.colouring = decodeColouring(tasks?.colours?.[this.page.get("colour") ?? 0], this.optima.length / 2);
    this.draw();
  }

  paint() {
    const { canvas } = this;
    if (this.root.hidden || !canvas.clientWidth) return;
    this.ratio = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(canvas.clientWidth * this.ratio), Math.round(canvas.clientHeight * this.ratio)];
    if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
    const least = this.page.get("projector") ? 20 : 14;
    this.painter.ground.place(canvas, this.ratio, Math.max(least, parseFloat(getComputedStyle(this.root).fontSize) || 0));
    this.painter.paint();
    this.drawn += 1;
    Object.assign(this.root.dataset, {
      drawn: String(this.drawn),
      steps: String(this.stepsShown()),
      ways: String(this.ways.length),
      optima: String(this.optima.length / 2),
      starts: String(this.runs.length),
      hand: this.hand.start?.join(" ") ?? "",
    });
  }

  // ---- what the painter asks ----

  strongTasks() {
    const { page } = this;
    return [...page.get("selected"), page.get("chosen"), page.get("hover")].filter((i) => i >= 0);
  }

  /** @param {number} i */
  isThere(i) {
    return !this.gone.has(i) && !this.page.get("hidden").has(this.colouring.groups[i]);
  }

  /** @param {number} i */
  colourOf(i) {
    return this.colouring.rgb.subarray(3 * i, 3 * i + 3);
  }

  /** @param {number} i */
  shapeOf(i) {
    return this.colouring.shapes[i] ?? 0;
  }

}

/** @param {import("./types.js").Bytes} points @param {number[]} box */
function placesIn(points, box) {
  const places = new Float32Array(points.byteLength >> 1);
  decodePlaces({ points, box }, places);
  return places;
}

/** @param {PlaceOnPlane} plane @param {number[]} box @returns {RunOnPlane} */
function runOnPlane({ way, ends }, box) {
  const places = placesIn(way, box);
  return { start: [places[places.length - 2], places[places.length - 1]], way: places, ends: placesIn(ends, box) };
}
