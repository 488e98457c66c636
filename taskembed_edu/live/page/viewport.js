// The visible part of the map. It follows the points until the learner zooms or pans; then it stays until "fit".
//
// A view is a centre and a span: how many units of the map the shorter side of the canvas shows.

/** @import { Box } from "./types.js" */
/** @typedef {{ x: number, y: number, span: number }} Place a centre, and the span visible round it */

const VIEW_MS = 120;
const NEAREST = 400; // the largest and the smallest zoom, relative to the fitting view
const FARTHEST = 0.25;
export const ONE_PLACE = 1e-6; // tasks that are no farther apart than this are in one place: what is left is rounding
const ROUND_A_POINT = 8; // the zoom to a single task

// A view does not change while the points fill it well, so that small movements do not zoom the map in and out.
// `head` and `foot` are the heights of the buttons above and of the scale bar below: no point may lie under them. Names
// need some more room round the points.
/**
 * @param {Place | null} view
 * @param {Box} box
 * @param {number} wide
 * @param {number} high
 * @param {{ head?: number, foot?: number, named?: boolean }} [taken]
 * @returns {Place}
 */
export function fittingView(view, box, wide, high, { head = 0, foot = 0, named = false } = {}) {
  const short = Math.max(1, Math.min(wide, high));
  const [across, upward] = [wide / short, Math.max(0.5 * high, high - head - foot) / short];
  const air = named ? 1.25 : 1.14;
  const above = !named && head + foot ? 1.02 : air; // the strips are air already
  const span = Math.max((air * (box[2] - box[0])) / across, (above * (box[3] - box[1])) / upward, air * ONE_PLACE);
  const lift = (head - foot) / (2 * short);
  const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2 + lift * span];
  if (view) {
    const reach = view.span / 2.04; // a marker has a size: leave a margin at the edge
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
    this.wide = 1; // width and height of the canvas, in device pixels
    this.high = 1;
    this.head = 0; // part of the height that the buttons take,
    this.foot = 0; // and the scale bar
    this.named = false; // do the points have names?
    /** @type {Box | null} */
    this.box = null;
    /** @type {Place | null} */
    this.fit = null; // the view that shows all points
    this.own = false; // has the learner zoomed or panned?
    this.from = { x: 0, y: 0, span: 1 };
    this.to = { x: 0, y: 0, span: 1 };
    this.now = { x: 0, y: 0, span: 1 };
    this.begun = -Infinity;
    this.scale = 1; // device pixels per unit of the map; below: where x = 0, y = 0 lies on the canvas
    this.left = 0;
    this.base = 0;
  }

  /** @param {number} wide @param {number} high @param {number} time */
  resize(wide, high, time) {
    [this.wide, this.high] = [wide, high];
    if (this.box) this.follow(this.box, time, false, true);
  }

  // New points: the fitting view may change, and the visible view with it, unless the learner has zoomed or panned.
  /** @param {Box} box @param {number} time @param {boolean} glide @param {boolean} [refit] */
  follow(box, time, glide, refit = false) {
    this.box = box;
    this.fit = fittingView(refit ? null : this.fit, box, this.wide, this.high, this);
    if (!this.own) this.moveTo(this.fit, time, glide);
  }

  // Goes from the current view to another one: gliding, or at once.
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

  // Writes the view at this time into `this.now`. Nothing is allocated, because this runs at every paint.
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

  // The inverse: the place on the map at a position on the canvas.
  /** @param {number} x @param {number} y */
  placeAt(x, y) {
    return [(x - this.left) / this.scale, (this.base - y) / this.scale];
  }

  // Where this place on the map will stand on the canvas when the view's glide has ended.
  /** @param {number} x @param {number} y @returns {[x: number, y: number]} */
  goesTo(x, y) {
    const scale = Math.min(this.wide, this.high) / this.to.span;
    return [this.wide / 2 + (x - this.to.x) * scale, this.high / 2 - (y - this.to.y) * scale];
  }

  // The zoom factor relative to the fitting view.
  zoom() {
    return this.fit ? this.fit.span / this.to.span : 1;
  }

  // Zooms by a factor; the place under (screenX, screenY) stays where it is.
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

  // Shows this box, as large as it goes; a box of one point is shown with some of what is round it.
  /** @param {Box} box @param {number} time @param {boolean} glide */
  showBox(box, time, glide) {
    if (!this.fit) return;
    const view = fittingView(null, box, this.wide, this.high, this);
    const point = box[0] === box[2] && box[1] === box[3];
    const span = Math.max(view.span, this.fit.span / (point ? ROUND_A_POINT : NEAREST));
    this.own = true;
    this.moveTo({ ...view, span }, time, glide);
  }

  // Moves the map by this many pixels of the canvas.
  /** @param {number} dx @param {number} dy @param {number} time @param {boolean} glide */
  panBy(dx, dy, time, glide) {
    if (!this.fit) return;
    const unit = this.to.span / Math.min(this.wide, this.high);
    this.own = true;
    this.moveTo({ x: this.to.x - dx * unit, y: this.to.y + dy * unit, span: this.to.span }, time, glide);
  }

  // The view follows the points again.
  /** @param {number} time @param {boolean} glide */
  release(time, glide) {
    this.own = false;
    if (this.box) this.follow(this.box, time, glide, true);
  }
}
