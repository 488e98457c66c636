// The scorecards of two embedders, below their maps: a table of scores, a table of what a new task gains by each, and its
// curves. Python has made every number and its text; which is the better one is marked by a tick and by weight.

import { element, freshId, helpMark, setText } from "./base.js";
import { TransferChart } from "./transfer_chart.js";

/** @import { LabPage } from "./lab.js" */
/** @import { ScoreRow, Scorecards, TransferMeasure, TransferPacket } from "./types.js" */

// Why a number has a tick. Both embedders solve the same new tasks, so that their losses can be compared task by task.
const BETTER_SCORE = "The better one. A small difference may be chance: another seed tells.";
const BETTER_TRANSFER = "The better one: chance alone would seldom part them so far (Wilcoxon's test, p below 0.05).";
const JUDGED_EARLIER = "The runs have begun again since: these are of the runs before.";

// When they were judged, and on what; one step is said once.
/** @param {Pick<Scorecards, "names" | "steps" | "about" | "earlier">} cards */
export function judgedWords({ names, steps, about, earlier }) {
  const at = new Set(steps).size === 1 ? `Both at step ${steps[0]}` : names.map((name, k) => `${name} at step ${steps[k]}`).join(", ");
  return [`${at}, on ${about}.`, earlier ? JUDGED_EARLIER : ""].filter(Boolean).join(" ");
}

// The rows of transfer: one for each number of steps, with a cell for each start. The random start is never marked.
/** @param {TransferPacket} transfer @param {TransferMeasure} measure */
export function transferRows({ steps }, { texts, better }) {
  return steps.map((step, k) => ({
    label: `${step} ${step === 1 ? "step" : "steps"}`,
    texts: texts.map((line) => line[k]),
    better: better[k],
  }));
}

export class ScorecardsView {
  measure = ""; // what transfer is measured by, as chosen

  /** @param {LabPage} page @param {Element} parent */
  constructor(page, parent) {
    this.page = page;
    this.root = element("section", "te-scorecards", parent);
    this.root.setAttribute("aria-label", "Scorecards");
    const head = element("div", "te-scorecards-head", this.root);
    element("strong", "", head, "Scorecards");
    this.about = element("span", "te-note", head);
    this.body = element("div", "te-scorecards-body", this.root);
    this.scores = this.table(this.body, "Scorecards: scores");
    this.transfer = element("div", "te-transfer", this.body);
    this.transferTable = this.table(this.transfer, "Scorecards: transfer");
    const beside = element("div", "te-transfer-curve", this.transfer);
    this.choice = this.makeChoice(beside);
    this.chart = new TransferChart(page, beside);
    this.show();
  }

  /** @param {Element} parent @param {string} name */
  table(parent, name) {
    const made = element("table", "te-scorecard", parent);
    made.setAttribute("aria-label", name);
    return made;
  }

  // Accuracy and macro-F1 beside the loss, where there are classes.
  /** @param {Element} parent */
  makeChoice(parent) {
    const root = element("div", "te-transfer-head", parent);
    const label = element("label", "te-transfer-title", root, "From the nearest known task:");
    const select = element("select", "te-transfer-measure", root);
    select.id = label.htmlFor = freshId("measure");
    select.addEventListener("change", () => {
      this.measure = select.value;
      this.show();
    });
    return select;
  }

  remove() {
    this.chart.remove();
    this.root.remove();
  }

  // New ones have come: they are brought into sight, where the learner has just asked for them.
  take() {
    const before = this.root.hidden;
    this.show();
    if (before && !this.root.hidden && !this.page.get("projector")) this.root.scrollIntoView({ block: "nearest" });
  }

  show() {
    const cards = this.page.model.get("scorecards");
    this.root.hidden = !cards?.names;
    if (!cards?.names) return;
    const whole = /** @type {Scorecards} */ (cards);
    setText(this.about, judgedWords(whole));
    this.writeScores(whole);
    this.writeTransfer(whole.transfer);
  }

  /** @param {Scorecards} cards */
  writeScores({ names, rows }) {
    this.head(this.scores, "on tasks never seen", names);
    const body = element("tbody", "", this.scores);
    for (const row of rows) this.row(body, row, BETTER_SCORE, row.help);
  }

  /** @param {TransferPacket | null} transfer */
  writeTransfer(transfer) {
    this.transfer.hidden = !transfer;
    if (!transfer) return;
    const { measures, starts } = transfer;
    const measure = measures.find(({ name }) => name === this.measure) ?? measures[0];
    this.choice.replaceChildren(...measures.map(({ name, label }) => new Option(label, name, false, name === measure.name)));
    this.choice.disabled = measures.length < 2;
    this.head(this.transferTable, `${measure.label} after`, starts, measure.help);
    const body = element("tbody", "", this.transferTable);
    for (const row of transferRows(transfer, measure)) this.row(body, row, BETTER_TRANSFER);
    this.chart.show(transfer, measure);
  }

  /** @param {HTMLTableElement} table @param {string} corner @param {string[]} names @param {string} [help] */
  head(table, corner, names, help) {
    table.replaceChildren();
    const row = element("tr", "", element("thead", "", table));
    const first = element("th", "", row, corner);
    first.scope = "col";
    if (help) helpMark(first, corner, help);
    names.forEach((name, k) => {
      const cell = element("th", "", row);
      cell.scope = "col";
      element("span", `te-start te-start-${k}`, cell).setAttribute("aria-hidden", "true");
      cell.append(name);
    });
  }

  /** @param {Element} body @param {Pick<ScoreRow, "label" | "texts" | "better">} row @param {string} why @param {string} [help] */
  row(body, { label, texts, better }, why, help) {
    const row = element("tr", "", body);
    const head = element("th", "", row, label);
    head.scope = "row";
    if (help) helpMark(head, label, help);
    texts.forEach((text, k) => {
      const cell = element("td", "te-number", row, text || "–");
      cell.classList.toggle("te-better", k === better);
      if (k !== better) return;
      const tick = element("span", "te-tick", cell, " ✓");
      tick.setAttribute("role", "img");
      tick.setAttribute("aria-label", "the better one");
      tick.title = why;
    });
  }
}
