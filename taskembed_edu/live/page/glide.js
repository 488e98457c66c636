// How the points get from one frame to the next: from where they stand at that moment, so that a glide which is
// interrupted does not jump, to exactly where the newest frame has them. Arrays are made once a task set.

import { decodePlaces } from "./packets.js";

/** @import { PlacedPoints } from "./types.js" */

const GLIDE_MS = 120;
const LATEST_MS = 180; // no picture later than this after its frame came, however slow the painting

export class Glide {
  /** @param {number} n */
  constructor(n) {
    this.n = n;
    this.from = new Float32Array(2 * n);
    this.to = new Float32Array(2 * n);
    this.places = new Float32Array(2 * n); // where the points stand at the time last asked for
    this.begun = -Infinity;
    this.painted = -Infinity;
  }

  // A new frame: glide to it from where we are at this time, or be there at once.
  /** @param {PlacedPoints} runPicture @param {number} now @param {boolean} gliding */
  aim(runPicture, now, gliding) {
    this.at(now);
    this.from.set(this.places);
    decodePlaces(runPicture, this.to);
    this.begun = gliding ? now : -Infinity;
  }

  // Fast at first, gently at the end: 0 ... 1.
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

  // To be asked at every picture. On a slow machine the one after this would come too late: then this is the last.
  /** @param {number} now */
  ends(now) {
    const gap = this.painted >= this.begun ? now - this.painted : 0;
    this.painted = now;
    if (now - this.begun + gap <= LATEST_MS) return false;
    this.begun = -Infinity;
    return true;
  }
}
