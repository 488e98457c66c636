// The bar above and what is said below it: buttons, status, device, alarms; and the watch over the line to the kernel.
//
// What a button does is said to the kernel in words. Play and Pause are two different words, so that a double click on
// Play plays.

import { element, icon, ICONS, setText } from "./base.js";
import { EXPORTS, MenuButton } from "./dialogs.js";

const GONE = "The kernel was restarted: this picture no longer follows it. Run the cell again.";
const LOST = "The connection to the kernel is lost. Training may be going on; the picture follows again when it is back.";
const RECONNECT_MS = 5000; // between two tries of our own
const REPLACED = "A newer run of this cell has taken over. This picture stands still.";

export class TransportView {
  constructor(page, parent) {
    this.page = page;
    this.bar = element("div", "te-bar", parent);
    this.bar.setAttribute("role", "group");
    this.bar.setAttribute("aria-label", "Run");
    this.title = element("div", "te-title", this.bar, page.model.get("title"));
    this.title.hidden = !this.title.textContent;
    this.makeRun(element("div", "te-group te-live-only", this.bar));
    const told = element("div", "te-told", parent);
    this.status = element("div", "te-status", told);
    this.status.setAttribute("role", "status");
    this.statusWords = element("div", "te-status-words", this.status);
    this.status.addEventListener("pointerenter", () => this.tellWhole()); // the page may have another width by now
    this.device = element("div", "te-device te-number", told);
    this.makeWays(element("div", "te-group te-group-end", told));
    // Seen and spoken apart: a number that changes with every frame is seen at once, and does not speak the rest anew.
    this.alert = element("div", "te-alert", parent);
    this.alert.setAttribute("aria-hidden", "true");
    this.spoken = element("div", "te-unseen", parent);
    this.spoken.setAttribute("role", "alert");
    this.rewind = this.button(parent, "Back to the last good frame", { do: "rewind" }, "te-rewind");
    this.rewind.hidden = true;
  }

  button(parent, name, message, className = "", picture = "") {
    const made = element("button", `te-button ${className}`, parent);
    if (picture) made.picture = icon(picture, made);
    made.words = element("span", "", made, name);
    if (message) made.addEventListener("click", () => this.page.say(typeof message === "function" ? message() : message));
    return made;
  }

  makeRun(group) {
    const playing = () => this.page.transport().playing;
    this.play = this.button(group, "Play", null, "te-play", "play");
    // The second half of a double click is not meant: by then Play may have become Pause.
    this.play.addEventListener("click", ({ detail }) => detail < 2 && this.page.say({ do: playing() ? "pause" : "play" }));
    this.step = this.button(group, "Step", { do: "step" }, "", "step");
    this.step.setAttribute("aria-description", "Train up to the next picture");
    this.undo = this.button(group, "Undo", { do: "undo" }, "te-undo", "undo");
    this.reset = this.button(group, "Reset", { do: "reset" }, "te-reset");
    this.newSeed = this.button(group, "New seed", { do: "new seed" }, "te-new-seed");
    this.branch = this.button(group, "Branch here", () => ({ do: "branch", step: this.page.get("step") }), "te-branch");
    this.keep = [0, 1].map((run) => this.button(group, `Keep ${run}`, { do: "keep", run }, "te-keep"));
    for (const [made, words] of [
      [this.step, "Train up to the next picture."],
      [this.reset, "Begin again from the same initial weights. The run so far is kept."],
      [this.newSeed, ""],
      [this.undo, ""],
      [this.branch, "A second run begins at the moment shown, beside this one: same tasks, same colours."],
    ]) {
      made.bubble = element("span", "te-bubble", made, words);
      made.bubble.setAttribute("aria-hidden", "true");
    }
    this.undo.bubble.textContent = "";
  }

  makeWays(group) {
    this.code = this.button(group, "Code", { do: "code" }, "te-code te-live-only");
    this.export = this.button(group, "Export", null, "te-export te-live-only");
    new MenuButton(this.export, EXPORTS, (what) => this.page.say({ do: "export", what }));
    this.projector = this.button(group, "Projector", null, "te-projector-button");
    this.projector.addEventListener("click", () => this.page.set("projector", !this.page.get("projector")));
    this.help = this.button(group, "Help", null, "te-help-button");
    this.help.addEventListener("click", () => this.page.showKeys());
  }

  // ---- what the kernel says ----

  show(transport) {
    const { playing, runs = [], undo, wishes = [], seed } = transport;
    setText(this.play.words, playing ? "Pause" : "Play");
    this.play.picture.setAttribute("d", ICONS[playing ? "pause" : "play"]);
    this.undo.disabled = !undo;
    this.undo.setAttribute("aria-description", undo || "Nothing to undo");
    setText(this.undo.bubble, undo || "Nothing to undo yet.");
    this.reset.classList.toggle("te-waiting", wishes.length > 0);
    const waiting = wishes.length ? `Applies ${wishes.join(", ")}, from step 0. The run so far is kept.` : "";
    setText(this.reset.bubble, waiting || "Begin again from the same initial weights. The run so far is kept.");
    this.reset.setAttribute("aria-description", this.reset.bubble.textContent);
    setText(this.newSeed.bubble, `Begin again with other initial weights and tasks. Seed now: ${seed ?? 0}.`);
    this.newSeed.setAttribute("aria-description", this.newSeed.bubble.textContent);
    this.branch.hidden = runs.length > 1;
    this.branch.setAttribute("aria-description", this.branch.bubble.textContent);
    this.keep.forEach((button, run) => {
      button.hidden = runs.length < 2;
      if (runs.length > 1) setText(button.words, `Keep ${runs[run].name.replace("Run ", "")}`);
    });
    setText(this.device, [transport.device, transport.rate ? `${Math.round(transport.rate)} steps/s` : ""].filter(Boolean).join(" · "));
    this.rewind.hidden = !transport.rewind;
    this.tell();
  }

  // One line says what is going on; what is wrong is said as an alert, with what to do.
  tell() {
    const transport = this.page.transport();
    const connection = this.page.get("connection");
    const alarms = [];
    if (connection === "dead") alarms.push(GONE);
    else if (connection === "lost") alarms.push(LOST);
    else if (transport.stopped && transport.tone !== "alarm") alarms.push(REPLACED);
    if (transport.tone === "alarm") alarms.push(transport.status);
    alarms.push(...this.page.alarms());
    const alarm = alarms.join(" ");
    setText(this.alert, alarm);
    if (withoutNumbers(alarm) !== withoutNumbers(this.spoken.textContent)) setText(this.spoken, alarm);
    // An answer ("saved as ...") is said beside an alarm too; the status itself is then the alarm.
    const words = this.page.note || (transport.tone === "alarm" ? "" : transport.status) || "";
    const others = words !== this.statusWords.textContent;
    setText(this.statusWords, words);
    this.status.dataset.tone = transport.tone || "calm";
    if (others) this.tellWhole();
  }

  // The status has two lines, so that a long sentence moves nothing below. What is cut is there for the pointer; who does
  // not see it hears all.
  tellWhole() {
    const { scrollHeight, clientHeight, textContent } = this.statusWords;
    this.status.title = scrollHeight > clientHeight + 1 ? textContent : "";
  }
}

function withoutNumbers(text) {
  return text.replace(/\d+([.,]\d+)*(e[-+]?\d+)?/g, "");
}

// ---- the line to the kernel ---------------------------------------------------------------------------------------------

// Where there is a kernel behind the model, say whether it still follows: calls changed("ok" | "lost" | "dead").
// Everything is asked for politely: another notebook program may offer less, and then the page simply believes in it.
export class ConnectionWatch {
  constructor(model, changed) {
    this.changed = changed;
    this.state = "ok";
    this.stops = [];
    this.manager = model.widget_manager;
    this.listen(model);
  }

  async listen(model) {
    const kernel = this.manager?.kernel;
    this.connect(kernel?.statusChanged, (status) => {
      if (["restarting", "autorestarting", "dead"].includes(status)) this.become("dead");
    });
    this.connect(kernel?.connectionStatusChanged, (status) => this.line(status));
    this.connect(kernel?.disposed, () => this.become("dead"));
    const id = model.get("model_id_");
    if (!id || !this.manager?.get_model) return;
    let own;
    try {
      own = await this.manager.get_model(id);
    } catch {
      return; // a program that keeps its models elsewhere
    }
    if (this.removed || typeof own?.on !== "function") return;
    const look = () => {
      if (own.comm_live === false && this.state !== "lost") this.become("dead");
    };
    own.on("comm_live_update", look);
    own.on("destroy", look);
    this.stops.push(() => own.off("comm_live_update", look), () => own.off("destroy", look));
    look();
  }

  // Lumino's signals: connect(slot) and disconnect(slot).
  connect(signal, heard) {
    if (typeof signal?.connect !== "function") return;
    const slot = (_sender, value) => heard(value);
    signal.connect(slot);
    this.stops.push(() => signal.disconnect(slot));
  }

  // JupyterLab gives up after seven tries, within a minute or two: the watch then goes on trying, at leisure.
  line(status) {
    clearTimeout(this.retry);
    if (status === "connected") this.become("ok");
    else if (status === "connecting" || status === "disconnected") this.become("lost");
    const again = () => this.manager.kernel?.reconnect?.().catch(() => {}); // not yet: the next "disconnected" comes
    if (status === "disconnected" && !this.removed) this.retry = setTimeout(again, RECONNECT_MS);
  }

  // A dead kernel does not come back: another one has its name.
  become(state) {
    if (this.state === "dead" || this.state === state) return;
    this.state = state;
    this.changed(state);
  }

  remove() {
    this.removed = true;
    clearTimeout(this.retry);
    this.stops.forEach((stop) => stop());
  }
}
