// What the map draws, from the lowest layer up: trails, the start and its arrows, lines to neighbours, names (below the points, because a name's
// halo must not hide a point), the points, rings round the hovered and the chosen task and its neighbours, the lasso.

import { DIM, FAINT, FULL, OPACITY } from "./levels.js";
import { wordsOf } from "./packets.js";
import { drawScaleBar } from "./scale_bar.js";
import { cssOf } from "./shapes.js";
import { SHRUNK } from "./thumbnails.js";
import { wipeWritten } from "./written.js";

/** @import { Rgb } from "./types.js" */
/** @import { TaskMapView } from "./map.js" */

export class MapPainter {
  /** @param {TaskMapView} map */
  constructor(map) {
    this.map = map;
  }

  paint() {
    const { context, canvas } = this.map;
    context.globalAlpha = 1;
    context.clearRect(0, 0, canvas.width, canvas.height);
    wipeWritten(context);
    const chosen = this.chosen();
    this.map.trails.paint(context);
    this.map.start.paint(context);
    for (const level of [FAINT, DIM]) this.points(context, level);
    if (chosen >= 0) this.lines(context, chosen);
    this.map.labels.paint(context);
    this.points(context, FULL);
    context.globalAlpha = 1;
    if (this.map.counts) this.changeRings(context, this.map.counts);
    if (chosen >= 0) this.neighbourRings(context, chosen);
    this.map.start.mark(context);
    this.marked(context, chosen);
    drawScaleBar(this.map, context);
    this.map.lasso.paint(context);
  }

  chosen() {
    const chosen = this.map.state.get("chosen") ?? -1;
    return chosen < this.map.n && !this.map.gone.has(chosen) ? chosen : -1;
  }

  /** @param {CanvasRenderingContext2D} context @param {number} level */
  points(context, level) {
    const { screen, levels, atlas, thumbnails, n, canvas } = this.map;
    const edge = atlas.size;
    context.globalAlpha = OPACITY[level];
    if (thumbnails.on) {
      for (let i = 0; i < n; i++) {
        if (levels[i] === level && thumbnails.has[i] === 1) thumbnails.draw(context, i, screen[2 * i], screen[2 * i + 1]);
      }
    }
    const scale = thumbnails.on ? SHRUNK : 1;
    for (let i = 0; i < n; i++) {
      if (levels[i] !== level || thumbnails.has[i] === 1) continue;
      const [x, y] = [screen[2 * i], screen[2 * i + 1]];
      if (x < -edge || y < -edge || x > canvas.width + edge || y > canvas.height + edge) continue;
      atlas.draw(context, i, x, y, scale);
    }
  }

  // ---- neighbours of the chosen task ----

  /** @param {CanvasRenderingContext2D} context @param {number} chosen */
  lines(context, chosen) {
    const { palette } = this.map;
    for (const { tasks, tone, dashed, width } of neighbourLines(this.map)) {
      this.rays(context, chosen, tasks, palette.paper, [], width + 2.5); // a halo: visible over any colour
      this.rays(context, chosen, tasks, palette[tone], dashed ? [7, 5] : [], width);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} chosen
   * @param {number[]} tasks
   * @param {Rgb} rgb
   * @param {number[]} dash
   * @param {number} width
   */
  rays(context, chosen, tasks, rgb, dash, width) {
    const { screen, ratio } = this.map;
    context.globalAlpha = 1;
    context.beginPath();
    for (const i of tasks) {
      context.moveTo(screen[2 * chosen], screen[2 * chosen + 1]);
      context.lineTo(screen[2 * i], screen[2 * i + 1]);
    }
    context.setLineDash(dash.map((v) => v * ratio));
    context.lineWidth = width * ratio;
    context.strokeStyle = cssOf(rgb);
    context.stroke();
    context.setLineDash([]);
  }

  /** @param {CanvasRenderingContext2D} context @param {number} chosen */
  neighbourRings(context, chosen) {
    const { palette } = this.map;
    for (const { tasks, tone } of neighbourLines(this.map)) {
      for (const i of tasks) this.ring(context, i, 1.45, palette[tone], 1.6);
    }
    this.ring(context, chosen, 1.5, palette.near, 3);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} i
   * @param {number} size
   * @param {Rgb} rgb
   * @param {number} width
   */
  ring(context, i, size, rgb, width) {
    const { ratio } = this.map;
    context.beginPath();
    this.map.thumbnails.outline(context, i, (size - 1) * this.map.radius() + 2 * ratio);
    context.lineWidth = width * ratio;
    context.strokeStyle = cssOf(rgb);
    context.stroke();
  }

  // ---- "What changed?": the more of its nearest neighbours a task has lost, the heavier its ring ----

  /** @param {CanvasRenderingContext2D} context @param {Uint8Array} counts */
  changeRings(context, counts) {
    const { thumbnails, n, palette, ratio } = this.map;
    context.strokeStyle = cssOf(palette.lost);
    // Two embedders share few neighbours: thinner rings leave the colours to be seen.
    const each = this.map.picture?.changes?.names ? 0.35 : 0.6;
    let most = 0;
    for (let i = 0; i < n; i++) most = Math.max(most, counts[i]);
    for (let count = 1; count <= most; count++) {
      context.beginPath();
      for (let i = 0; i < n; i++) {
        if (counts[i] === count && this.map.shown(i)) thumbnails.outline(context, i, 1.5 * ratio);
      }
      context.lineWidth = (0.5 + each * count) * ratio;
      context.stroke();
    }
  }

  // ---- the hovered and the chosen task ----

  /** @param {CanvasRenderingContext2D} context @param {number} chosen */
  marked(context, chosen) {
    const { atlas, thumbnails, screen, palette, state, n } = this.map;
    const hover = state.get("hover") ?? -1;
    for (const i of [chosen, hover]) {
      if (i >= 0 && i < n) (thumbnails.has[i] ? thumbnails : atlas).draw(context, i, screen[2 * i], screen[2 * i + 1]);
    }
    if (hover >= 0 && hover < n) {
      this.ring(context, hover, 1.25, palette.paper, 4.5);
      this.ring(context, hover, 1.25, palette.near, 2);
    }
  }
}

/**
 * @typedef {object} NeighbourLine
 * @property {string} title
 * @property {number[]} tasks
 * @property {"near" | "truth" | "lost" | "gained"} tone
 * @property {number} width
 * @property {boolean} [dashed]
 * @property {boolean} [known] false: the kernel has yet to send the list, or a recorded file had no room for it
 * @property {string} [missing] what stands in the place of a list that is not known
 * @property {string} [none] what stands in the place of an empty one
 */

// The lines from the chosen task to its neighbours. With "What changed?" they are split into neighbours under both
// distances and neighbours under only one of them.
/** @param {TaskMapView} map @returns {NeighbourLine[]} */
export function neighbourLines(map) {
  const chosen = map.state.get("chosen") ?? -1;
  const named = map.picture?.links;
  const links = named?.task === chosen ? named : null;
  const changes = map.picture?.changes;
  /** @param {number[] | null | undefined} tasks */
  const inside = (tasks) => (tasks ?? []).filter((i) => i < map.n && !map.gone.has(i));
  if (changes && links) {
    const lost = new Set(changes.lost);
    const [now, other] = changes.names ?? [map.page.distanceName?.(undefined, map.run), map.page.distanceName?.(changes.metric) ?? changes.metric];
    const by = changes.names ? "in" : "under"; // another map, or another distance on this one
    return [
      { title: changes.names ? "Near in both" : "Stays near", tasks: inside(links.embedding).filter((i) => !lost.has(i)), tone: "near", width: 1.4 },
      { title: now ? `Only ${by} ${now}` : "Only now", tasks: inside(changes.lost), tone: "lost", dashed: true, width: 2.2 },
      { title: `Only ${by} ${other}`, tasks: inside(changes.gained), tone: "gained", width: 2.2 },
    ];
  }
  const known = Boolean(links?.embedding);
  const missing = links ? "not in this file" : "–";
  /** @type {NeighbourLine} */
  const near = { title: "Nearest in the embedding", tasks: inside(links?.embedding), known, missing, tone: "near", width: 1.8 };
  if (map.tasks && !map.tasks.truth) return [near]; // this family has no true distance
  return [
    near,
    {
      title: "Nearest in truth",
      tasks: inside(links?.truth ?? trueNeighbours(map, chosen)),
      none: "none: all others are equally far",
      tone: "truth",
      width: 2,
      dashed: true,
    },
  ];
}

// The true neighbours arrived with the tasks, so they are known before the kernel answers. A list with fewer than k
// neighbours is padded with the task itself, which is removed here.
/** @param {TaskMapView} map @param {number} i */
function trueNeighbours(map, i) {
  const truth = map.tasks?.truth;
  if (!truth?.k || i < 0 || map.tasks?.n !== map.n) return [];
  return Array.from(wordsOf(truth.neighbours).subarray(i * truth.k, (i + 1) * truth.k)).filter((j) => j !== i);
}
