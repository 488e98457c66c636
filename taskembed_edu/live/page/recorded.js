// A recorded run as a model: the same get, set, on, off, save_changes and send as a live one, answered by the file
// itself. No kernel, no network; time goes by this page's clock.

import { counted } from "./base.js";
import { bytesOf } from "./packets.js";

// ---- decoding the document ----------------------------------------------------------------------------------------------

async function unpacked({ $bytes, gzip }) {
  const packed = Uint8Array.from(atob($bytes), (letter) => letter.charCodeAt(0));
  if (!gzip) return packed;
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The document with every packed entry as bytes; everything else as it is.
async function decoded(value) {
  if (Array.isArray(value)) return Promise.all(value.map(decoded));
  if (!value || typeof value !== "object") return value;
  if ("$bytes" in value) return unpacked(value);
  const entries = await Promise.all(Object.entries(value).map(async ([key, each]) => [key, await decoded(each)]));
  return Object.fromEntries(entries);
}

// Frames are stored as differences, modulo 65,536 (256 for bytes), from the frame before: add them up once.
function summedFrames(bytes, frames, Numbers = Uint16Array) {
  const sums = new Numbers(bytes.slice().buffer);
  const each = frames ? sums.length / frames : 0;
  for (let at = each; at < sums.length; at++) sums[at] += sums[at - each];
  return sums;
}

async function recordedDocument(raw) {
  const stored = await decoded(raw);
  for (const run of stored.runs) {
    run.points = summedFrames(run.points, run.frames.length);
    run.neighbours = run.k ? summedFrames(run.neighbours, run.frames.length) : null;
    if (run.trails) run.trails.points = summedFrames(run.trails.points, run.frames.length);
    if (run.fit) sumFit(run.fit, run.frames.length);
  }
  return stored;
}

// Words are stored once, and which of them is spelt where.
function sumFit(fit, frames) {
  fit.frames = summedFrames(fit.values, frames, fit.kind === "words" ? Uint16Array : Uint8Array);
  if (fit.kind === "words") fit.vocabulary = new TextDecoder().decode(fit.words).split("\n");
}

// ---- the model ----------------------------------------------------------------------------------------------------------

export class RecordedModel {
  // Unpacking takes a moment: wait for `ready` before anything is asked.
  constructor(raw) {
    this.recorded = true;
    this.listeners = new Map();
    this.number = 0;
    this.rate = 10;
    this.playing = false;
    this.ready = recordedDocument(raw).then((stored) => this.begin(stored));
  }

  begin(stored) {
    this.stored = stored;
    // The film's stops: the frames of the run with the most steps.
    const last = (run) => run.frames[run.frames.length - 1].step;
    const longest = stored.runs.reduce((best, run) => (last(run) > last(best) ? run : best));
    this.steps = longest.frames.map((frame) => frame.step);
    this.at = this.steps.length - 1;
    this.moment = this.steps[this.at];
    this.values = {
      title: stored.title,
      controls: [],
      tasks: stored.tasks,
      help: stored.help,
      marks: stored.marks,
      rows: { runs: stored.runs.map(({ columns, values }) => ({ first: 0, columns, values })) },
      chosen: -1,
      selected: [],
      colour: stored.colour ?? 0,
    };
    this.values.transport = this.transport();
    this.values.picture = this.picture();
  }

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    if (this.values[name] === value) return;
    this.values[name] = value;
    this.tell(`change:${name}`);
    if (name === "chosen") this.put("picture", this.picture());
  }

  save_changes() {}

  on(names, callback) {
    for (const name of names.split(" ")) {
      if (!this.listeners.has(name)) this.listeners.set(name, new Set());
      this.listeners.get(name).add(callback);
    }
  }

  off(names, callback) {
    for (const name of names.split(" ")) this.listeners.get(name)?.delete(callback);
  }

  tell(name) {
    for (const callback of this.listeners.get(name) ?? []) callback();
  }

  put(name, value) {
    this.values[name] = value;
    this.tell(`change:${name}`);
  }

  // ---- what the page asks for ----

  send(message) {
    if (message.do === "look") this.look(message.step);
    else if (message.do === "play") this.play();
    else if (message.do === "pause") this.pause();
    else if (message.do === "speed") this.speed(message.rate);
    else if (message.do === "rows") this.tell("change:rows");
  }

  // The curves may have more steps than there are frames: shown is the latest frame at or before the step.
  look(step) {
    this.pause();
    const next = this.steps.findIndex((each) => each > (step ?? Infinity));
    const at = next < 0 ? this.steps.length - 1 : Math.max(0, next - 1);
    this.go(at, step ?? this.steps[at]);
  }

  go(at, step = this.steps[at]) {
    this.at = at;
    this.moment = step;
    this.put("picture", this.picture());
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

  // By the clock and not by the count of animation frames: a slow page skips frames, a fast one waits.
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

  speed(rate) {
    this.rate = rate;
    this.begun = null;
  }

  // ---- what a kernel would say ----

  transport() {
    const { from, steps, version } = this.stored.exported ?? {};
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
      metrics: [],
      compare: "",
    };
  }

  picture() {
    this.number += 1;
    const live = this.moment >= this.steps[this.steps.length - 1];
    const step = this.moment;
    const runs = this.stored.runs.map((run, k) => this.runPicture(run, k, step));
    const words = runs.map(({ words }) => words).filter(Boolean);
    return { number: this.number, live, step, runs, words: words.join(" ") };
  }

  runPicture(run, k, step) {
    let at = run.frames.length - 1;
    while (at > 0 && run.frames[at].step > step) at -= 1;
    const frame = run.frames[at];
    const n = this.stored.tasks.n;
    const points = run.points.subarray(2 * n * at, 2 * n * (at + 1));
    const [trails, fit] = [this.trails(run, at), this.fit(run, at)];
    return { ...frame, run: k, points, trails, fit, links: this.links(run, at), changes: null };
  }

  trails({ trails, frames }, at) {
    const { missing } = frames[at];
    if (missing) return { n: 0, missing };
    if (!trails) return null;
    const size = 2 * trails.n * this.stored.tasks.n;
    return { n: trails.n, points: trails.points.subarray(size * at, size * (at + 1)) };
  }

  // What the tasks' own networks answer, as a kernel would say it.
  fit({ fit }, at) {
    if (!fit) return null;
    const { kind, n, frames, vocabulary } = fit;
    const tasks = this.stored.tasks.n;
    const values = frames.subarray(n * tasks * at, n * tasks * (at + 1));
    if (kind !== "words") return { kind, n, [kind === "curve" ? "points" : "classes"]: values };
    const spelt = (i) => Array.from(values.subarray(i * n, (i + 1) * n), (k) => vocabulary[k]);
    return { kind, words: Array.from({ length: tasks }, (_, i) => spelt(i)) };
  }

  // Of the embedding null where the file has no lists: to have no neighbours would be another thing.
  links(run, at) {
    const task = this.values.chosen;
    const { n, truth } = this.stored.tasks;
    if (task < 0 || task >= n) return null;
    const from = run.k * (n * at + task);
    const embedding = run.k ? Array.from(run.neighbours.subarray(from, from + run.k)) : null;
    const near = new Uint16Array(bytesOf(truth?.neighbours).slice().buffer);
    const relatives = Array.from(near.subarray(task * truth.k, (task + 1) * truth.k)).filter((i) => i !== task);
    return { task, embedding, truth: relatives };
  }
}
