// Where the words of marks stand on a curve: in rows above the plot, so that no curve runs through them, each beside its
// own line, and no other mark's line through it.

/** @typedef {{ at: number, wide: number }} MarkWords where a mark's line stands, and how long its words are */
/**
 * @typedef {object} MarkPlace
 * @property {number} row counted from the plot upwards
 * @property {number} from where the words begin
 * @property {boolean} over do the words stand on top of their line, and not beside it?
 */

const FROM_LINE = 4; // pixels from a line to its words
const WORDS_APART = 6; // and between the words of two marks

// A place for each mark's words, or null where there is none: the last mark's first, because it is what was just done.
// The words stand right of their line, else left of it, else on top of it. A line ends at its own words.
/**
 * @param {MarkWords[]} marks
 * @param {number} left
 * @param {number} right
 * @param {number} [rows] there is room for so many
 * @returns {(MarkPlace | null)[]}
 */
export function markPlaces(marks, left, right, rows = 2) {
  /** @type {(MarkPlace & { to: number, at: number })[]} */
  const taken = [];
  const order = marks.map((_, k) => k).sort((one, other) => marks[other].at - marks[one].at || other - one);
  /** @type {(MarkPlace | null)[]} */
  const places = marks.map(() => null);
  for (const k of order) {
    const place = freePlace(marks[k], { left, right, rows }, taken);
    places[k] = place;
    if (place) taken.push({ ...place, to: place.from + marks[k].wide, at: marks[k].at });
  }
  return places;
}

/**
 * @param {MarkWords} mark
 * @param {{ left: number, right: number, rows: number }} room
 * @param {(MarkPlace & { to: number, at: number })[]} taken
 * @returns {MarkPlace | null}
 */
function freePlace({ at, wide }, { left, right, rows }, taken) {
  for (let row = 0; row < rows; row++) {
    const starts = [at + FROM_LINE, at - FROM_LINE - wide, Math.max(left, Math.min(at - wide / 2, right - wide))];
    for (const [k, from] of starts.entries()) {
      const to = from + wide;
      const meets = taken.some(
        (other) =>
          (other.row === row && from < other.to + WORDS_APART && to > other.from - WORDS_APART) ||
          (other.row < row && at > other.from - 2 && at < other.to + 2) || // its line through their words
          (other.row > row && other.at > from - 2 && other.at < to + 2), // their line through its words
      );
      if (from >= left && to <= right && !meets) return { row, from, over: k === 2 };
    }
  }
  return null;
}

// How many rows these places need.
/** @param {(MarkPlace | null)[]} places */
export function rowsOfMarks(places) {
  return Math.max(0, ...places.map((place) => (place ? place.row + 1 : 0)));
}
