// A prediction: a group of radio buttons, or a number with a button, and a line that says what is kept.
//
// Without a kernel a click changes nothing, and the line says that nothing is kept.

import { element, freshId, setText } from "../../live/page/base.js";
import { ConnectionWatch } from "../../live/page/connection.js";

const NOT_KEPT = "There is no kernel, so this is not kept. Run the cell again.";

/**
 * @typedef {{ name: string, question: string, choices: string[], unit: string }} Asked
 * @typedef {{ guess: string | number | null, closed: boolean, said: string }} State
 * @typedef {{
 *   get(name: "asked"): Asked, get(name: "state"): State, send(message: object): void,
 *   on(name: string, callback: () => void): void, off(name: string, callback: () => void): void,
 * }} Model
 */

class QuestionPage {
  /** @param {Model} model @param {Element} parent */
  constructor(model, parent) {
    this.model = model;
    this.asked = model.get("asked");
    this.root = element("fieldset", "te-question", parent);
    this.root.dataset.name = this.asked.name;
    this.root.dataset.lmSuppressShortcuts = "true"; // JupyterLab's own keys do not act here
    element("legend", "te-question-text", this.root, `Predict: ${this.asked.question}`);
    const place = element("div", "te-question-answers", this.root);
    /** @type {HTMLInputElement[]} */
    this.inputs = this.asked.choices.length ? this.radios(place) : [this.number(place)];
    this.line = element("p", "te-question-said", this.root);
    this.line.setAttribute("role", "status");
    /** @type {string | number | null} */
    this.clicked = null; // the last guess that was sent
    this.watch = new ConnectionWatch(/** @type {any} */ (model), () => this.connected());
    this.show = this.show.bind(this);
    model.on("change:state", this.show);
    this.show();
  }

  /** @param {Element} place */
  radios(place) {
    const group = freshId("predict");
    return this.asked.choices.map((choice) => {
      const label = element("label", "te-question-choice", place);
      const input = element("input", "", label);
      Object.assign(input, { type: "radio", name: group, value: choice });
      label.append(choice);
      input.addEventListener("change", () => this.say(choice));
      return input;
    });
  }

  /** @param {Element} place */
  number(place) {
    const label = element("label", "te-question-choice", place, "Your number: ");
    const input = element("input", "te-question-number", label);
    Object.assign(input, { type: "number", step: "any" });
    if (this.asked.unit) label.append(` ${this.asked.unit}`);
    const keep = () => this.say(input.value.trim() === "" ? "" : Number(input.value));
    const button = element("button", "te-question-keep", place, "Keep");
    button.type = "button";
    button.addEventListener("click", keep);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") keep();
    });
    return input;
  }

  /** @param {string | number} guess */
  say(guess) {
    this.clicked = guess;
    try {
      this.model.send({ guess });
    } catch {
      this.refuse();
    }
    this.connected();
  }

  // A guess on its way when the kernel goes is lost too.
  connected() {
    if (this.watch.state === "ok" || this.clicked === null) return;
    if (this.clicked !== this.model.get("state").guess) this.refuse();
  }

  refuse() {
    this.show(); // what is kept, not what was clicked
    setText(this.line, NOT_KEPT);
  }

  show() {
    const { guess, closed, said } = this.model.get("state");
    for (const input of this.inputs) {
      if (input.type === "radio") input.checked = input.value === guess;
      else if (document.activeElement !== input) input.value = guess === null ? "" : String(guess);
    }
    this.root.dataset.guess = guess === null ? "" : String(guess);
    this.root.dataset.closed = String(closed);
    setText(this.line, said);
  }

  remove() {
    this.model.off("change:state", this.show);
    this.watch.remove();
    this.root.remove();
  }
}

/** @param {{ model: Model, el: Element }} given */
function render({ model, el }) {
  const page = new QuestionPage(model, el);
  return () => page.remove();
}

export default { render };
