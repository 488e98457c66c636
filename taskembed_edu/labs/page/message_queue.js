// Messages to Python, one at a time: the next one is sent when Python has said that it heard the one before. So a busy
// kernel is never flooded, and a drag that it could not follow arrives as its end.

const BUSY_AFTER = 400; // ms without an answer, after which the page says that it waits

/** The messages that wait, with one more. Of one gesture (one drag) only the latest counts. @type {Lab.Enqueued} */
export function enqueued(waiting, message) {
  const last = waiting.at(-1);
  const replaces = last?.gesture && last.gesture === message.gesture && last.do === message.do;
  return [...(replaces ? waiting.slice(0, -1) : waiting), message];
}

/** Calls `onWait(true)` while Python is busy, and `onQuiet()` when it has heard everything. @type {Lab.OpenQueue} */
export function messageQueue(model, onWait, onQuiet) {
  const page = Math.random().toString(36).slice(2); // Python answers every view of a lab: a page knows its own by this
  /** @type {Lab.Message[]} */ let waiting = [];
  let underWay = false;
  let timer = 0;
  let number = 0;

  function next() {
    const message = underWay ? undefined : waiting.shift();
    if (!message) return;
    underWay = true;
    timer = setTimeout(() => onWait(true), BUSY_AFTER);
    model.send({ ...message, page, number: ++number });
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
