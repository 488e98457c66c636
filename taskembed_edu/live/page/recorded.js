// A recorded run as a model. It has the same get, set, on, off, save_changes and send as a live model, and answers from
// the file itself, without a kernel or a network. The page's own clock plays the film.

import { counted } from "./base.js";
import { changesBetween, OTHER_RUN } from "./neighbour_changes.js";
import { floatsOf, wordsOf } from "./packets.js";

/**
 * @import {
 *   Fit, Heard, Message, MissingTrails, Packed, Picture, PlaceOnPlane, RecordedDocument, RecordedRun, StartPacket, SurfacePacket, StoredDocument, StoredRun, Tasks, Traits, Transport
 * } from "./types.js"
 */

/** @type {Tasks} */
const NO_TASKS = { n: 0, family: "", names: [], colours: [], truth: null, card: { kind: "words", words: [] } };

/** @type {Partial<SurfacePacket>} */
const NO_SURFACE = {};

// ---- decoding the document ----------------------------------------------------------------------------------------------

/** @param {Packed} entry */
async function unpacked({ $bytes, gzip }) {
  const packed = Uint8Array.from(atob($bytes), (letter) => letter.charCodeAt(0));
  if (!gzip) return packed;
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The document with every packed entry decoded to bytes; everything else is unchanged.
/** @param {unknown} value @returns {Promise<unknown>} */
async function decoded(value) {
  if (Array.isArray(value)) return Promise.all(value.map(decoded));
  if (!value || typeof value !== "object") return value;
  if ("$bytes" in value) return unpacked(/** @type {Packed} */ (value));
  const entries = await Promise.all(Object.entries(value).map(async ([key, each]) => [key, await decoded(each)]));
  return Object.fromEntries(entries);
}

// Each frame is stored as its difference from the frame before, modulo 65,536 (256 for bytes): add the differences up.
/** @template {Uint8Array | Uint16Array} Numbers @param {Numbers} frames @param {number} count */
export function summed(frames, count) {
  const each = count ? frames.length / count : 0;
  for (let at = each; at < frames.length; at++) frames[at] += frames[at - each];
  return frames;
}

/** @param {Uint8Array} bytes @param {number} count */
function summedWords(bytes, count) {
  return summed(new Uint16Array(bytes.slice().buffer), count);
}

/** @param {unknown} raw @returns {Promise<RecordedDocument>} */
async function recordedDocument(raw) {
  const stored = /** @type {StoredDocument} */ (await decoded(raw));
  return { ...stored, runs: stored.runs.map(recordedRun) };
}

/** @param {StoredRun} run @returns {RecordedRun} */
function recordedRun(run) {
  const count = run.frames.length;
  const { trails, start, plane, fit, pca } = run;
  return {
    ...run,
    points: summedWords(run.points, count),
    neighbours: run.k ? summedWords(run.neighbours, count) : null,
    trails: trails && { n: trails.n, points: summedWords(trails.points, count) },
    start: start && { n: start.n, points: floatsOf(start.points) },
    plane: plane && { ...plane, ways: summedWords(plane.ways, count), ends: summedWords(plane.ends, count) },
    pca: pca && recordedMap(pca, count),
    fit: fit && recordedFit(fit, count),
  };
}

/** @param {NonNullable<StoredRun["pca"]>} map @param {number} count @returns {NonNullable<RecordedRun["pca"]>} */
function recordedMap({ boxes, missing, readings, points, trails, start }, count) {
  const ways = trails && { n: trails.n, points: summedWords(trails.points, count) };
  return { boxes, missing, readings, points: summedWords(points, count), trails: ways, start: start && { n: start.n, points: floatsOf(start.points) } };
}

// Each word is stored once, in a vocabulary; the frames hold indices into it.
/** @param {NonNullable<StoredRun["fit"]>} fit @param {number} count @returns {NonNullable<RecordedRun["fit"]>} */
function recordedFit({ kind, n, values, words }, count) {
  const frames = kind === "words" ? summedWords(values, count) : summed(values.slice(), count);
  return { kind, n, frames, vocabulary: kind === "words" ? new TextDecoder().decode(words).split("\n") : [] };
}

// The latest frame at or before the step.
/** @param {RecordedRun} run @param {number} step */
function frameAt({ frames }, step) {
  let at = frames.length - 1;
  while (at > 0 && frames[at].step > step) at -= 1;
  return at;
}

// The way of the start in one frame, in the form that a kernel sends.
/** @param {RecordedRun["start"]} start @param {boolean} has_place @param {number} at @returns {StartPacket | undefined} */
function startAt(start, has_place, at) {
  if (!start) return undefined;
  return has_place ? { n: start.n, points: start.points.subarray(2 * start.n * at, 2 * start.n * (at + 1)) } : { n: 0 };
}

/** @param {RecordedRun["plane"]} plane @param {number} n @param {number} at @returns {PlaceOnPlane | undefined} */
function planeAt(plane, n, at) {
  if (!plane) return undefined;
  const way = plane.ways.subarray(2 * plane.n * at, 2 * plane.n * (at + 1));
  return { n: plane.n, way, ends: plane.ends.subarray(2 * n * at, 2 * n * (at + 1)) };
}

// ---- the model ----------------------------------------------------------------------------------------------------------

export class RecordedModel {
  recorded = true;
  /** @type {Map<string, Set<Heard>>} */
  listeners = new Map();
  /** @type {Partial<Traits>} */
  values = {};
  /** @type {RecordedDocument} */
  stored = { title: "", tasks: NO_TASKS, help: { reading: [], scores: {}, panels: [], try: [] }, marks: [], runs: [] };
  /** @type {number[]} */
  steps = []; // the film's steps: the frames of the run with the most steps
  at = 0; // the index in `steps` of the frame shown
  shownStep = 0; // the training step shown
  number = 0; // of the picture
  rate = 10; // frames a second
  playing = false;
  compare = ""; // `OTHER_RUN`: each run's neighbours are compared with the other one's
  /** @type {{ now: number, at: number } | null} */
  begun = null; // when the film was started, and at which index in `steps`
  request = 0;

  // Unpacking is asynchronous: wait for `ready` before any other call.
  /** @param {unknown} raw */
  constructor(raw) {
    this.ready = recordedDocument(raw).then((stored) => this.begin(stored));
  }

  /** @param {RecordedDocument} stored */
  begin(stored) {
    this.stored = stored;
    /** @param {RecordedRun} run */
    const last = (run) => run.frames[run.frames.length - 1].step;
    const longest = stored.runs.reduce((best, run) => (last(run) > last(best) ? run : best));
    this.steps = longest.frames.map((frame) => frame.step);
    this.at = this.steps.length - 1;
    this.shownStep = this.steps[this.at];
    this.values = {
      title: stored.title,
      controls: [],
      tasks: stored.tasks,
      help: stored.help,
      marks: stored.marks,
      scorecards: stored.scorecards ?? {},
      rows: { runs: stored.runs.map(({ columns, values }) => ({ first: 0, columns, values })) },
      chosen: -1,
      selected: [],
      colour: stored.colour ?? 0,
    };
    this.values.surface = this.surface(this.shownStep);
    this.values.transport = this.transport();
    this.values.picture = this.picture();
    this.values.bench = this.bench();
  }

  /** @template {keyof Traits} Name @param {Name} name @returns {Partial<Traits>[Name]} */
  get(name) {
    return this.values[name];
  }

  /** @template {keyof Traits} Name @param {Name} name @param {Traits[Name]} value */
  set(name, value) {
    if (this.values[name] === value) return;
    this.put(name, value);
    if (name === "chosen") this.put("picture", this.picture());
  }

  save_changes() {}

  /** @param {string} names @param {Heard} callback */
  on(names, callback) {
    for (const name of names.split(" ")) {
      const callbacks = this.listeners.get(name) ?? new Set();
      this.listeners.set(name, callbacks.add(callback));
    }
  }

  /** @param {string} names @param {Heard} callback */
  off(names, callback) {
    for (const name of names.split(" ")) this.listeners.get(name)?.delete(callback);
  }

  /** @param {string} name */
  notify(name) {
    for (const callback of this.listeners.get(name) ?? []) callback({});
  }

  /** @template {keyof Traits} Name @param {Name} name @param {Traits[Name]} value */
  put(name, value) {
    this.values[name] = value;
    this.notify(`change:${name}`);
  }

  // ---- commands from the page ----

  /** @param {Message} message */
  send(message) {
    if (message.do === "look") this.look(message.step ?? null);
    else if (message.do === "play") this.play();
    else if (message.do === "pause") this.pause();
    else if (message.do === "speed") this.speed(message.rate ?? this.rate);
    else if (message.do === "compare") this.compareWith(message.metric === OTHER_RUN ? OTHER_RUN : "");
    else if (message.do === "rows") this.notify("change:rows");
  }

  /** @param {string} compare */
  compareWith(compare) {
    this.compare = compare;
    this.put("transport", this.transport());
    this.put("picture", this.picture());
  }

  // Shows the latest frame at or before the step: the curves may have more steps than there are frames.
  /** @param {number | null} step */
  look(step) {
    this.pause();
    const next = this.steps.findIndex((each) => each > (step ?? Infinity));
    const at = next < 0 ? this.steps.length - 1 : Math.max(0, next - 1);
    this.go(at, step ?? this.steps[at]);
  }

  /** @param {number} at @param {number} [step] */
  go(at, step = this.steps[at]) {
    this.at = at;
    this.shownStep = step;
    const surface = this.surface(step);
    if (surface !== this.values.surface) this.put("surface", surface);
    this.put("picture", this.picture());
    const bench = this.bench();
    if (bench !== this.values.bench) this.put("bench", bench);
  }

  play() {
    if (this.playing) return;
    this.playing = true;
    if (this.at >= this.steps.length - 1) this.at = 0;
    this.begun = null;
    this.put("transport", this.transport());
    this.go(this.at);
    this.request = requestAnimationFrame((now) => this.film(now));
  }

  // The frame follows from the time since the start, not from a count of animation frames: a slow page skips frames and
  // a fast one waits, so the film has the same speed on both.
  /** @param {number} now */
  film(now) {
    if (!this.playing) return;
    this.begun ??= { now, at: this.at };
    const at = Math.min(this.steps.length - 1, this.begun.at + Math.floor(((now - this.begun.now) * this.rate) / 1000));
    if (at !== this.at) this.go(at);
    if (at === this.steps.length - 1) this.pause();
    else this.request = requestAnimationFrame((next) => this.film(next));
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    cancelAnimationFrame(this.request);
    this.put("transport", this.transport());
  }

  /** @param {number} rate */
  speed(rate) {
    this.rate = rate;
    this.begun = null;
  }

  // ---- what a kernel would send ----

  /** @returns {Transport} */
  transport() {
    const { from, steps, version } = this.stored.exported ?? {};
    const { runs } = this.stored;
    const comparable = runs.length === 2 && runs.every(({ neighbours, k }) => neighbours && k === runs[0].k);
    const made = [from, steps === undefined ? "" : `${counted(steps)} steps`].filter(Boolean).join(", ");
    return {
      playing: this.playing,
      status: `A recording${made ? `: ${made}` : ""}. Move the time, hover the tasks, change the colours.`,
      tone: "calm",
      device: version ? `taskembed_edu ${version}` : "",
      rate: 0,
      active: 0,
      runs: this.stored.runs.map(({ name, about, frames }) => ({ name, about, step: frames[frames.length - 1].step })),
      undo: "",
      wishes: [],
      metrics: comparable ? [{ value: OTHER_RUN, label: runs[1].name, about: "the same tasks, the other map" }] : [],
      compare: comparable ? this.compare : "",
      both: this.stored.runs.length === 1 && Boolean(this.stored.runs[0].pca),
    };
  }

  /** @returns {Picture} */
  picture() {
    this.number += 1;
    const live = this.shownStep >= this.steps[this.steps.length - 1];
    const step = this.shownStep;
    const runs = this.stored.runs.map((run, k) => ({ ...this.runPicture(run, k, step), ...this.changes(k, step) }));
    const words = runs.map(({ words }) => words).filter(Boolean);
    return { number: this.number, live, step, runs, words: words.join(" ") };
  }

  // The surface of the first run's settings at a step.
  /** @param {number} step */
  surface(step) {
    const [run] = this.stored.runs;
    return run?.plane ? run.plane.surfaces[run.plane.at[frameAt(run, step)]] : NO_SURFACE;
  }

  // The bench at the last kept frame at or before the step: a file holds fewer of them than of maps.
  bench() {
    return this.stored.benches?.findLast(({ step }) => step <= this.shownStep) ?? this.values.bench ?? {};
  }

  /** @param {RecordedRun} run @param {number} k @param {number} step */
  runPicture(run, k, step) {
    const at = frameAt(run, step);
    const frame = run.frames[at];
    const n = this.stored.tasks.n;
    const points = run.points.subarray(2 * n * at, 2 * n * (at + 1));
    const [trails, fit] = [this.trails(run.trails, frame.missing, at), this.fit(run, at)];
    const second = run.pca ? { pca: this.second(run.pca, at) } : {};
    const nowhere = this.stored.tasks.starts ? { n: 0 } : undefined; // a file of UMAP's maps alone has no place of the start
    const start = startAt(run.start, frame.projection === "pca", at) ?? nowhere;
    const drawn = { start, plane: planeAt(run.plane, n, at) };
    return { ...frame, run: k, points, trails, fit, ...drawn, ...second, links: this.links(run, at) };
  }

  // With "What changed?": which of this run's neighbours the other one does not have.
  /** @param {number} own @param {number} step */
  changes(own, step) {
    const { runs, tasks } = this.stored;
    if (this.compare !== OTHER_RUN || runs.length < 2) return {};
    /** @param {RecordedRun} run */
    const near = (run) => {
      const from = run.k * tasks.n * frameAt(run, step);
      return (run.neighbours ?? new Uint16Array(0)).subarray(from, from + run.k * tasks.n);
    };
    const [mine, other] = [runs[own], runs[1 - own]];
    const found = changesBetween({ own: near(mine), other: near(other), k: mine.k }, tasks.n, this.values.chosen ?? -1);
    /** @type {[string, string]} */
    const names = [mine.name, other.name];
    return { changes: { metric: OTHER_RUN, names, ...found } };
  }

  // The second map of the moment.
  /** @param {NonNullable<RecordedRun["pca"]>} map @param {number} at */
  second({ boxes, missing, readings, points, trails, start }, at) {
    const n = this.stored.tasks.n;
    const places = points.subarray(2 * n * at, 2 * n * (at + 1));
    const drawn = { trails: this.trails(trails, missing[at], at), start: startAt(start, true, at) };
    return { box: boxes[at], points: places, readings: readings[at], ...drawn };
  }

  /** @param {RecordedRun["trails"]} trails @param {MissingTrails | undefined} missing @param {number} at */
  trails(trails, missing, at) {
    if (missing) return { n: 0, missing };
    if (!trails) return null;
    const size = 2 * trails.n * this.stored.tasks.n;
    return { n: trails.n, points: trails.points.subarray(size * at, size * (at + 1)) };
  }

  // The predictions of the tasks' own networks, in the form that a kernel sends.
  /** @param {RecordedRun} run @param {number} at @returns {Fit | null} */
  fit({ fit }, at) {
    if (!fit) return null;
    const { kind, n, frames, vocabulary } = fit;
    const tasks = this.stored.tasks.n;
    const values = frames.subarray(n * tasks * at, n * tasks * (at + 1));
    if (kind === "curve" || kind === "path") return { kind, n, points: values };
    if (kind === "classes") return { kind, n, classes: values };
    /** @param {number} i */
    const spelt = (i) => Array.from(values.subarray(i * n, (i + 1) * n), (k) => vocabulary[k]);
    return { kind, words: Array.from({ length: tasks }, (_, i) => spelt(i)) };
  }

  // `embedding` is null where the file has no neighbour lists; an empty list would mean that the task has no
  // neighbours.
  /** @param {RecordedRun} run @param {number} at */
  links(run, at) {
    const task = this.values.chosen ?? -1;
    const { n, truth } = this.stored.tasks;
    if (task < 0 || task >= n) return null;
    const from = run.k * (n * at + task);
    const near = run.neighbours && new Set(run.neighbours.subarray(from, from + run.k)); // where few tasks are left, one stands for many
    const embedding = near && [...near].filter((i) => i !== task);
    const k = truth?.k ?? 0;
    const relatives = Array.from(wordsOf(truth?.neighbours).subarray(task * k, (task + 1) * k)).filter((i) => i !== task);
    return { task, embedding, truth: relatives };
  }
}
