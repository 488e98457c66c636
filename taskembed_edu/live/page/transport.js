// The bar at the top and the lines below it: buttons, status, device, alarms.
//
// A button sends a command to the kernel. Play and Pause are two commands and not one toggle, so that a double click on
// Play still plays.

import { element, icon, ICONS, setText } from "./base.js";
import { EXPORTS, MenuButton } from "./dialogs.js";
import { ProgressView } from "./progress.js";

const GONE = "The kernel was restarted: this picture no longer follows it. Run the cell again.";
const LOST = "The connection to the kernel is lost. Training may go on. The picture follows again when the connection is back.";
const SKIP = "Do not wait: both runs train on from where they are, and each map shows its own step. Nothing is lost.";
const CATCH_UP = "Train only the run that is behind, until both are at the same step again.";
const CANCEL_JOB = "End this now. Nothing of the runs is lost.";
const REPLACED = "This cell was run again, and the newer lab took over. This picture no longer changes.";

/** @import { LabPage } from "./lab.js" */
/** @import { Message, Progress, Transport } from "./types.js" */
/** @typedef {keyof typeof ICONS} IconName */

// A button with its label, an icon where it has one, and a bubble that explains what it does.
class ActionButton {
  /** @param {Element} parent @param {string} name @param {string} className @param {IconName} [picture] */
  constructor(parent, name, className, picture) {
    this.root = element("button", `te-button ${className}`, parent);
    this.picture = picture ? icon(picture, this.root) : null;
    this.words = element("span", "", this.root, name);
    /** @type {HTMLElement | null} */
    this.bubble = null;
  }

  // Shows the text in the bubble; a screen reader reads it as the button's description.
  /** @param {string} words */
  explain(words) {
    this.bubble ??= element("span", "te-bubble", this.root);
    this.bubble.setAttribute("aria-hidden", "true");
    setText(this.bubble, words);
    if (this.root.getAttribute("aria-description") !== words) this.root.setAttribute("aria-description", words);
  }
}

export class TransportView {
  /** @param {LabPage} page @param {Element} parent */
  constructor(page, parent) {
    this.page = page;
    this.projectorWords = element("span");
    this.bar = element("div", "te-bar", parent);
    this.bar.setAttribute("role", "group");
    this.bar.setAttribute("aria-label", "Run");
    this.title = element("div", "te-title", this.bar, page.model.get("title"));
    this.title.hidden = !this.title.textContent;
    this.run = this.makeRun(element("div", "te-group te-live-only", this.bar));
    const statusRow = element("div", "te-told", parent);
    this.status = element("div", "te-status", statusRow);
    this.status.setAttribute("role", "status");
    this.statusWords = element("div", "te-status-words", this.status);
    this.status.addEventListener("pointerenter", () => this.showFullStatus()); // the page's width may have changed
    this.progress = new ProgressView(statusRow);
    const act = () => (this.page.transport().progress?.button === "Cancel" ? { do: "cancel" } : { do: "catch up", on: !waits() });
    const waits = () => this.page.transport().progress?.button === "Skip";
    this.catchUp = this.button(this.progress.root, "", act, "te-catch-up");
    this.device = element("div", "te-device te-number", statusRow);
    this.projector = this.makeWays(element("div", "te-group te-group-end", this.bar));
    // The visible alert and the screen reader's are two elements: a number that changes at every frame is shown at
    // once, but does not make the screen reader repeat the alert.
    this.alert = element("div", "te-alert", parent);
    this.alert.setAttribute("aria-hidden", "true");
    this.spoken = element("div", "te-unseen", parent);
    this.spoken.setAttribute("role", "alert");
    this.rewind = this.button(parent, "Back to the last good frame", { do: "rewind" }, "te-rewind").root;
    this.rewind.hidden = true;
    this.recover = this.button(parent, "", () => ({ do: "recover", run: this.page.transport().recover?.run ?? 0 }), "te-rewind te-recover");
    this.recover.explain("Go back to before the collapse, change what caused it, and keep the collapsed run for Undo.");
    this.recover.root.hidden = true;
  }

  /** @param {Element} group */
  makeRun(group) {
    /** @param {string} name @param {Message | (() => Message)} message @param {string} className @param {IconName} [picture] */
    const button = (name, message, className, picture) => this.button(group, name, message, className, picture);
    const play = new ActionButton(group, "Play", "te-play", "play");
    // Ignore the second half of a double click: by then Play may have become Pause.
    play.root.addEventListener("click", ({ detail }) => {
      if (detail < 2) this.page.say({ do: this.page.playing() ? "pause" : "play" });
    });
    const step = button("Step", { do: "step" }, "", "step");
    const undo = button("Undo", { do: "undo" }, "te-undo", "undo");
    const reset = button("Reset", { do: "reset" }, "te-reset");
    const newSeed = button("New seed", { do: "new seed" }, "te-new-seed");
    const branch = button("Branch here", () => ({ do: "branch", step: this.page.get("step") }), "te-branch");
    const keep = [0, 1].map((run) => button(`Keep ${run}`, { do: "keep", run }, "te-keep"));
    const judge = button("Judge", { do: "judge" }, "te-judge");
    judge.explain("A scorecard of both embedders as they are now, on tasks that neither has seen.");
    step.explain("Train up to the next picture.");
    branch.explain("Start a second run from the step shown. It has the same tasks and colours.");
    return { play, step, undo, reset, newSeed, branch, keep, judge };
  }

  /** @param {Element} group */
  makeWays(group) {
    this.button(group, "Code", { do: "code" }, "te-code te-live-only");
    const save = new ActionButton(group, "Export", "te-export te-live-only");
    new MenuButton(save.root, EXPORTS, (what) => this.page.say({ do: "export", what }));
    const projector = new ActionButton(group, "Projector", "te-projector-button");
    projector.root.addEventListener("click", () => this.page.set("projector", !this.page.get("projector")));
    this.projectorWords = projector.words;
    const help = new ActionButton(group, "Help", "te-help-button");
    help.root.addEventListener("click", () => this.page.showKeys());
    return projector.root;
  }

  // A button that sends a command to the kernel.
  /**
   * @param {Element} parent
   * @param {string} name
   * @param {Message | (() => Message)} message
   * @param {string} className
   * @param {IconName} [picture]
   */
  button(parent, name, message, className, picture) {
    const made = new ActionButton(parent, name, className, picture);
    made.root.addEventListener("click", () => this.page.say(typeof message === "function" ? message() : message));
    return made;
  }

  // In projector mode the button is the way out, and says so.
  /** @param {boolean} on */
  showProjector(on) {
    this.projector.setAttribute("aria-pressed", String(on));
    setText(this.projectorWords, on ? "Leave projector mode" : "Projector");
  }

  // ---- what the kernel reports ----

  /** @param {Partial<Transport>} transport */
  show(transport) {
    const { playing, runs = [], undo, wishes = [], seed } = transport;
    const { play, reset, branch, keep, judge } = this.run;
    setText(play.words, playing ? "Pause" : "Play");
    play.picture?.setAttribute("d", ICONS[playing ? "pause" : "play"]);
    this.run.undo.root.disabled = !undo;
    this.run.undo.explain(undo || "Nothing to undo yet.");
    reset.root.classList.toggle("te-waiting", wishes.length > 0);
    const waiting = wishes.length ? `Applies ${wishes.join(", ")}, from step 0. The run so far is kept.` : "";
    reset.explain(waiting || "Begin again from the same initial weights. The run so far is kept.");
    this.run.newSeed.explain(`Begin again with other initial weights and tasks. Seed now: ${seed ?? 0}.`);
    branch.root.hidden = runs.length > 1;
    keep.forEach(({ root, words }, run) => {
      root.hidden = runs.length < 2 || Boolean(transport.paired);
      if (runs.length > 1) setText(words, `Keep ${runs[run].name.replace("Run ", "")}`);
    });
    judge.root.hidden = !transport.paired;
    setText(this.device, [transport.device, transport.rate ? `${Math.round(transport.rate)} steps/s` : ""].filter(Boolean).join(" · "));
    this.showProgress(transport.progress ?? null);
    this.rewind.hidden = !transport.rewind;
    this.recover.root.hidden = !transport.recover;
    setText(this.recover.words, transport.recover?.label ?? "");
    this.tell();
  }

  /** @param {Progress | null} progress */
  showProgress(progress) {
    const button = progress?.button ?? "";
    this.progress.show(progress);
    this.catchUp.root.hidden = !button;
    setText(this.catchUp.words, button);
    this.progress.root.dataset.button = button;
    if (button) this.catchUp.explain({ Skip: SKIP, Cancel: CANCEL_JOB }[button] ?? CATCH_UP);
  }

  // The status line reports what is going on; a problem is reported as an alert, with what to do.
  tell() {
    const transport = this.page.transport();
    const connection = this.page.get("connection");
    /** @type {string[]} */
    const alarms = [];
    if (connection === "dead") alarms.push(GONE);
    else if (connection === "lost") alarms.push(LOST);
    else if (transport.stopped && transport.tone !== "alarm") alarms.push(REPLACED);
    if (transport.tone === "alarm") alarms.push(transport.status ?? "");
    alarms.push(...this.page.alarms());
    const alarm = alarms.join(" ");
    setText(this.alert, alarm);
    if (withoutNumbers(alarm) !== withoutNumbers(this.spoken.textContent ?? "")) setText(this.spoken, alarm);
    // An answer ("saved as ...") is shown beside an alarm too. The status itself is not: it is then the alarm's text.
    const words = this.page.note || (transport.tone === "alarm" ? "" : transport.status) || "";
    const others = words !== this.statusWords.textContent;
    setText(this.statusWords, words);
    this.status.dataset.tone = transport.tone || "calm";
    if (others) this.showFullStatus();
  }

  // The status has a fixed height of two lines, so that a long sentence moves nothing below. A cut text is shown in
  // full as a tooltip; a screen reader always reads the full text.
  showFullStatus() {
    const { scrollHeight, clientHeight, textContent } = this.statusWords;
    this.status.title = scrollHeight > clientHeight + 1 ? (textContent ?? "") : "";
  }
}

/** @param {string} text */
export function withoutNumbers(text) {
  return text.replace(/\d+([.,]\d+)*(e[-+]?\d+)?/g, "");
}
