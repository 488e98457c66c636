// The types of the packets between the kernel and the page, and of what the page's parts share. For the type checker
// only: no browser reads this file. Beside each packet stands the Python function that makes it (live/packets.py, ...).

export type Bytes = ArrayBuffer | ArrayBufferView;
export type Rgb = number[]; // red, green, blue: 0 ... 255
export type Box = number[] | Float64Array; // left, bottom, right, top
export type Point = [x: number, y: number];
export type Ends = [low: number, high: number];

// ---- tasks (packets.tasks_packet): once per run ----

export interface Tasks {
  n: number;
  family: string;
  names: string[];
  labels?: boolean; // whether the names stand beside the points
  starts?: boolean; // whether the tasks' inner loops have a start, which a PCA map shows
  pairs?: boolean; // whether training uses pairs, so that a share of them can be active
  colours: Colouring[];
  truth: { k: number; neighbours: Bytes } | null; // null: the family has no true distance
  card: Card;
}

export interface Colouring {
  name: string;
  kind: "category" | "quantity" | "angle";
  stops: string[];
  entries: { label: string; colour: string; shape?: number }[];
  rgb: Bytes; // 3 per task
  shapes: Bytes;
  groups: Bytes; // the index of each task's entry
  labels?: string[]; // each task's category, where some of them share the entry "others"
  values?: Bytes; // float32: the true values, but for categories
  angle?: boolean; // are the values angles, in radians?
}

export type Card = CurveCard | ScatterCard | ImagesCard | WordsCard | NamesCard | DrawingCard;

interface PlacedCard {
  x: Ends;
  y: Ends;
  n_points: number;
  points: Bytes;
}

export interface CurveCard extends PlacedCard {
  kind: "curve";
  n_curve: number;
  curve: Bytes;
}

export interface ScatterCard extends PlacedCard {
  kind: "scatter";
  n_classes: number;
  classes: Bytes;
}

export interface ImagesCard {
  kind: "images";
  width: number;
  height: number;
  n_images: number;
  pixels: Bytes;
  labels: Bytes;
  on_map?: number[]; // which of a task's pictures stand for it on the map
  class_names?: string[][]; // each task's names of its classes: labels are indices into them
}

export type WordRow = [number: string, word: string, letters: string];

export interface WordsCard {
  kind: "words";
  words: WordRow[][];
  shown?: boolean[][];
}

// A language, a name in its own script, and the name in plain letters. The rows are sorted by language.
export type NameRow = [language: string, name: string, letters: string];

export interface NamesCard {
  kind: "names";
  words: NameRow[][];
}

export type Tone = "ink" | "soft" | "truth" | "answer";

// Places are shares (0 ... 1) of the card's axes; a line of one point is drawn as a dot.
export interface Drawing {
  lines: { tone: Tone; dashed: boolean; points: Point[] }[];
  labels: { tone: Tone; align: CanvasTextAlign; text: string; at: Point }[];
  spoken: string;
}

export interface DrawingCard {
  kind: "drawing";
  x: Ends;
  y: Ends;
  drawings: Drawing[];
}

// One task's own data (packets.js, decodeCard), and the predictions of its own network (decodeFit).
export type TaskData = CurveData | ScatterData | ImagesData | WordsData | NamesData | DrawingData;

interface PlacedData {
  x: Ends;
  y: Ends;
  points: Point[];
}

export interface CurveData extends PlacedData {
  kind: "curve";
  curve: Point[];
  fit?: { curve: Point[] } | null;
}

export interface ScatterData extends PlacedData {
  kind: "scatter";
  classes: Uint8Array;
  fit?: { classes: Uint8Array } | null;
}

export interface ImagesData {
  kind: "images";
  width: number;
  height: number;
  n_images: number;
  pixels: Uint8Array;
  labels: Uint8Array;
  names?: string[]; // of the classes; without, the label is its own name
  fit?: { classes: Uint8Array } | null;
}

export interface WordsData {
  kind: "words";
  rows: WordRow[];
  shown?: boolean[];
  fit?: { words: string[] } | null;
}

export interface NamesData {
  kind: "names";
  rows: NameRow[];
  fit?: { classes: Uint8Array } | null;
}

export interface DrawingData {
  kind: "drawing";
  x: Ends;
  y: Ends;
  drawing: Drawing;
  fit?: { path: Point[] } | null;
}

// ---- a picture (packets.picture_packet): up to fifteen times per second ----

export interface Picture {
  number: number;
  live: boolean;
  step: number;
  runs: RunPicture[];
  words: string;
}

export interface PlacedPoints {
  points: Bytes; // uint16, x and y of each task
  box: Box;
}

export interface RunPicture extends PlacedPoints {
  run: number;
  step: number;
  projection: string;
  readings: Record<string, number>; // those that are finite
  alarm?: string;
  left_out?: number[];
  words?: string;
  about?: string; // in a recording: the settings of the moment shown, in words
  plane?: PlaceOnPlane; // of a learner of two numbers
  links: Links | null;
  changes?: Changes; // where another distance is compared
  selection?: SelectionPacket; // where tasks are selected
  pca?: DrawnMap; // with Both: the same moment on a second map
  trails?: TrailsPacket | null;
  start?: StartPacket;
  fit?: Fit | null;
}

// What a projection has drawn of a moment.
export interface DrawnMap extends PlacedPoints {
  readings?: Record<string, number>; // its own: how far it can be trusted
  trails?: TrailsPacket | null;
  start?: StartPacket;
}

// Mean distances among the selected tasks and among all (selection.selection_packet); null: there is no pair.
export interface SelectionPacket {
  n: number; // how many tasks were selected
  apart: number | null;
  apart_all: number | null;
  truth?: number | null; // absent: the family has no true distance
  truth_all?: number | null;
}

export interface Links {
  task: number;
  embedding: number[] | null; // null: the file has no neighbour lists, to save space
  truth: number[];
  apart?: Bytes; // their distances as float32: those of `embedding`, then those of `truth`, where it is known
}

export interface Changes {
  metric: string;
  names?: [own: string, other: string]; // where the neighbours are compared with those of the run beside this one
  share: number;
  counts: Bytes;
  lost: number[];
  gained: number[];
}

export type MissingTrails = "" | "directions" | "crowd" | "begun" | "anew" | "map" | "room";

export interface TrailsPacket {
  n: number; // number of places per task
  points?: Bytes;
  missing?: MissingTrails;
}

// The way of the start of the inner loops, its present place last; n 0: UMAP has no place for it.
export interface StartPacket {
  n: number;
  points?: Bytes; // float32: x and y of each place
}

// What a picture says of the loss over the start (surface.plane_packet), as shares of the surface's `box`.
export interface PlaceOnPlane {
  n: number; // places of the way
  way: Bytes; // of the start, its present place last
  ends: Bytes; // of the tasks' inner loops
}

// The loss over the start (surface.surface_packet): sent when settings or tasks change. An empty one: there is no plane.
export interface SurfacePacket {
  names: [string, string];
  x: Ends;
  y: Ends;
  box: number[];
  n: number; // starts along a side
  steps: number[];
  own: number; // the run's own number of inner steps
  high: number;
  scale: Ends; // the losses of the lightest and of the darkest colour
  losses: Bytes; // uint16: 65,534ths of `high` for each of `steps`, row by row from below; 65,535: above it, or lost
  by_hand: boolean; // can a run begin at a start of the learner's choice?
  n_tasks: number;
  inner_lr: number;
  stops: string[];
  optima: Bytes;
  ways?: { label: string; colour: string; n: number; points: Bytes }[];
  ways_about?: string;
}

export type Fit =
  | { kind: "curve"; n: number; points: Bytes }
  | { kind: "path"; n: number; points: Bytes } // x, y, x, y, ...
  | { kind: "classes"; n: number; classes: Bytes }
  | { kind: "words"; words: string[][] };

// ---- curves (packets.rows_packet, marks_packet) ----

export interface RunRows {
  first: number;
  columns: string[];
  values: Bytes;
}

export interface Mark {
  step: number;
  text: string;
  breaks?: number[];
}

// ---- settings (controls.control_specs), the status (telling.transport), help (words.help_packet) ----

export type SettingValue = number | string;
export type Option = { value: SettingValue; label: string; about?: string };

interface AnyControl {
  name: string;
  zero: string;
  label: string;
  help: string;
  live: boolean;
  enabled: boolean;
  main: boolean;
  projected: boolean;
  above_map: boolean;
  wished: boolean;
}

export interface NumberControl extends AnyControl {
  kind: "range" | "number";
  value: number;
  low: number;
  high: number;
  step?: number;
}

export interface StepsControl extends AnyControl {
  kind: "steps";
  value: number;
  options: { value: number; label: string }[];
}

export interface ChoiceControl extends AnyControl {
  kind: "choice";
  value: SettingValue;
  options: Option[];
}

export type Control = NumberControl | StepsControl | ChoiceControl;

export interface Run {
  name: string;
  about: string;
  step: number;
}

// How far something long is (live/progress.py); `of` 0: nobody knows. `button`: "Skip", "Catch up", "Cancel" or none.
export interface Progress {
  words: string;
  done: number;
  of: number;
  button: string;
}

export interface Transport {
  playing: boolean;
  status: string;
  tone: string;
  device: string;
  rate: number;
  most_rate?: number; // steps a second at most; 0: as fast as it goes
  active: number;
  runs: Run[];
  undo: string;
  wishes: string[];
  rewind?: boolean;
  recover?: { run: number; label: string } | null; // the button that leads out of a collapse
  stopped?: boolean;
  progress?: Progress | null;
  seed?: number;
  projection?: string;
  warming?: boolean;
  metrics: Option[];
  compare: string;
  both?: boolean; // do two maps of the one run stand side by side?
  paired?: boolean; // are the two runs two embedders that stay side by side?
}

// ---- scorecards of two embedders (judging.scorecards_packet): when they are made; before that there is none of it ----

export interface ScoreRow {
  name: string;
  label: string;
  help: string;
  values: (number | null)[]; // of each embedder; null: it lacks this number
  texts: string[];
  better: number | null; // which of the two; null: neither, or nobody knows
}

export interface TransferMeasure {
  name: string;
  label: string;
  help: string;
  means: (number | null)[][]; // of each start, after each number of steps
  texts: string[][];
  low: (number | null)[][]; // the ends of their intervals
  high: (number | null)[][];
  better: (number | null)[]; // for each number of steps
}

export interface TransferPacket {
  steps: number[];
  n: number; // tasks
  starts: string[]; // the two embedders, and a random start
  measures: TransferMeasure[];
}

export interface Scorecards {
  names: string[];
  steps: number[]; // of each embedder, when it was judged
  about: string;
  rows: ScoreRow[];
  transfer: TransferPacket | null; // null: no network learns such tasks
  earlier?: boolean; // have the runs begun again since?
}

// One reading, declared once in the package (base/readings.py): no script contains the name of a score.
export interface Declared {
  label: string;
  help: string;
  panel: string | null; // the title of the panel of curves that it is drawn in
  unit: boolean; // does it end at 1?
  light: string; // its line's colour in the light theme; then in the dark one
  dark: string;
  beside_map: boolean;
  breaks: boolean; // is its line broken where the unit of distances changed?
  pairs: boolean; // does it need training on pairs?
}

export interface Help {
  reading: string[];
  scores: Record<string, Declared>;
  panels: string[]; // titles, from top to bottom
  try: string[];
}

// ---- the bench (bench_packet.bench_packet): one task from several starts, as often as a picture ----

export interface BenchWay {
  name: string;
  label: string;
  support: Bytes; // float32: the losses after each step
  query: Record<string, Bytes>; // likewise, each measure; none where nobody knows the truth
  diverged: number; // the step from which on there is nothing; -1: it never was
  curves?: Bytes; // uint16 between the ends of `reach`: the heights at even places, step after step
  classes?: Bytes; // the answers at the card's points or pictures, step after step
  words?: string[][];
}

export interface BenchPacket {
  number: number;
  step: number; // of the outer loop
  kind: "curve" | "card";
  task: number;
  name: string;
  own: boolean; // a curve of the learner's own
  moved: boolean; // whether its points are not as they came
  mine: boolean; // whether the learner has drawn a curve
  undo: boolean;
  steps: number;
  measures: Record<string, string>; // the labels of what the query set was judged by
  ways: BenchWay[];
  flat: ({ name: string; label: string } & Record<string, string | number>)[]; // starts that take no step
  missing: Record<string, string>; // why another start has no way
  nearest: string;
  words: string;
  x?: Ends;
  y?: Ends;
  reach?: Ends;
  support?: Bytes; // float32: x, y, x, y, ...
  query?: Bytes;
  truth?: Bytes; // uint16 between the ends of `reach`
}

// ---- the model: a widget's, or a recorded run ----

export interface Traits {
  title: string;
  model_id_: string;
  controls: Control[];
  transport: Transport;
  tasks: Tasks;
  picture: Picture;
  rows: { runs: RunRows[] };
  marks: Mark[][];
  help: Help;
  surface: Partial<SurfacePacket>;
  bench: Partial<BenchPacket>;
  scorecards: Partial<Scorecards>;
  chosen: number;
  selected: number[];
  colour: number;
}

export interface Message {
  do: string;
  step?: number | null;
  rate?: number;
  [more: string]: unknown;
}

export interface Answer {
  tell?: string;
  text?: string;
  line?: string; // with code: what opens this lab with the settings of the moment shown
  run?: string; // with code: whose it is, where two runs are shown
}

export type Heard = (message: Answer) => void;

// Any trait may be missing: a widget begins with empty ones, and a recording has no model_id_.
export interface Model {
  recorded?: boolean;
  widget_manager?: WidgetManager;
  get<Name extends keyof Traits>(name: Name): Traits[Name] | undefined;
  set<Name extends keyof Traits>(name: Name, value: Traits[Name]): void;
  save_changes(): void;
  send(message: Message): void;
  on(events: string, callback: Heard): void;
  off(events: string, callback: Heard): void;
}

// The properties of JupyterLab's own objects that the page uses. All are optional: another notebook program may
// not have them.
export interface Signal<Value> {
  connect?(slot: (sender: unknown, value: Value) => void): void;
  disconnect(slot: (sender: unknown, value: Value) => void): void;
}

export interface WidgetManager {
  kernel?: {
    statusChanged?: Signal<string>;
    connectionStatusChanged?: Signal<string>;
    disposed?: Signal<unknown>;
    reconnect?(): Promise<void>;
  };
  get_model?(id: string): Promise<WidgetModel | undefined>;
}

export interface WidgetModel {
  comm_live?: boolean;
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
}

// ---- what the parts of the page share ----

export type Connection = "ok" | "lost" | "dead";

export interface View {
  chosen: number; // the task that was clicked, -1: none
  hover: number; // the task under the pointer, in any map
  selected: number[]; // the tasks in the lasso
  colour: number; // index into tasks.colours
  hidden: Set<number>; // groups of the legend that are filtered out
  still: boolean; // reduced motion: no glide
  projector: boolean;
  labels: boolean; // names beside the points, where there are any
  pictures: boolean | null; // pictures in place of points, where there are any; null: where the map has room
  trails: boolean; // the paths of the tasks since the start, where there are any
  arrows: boolean; // the start of the inner loops and the arrows from it, where there is one
  plane: "surface" | "map"; // what is shown of a learner of two numbers
  step: number; // the training step shown
  connection: Connection;
}

export type Stop = () => void;

// What a map and its legend use of their page. A page that has only a map does not need the optional ones.
export interface MapPage {
  get<Name extends keyof View>(name: Name): View[Name];
  set<Name extends keyof View>(name: Name, value: View[Name]): void;
  on(names: string, callback: () => void): Stop;
  model?: Pick<Model, "get">;
  wordsId?: string;
  playing?(): boolean;
  runName?(run: number): string;
  distanceName?(metric: string | undefined, run?: number): string;
  showNote?(text: string): void;
}

export interface Palette {
  dark: boolean;
  paper: Rgb;
  ink: Rgb;
  soft: Rgb;
  line: Rgb;
  near: Rgb;
  truth: Rgb;
  lost: Rgb;
  gained: Rgb;
  wrong: Rgb;
}

export interface Axes {
  x(value: number): number;
  y(value: number): number;
}

// ---- a recorded run, as the exported file holds it (export.recorded_document) ----

export type Packed = { $bytes: string; gzip: boolean };

export interface RecordedFrame {
  step: number;
  projection: string;
  readings: Record<string, number>;
  alarm?: string;
  left_out?: number[];
  words: string;
  about?: string;
  box: Box;
  missing?: MissingTrails;
}

interface RecordedFacts {
  name: string;
  about: string;
  columns: string[];
  frames: RecordedFrame[];
  k: number; // how many neighbours of each task the file has
}

// A second map of every frame, where the lab showed both.
export interface RecordedMap<Numbers> {
  boxes: Box[];
  missing: MissingTrails[];
  readings: Record<string, number>[];
  points: Numbers;
  trails: { n: number; points: Numbers } | null;
  start?: { n: number; points: Numbers extends Uint8Array ? Uint8Array : Float32Array };
}

// What lies on the loss over the start in every frame, the surfaces of all settings, and which of them each frame has.
export interface RecordedPlane<Numbers> {
  n: number;
  ways: Numbers;
  ends: Numbers;
  surfaces: SurfacePacket[];
  at: number[];
}

interface RecordedAnswers {
  kind: "curve" | "path" | "classes" | "words";
  n: number;
}

// Packed entries are decoded to bytes; each frame is still a difference from the one before.
export interface StoredRun extends RecordedFacts {
  values: Uint8Array;
  points: Uint8Array;
  neighbours: Uint8Array;
  trails: { n: number; points: Uint8Array } | null;
  start?: { n: number; points: Uint8Array };
  plane?: RecordedPlane<Uint8Array>;
  fit: (RecordedAnswers & { values: Uint8Array; words: Uint8Array }) | null;
  pca?: RecordedMap<Uint8Array>;
}

// Every frame is decoded to its own values.
export interface RecordedRun extends RecordedFacts {
  values: Uint8Array;
  points: Uint16Array;
  neighbours: Uint16Array | null;
  trails: { n: number; points: Uint16Array } | null;
  start?: { n: number; points: Float32Array };
  plane?: RecordedPlane<Uint16Array>;
  fit: (RecordedAnswers & { frames: Uint8Array | Uint16Array; vocabulary: string[] }) | null;
  pca?: RecordedMap<Uint16Array>;
}

interface RecordedHead {
  title: string;
  exported?: { from?: string; steps?: number; version?: string };
  colour?: number;
  tasks: Tasks;
  help: Help;
  marks: Mark[][];
  benches?: BenchPacket[]; // in the order of their steps
  scorecards?: Scorecards;
}

export interface StoredDocument extends RecordedHead {
  runs: StoredRun[];
}

export interface RecordedDocument extends RecordedHead {
  runs: RecordedRun[];
}
