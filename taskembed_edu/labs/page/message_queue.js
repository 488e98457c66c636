// Sends messages to Python one at a time: the next one goes out when Python has acknowledged the one before. So a busy
// kernel is never flooded: of a drag that is faster than the kernel, only the last position arrives.

const BUSY_AFTER = 400; // ms without an acknowledgement, after which the page shows that it waits

/** Adds a message to the queue. Of one gesture (one drag) only the latest is kept. @type {Lab.Enqueued} */
export function enqueued(waiting, message) {
  const last = waiting.at(-1);
  const replaces = last?.gesture && last.gesture === message.gesture && last.do === message.do;
  return [...(replaces ? waiting.slice(0, -1) : waiting), message];
}

/** Calls `onWait(true)` while Python is busy, `onQuiet()` when all is acknowledged. @type {Lab.OpenQueue} */
export function messageQueue(model, onWait, onQuiet) {
  const page = Math.random().toString(36).slice(2); // Python answers all views of a lab: this id marks one view's
  /** @type {Lab.Message[]} */ let waiting = [];
  let underWay = false;
  let timer = 0;
  let number = 0;

  function next() {
    const message = underWay ? undefined : waiting.shift();
    if (!message) return;
    underWay = true;
    timer = setTimeout(() => onWait(true), BUSY_AFTER);
    const { buffers, ...said } = message;
    model.send({ ...said, page, number: ++number }, undefined, buffers);
  }
  const isQuiet = () => !underWay && !waiting.length;
  const heard = (/** @type {{ page?: string, heard?: number }} */ answer) => {
    if (answer.page !== page || answer.heard !== number || !underWay) return;
    underWay = false;
    clearTimeout(timer);
    onWait(false);
    next();
    if (isQuiet()) onQuiet();
  };
  const send = (/** @type {Lab.Message} */ message) => {
    waiting = enqueued(waiting, message);
    next();
  };
  const close = () => {
    clearTimeout(timer);
    model.off("msg:custom", heard);
  };
  model.on("msg:custom", heard);
  return { page, send, isQuiet, close };
}
