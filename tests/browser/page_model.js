// A kernel's stand-in for the tests of the page: it takes its pictures from a recorded run, says what the test tells it
// to say, and keeps every message of the page in `sent`.

export class StandIn {
  constructor(recorded) {
    this.recording = recorded;
    this.sent = [];
    this.saved = 0;
    this.listeners = new Map();
    const { runs } = recorded.get("transport");
    this.values = {
      title: "Metric-based task embedding",
      model_id_: "",
      controls: structuredClone(CONTROLS),
      transport: { ...structuredClone(TRANSPORT), runs },
      tasks: recorded.get("tasks"),
      help: recorded.get("help"),
      marks: recorded.get("marks"),
      rows: recorded.get("rows"),
      picture: recorded.get("picture"),
      surface: recorded.get("surface"),
      chosen: -1,
      selected: [],
      colour: 0,
    };
  }

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    if (this.values[name] === value) return;
    this.values[name] = value;
    this.tell(`change:${name}`);
  }

  save_changes() {
    this.saved += 1;
  }

  send(message) {
    for (const name of ["step", "run"]) {
      const value = message[name] ?? 0;
      // The page would take an error thrown here for a dead kernel; one on the console fails the test.
      if (!Number.isInteger(value) || value < 0) console.error(`refused: ${message.do} with ${name} ${value}`);
    }
    this.sent.push(message);
    if (message.do === "look" && !this.slow) this.look(message.step);
  }

  // ---- what a test does as the kernel ----

  look(step) {
    this.recording.look(step);
    this.set("picture", { ...this.recording.get("picture"), live: step === null });
  }

  put(name, changes) {
    this.set(name, { ...this.values[name], ...changes });
  }

  control(name, changes) {
    this.set("controls", this.values.controls.map((each) => (each.name === name ? { ...each, ...changes } : each)));
  }

  alarm(text) {
    const picture = this.values.picture;
    this.set("picture", { ...picture, number: picture.number + 1, runs: picture.runs.map((run) => ({ ...run, alarm: text })) });
  }

  answer(message) {
    this.tell("msg:custom", message);
  }

  done(what) {
    return this.sent.filter((message) => message.do === what);
  }

  on(names, callback) {
    for (const name of names.split(" ")) this.listeners.set(name, [...(this.listeners.get(name) ?? []), callback]);
  }

  off(names, callback) {
    for (const name of names.split(" ")) {
      this.listeners.set(name, (this.listeners.get(name) ?? []).filter((each) => each !== callback));
    }
  }

  tell(name, value) {
    for (const callback of this.listeners.get(name) ?? []) callback(value);
  }
}

const choices = (...labels) => labels.map((label) => ({ value: label.toLowerCase(), label }));
const LIVE = { live: true, enabled: true, main: true, projected: false, above_map: false, wished: false };
const LOSS_HELP = "What training asks for. Contrastive pulls two sets of one task together and pushes others out to the margin.";
const MARGIN_HELP = "How far apart different tasks should be. Beyond it, a pair no longer pushes.";
const RATES = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01].map((value) => ({ value, label: String(value) }));

const CONTROLS = [
  { ...LIVE, name: "family", label: "Tasks", help: "Which family the tasks come from.", kind: "choice", value: "sinusoids", options: choices("Sinusoids", "Gaussians", "Digits"), live: false },
  { ...LIVE, name: "loss", label: "Loss", help: LOSS_HELP, kind: "choice", value: "contrastive", options: choices("Contrastive", "Triplet", "InfoNCE"), projected: true },
  { ...LIVE, name: "metric", label: "Distance", help: "How far apart two task vectors are.", kind: "choice", value: "euclidean", options: choices("Euclidean", "Manhattan", "Cosine"), projected: true },
  { ...LIVE, name: "margin", label: "Margin", help: MARGIN_HELP, kind: "range", value: 1, low: 0, high: 4, step: 0.05, projected: true },
  { ...LIVE, name: "learning_rate", label: "Learning rate", help: "How far one step moves the weights.", kind: "steps", value: 0.001, options: RATES },
  { ...LIVE, name: "projection", label: "Map", help: "UMAP keeps neighbours together; PCA is to scale.", kind: "choice", value: "umap", options: choices("UMAP", "PCA"), above_map: true },
  { ...LIVE, name: "n_tasks", label: "Tasks on the map", help: "How many tasks are watched.", kind: "number", value: 200, low: 5, high: 5000, step: 1, live: false, main: false },
];

const TRANSPORT = {
  playing: false,
  status: "Press Play: the tasks find their places.",
  tone: "calm",
  device: "CPU",
  rate: 0,
  active: 0,
  undo: "",
  wishes: [],
  rewind: false,
  stopped: false,
  seed: 0,
  projection: "umap",
  warming: false,
  metrics: choices("Euclidean", "Manhattan", "Cosine"),
  compare: "",
};
