// A page for the map alone: made-up tasks and pictures, the state that a lab's maps share, and no kernel.

import { element, Shared } from "../../taskembed_edu/live/page/base.js";
import { TaskPicture } from "../../taskembed_edu/live/page/card.js";
import { TaskLegend } from "../../taskembed_edu/live/page/legend.js";
import { TaskMapView } from "../../taskembed_edu/live/page/map.js";
import { contrast, outlineOf, rgbOf } from "../../taskembed_edu/live/page/shapes.js";
import { Viewport } from "../../taskembed_edu/live/page/viewport.js";

const asView = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const packed = (numbers, low, high) => {
  const words = Uint16Array.from(numbers, (v) => Math.round(((v - low) / (high - low)) * 65535));
  return asView(new Uint8Array(words.buffer));
};

Object.assign(window, { asView, contrast, outlineOf, rgbOf, TaskPicture }); // asked for by tests

window.harness = {
  model: { get: () => ({ number: window.harness.number }) },
  number: 0,
  maps: [],

  // Open `runs` maps of n tasks; task i is a category i % 3.
  open(n, { runs = 1, state = {}, kind = "curve" } = {}) {
    const shared = new Shared({
      chosen: -1, hover: -1, selected: [], colour: 0, hidden: new Set(), still: false, projector: false, ...state,
    });
    this.page = {
      model: this.model,
      listening: () => [...shared.listeners.values()].reduce((sum, callbacks) => sum + callbacks.size, 0),
      get: (name) => shared.get(name),
      set: (name, value) => shared.set(name, value),
      on: (names, callback) => shared.on(names, callback),
      runName: (run) => (runs > 1 ? `Run ${"AB"[run]}` : ""),
    };
    const lab = document.getElementById("lab");
    const row = element("div", "row", lab);
    this.maps = Array.from({ length: runs }, (_, run) => new TaskMapView(this.page, run, element("div", "cell", row)));
    this.legend = new TaskLegend(this.page, lab);
    this.setTasks(this.tasks(n, kind));
  },

  setTasks(tasks) {
    this.n = tasks.n;
    this.maps.forEach((map) => map.setTasks(tasks));
    this.legend.setTasks(tasks);
  },

  tasks(n, kind) {
    const palette = [[0, 114, 178], [213, 94, 0], [0, 158, 115]];
    const hex = ["#0072b2", "#d55e00", "#009e73"];
    const group = Uint8Array.from({ length: n }, (_, i) => i % 3);
    const rgb = Uint8Array.from({ length: 3 * n }, (_, k) => palette[Math.floor(k / 3) % 3][k % 3]);
    const grey = Uint8Array.from({ length: 3 * n }, (_, k) => (255 * Math.floor(k / 3)) / n);
    const half = Uint8Array.from({ length: n }, (_, i) => (2 * i >= n ? 1 : 0));
    const truth = Uint16Array.from({ length: 2 * n }, (_, k) => (Math.floor(k / 2) + 1 + (k % 2)) % n);
    return {
      n,
      family: "made up",
      names: Array.from({ length: n }, (_, i) => `task number ${i}`),
      colours: [
        { name: "kind", kind: "category", stops: [], rgb: asView(rgb), shapes: asView(group), groups: asView(group),
          entries: hex.map((colour, k) => ({ label: `kind ${k}`, colour, shape: k })) },
        { name: "size", kind: "quantity", stops: ["#000000", "#ffffff"], rgb: asView(grey), shapes: asView(new Uint8Array(n)),
          groups: asView(half), entries: [{ label: "0 to 1", colour: "#404040", shape: 0 }, { label: "1 to 2", colour: "#c0c0c0", shape: 0 }] },
        { name: "turn", kind: "angle", stops: ["#e2d9e2", "#2f1436", "#e2d9e2"], rgb: asView(grey), shapes: asView(new Uint8Array(n)),
          groups: asView(half), entries: [{ label: "0 to 180°", colour: "#404040", shape: 0 }, { label: "180 to 360°", colour: "#c0c0c0", shape: 0 }] },
      ],
      truth: { k: 2, neighbours: asView(new Uint8Array(truth.buffer)) },
      card: this.card(n, kind),
    };
  },

  card(n, kind) {
    const wave = (i, x) => 5 * Math.sin(x + i);
    const xs = [-5, -2, 0, 2, 5];
    const points = Array.from({ length: n }, (_, i) => xs.flatMap((x) => [x, wave(i, x)])).flat();
    const common = { kind, x: [-5, 5], y: [-5, 5], n_points: 5, points: packed(points, -5, 5) };
    if (kind === "curve") {
      const curve = Array.from({ length: n }, (_, i) => Array.from({ length: 32 }, (_, k) => wave(i, -5 + (10 * k) / 31))).flat();
      return { ...common, n_curve: 32, curve: packed(curve, -5, 5) };
    }
    if (kind === "scatter") {
      return { ...common, n_classes: 2, classes: asView(Uint8Array.from({ length: 5 * n }, (_, k) => k % 2)) };
    }
    if (kind === "images") {
      const pixels = Uint8Array.from({ length: n * 2 * 16 }, (_, k) => (k * 37) % 256);
      return { kind, width: 4, height: 4, n_images: 2, pixels: asView(pixels), labels: asView(Uint8Array.from({ length: 2 * n }, (_, k) => k % 10)) };
    }
    if (kind === "thumbnails") { // a picture of one shade for each task, with another beside it
      const pixels = Uint8Array.from({ length: n * 2 * 16 }, (_, k) => (k % 32 < 16 ? 255 : 0));
      const labels = Uint8Array.from({ length: 2 * n }, (_, k) => k % 2);
      return { kind: "images", width: 4, height: 4, n_images: 2, pixels: asView(pixels), labels: asView(labels), on_map: [0] };
    }
    return { kind: "" };
  },

  // Places on a grid of rows and columns, which a test can name: task i stands in column i % side, row i / side.
  grid(n, shift = 0) {
    const side = Math.ceil(Math.sqrt(n));
    return Array.from({ length: n }, (_, i) => [(i % side) + shift, Math.floor(i / side)]).flat();
  },

  // One run's picture of these places, as the kernel would send it.
  picture(step, places, more = {}) {
    const n = places.length / 2;
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (let k = 0; k < places.length; k++) {
      box[k % 2] = Math.min(box[k % 2], places[k]);
      box[2 + (k % 2)] = Math.max(box[2 + (k % 2)], places[k]);
    }
    for (const k of [0, 1]) if (box[k + 2] === box[k]) box[k + 2] += 1;
    const words = Uint16Array.from(places, (v, k) => Math.round(((v - box[k % 2]) / (box[2 + (k % 2)] - box[k % 2])) * 65535));
    const bytes = new Uint8Array(1 + 4 * n); // an odd beginning, as a buffer in a message may have
    bytes.set(new Uint8Array(words.buffer), 1);
    const points = new DataView(bytes.buffer, 1, 4 * n);
    return { run: 0, index: step / 10, step, projection: "pca", box, points, links: null, changes: null, readings: {}, ...more };
  },

  take(step, places, more = {}, run = 0) {
    this.number += 1;
    this.maps[run].take(this.picture(step, places, more), this.number);
  },

  // The clock stands still, and every picture is painted when the test says so.
  freeze() {
    this.clock = 1000;
    performance.now = () => this.clock;
  },

  // Let so many milliseconds pass, paint, and say where the points stand.
  pass(milliseconds, run = 0) {
    this.clock += milliseconds;
    this.maps[run].paint();
    return this.where(run);
  },

  where(run = 0) {
    return Array.from(this.maps[run].screenPositions());
  },

  // Where these places are on the canvas once all has come to rest.
  target(places, run = 0) {
    const { viewport, ratio } = this.maps[run];
    const view = new Viewport();
    Object.assign(view, { wide: viewport.wide, high: viewport.high });
    view.moveTo(viewport.to, 0, false);
    return places.map((v, k) => (k % 2 ? view.screenY(v) : view.screenX(v)) / ratio);
  },

  // The colour of the canvas at a task, [red, green, blue, alpha]; beside it with dx, dy in CSS pixels.
  pixel(i, dx = 0, dy = 0, run = 0) {
    const { canvas, ratio, screen } = this.maps[run];
    const [x, y] = [screen[2 * i] + dx * ratio, screen[2 * i + 1] + dy * ratio];
    return Array.from(canvas.getContext("2d").getImageData(Math.round(x), Math.round(y), 1, 1).data);
  },

  // What a real glide costs: pictures come at 15 a second; how many are painted a second, and how late after the last.
  async glides(n, milliseconds) {
    const map = this.maps[0];
    const base = this.grid(n);
    let turn = 0;
    const send = () => {
      turn += 1;
      this.take(10 * turn, base.map((v, k) => v + 0.6 * Math.sin(turn + k)));
    };
    const times = [];
    const paint = map.paint;
    map.paint = function () {
      paint.call(map);
      times.push(performance.now());
    };
    const begun = performance.now();
    const clock = setInterval(send, 1000 / 15);
    await new Promise((done) => setTimeout(done, milliseconds));
    clearInterval(clock);
    const last = performance.now();
    send();
    await new Promise((done) => setTimeout(done, 800));
    map.paint = paint;
    const within = times.filter((time) => time >= begun && time < last).length;
    return { perSecond: (1000 * within) / (last - begun), lastAfter: times.at(-1) - last };
  },
};
