// The bar in the status line: how far something long is, in words and as a bar, with a button where waiting is a choice.

import { element, freshId, setText } from "./base.js";

/** @import { Progress } from "./types.js" */

export class ProgressView {
  /** @param {Element} parent */
  constructor(parent) {
    this.root = element("div", "te-progress te-live-only", parent);
    const body = element("div", "te-progress-body", this.root);
    this.words = element("div", "te-progress-words", body);
    this.words.id = freshId("progress");
    this.bar = element("div", "te-progress-bar", body);
    this.bar.setAttribute("role", "progressbar");
    this.bar.setAttribute("aria-labelledby", this.words.id);
    element("div", "te-progress-fill", this.bar);
    this.root.hidden = true;
  }

  // Of a job that nobody can measure `of` is 0: the bar then has no value, and moves to and fro.
  /** @param {Progress | null} progress */
  show(progress) {
    this.root.hidden = !progress;
    if (!progress) return;
    const { words, done, of } = progress;
    setText(this.words, words);
    this.root.dataset.measured = String(of > 0);
    this.root.style.setProperty("--te-done", String(of > 0 ? Math.min(1, done / of) : 0));
    for (const [name, value] of [["valuemin", 0], ["valuemax", of], ["valuenow", done]]) {
      if (of > 0) this.bar.setAttribute(`aria-${name}`, String(value));
      else this.bar.removeAttribute(`aria-${name}`);
    }
  }
}
