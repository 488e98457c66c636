// Settings as native controls: a slider, a menu or a number field with its label, its value and its help.
//
// The kernel sends the list of settings (`controls`: see live/controls.py). A control is created once and then updated
// in place, so that a slider is not replaced during a drag. A changed value stays shown until the kernel confirms it.

import { counted, element, freshId, oncePerFrame, setText } from "./base.js";
import { MapSwitch } from "./map_switch.js";

const CONFIRM_MS = 2500; // a change not confirmed by then counts as refused: the kernel's value is shown again
const LONG_NAME = 20; // letters of a colour's name that its menu has room for

/** @import { LabPage } from "./lab.js" */
/** @import { Control, Run, SettingValue, Tasks } from "./types.js" */

class SettingControl {
  /** @type {SettingValue | undefined} */
  pending = undefined; // the changed value that the kernel has not confirmed yet
  confirmTimer = 0; // the timer that drops it

  /** @param {Control} spec @param {Element} parent @param {(name: string, value: SettingValue) => void} changed */
  constructor(spec, parent, changed) {
    this.spec = spec;
    this.changed = changed;
    this.root = element("div", `te-control te-control-${spec.kind}`, parent);
    this.root.dataset.setting = spec.name;
    const head = element("div", "te-control-head", this.root);
    this.label = element("label", "te-control-label", head, spec.label);
    this.value = element("input", "te-control-value te-number", head);
    this.value.type = "number";
    this.value.step = "any";
    this.value.hidden = !isSlider(spec);
    this.value.setAttribute("aria-label", `Exact value: ${spec.label}`);
    this.meaning = element("span", "te-control-label", head);
    this.meaning.setAttribute("aria-hidden", "true"); // a screen reader reads it from the slider
    this.input = element(spec.kind === "choice" ? "select" : "input", `te-set-${spec.name}`, this.root);
    if (spec.kind !== "choice") this.input.setAttribute("type", spec.kind === "number" ? "number" : "range");
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
    // JupyterLab handles Enter before the field fires its change event, so Enter is handled here.
    this.root.addEventListener("keydown", (event) => {
      if (kind === "number" && event.key === "Enter") this.take();
      if (event.target === this.value && event.key === "Enter") this.takeTyped();
    });
    this.value.addEventListener("change", () => this.takeTyped());
  }

  remove() {
    clearTimeout(this.confirmTimer);
  }

  read() {
    const { spec, input } = this;
    if (spec.kind === "steps") return spec.options[Number(input.value)].value;
    if (spec.kind === "choice") return spec.options.find(({ value }) => String(value) === input.value)?.value ?? spec.value;
    return Number(input.value);
  }

  take() {
    const { spec } = this;
    if (spec.kind === "number" && !this.isNumber()) {
      this.input.setAttribute("aria-invalid", "true");
      setText(this.note, `${spec.label}: a whole number from ${counted(spec.low)} to ${counted(spec.high)}`);
      return;
    }
    this.input.removeAttribute("aria-invalid");
    const value = this.read();
    if (spec.kind === "number" && value === (this.pending ?? spec.value)) {
      this.describe(value); // Enter and then leaving the field is one change, not two
      return;
    }
    this.value.removeAttribute("aria-invalid");
    this.keep(value);
    this.describe(value);
  }

  // The value stays shown until the kernel confirms it.
  /** @param {SettingValue} value */
  keep(value) {
    this.pending = value;
    clearTimeout(this.confirmTimer);
    this.confirmTimer = window.setTimeout(() => this.forget(), CONFIRM_MS);
    this.changed(this.spec.name, value);
  }

  // The number beside a slider: any value of its range, also between two stops.
  takeTyped() {
    const { spec } = this;
    const [low, high] = endsOf(spec);
    const value = Number(this.value.value);
    const whole = spec.kind !== "range" || spec.step !== 1 || Number.isInteger(value);
    if (this.value.value === "" || !(value >= low && value <= high) || !whole) {
      this.value.setAttribute("aria-invalid", "true");
      setText(this.note, `${spec.label}: a ${spec.kind === "range" && spec.step === 1 ? "whole " : ""}number from ${low} to ${high}`);
      return;
    }
    this.value.removeAttribute("aria-invalid");
    if (value !== (this.pending ?? spec.value)) this.keep(value);
    this.describe(value);
  }

  // `step` is only how far an arrow key moves, so the browser's stepMismatch is not an error here.
  isNumber() {
    const { badInput, rangeUnderflow, rangeOverflow } = this.input.validity;
    const whole = !Number.isInteger(this.spec.value) || Number.isInteger(Number(this.input.value));
    return this.input.value !== "" && whole && !badInput && !rangeUnderflow && !rangeOverflow;
  }

  forget() {
    this.pending = undefined;
    this.update(this.spec);
  }

  /** @param {Control} spec */
  update(spec) {
    const old = this.spec;
    this.spec = spec;
    if (spec.kind === "choice") {
      const others = old.kind !== "choice" || JSON.stringify(old.options) !== JSON.stringify(spec.options);
      if (others || !this.input.childElementCount) {
        this.input.replaceChildren(...spec.options.map(({ value, label }) => new Option(label, String(value))));
      }
    }
    if (spec.kind === "steps") Object.assign(this.input, { min: 0, max: spec.options.length - 1, step: 1 });
    if (spec.kind === "range" || spec.kind === "number") {
      Object.assign(this.input, { min: spec.low, max: spec.high, step: spec.step || "any" });
    }
    this.input.disabled = this.value.disabled = !spec.enabled;
    this.root.classList.toggle("te-unused", !spec.enabled);
    if (this.pending === spec.value) {
      this.pending = undefined;
      clearTimeout(this.confirmTimer);
    }
    if (this.pending === undefined && !this.isTyping()) this.show(spec.value);
    this.describe(this.pending ?? spec.value);
  }

  isTyping() {
    return this.spec.kind === "number" && this.input.ownerDocument.activeElement === this.input && this.input.value !== "";
  }

  /** @param {SettingValue} value */
  show(value) {
    const shown = String(this.spec.kind === "steps" ? nearestOption(this.spec.options, Number(value)) : value);
    if (this.input.value !== shown) this.input.value = shown;
  }

  /** @param {SettingValue} value */
  describe(value) {
    const { live, enabled, wished } = this.spec;
    const words = valueText(this.spec, Number(value));
    const number = numberText(this.spec, Number(value));
    const typing = this.value.ownerDocument.activeElement === this.value && this.value.value !== "" && Number(this.value.value) !== Number(number);
    if (!typing && this.value.value !== number) this.value.value = number;
    setText(this.meaning, words === number ? "" : words); // what 0 stands for
    if (words) this.input.setAttribute("aria-valuetext", words);
    const note = !enabled ? "no effect with these settings" : wished ? "waits for Reset" : live ? "" : "applies at reset";
    const wrong = [this.input, this.value].some((each) => each.getAttribute("aria-invalid") === "true");
    if (!wrong) setText(this.note, note);
    this.root.classList.toggle("te-wished", Boolean(wished));
  }
}

/** @param {Control} spec */
function isSlider(spec) {
  return spec.kind === "range" || spec.kind === "steps";
}

// The ends of a slider's range.
/** @param {Control} spec @returns {[low: number, high: number]} */
function endsOf(spec) {
  if (spec.kind === "range" || spec.kind === "number") return [spec.low, spec.high];
  const values = spec.kind === "steps" ? spec.options.map(({ value }) => value) : [0];
  return [Math.min(...values), Math.max(...values)];
}

// The text of a value beside its slider; "" where the control itself shows the value.
/** @param {Control} spec @param {number} value */
export function valueText(spec, value) {
  if (value === 0 && spec.zero) return spec.zero;
  return numberText(spec, value);
}

// The number beside a slider; "" where the control itself shows it.
/** @param {Control} spec @param {number} value */
function numberText(spec, value) {
  if (spec.kind === "steps") return spec.options.find((each) => each.value === value)?.label ?? String(value);
  if (spec.kind !== "range") return "";
  const text = decimals(value, spec.step);
  return Math.abs(Number(text) - value) > 1e-9 ? String(+value.toPrecision(6)) : text; // one that was typed exactly
}

// Sliders over round numbers a constant factor apart: the nearest option is the one with the nearest logarithm.
/** @param {{ value: number }[]} options @param {number} value */
export function nearestOption(options, value) {
  let best = 0;
  /** @param {number} k */
  const away = (k) => Math.abs(Math.log(options[k].value) - Math.log(value));
  for (let k = 1; k < options.length; k++) if (away(k) < away(best)) best = k;
  return best;
}

// As many decimals as the slider's step has: 0.05 gives 1.00.
/** @param {number} value @param {number} [step] */
export function decimals(value, step) {
  const places = step ? Math.max(0, Math.min(4, (String(step).split(".")[1] ?? "").length)) : 2;
  return value.toFixed(places);
}

export class ControlsView {
  /** @type {Map<string, SettingControl | MapSwitch>} */
  controls = new Map();
  names = ""; // the settings that have a control, as last shown
  /** @type {Record<string, SettingValue>} */
  changes = {};
  /** @type {{ root: HTMLElement, radio: HTMLInputElement, name: HTMLElement }[]} */
  runChoices = [];
  runGroup = freshId("run");

  /** @param {LabPage} page @param {Element} parent */
  constructor(page, parent) {
    this.page = page;
    this.root = element("section", "te-controls", parent);
    this.root.setAttribute("aria-label", "Settings");
    this.runs = element("fieldset", "te-runs", this.root);
    element("legend", "", this.runs, "Settings of");
    this.main = element("div", "te-controls-main", this.root);
    this.colour = this.makeColour();
    this.more = element("details", "te-more", this.root);
    element("summary", "", this.more, "More settings");
    this.folded = element("div", "te-controls-main", this.more);
    this.speed = this.makeSpeed();
    this.defaults = element("button", "te-button te-defaults te-live-only", this.more, "Back to defaults");
    this.defaults.setAttribute("aria-description", "All settings but the tasks, the seed and the map. Undo takes it back.");
    this.defaults.addEventListener("click", () => page.say({ do: "defaults" }));
    this.send = oncePerFrame(() => {
      const { changes } = this;
      this.changes = {};
      this.page.say({ do: "set", changes });
    });
    this.stops = [page.on("colour", () => this.showColour())];
  }

  remove() {
    this.stops.forEach((stop) => stop());
    this.controls.forEach((control) => control.remove());
    this.send.stop();
  }

  // The newest value of each setting is sent with the next animation frame, however fast the slider moves.
  /** @param {string} name @param {SettingValue} value */
  set(name, value) {
    this.changes[name] = value;
    this.send();
  }

  // A setting marked `above_map` (the map's projection) is placed in `place`, above the map, and not in the column.
  /** @param {Control[]} specs @param {Element} place */
  show(specs, place) {
    const names = specs.map((spec) => `${spec.name} ${spec.kind}`).join();
    if (this.names !== names) {
      this.names = names;
      this.controls.forEach((control) => control.remove());
      this.controls.clear();
      [this.main, this.folded, place].forEach((box) => box.replaceChildren());
      for (const spec of specs) {
        const parent = spec.above_map ? place : spec.main ? this.main : this.folded;
        const control = this.make(spec, parent);
        control.root.classList.toggle("te-projected", spec.projected);
        this.controls.set(spec.name, control);
      }
    }
    specs.forEach((spec) => this.controls.get(spec.name)?.update(spec));
    this.more.hidden = !this.folded.childElementCount;
    this.root.classList.toggle("te-no-settings", !specs.length);
  }

  /** @param {Control} spec @param {Element} parent */
  make(spec, parent) {
    const switched = spec.name === "projection" && spec.kind === "choice";
    if (switched) return new MapSwitch(this.page, spec, parent, (value) => this.set(spec.name, value));
    return new SettingControl(spec, parent, (name, value) => this.set(name, value));
  }

  // How fast training may go: the interesting part of a run is over in seconds.
  makeSpeed() {
    const box = element("div", "te-control te-control-choice te-live-only", this.more);
    const label = element("label", "te-control-label", element("div", "te-control-head", box), "Steps per second, at most");
    const speed = element("select", "te-set-speed", box);
    speed.id = label.htmlFor = freshId("speed");
    const words = [["As fast as it goes", 0], ...[300, 100, 30, 10].map((rate) => [String(rate), rate])];
    speed.append(...words.map(([text, rate]) => new Option(String(text), String(rate))));
    speed.addEventListener("change", () => this.page.say({ do: "speed", rate: Number(speed.value) }));
    return speed;
  }

  // ---- the colours ----

  makeColour() {
    const box = element("div", "te-control te-control-choice te-projected", this.root);
    const label = element("label", "te-control-label", element("div", "te-control-head", box), "Colour by");
    const colour = element("select", "te-set-colour", box);
    colour.name = "colour";
    colour.id = label.htmlFor = freshId("colour");
    const help = element("p", "te-bubble te-control-help", box);
    help.textContent = "Which true parameter of the tasks gives the colours. Training never sees it.";
    help.id = freshId("help");
    colour.setAttribute("aria-describedby", help.id);
    colour.addEventListener("change", () => this.page.set("colour", Number(colour.value)));
    return colour;
  }

  showColour() {
    this.colour.value = String(this.page.get("colour"));
    const name = this.colour.selectedOptions[0]?.label ?? "";
    this.colour.title = name.length > LONG_NAME ? name : ""; // a menu shortens it
  }

  /** @param {Tasks} tasks */
  setTasks(tasks) {
    this.colour.replaceChildren(...tasks.colours.map(({ name }, k) => new Option(name, String(k))));
    const box = this.colour.parentElement;
    if (box) box.hidden = !tasks.colours.length; // some families know nothing of a task but its data
    this.showColour();
  }

  // ---- which of two runs the controls move ----

  /** @param {Run[]} runs @param {number} active */
  showRuns(runs, active) {
    this.speed.value = String(this.page.transport().most_rate ?? 0);
    this.runs.hidden = runs.length < 2;
    while (this.runChoices.length > runs.length) this.runChoices.pop()?.root.remove();
    while (this.runChoices.length < runs.length) this.runChoices.push(this.makeRun(this.runChoices.length));
    this.runChoices.forEach(({ radio, name }, k) => {
      setText(name, runs[k].name);
      radio.checked = k === active;
    });
  }

  /** @param {number} k */
  makeRun(k) {
    const root = element("label", "te-run-choice", this.runs);
    const radio = element("input", "", root);
    Object.assign(radio, { type: "radio", name: this.runGroup });
    radio.addEventListener("change", () => this.page.say({ do: "active", run: k }));
    return { root, radio, name: element("span", "", root) };
  }
}
