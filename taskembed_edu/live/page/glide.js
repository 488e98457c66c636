// Moves the points from one frame to the next. A glide starts at the points' current places, so that an interrupted
// glide does not jump, and ends exactly at the newest frame's places. The arrays are allocated once per task set.

import { decodePlaces } from "./packets.js";

/** @import { PlacedPoints } from "./types.js" */

const GLIDE_MS = 120;
const LATEST_MS = 180; // no paint of a glide is later than this after its frame, however slow painting is

export class Glide {
  /** @param {number} n */
  constructor(n) {
    this.n = n;
    this.from = new Float32Array(2 * n);
    this.to = new Float32Array(2 * n);
    this.places = new Float32Array(2 * n); // the points' places at the time of the last `at`
    this.begun = -Infinity;
    this.painted = -Infinity;
  }

  // A new frame: glide to it from the current places, or jump to it at once.
  /** @param {PlacedPoints} runPicture @param {number} now @param {boolean} gliding */
  aim(runPicture, now, gliding) {
    this.at(now);
    this.from.set(this.places);
    decodePlaces(runPicture, this.to);
    this.begun = gliding ? now : -Infinity;
  }

  // The share of the way covered, 0 ... 1: fast at first, slow at the end.
  /** @param {number} now */
  progress(now) {
    const share = Math.min(1, Math.max(0, (now - this.begun) / GLIDE_MS));
    return share * (2 - share);
  }

  /** @param {number} now */
  at(now) {
    const { from, to, places } = this;
    const t = this.progress(now);
    if (t >= 1) {
      places.set(to);
      return;
    }
    for (let i = 0; i < places.length; i++) places[i] = from[i] + t * (to[i] - from[i]);
  }

  // Called at every paint. On a slow machine the next paint would come too late: then this one ends the glide.
  /** @param {number} now */
  ends(now) {
    const gap = this.painted >= this.begun ? now - this.painted : 0;
    this.painted = now;
    if (now - this.begun + gap <= LATEST_MS) return false;
    this.begun = -Infinity;
    return true;
  }
}
