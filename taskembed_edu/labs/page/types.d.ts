// Types of what the labs' scripts pass to each other and of what Python sends. Only the type checker reads this file.

declare namespace Lab {
  type Pair = [number, number];
  type Box = [left: number, top: number, right: number, bottom: number];

  type Listeners = {
    [Name in keyof GlobalEventHandlersEventMap as `on${Name}`]?: (event: GlobalEventHandlersEventMap[Name]) => unknown;
  };
  interface Attributes extends Listeners {
    [name: string]: string | number | boolean | null | undefined | ((event: never) => unknown);
  }

  interface Size { width: number; height: number; unit: number }
  interface View extends Size { x: number; y: number; scale: number }
  type Anchor = "start" | "middle" | "end";
  interface Label { words: string; x: number; y: number; anchor?: Anchor | undefined; kind?: string }

  // the frame

  interface Message { do: string; gesture?: string | undefined; buffers?: ArrayBuffer[]; [more: string]: unknown }
  interface Model {
    get(name: string): unknown;
    on(event: string, listener: (message: any, buffers: DataView[]) => void): void;
    off(event: string, listener: (message: any, buffers: DataView[]) => void): void;
    send(message: object, callbacks?: object, buffers?: ArrayBuffer[]): void;
  }
  interface RenderProps { model: Model; el: HTMLElement }

  interface Readings { points: any; settings: Record<string, any>; can_undo: boolean; scene?: string; choices?: Record<string, string[]> }
  interface Words { presets: string[]; settings: Record<string, Declared> }
  type Page<R extends Readings, W extends Words> = import("./point_lab.js").PointLabPage<R, W>;
  type AnyPage = Page<any, any>;
  interface LabParts<R> {
    show(before: R | null): void; // the state has changed: numbers and controls; null the first time
    draw(time: number): boolean | void; // in an animation frame; returns true where it needs the next one too
    resized?: Element[]; // parts that can change size while the lab does not
    interrupt?(): void; // the learner acts: an animation that plays by itself stops
    close?(): void; // the page goes: what the lab listens to
  }
  type MakeLab<R extends Readings, W extends Words> = (page: Page<R, W>) => LabParts<R>;

  interface Handle {
    kind: string;
    shape: string;
    at(): Pair;
    moveTo(pixel: Pair, whole: boolean, gesture: string): void;
    nudge(way: Pair, whole: boolean, gesture: string): void;
    joinKeys?: boolean;
    [attribute: string]: any;
  }
  interface Declared {
    label: string;
    help: string;
    low?: number;
    high?: number;
    step?: number;
    choices?: { value: string; label: string }[];
  }

  // parameters and results of the frame's functions

  type Change = <N extends Element>(node: N, attributes: Attributes) => N;
  type MakeHtml = <T extends keyof HTMLElementTagNameMap>(
    tag: T,
    attributes?: Attributes,
    ...children: (Node | string)[]
  ) => HTMLElementTagNameMap[T];
  type MakeSvg = <T extends keyof SVGElementTagNameMap>(
    tag: T,
    attributes?: Attributes,
    ...children: (Node | string)[]
  ) => SVGElementTagNameMap[T];
  type OnHover = <N extends Element>(node: N, enter: () => void, leave: () => void) => N;
  type WhenChanged = () => (key: string, build: () => void) => void;
  type BindSetting = (page: AnyPage, node: HTMLInputElement | HTMLSelectElement) => () => void;
  type MakeHandle = (page: AnyPage, spec: Handle, ...children: Node[]) => SVGGElement;
  type Find = (name: string, value?: string) => HTMLElement[];
  type Move = (key: string | number, place: number[], message: object) => void;
  interface Queue { page: string; send(message: Message): void; isQuiet(): boolean; close(): void }
  type OpenQueue = (model: Model, onWait: (waits: boolean) => void, onQuiet: () => void) => Queue;
  type Enqueued = (waiting: Message[], message: Message) => Message[];
  type InsideLabel = (label: Label, size: Size) => Label;
  type PlaceLabel = (label: Label, places: Pair[], taken: Box[], unit: number) => Label;
  type SpreadLabels = (labels: Label[], taken: Box[], size: Size) => Label[];
  type GridLines = (view: View, step: number) => { lines: SVGLineElement[]; across: Pair[]; upward: Pair[] };
  type Ball = (view: View, shape: string, centre: number[], size: number, kind: string) => SVGElement;
  type Arrow = (from: number[], to: number[], head: number, half: number, kind: string) => SVGGElement;

  // DistanceLab

  type VectorName = "x" | "y" | "z";
  interface DistanceReadings extends Readings {
    points: Record<VectorName, number[]>;
    settings: { metric: string; radius: number; triangle: boolean };
    radius_high: number;
    problem: string;
    values: Record<string, string | null>;
    triangles: Record<string, boolean | null>;
    triangle: Record<"direct" | "first" | "second" | "detour", number | null>;
    says: { holds: boolean | null; verdict: string };
    ball: { shape: string; size: number; words: string } | null;
    sides: { ends: VectorName[]; kind: "" | "direct" | "detour"; texts: string[] }[];
    worked: Record<string, string>;
    part: string;
    parts: number[];
    total: string;
    reasons: string[][];
  }
  interface DistanceWords extends Words {
    rows: { key: string; name: string; words: string }[];
    metrics: Record<string, { is_metric: boolean; why_not: string }>;
    undefined: string;
  }
  type DistancePage = Page<DistanceReadings, DistanceWords>;
  interface Way {
    a: Pair; // in pixels
    b: Pair;
    away: number; // the side of the line from a to b where a label has room: 1 or -1
    texts: string[];
    kind: "" | "direct" | "detour";
    vectors: number[][]; // a and b in the plane
    view: View;
  }
  type Put = (name: VectorName, pixel: Pair, grain: number, gesture: string) => void;
  type SizeOf = (page: DistancePage, node: SVGElement) => Size;
  type Side = (a: Pair, b: Pair, point: Pair) => number;
  type Normal = (a: Pair, b: Pair, away: number) => [number, number, number];
  type Share = (part: number, range: { largest: number; signed: boolean }, y: number) => SVGElement[];
  interface Drawing { shapes: SVGElement[]; labels: Label[] }

  // LossLab

  interface Row {
    kind: "similar" | "different" | "triplet";
    sort: string;
    members: number[];
    active: boolean;
    forces: number[][];
    words: string;
  }
  interface Region {
    anchor: number;
    positive: number | null;
    shape: "circle" | "diamond" | "wedge";
    size: number;
    inner: number;
    radius: string;
  }
  interface LossReadings extends Readings {
    points: number[][];
    scene: string;
    view_key: string; // the view is fitted again when this changes
    names: string[];
    labels: number[];
    before: number[][] | null;
    marks: { at: number[]; text: string }[];
    margin_high: number;
    phase: number;
    undefined: string;
    trouble: string;
    said: string;
    caution: string;
    points_said: string[];
    rows: Row[];
    cells: string[][];
    titles: string[];
    links: { kind: string; from: number; to: number; rows: number[]; active: boolean; text: string }[];
    many_links: boolean;
    shows: Record<"measures" | "distances" | "judged" | "regions" | "forces", boolean>;
    total: number[][];
    regions: Region[];
    still: boolean;
    losses: number[];
    loss: string;
  }
  interface LossWords extends Words { phases: string[] }
  type LossPage = Page<LossReadings, LossWords>;
  interface LossStage {
    page: LossPage;
    hot: number | null; // the row that is hovered or focused
    anchor: number; // the point whose margin is drawn strongly
    each: boolean; // whether the force of each term is drawn
    summed: boolean; // whether the summed forces are drawn
    say(words: (() => string) | null): void;
    light(row: number | null): void;
  }
  interface Glide { from: number[][]; view: View | null; start: number; duration: number }
  type Fit = (size: Size) => View;
  type Follow = (before: LossReadings | null, old: View) => View;
  type DrawGrid = (seen: View, at: Pair[]) => SVGElement[];
  type DrawForces = (stage: LossStage, view: View, at: Pair[]) => { arrows: SVGElement[]; sums: SVGElement[] };
  type DrawLinks = (stage: LossStage, view: View, at: Pair[], taken: Box[]) => Links;
  type DrawRegions = (stage: LossStage, view: View, at: Pair[]) => SVGElement[];
  type ScaleOf = (stage: LossStage, view: View) => number;
  type Curve = (at: Pair[], i: number, j: number, straight: boolean) => [string, Pair[]];
  interface Links { links: SVGElement[]; measures: SVGElement[] }

  // DrawingPad

  interface PadReadings extends Readings {
    settings: { pen: number };
    problem: string;
    can_clear: boolean;
    strokes: number[][][];
    said: string;
    pixels: string; // the picture of 28 x 28 bytes as text; "": none
    distances: number[];
    probabilities: number[];
    answer: string;
    place: Pair | null;
    near: string;
  }
  interface PadWords extends Words {
    most_bytes: number;
    support: { name: string; pictures: string[] }[];
    map: MapOfScripts | null;
  }
  interface MapOfScripts {
    names: string[];
    points: Pair[];
    entries: { label: string; colour: string; shape: number }[];
    groups: number[]; // the index of each point's entry
  }
  type PadPage = Page<PadReadings, PadWords>;
  interface Palette { scripts: string[]; letters: string[]; names: string[]; script_of: number[] }
  type MakePaper = (page: PadPage) => { show(): void; draw(): void; frame: Element };
  interface DrawnMap { show(): void; draw(): void; resized: Element[] }
  type MakeMap = (page: PadPage) => DrawnMap;
  type ShowMap = (page: PadPage, map: MapOfScripts) => DrawnMap;
  type FitMap = (points: Pair[], width: number, height: number, unit: number) => (place: Pair) => Pair;
  type LegendEntry = (entry: { label: string; colour: string; shape: number }, light: (on: boolean) => void) => HTMLElement;
  type LettersFound = (palette: Palette, words: string, script: number) => number[];
  type KeyAmong = (key: string, k: number, n: number, columns: number) => number | null;
}
