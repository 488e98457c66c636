// Watches the connection to the kernel.

/** @import { Connection, Model, Signal, Stop, WidgetModel } from "./types.js" */

const RECONNECT_MS = 5000; // between two attempts of our own

// Calls changed("ok" | "lost" | "dead") when the connection to the kernel changes. Every property of JupyterLab is
// optional: another notebook program may not have it, and then the page assumes that the connection is fine.
export class ConnectionWatch {
  /** @type {Connection} */
  state = "ok";
  /** @type {Stop[]} */
  stops = [];
  removed = false;
  retry = 0; // the timer of the next attempt

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
      return; // a notebook program that stores its models elsewhere
    }
    if (this.removed || !own || typeof own.on !== "function") return;
    const found = own;
    const checkComm = () => {
      if (found.comm_live === false && this.state !== "lost") this.become("dead");
    };
    found.on("comm_live_update", checkComm);
    found.on("destroy", checkComm);
    this.stops.push(() => found.off("comm_live_update", checkComm), () => found.off("destroy", checkComm));
    checkComm();
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

  // JupyterLab stops trying to reconnect after seven attempts (one or two minutes). This class then goes on, once every
  // RECONNECT_MS.
  /** @param {string} status */
  line(status) {
    clearTimeout(this.retry);
    if (status === "connected") this.become("ok");
    else if (status === "connecting" || status === "disconnected") this.become("lost");
    const again = () => this.manager?.kernel?.reconnect?.()?.catch(() => {}); // failed: "disconnected" follows
    if (status === "disconnected" && !this.removed) this.retry = window.setTimeout(again, RECONNECT_MS);
  }

  // "dead" is final: a restarted kernel has the same name but is a new process without this run.
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
