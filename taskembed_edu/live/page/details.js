// Shows one task: a card beside the hovered point; and below the map, where it hides no point, the data and the
// neighbours of the chosen task.

import { counted, element, rounded, setText } from "./base.js";
import { fitNote, pictureWords, TaskPicture } from "./card.js";
import { decodeCard, decodeFit, floatsOf } from "./packets.js";
import { neighbourLines } from "./painting.js";
import { cssOf } from "./shapes.js";

/** @import { Point, TaskData } from "./types.js" */
/** @import { TaskMapView } from "./map.js" */
/** @import { NeighbourLine } from "./painting.js" */

const BESIDE = 14; // CSS pixels from a point to its card
const WIDEST = [300, 420]; // a card in a small map; with a projector
const RIM = 6; // CSS pixels; a point this far outside a card's edge is not hidden by it
/** @type {[wide: number, high: number]} */
const CARD = [150, 86];
/** @type {[wide: number, high: number]} */
const CHOSEN = [220, 104];
/** @type {[wide: number, high: number]} */
const CHOSEN_OF_TWO = [220, 70]; // two maps side by side: each has less room

// The upper left corner of a card in a map. The card stands below right of the point, or at another side where it hides
// neither the point nor the chosen task. Where every side hides one, it stands in a corner of the map. A place outside
// the map is first moved into it.
/** @param {Point} point @param {Point | null} chosen @param {Point} card @param {Point} map @returns {Point} */
export function cardPlace(point, chosen, [wide, high], map) {
  const [px, py] = point;
  const [right, bottom] = [Math.max(0, map[0] - wide), Math.max(0, map[1] - high)];
  /** @type {Point} */
  let best = [0, 0];
  let least = Infinity;
  for (let k = 0; k < 8; k++) {
    const [free_x, free_y] =
      k < 4 ? [px + (k & 1 ? -BESIDE - wide : BESIDE), py + (k & 2 ? -BESIDE - high : BESIDE)] : [k & 1 ? right : 0, k & 2 ? bottom : 0];
    const [x, y] = [Math.max(0, Math.min(free_x, right)), Math.max(0, Math.min(free_y, bottom))];
    /** @param {Point | null} task */
    const hides = (task) =>
      task !== null && task[0] > x - RIM && task[1] > y - RIM && task[0] < x + wide + RIM && task[1] < y + high + RIM;
    const moved = x !== free_x || y !== free_y;
    const cost = (hides(point) ? 40 : 0) + (hides(chosen) ? 20 : 0) + (moved ? 5 : 0) + k + (k < 4 ? 0 : 5);
    if (cost < least) {
      least = cost;
      best = [x, y];
    }
  }
  return best;
}

const TRUTH = "Nearest in truth";

// The tasks that are near in the embedding and in truth; none where there is one list only, or another comparison.
/** @param {NeighbourLine[]} lines */
export function inBoth(lines) {
  const truth = lines.find(({ title }) => title === TRUTH);
  const near = lines.find(({ title }) => title !== TRUTH);
  return new Set(truth && near ? near.tasks.filter((i) => truth.tasks.includes(i)) : []);
}

export class TaskDetails {
  card = element("div", "te-map-card");
  cardName = element("div", "te-map-card-name", this.card);
  cardPicture = new TaskPicture(this.card);
  cardNote = element("div", "te-note", this.card);
  /** @type {Point} */
  cardSize = [0, 0]; // CSS pixels

  panel = element("div", "te-map-chosen");
  data = element("div", "te-map-chosen-data", this.panel);
  panelName = element("div", "te-map-card-name", this.data);
  panelPicture = new TaskPicture(this.data);
  panelNote = element("div", "te-note", this.data);
  lists = element("div", "te-map-lists", this.panel);
  task = -1; // the chosen one, as last shown
  listed = ""; // its neighbours, as last shown
  /** @type {{ label: HTMLElement, task: number, title: string }[]} */
  distances = []; // the distance beside each neighbour
  announced = ""; // the titles of the lists, as last announced to a screen reader
  fitted = false; // did the last picture hold predictions of the tasks' own networks?

  /** @param {TaskMapView} map */
  constructor(map) {
    this.map = map;
    this.buildCard();
    this.buildPanel();
  }

  buildCard() {
    this.map.stage.append(this.card);
    this.card.hidden = true;
    this.card.setAttribute("aria-hidden", "true"); // the live region holds the same text
  }

  buildPanel() {
    this.map.root.append(this.panel);
    this.panelName.dir = this.cardName.dir = "auto"; // Hebrew and Arabic names begin at the right
    this.panel.hidden = true;
    this.panel.setAttribute("role", "group");
    this.panelPicture.canvas.setAttribute("role", "img");
    const close = element("button", "te-map-tool", this.panel, "×");
    close.setAttribute("aria-label", "Let go of this task");
    const letGo = () => {
      this.map.state.set("chosen", -1);
      this.map.canvas.focus();
    };
    close.addEventListener("click", letGo);
    this.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation(); // it would also end the projector
      letGo();
    });
  }

  /** @param {number} i */
  dataOf(i) {
    const { tasks, n, picture } = this.map;
    if (tasks?.n !== n || i < 0 || i >= n) return null;
    const data = decodeCard(tasks.card, i);
    return data && /** @type {TaskData} */ ({ ...data, fit: decodeFit(picture?.fit, tasks.card, i) });
  }

  // ---- the card beside the pointer or the keyboard's task ----

  hover() {
    const { map } = this;
    const i = map.state.get("hover") ?? -1;
    map.root.dataset.hover = String(i);
    this.showCard(i);
    if (i >= 0 && map.pointing.here === "keys") map.say(this.spoken(i));
    map.draw();
  }

  /** @param {number} i */
  spoken(i) {
    return [this.map.name(i), pictureWords(this.dataOf(i)), this.note(i, true)].filter(Boolean).join(". ");
  }

  /** @param {number} i */
  showCard(i) {
    const { map } = this;
    const here = i >= 0 && i < map.n && map.pointing.here && i !== map.state.get("chosen");
    this.card.hidden = !here;
    if (!here) return;
    setText(this.cardName, map.name(i));
    this.cardPicture.draw(this.dataOf(i), map.palette, ...CARD);
    setText(this.cardNote, this.note(i));
    this.card.style.maxWidth = this.widest(i);
    this.cardSize = [this.card.offsetWidth, this.card.offsetHeight];
    this.place(i);
  }

  // In a small map the card is at most as wide as the room on one side of the point, so that it fits beside it.
  /** @param {number} i */
  widest(i) {
    const { screen, ratio, canvas } = this.map;
    if (!this.map.isSmall()) return "";
    const x = screen[2 * i] / ratio;
    const room = Math.max(x, canvas.clientWidth - x) - BESIDE;
    const most = WIDEST[this.map.state.get("projector") ? 1 : 0];
    return `${Math.round(Math.max(CARD[0] + 20, Math.min(room, most)))}px`;
  }

  /** @param {number} i @param {boolean} [spoken] */
  note(i, spoken = false) {
    const selected = this.map.state.get("selected") ?? [];
    const count = this.map.counts?.[i];
    const parts = [];
    if (selected.includes(i)) parts.push(`one of ${counted(selected.length)} selected`);
    const names = this.map.picture?.changes?.names;
    const others = names ? `are not near in ${names[1]}` : "would change";
    if (count !== undefined) parts.push(count ? `${count} of its nearest ${others}` : "keeps its nearest");
    parts.push(fitNote(this.dataOf(i), spoken));
    return parts.filter(Boolean).join(", ");
  }

  // Called after every paint: the card moves with its point.
  follow() {
    if (!this.card.hidden) this.place(this.map.state.get("hover"));
  }

  /** @param {number} i */
  place(i) {
    const { screen, ratio, canvas, painter } = this.map;
    /** @param {number} k @returns {Point} */
    const at = (k) => [screen[2 * k] / ratio, screen[2 * k + 1] / ratio];
    const chosen = painter.chosen();
    const [left, top] = cardPlace(at(i), chosen < 0 ? null : at(chosen), this.cardSize, [canvas.clientWidth, canvas.clientHeight]);
    this.card.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }

  // ---- the chosen task ----

  choose() {
    const { map } = this;
    const i = map.painter.chosen();
    if (i !== this.task) this.announced = "";
    this.task = i;
    map.root.dataset.chosen = String(i);
    this.panel.hidden = i < 0 || map.side === "umap"; // of two maps of one run, PCA's has the card: PCA draws every step
    this.listed = "";
    if (!this.panel.hidden) {
      this.panel.setAttribute("aria-label", `Chosen task: ${map.name(i)}`);
      setText(this.panelName, map.name(i));
      this.panelName.title = map.name(i); // a long name is shortened
      this.drawChosen(i);
      this.update();
    }
    this.showCard(map.state.get("hover") ?? -1);
    map.draw();
  }

  /** @param {number} i */
  drawChosen(i) {
    const { map } = this;
    const data = this.dataOf(i);
    const narrow = map.side || map.page.runName?.(map.run);
    this.panelPicture.draw(data, map.palette, ...(narrow ? CHOSEN_OF_TWO : CHOSEN));
    const label = [`Data of ${map.name(i)}`, pictureWords(data), fitNote(data, true)].filter(Boolean).join(": ");
    if (data) this.panelPicture.canvas.setAttribute("aria-label", label);
    setText(this.panelNote, fitNote(data));
    this.panelNote.hidden = !data?.fit;
  }

  // A picture arrived: redraws the predictions of the tasks' own networks for the hovered and the chosen task.
  take() {
    const { map } = this;
    const fitted = Boolean(map.picture?.fit);
    if (fitted || this.fitted) {
      if (!this.card.hidden) this.showCard(map.state.get("hover"));
      if (!this.panel.hidden) this.drawChosen(map.painter.chosen());
    }
    this.fitted = fitted;
    this.update();
  }

  // Shows the neighbours in the current frame; rebuilds the lists only when they changed.
  update() {
    const { map } = this;
    if (this.panel.hidden) return;
    const lines = neighbourLines(map);
    const listed = JSON.stringify(lines.map(({ title, tasks, known, missing }) => [title, tasks, known, missing]));
    if (listed === this.listed) {
      this.measure();
      return;
    }
    this.listed = listed;
    this.distances = [];
    const focused = this.lists.contains(document.activeElement);
    this.lists.replaceChildren();
    const twice = inBoth(lines);
    for (const line of lines) this.list(line, twice);
    this.measure();
    if (focused) this.map.canvas.focus(); // the button that had the focus was removed
    this.announce(lines);
  }

  // The distances in the current frame, beside the names: they change while the lists stay.
  measure() {
    const links = this.map.picture?.links;
    const near = links?.embedding ?? [];
    const apart = links?.apart ? floatsOf(links.apart) : [];
    for (const { label, task, title } of this.distances) {
      const [tasks, first] = title === TRUTH ? [links?.truth ?? [], near.length] : [near, 0];
      const at = tasks.indexOf(task);
      setText(label, at >= 0 && first + at < apart.length ? rounded(apart[first + at]) : "");
    }
  }

  /** @param {NeighbourLine} line @param {Set<number>} twice the tasks that both lists hold */
  list({ title, tasks, tone, dashed, none = "none", known = true, missing }, twice) {
    const { map } = this;
    const block = element("div", "te-map-list", this.lists);
    const head = element("div", "te-map-list-title", block);
    const swatch = element("span", "te-map-swatch", head);
    swatch.style.borderTop = `2.5px ${dashed ? "dashed" : "solid"} ${cssOf(map.palette[tone])}`;
    head.append(title);
    if (!tasks.length) element("div", "te-note", block, known ? none : (missing ?? ""));
    const names = element("div", "te-map-names", block);
    for (const i of tasks) {
      const entry = element("span", "te-map-entry", names);
      const button = element("button", "te-map-neighbour", entry, map.name(i));
      const label = element("span", "te-map-apart te-number", entry);
      label.title = "distance to the chosen task";
      this.distances.push({ label, task: i, title });
      if (twice.has(i)) {
        const tick = element("span", "te-map-tick", entry, "✓");
        tick.title = "in both lists";
        tick.setAttribute("role", "img");
        tick.setAttribute("aria-label", "in both lists");
      }
      button.title = map.name(i);
      button.dir = "auto";
      button.addEventListener("click", () => map.state.set("chosen", i));
      button.addEventListener("pointerenter", () => map.pointing.point(i, null));
      button.addEventListener("pointerleave", () => map.pointing.point(-1, null));
    }
  }

  // Announces the neighbours to a screen reader. A list that has not arrived yet is not announced; once it has arrived,
  // all lists are announced, also while points move. Later changes are announced only while the run is paused and no
  // point moves, because an announcement at every frame would be noise.
  /** @param {NeighbourLine[]} lines */
  announce(lines) {
    const { map } = this;
    const known = lines.filter((line) => line.known !== false);
    const titles = known.map(({ title }) => title).join();
    const still = !map.page.playing?.() && !map.moving(performance.now());
    if (titles === this.announced ? !still : this.announced && known.length < lines.length) return;
    this.announced = titles;
    /** @param {NeighbourLine} line */
    const names = ({ tasks, none = "none" }) => tasks.map((i) => map.name(i)).join(", ") || none;
    const neighbours = known.map((line) => `${line.title}: ${names(line)}`).join(". ");
    map.say(`Chosen: ${map.name(map.painter.chosen())}. ${neighbours}.`);
  }

  // The tasks were replaced: what is shown belongs to the old ones.
  forget() {
    this.task = -1;
    this.announced = "";
    this.choose();
  }

  restyle() {
    this.choose();
  }
}
