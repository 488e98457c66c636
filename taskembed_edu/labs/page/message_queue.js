// Messages to Python, one at a time: the next one is sent when Python has said that it heard the one before. So a busy
// kernel is never flooded, and a drag that it could not follow arrives as its end.

const BUSY_AFTER = 400; // ms without an answer, after which the page says that it waits

/** The messages that wait, with one more. Of one gesture (one drag) only the latest counts. @type {Lab.Enqueued} */
export function enqueued(waiting, message) {
  const last = waiting.at(-1);
  const replaces = last?.gesture && last.gesture === message.gesture && last.do === message.do;
  return [...(replaces ? waiting.slice(0, -1) : waiting), message];
}

/** Calls `onWait(true)` while Python lets the page wait, and `onQuiet()` when it has heard everything. */
export class MessageQueue {
  page = Math.random().toString(36).slice(2); // Python answers every view of a lab: a page knows its own by this
  #number = 0;
  #underWay = false;
  #timer = 0;
  /** @type {Lab.Message[]} */ #waiting = [];

  /** @param {Lab.Model} model @param {(waits: boolean) => void} onWait @param {() => void} onQuiet */
  constructor(model, onWait, onQuiet) {
    this.model = model;
    this.onWait = onWait;
    this.onQuiet = onQuiet;
    model.on("msg:custom", this.#heard);
  }

  get quiet() {
    return !this.#underWay && !this.#waiting.length;
  }

  /** @param {Lab.Message} message */
  send(message) {
    this.#waiting = enqueued(this.#waiting, message);
    this.#next();
  }

  #next() {
    const message = this.#underWay ? undefined : this.#waiting.shift();
    if (!message) return;
    this.#underWay = true;
    this.#timer = setTimeout(() => this.onWait(true), BUSY_AFTER);
    this.model.send({ ...message, page: this.page, number: ++this.#number });
  }

  /** @param {{ page?: string, heard?: number }} answer */
  #heard = (answer) => {
    if (answer.page !== this.page || answer.heard !== this.#number || !this.#underWay) return;
    this.#underWay = false;
    clearTimeout(this.#timer);
    this.onWait(false);
    this.#next();
    if (this.quiet) this.onQuiet();
  };

  close() {
    clearTimeout(this.#timer);
    this.model.off("msg:custom", this.#heard);
  }
}
