// Which part of the map is seen: it follows the points until the learner zooms or pans, then it is theirs until "fit".
//
// A view is a middle and a span: how many units of the map the shorter side of the canvas shows.

/** @import { Box } from "./types.js" */
/** @typedef {{ x: number, y: number, span: number }} Place a middle, and how much is seen round it */

const VIEW_MS = 120;
const NEAREST = 400; // how far in and out one may go, against the view that fits
const FARTHEST = 0.25;

// A view keeps still while the points fill it well, so that a map that only breathes does not zoom in and out.
// `head` is how much of the height the buttons take where names stand beside the points: no name lies under a button.
/**
 * @param {Place | null} view
 * @param {Box} box
 * @param {number} wide
 * @param {number} high
 * @param {number} [head]
 * @returns {Place}
 */
export function fittingView(view, box, wide, high, head = 0) {
  const short = Math.max(1, Math.min(wide, high));
  const [across, upward] = [wide / short, Math.max(0.5 * high, high - head) / short];
  const air = head ? 1.25 : 1.14; // a name needs room too
  const span = air * Math.max((box[2] - box[0]) / across, (box[3] - box[1]) / upward, 1e-6);
  const lift = head / (2 * short);
  const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2 + lift * span];
  if (view) {
    const reach = view.span / 2.04; // a marker is not a point: some air at the edge
    const middle = view.y - lift * view.span;
    const inside =
      Math.abs(box[0] - view.x) <= reach * across &&
      Math.abs(box[2] - view.x) <= reach * across &&
      Math.abs(box[1] - middle) <= reach * upward &&
      Math.abs(box[3] - middle) <= reach * upward;
    if (inside && span > 0.72 * view.span) return view;
  }
  return { x, y, span };
}

export class Viewport {
  constructor() {
    this.wide = 1; // of the canvas, in device pixels
    this.high = 1;
    this.head = 0; // of the height, for the buttons
    /** @type {Box | null} */
    this.box = null;
    /** @type {Place | null} */
    this.fit = null; // the view that shows all points
    this.own = false; // has the learner zoomed or panned?
    this.from = { x: 0, y: 0, span: 1 };
    this.to = { x: 0, y: 0, span: 1 };
    this.now = { x: 0, y: 0, span: 1 };
    this.begun = -Infinity;
    this.scale = 1; // device pixels a unit of the map; and where x = 0, y = 0 lies
    this.left = 0;
    this.base = 0;
  }

  /** @param {number} wide @param {number} high @param {number} time */
  resize(wide, high, time) {
    [this.wide, this.high] = [wide, high];
    if (this.box) this.follow(this.box, time, false, true);
  }

  // New points: the fitting view may move, and with it what is seen, unless the learner has taken it over.
  /** @param {Box} box @param {number} time @param {boolean} glide @param {boolean} [afresh] */
  follow(box, time, glide, afresh = false) {
    this.box = box;
    this.fit = fittingView(afresh ? null : this.fit, box, this.wide, this.high, this.head);
    if (!this.own) this.moveTo(this.fit, time, glide);
  }

  // Go to a view from where we are at this time: gliding, or at once.
  /** @param {Place} view @param {number} time @param {boolean} glide */
  moveTo(view, time, glide) {
    this.at(time);
    Object.assign(this.from, this.now);
    this.to = { x: view.x, y: view.y, span: view.span };
    this.begun = glide ? time : -Infinity;
    this.at(time);
  }

  /** @param {number} time */
  moving(time) {
    return time - this.begun < VIEW_MS;
  }

  // The view at this time, as numbers in `this.now`; nothing is made anew, since this runs every picture.
  /** @param {number} time */
  at(time) {
    const share = Math.min(1, Math.max(0, (time - this.begun) / VIEW_MS));
    const t = share * (2 - share);
    const { from, to, now } = this;
    now.x = from.x + t * (to.x - from.x);
    now.y = from.y + t * (to.y - from.y);
    now.span = from.span + t * (to.span - from.span);
    this.scale = Math.min(this.wide, this.high) / now.span;
    this.left = this.wide / 2 - now.x * this.scale;
    this.base = this.high / 2 + now.y * this.scale;
  }

  /** @param {number} x */
  screenX(x) {
    return this.left + x * this.scale;
  }

  /** @param {number} y */
  screenY(y) {
    return this.base - y * this.scale;
  }

  // The way back: which place of the map lies there.
  /** @param {number} x @param {number} y */
  placeAt(x, y) {
    return [(x - this.left) / this.scale, (this.base - y) / this.scale];
  }

  // How many times larger than fitting.
  zoom() {
    return this.fit ? this.fit.span / this.to.span : 1;
  }

  // Zoom by a factor; the place under (screenX, screenY) stays where it is.
  /**
   * @param {number} factor
   * @param {number} time
   * @param {boolean} glide
   * @param {number} [screenX]
   * @param {number} [screenY]
   */
  zoomBy(factor, time, glide, screenX = this.wide / 2, screenY = this.high / 2) {
    if (!this.fit) return;
    const span = Math.min(this.fit.span / FARTHEST, Math.max(this.fit.span / NEAREST, this.to.span / factor));
    const shift = (this.to.span - span) / Math.min(this.wide, this.high);
    const x = this.to.x + (screenX - this.wide / 2) * shift;
    const y = this.to.y - (screenY - this.high / 2) * shift;
    this.own = true;
    this.moveTo({ x, y, span }, time, glide);
  }

  // Move the map by so many pixels of the canvas.
  /** @param {number} dx @param {number} dy @param {number} time @param {boolean} glide */
  panBy(dx, dy, time, glide) {
    if (!this.fit) return;
    const unit = this.to.span / Math.min(this.wide, this.high);
    this.own = true;
    this.moveTo({ x: this.to.x - dx * unit, y: this.to.y + dy * unit, span: this.to.span }, time, glide);
  }

  // The learner gives the view back to the points.
  /** @param {number} time @param {boolean} glide */
  release(time, glide) {
    this.own = false;
    if (this.box) this.follow(this.box, time, glide, true);
  }
}
