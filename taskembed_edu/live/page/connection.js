// The line to the kernel: does it still follow?

/** @import { Connection, Model, Signal, Stop, WidgetModel } from "./types.js" */

const RECONNECT_MS = 5000; // between two tries of our own

// Where there is a kernel behind the model, say whether it still follows: calls changed("ok" | "lost" | "dead").
// Everything is asked for politely: another notebook program may offer less, and then the page simply believes in it.
export class ConnectionWatch {
  /** @type {Connection} */
  state = "ok";
  /** @type {Stop[]} */
  stops = [];
  removed = false;
  retry = 0; // the timer of the next try

  /** @param {Model} model @param {(state: Connection) => void} changed */
  constructor(model, changed) {
    this.changed = changed;
    this.manager = model.widget_manager;
    this.listen(model);
  }

  /** @param {Model} model */
  async listen(model) {
    const kernel = this.manager?.kernel;
    this.connect(kernel?.statusChanged, (status) => {
      if (["restarting", "autorestarting", "dead"].includes(status)) this.become("dead");
    });
    this.connect(kernel?.connectionStatusChanged, (status) => this.line(status));
    this.connect(kernel?.disposed, () => this.become("dead"));
    const id = model.get("model_id_");
    if (!id || !this.manager?.get_model) return;
    /** @type {WidgetModel | undefined} */
    let own;
    try {
      own = await this.manager.get_model(id);
    } catch {
      return; // a program that keeps its models elsewhere
    }
    if (this.removed || !own || typeof own.on !== "function") return;
    const found = own;
    const look = () => {
      if (found.comm_live === false && this.state !== "lost") this.become("dead");
    };
    found.on("comm_live_update", look);
    found.on("destroy", look);
    this.stops.push(() => found.off("comm_live_update", look), () => found.off("destroy", look));
    look();
  }

  // Lumino's signals: connect(slot) and disconnect(slot).
  /** @template Value @param {Signal<Value> | undefined} signal @param {(value: Value) => void} heard */
  connect(signal, heard) {
    if (typeof signal?.connect !== "function") return;
    /** @param {unknown} _sender @param {Value} value */
    const slot = (_sender, value) => heard(value);
    signal.connect(slot);
    this.stops.push(() => signal.disconnect(slot));
  }

  // JupyterLab gives up after seven tries, within a minute or two: the watch then goes on trying, at leisure.
  /** @param {string} status */
  line(status) {
    clearTimeout(this.retry);
    if (status === "connected") this.become("ok");
    else if (status === "connecting" || status === "disconnected") this.become("lost");
    const again = () => this.manager?.kernel?.reconnect?.()?.catch(() => {}); // not yet: the next "disconnected" comes
    if (status === "disconnected" && !this.removed) this.retry = window.setTimeout(again, RECONNECT_MS);
  }

  // A dead kernel does not come back: another one has its name.
  /** @param {Connection} state */
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
