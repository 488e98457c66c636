// What the scripts of the labs pass to each other, and what Python sends to them. Read by the type checker only.

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
  interface Label { words: string; x: number; y: number; anchor?: "start" | "middle" | "end"; kind?: string }

  // the frame

  interface Message { do: string; gesture?: string | undefined; [more: string]: unknown }
  interface Model {
    get(name: string): unknown;
    on(event: string, listener: (message: any) => void): void;
    off(event: string, listener: (message: any) => void): void;
    send(message: object): void;
  }
  interface RenderProps { model: Model; el: HTMLElement }

  interface Readings { points: any; settings: Record<string, any>; can_undo: boolean }
  interface Words { presets: string[] }
  type Page<R extends Readings, W extends Words> = import("./point_lab.js").PointLabPage<R, W>;
  type AnyPage = Page<any, any>;
  interface LabOptions { kind: string; title: string; reset: string }
  interface LabParts<R> {
    nodes: Node[];
    show(before: R | null): void; // the state has changed: numbers and controls; null the first time
    draw(time: number): boolean | void; // in an animation frame; true where the next one is needed too
    resized?: Element[]; // parts whose size changes without the lab's own
    interrupt?(): void; // the learner does something: what goes by itself ends
  }
  type MakeLab<R extends Readings, W extends Words> = (page: Page<R, W>) => LabParts<R>;

  interface Handle {
    kind: string;
    shape: string;
    fill?: string;
    at(): Pair;
    moveTo(pixel: Pair, whole: boolean, gesture: string): void;
    nudge(way: Pair, whole: boolean, gesture: string): void;
    joinKeys?: boolean;
    [attribute: string]: any;
  }
  interface Declared { name: string; label: string; help: string; low: number; high: number | null; step: number; choices: { value: string; label: string }[] }
  interface Toggle { node: HTMLButtonElement; show(): void }
  interface Part { node: HTMLElement; show(): void }
