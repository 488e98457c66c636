// Settings as native controls: a slider, a menu or a number field with its label, its value and its help.
//
// The kernel says what there is (`controls`: see live/controls.py); a control is made once and then only brought up to
// date, so that nothing is pulled from under a moving hand. What a person asked for is shown until the kernel has it.

import { counted, element, freshId, oncePerFrame, setText } from "./base.js";

const CONFIRM_MS = 2500; // a wish that is not confirmed by then was refused: the kernel's value is shown again
const NEVER_IN_COLUMN = new Set(["projection"]); // has its switch above the map
const PROJECTED = new Set(["loss", "metric", "margin", "start", "vector", "form", "layer"]); // what stays in projector mode, with the colours

class SettingControl {
  constructor(spec, parent, changed) {
    this.spec = spec;
    this.changed = changed;
    this.asked = undefined;
    this.root = element("div", `te-control te-control-${spec.kind}`, parent);
    this.root.dataset.setting = spec.name;
    const head = element("div", "te-control-head", this.root);
    this.label = element("label", "te-control-label", head, spec.label);
    this.value = element("span", "te-control-value te-number", head);
    this.value.setAttribute("aria-hidden", "true"); // the slider says it itself
    this.input = element(spec.kind === "choice" ? "select" : "input", `te-set-${spec.name}`, this.root);
    if (spec.kind !== "choice") this.input.type = spec.kind === "number" ? "number" : "range";
    this.input.name = spec.name;
    this.input.id = this.label.htmlFor = freshId(spec.name);
    this.note = element("span", "te-control-note", this.root);
    this.help = element("p", "te-bubble te-control-help", this.root, spec.help);
    this.help.id = freshId("help");
    this.note.id = freshId("note");
    this.input.setAttribute("aria-describedby", `${this.note.id} ${this.help.id}`);
    this.listen();
    this.update(spec);
  }

  listen() {
    const { kind } = this.spec;
    if (kind === "range" || kind === "steps") this.input.addEventListener("input", () => this.take());
    else this.input.addEventListener("change", () => this.take());
    // JupyterLab takes Enter for itself before a field would say that it changed.
    this.input.addEventListener("keydown", (event) => {
      if (kind === "number" && event.key === "Enter") this.take();
    });
  }

  remove() {
    clearTimeout(this.patience);
  }

  read() {
    const { kind, options, value } = this.spec;
    if (kind === "steps") return options[Number(this.input.value)].value;
    if (kind === "choice") return options.find((option) => String(option.value) === this.input.value)?.value ?? value;
    return Number(this.input.value);
  }

  take() {
    const { kind, low, high, label } = this.spec;
    if (kind === "number" && !this.isNumber()) {
      this.input.setAttribute("aria-invalid", "true");
      setText(this.note, `${label}: a whole number from ${counted(low)} to ${counted(high)}`);
      return;
    }
    this.input.removeAttribute("aria-invalid");
    const value = this.read();
    if (kind === "number" && value === (this.asked ?? this.spec.value)) {
      this.describe(value); // Enter, then leaving the field: one wish, not two
      return;
    }
    this.asked = value;
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.forget(), CONFIRM_MS);
    this.describe(value);
    this.changed(this.spec.name, value);
  }

  // The step is what an arrow key moves by: numbers between are numbers too.
  isNumber() {
    const { badInput, rangeUnderflow, rangeOverflow } = this.input.validity;
    const whole = !Number.isInteger(this.spec.value) || Number.isInteger(Number(this.input.value));
    return this.input.value !== "" && whole && !badInput && !rangeUnderflow && !rangeOverflow;
  }

  forget() {
    this.asked = undefined;
    this.update(this.spec);
  }

  update(spec) {
    const old = this.spec;
    this.spec = spec;
    if (spec.kind === "choice" && (!this.input.options.length || said(old.options) !== said(spec.options))) {
      this.input.replaceChildren(...spec.options.map(({ value, label }) => new Option(label, value)));
    }
    if (spec.kind === "steps") Object.assign(this.input, { min: 0, max: spec.options.length - 1, step: 1 });
    if (spec.kind === "range" || spec.kind === "number") {
      Object.assign(this.input, { min: spec.low, max: spec.high, step: spec.step || "any" });
    }
    this.input.disabled = !spec.enabled;
    this.root.classList.toggle("te-unused", !spec.enabled);
    if (this.asked === spec.value) {
      this.asked = undefined;
      clearTimeout(this.patience);
    }
    if (this.asked === undefined && !this.isTyping()) this.show(spec.value);
    this.describe(this.asked ?? spec.value);
  }

  isTyping() {
    return this.spec.kind === "number" && this.input.ownerDocument.activeElement === this.input && this.input.value !== "";
  }

  show(value) {
    const shown = this.spec.kind === "steps" ? nearestOption(this.spec.options, value) : value;
    if (this.input.value !== String(shown)) this.input.value = shown;
  }

  describe(value) {
    const { kind, options, step, live, enabled, wished } = this.spec;
    const words =
      kind === "steps" ? options[nearestOption(options, value)].label : kind === "range" ? decimals(value, step) : "";
    setText(this.value, words);
    if (words) this.input.setAttribute("aria-valuetext", words);
    const note = !enabled ? "no effect with these settings" : wished ? "waits for Reset" : live ? "" : "applies at reset";
    if (this.input.getAttribute("aria-invalid") !== "true") setText(this.note, note);
    this.root.classList.toggle("te-wished", Boolean(wished));
  }
}

function said(options) {
  return JSON.stringify(options);
}

// Sliders over round numbers, a factor apart: the nearest is the one with the nearest logarithm.
function nearestOption(options, value) {
  let best = 0;
  const away = (k) => Math.abs(Math.log(options[k].value) - Math.log(value));
  for (let k = 1; k < options.length; k++) if (away(k) < away(best)) best = k;
  return best;
}

// As many decimals as the slider's step has: 0.05 gives 1.00.
function decimals(value, step) {
  const places = step ? Math.max(0, Math.min(4, (String(step).split(".")[1] ?? "").length)) : 2;
  return Number(value).toFixed(places);
}

export class ControlsView {
  constructor(page, parent) {
    this.page = page;
    this.controls = new Map();
    this.changes = {};
    this.root = element("section", "te-controls", parent);
    this.root.setAttribute("aria-label", "Settings");
    this.runs = element("fieldset", "te-runs", this.root);
    element("legend", "", this.runs, "Settings of");
    this.main = element("div", "te-controls-main", this.root);
    this.makeColour();
    this.more = element("details", "te-more", this.root);
    element("summary", "", this.more, "More settings");
    this.folded = element("div", "te-controls-main", this.more);
    this.send = oncePerFrame(() => {
      const { changes } = this;
      this.changes = {};
      this.page.say({ do: "set", changes });
    });
    this.stops = [page.on("colour", (colour) => (this.colour.value = colour))];
  }

  remove() {
    this.stops.forEach((stop) => stop());
    this.controls.forEach((control) => control.remove());
    this.send.stop();
  }

  // The newest value of each setting goes out with the next animation frame, however fast the hand.
  set(name, value) {
    this.changes[name] = value;
    this.send();
  }

  // The switch of the map stands above the map and not in the column: `place` says where.
  show(specs, place) {
    const names = specs.map((spec) => `${spec.name} ${spec.kind}`).join();
    if (this.names !== names) {
      this.names = names;
      this.controls.forEach((control) => control.remove());
      this.controls.clear();
      [this.main, this.folded, place].forEach((box) => box.replaceChildren());
      for (const spec of specs) {
        const parent = NEVER_IN_COLUMN.has(spec.name) ? place : spec.main ? this.main : this.folded;
        const control = new SettingControl(spec, parent, (name, value) => this.set(name, value));
        control.root.classList.toggle("te-projected", PROJECTED.has(spec.name));
        this.controls.set(spec.name, control);
      }
    }
    specs.forEach((spec) => this.controls.get(spec.name).update(spec));
    this.more.hidden = !this.folded.childElementCount;
    this.root.classList.toggle("te-no-settings", !specs.length);
  }

  // ---- the colours ----

  makeColour() {
    const box = element("div", "te-control te-control-choice te-projected", this.root);
    const label = element("label", "te-control-label", element("div", "te-control-head", box), "Colour by");
    this.colour = element("select", "te-set-colour", box);
    this.colour.name = "colour";
    this.colour.id = label.htmlFor = freshId("colour");
    const help = element("p", "te-bubble te-control-help", box);
    help.textContent = "Which true parameter of the tasks gives the colours. Training never sees it.";
    help.id = freshId("help");
    this.colour.setAttribute("aria-describedby", help.id);
    this.colour.addEventListener("change", () => this.page.set("colour", Number(this.colour.value)));
  }

  setTasks(tasks) {
    this.colour.replaceChildren(...tasks.colours.map(({ name }, k) => new Option(name, k)));
    this.colour.value = this.page.get("colour");
  }

  // ---- which of two runs the controls move ----

  showRuns(runs, active) {
    this.runs.hidden = runs.length < 2;
    while (this.runs.querySelectorAll("label").length > runs.length) this.runs.lastChild.remove();
    runs.forEach((run, k) => {
      const label = this.runs.querySelectorAll("label")[k] ?? this.makeRun(k);
      setText(label.lastChild, run.name);
      label.firstChild.checked = k === active;
    });
  }

  makeRun(k) {
    const label = element("label", "te-run-choice", this.runs);
    const radio = element("input", "", label);
    this.runs.dataset.group ??= freshId("run");
    Object.assign(radio, { type: "radio", name: this.runs.dataset.group });
    radio.addEventListener("change", () => this.page.say({ do: "active", run: k }));
    element("span", "", label);
    return label;
  }
}
