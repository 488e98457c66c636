// LossLab: points to drag, the forces that a loss puts on them, and one update in slow motion.

import { toggle } from "./controls.js";
import { button, change, html, setText, svg } from "./dom.js";
import { lossControls, lossTable } from "./loss_numbers.js";
import { lossPlane } from "./loss_plane.js";
import { PointLabPage } from "./point_lab.js";

const SLOW = 1800; // ms a sub-step lasts when it is played: long enough to read its sentence

/** The loss with its arithmetic, and its curve over the updates. @param {Lab.LossPage} page @returns {Lab.Part} */
function lossHead(page) {
  const loss = html("span", { class: "te-loss te-number", "aria-live": "polite" });
  const sum = html("span", { class: "te-sum-text te-number" });
  const count = html("span", { class: "te-note" });
  const curve = svg("svg", { class: "te-curve", viewBox: "0 0 120 34", role: "img" });
  const line = html("span", { class: "te-loss-line" }, html("span", { class: "te-loss-word" }, "loss"), loss, sum);
  const node = html("div", { class: "te-head" }, line, html("span", { class: "te-history" }, curve, count));

  function show() {
    const { now } = page;
    setText(loss, now.shows.judged ? now.loss : "…");
    setText(sum, now.shows.judged ? now.arithmetic : "");
    setText(count, `update ${now.steps}`);
    const last = now.losses.length - 1;
    curve.style.visibility = last > 0 ? "visible" : "hidden";
    if (last < 1) return;
    const top = Math.max(...now.losses, 1e-9);
    const points = now.losses.map((value, k) => [4 + (112 * k) / last, 30 - (26 * value) / top]);
    const [cx, cy] = points[last];
    const axis = svg("line", { x1: 2, x2: 118, y1: 30.5, y2: 30.5 });
    change(curve, { "aria-label": `The loss after each update, now ${now.loss}` });
    curve.replaceChildren(axis, svg("polyline", { points: points.join(" ") }), svg("circle", { cx, cy, r: 3 }));
  }
  return { node, show };
}

/** The five sub-steps, one by one, by themselves, or all at once. @param {Lab.LossPage} page */
function slowMotion(page) {
  let playing = false;
  let timer = 0;
  const names = page.words.phases.slice(1).map((name) => html("span", {}, name));
  const number = (/** @type {number} */ k) => html("span", { class: "te-chip-number" }, String(k + 1));
  const chips = names.map((name, k) => html("li", {}, number(k), name));
  const ask = (/** @type {string} */ what) => () => page.ask(what);
  const back = button("Back", ask("back"), { title: "One sub-step back" });
  const next = button("Next", ask("substep"), { title: "One sub-step on", class: "te-primary" });
  const play = toggle("Play", "Sub-step after sub-step, slowly", () => playing, () => (playing ? stop() : begin()));
  const update = button("Update", ask("step"), { title: "A whole update at once" });
  const all = [back, next, play.node, html("span", { class: "te-gap" }), update, page.undo, page.reset];
  const list = html("ol", { class: "te-chips", "aria-label": "The sub-steps of one update" }, ...chips);
  const node = html("div", { class: "te-slow" }, list, html("span", { class: "te-buttons" }, ...all));

  const substep = () => page.queue.send({ do: "substep" });
  function begin() {
    playing = true;
    substep();
    showPlaying();
  }
  function stop() {
    playing = false;
    showPlaying();
  }
  /** While it plays, each sub-step brings the next one. */
  function showPlaying() {
    clearTimeout(timer);
    setText(play.node, playing ? "Stop" : "Play");
    play.show();
  }
  function show() {
    const { now } = page;
    const forces = now.phase >= page.words.phases.indexOf("forces");
    chips.forEach((chip, k) => {
      chip.classList.toggle("te-done", k + 1 < now.phase);
      change(chip, { "aria-current": k + 1 === now.phase && "step" });
    });
    setText(names[0], `${now.titles[0]}s`);
    back.disabled = now.phase === 0;
    for (const one of [next, update, play.node]) one.disabled = Boolean(now.undefined);
    if (now.trouble || now.undefined || (now.still && forces)) playing = false; // nothing would move
    showPlaying();
    if (playing) timer = setTimeout(substep, SLOW);
  }
  return { node, show, stop };
}

/** @param {Lab.LossPage} page @returns {Lab.LabParts<Lab.LossReadings>} */
function lossLab(page) {
  const said = html("p", { class: "te-said", role: "status" });
  const scaleNote = html("span", { class: "te-note te-arrow-scale" });
  /** @type {() => string} */
  let hint = () => "";
  /** @type {Lab.LossStage} */
  const stage = {
    page,
    hot: null,
    anchor: 0,
    each: true,
    sums: false,
    say(words) {
      hint = words ?? (() => "");
      const { trouble, undefined: why, said: usual, caution } = page.now;
      setText(said, [trouble || why || hint() || usual, caution].filter(Boolean).join(" "));
      said.classList.toggle("te-trouble", Boolean(trouble || why));
    },
    light(number) {
      if (page.held) return;
      stage.hot = number;
      table.light();
      stage.say(number === null ? null : () => (page.now.shows.judged ? (page.now.rows[number]?.words ?? "") : ""));
      page.redraw();
    },
    showScale(scale) {
      const size = scale < 1 ? `at ${Number(scale.toPrecision(2))} of their size` : `${scale} times as long`;
      setText(scaleNote, scale === 1 ? "" : `forces drawn ${size}`);
    },
  };
  const press = (/** @type {"each" | "sums"} */ key) => () => {
    stage[key] = !stage[key];
    show(page.now);
    page.redraw();
  };
  const each = "The force of every single pair or triplet: minus the gradient of its term.";
  const sums = "The sum of the forces on each point: the way it will move.";
  const toggles = [
    toggle("each force", each, () => stage.each, press("each")),
    toggle("summed force", sums, () => stage.sums, press("sums")),
  ];
  const [plane, table, controls] = [lossPlane(stage), lossTable(stage), lossControls(stage)];
  const [head, slow] = [lossHead(page), slowMotion(page)];
  const pressed = html("div", { class: "te-toggles" }, ...toggles.map(({ node }) => node));
  const drawing = html("div", { class: "te-stage te-card" }, plane.node, pressed, scaleNote);
  const side = html("div", { class: "te-side" }, controls.node, table.node);
  const scenes = html("span", { class: "te-buttons", role: "group", "aria-label": "Start from" }, ...page.presets);
  const nodes = [
    html("div", { class: "te-presets" }, scenes, page.projector),
    head.node,
    html("div", { class: "te-main" }, drawing, side),
    slow.node,
    said,
    page.late,
  ];
  page.root.addEventListener("keydown", ({ key }) => key === "Escape" && slow.stop());

  /** @param {Lab.LossReadings | null} before */
  function show(before) {
    page.words.presets.forEach((name, k) => change(page.presets[k], { "aria-pressed": String(name === page.now.scene) }));
    plane.show(before);
    for (const part of [head, controls, table, slow, ...toggles]) part.show();
    stage.say(hint);
  }
  return { nodes, show, draw: plane.draw, resized: [plane.node], interrupt: slow.stop };
}

const options = { kind: "te-loss-lab", title: "Loss lab", reset: "Points back to where they started; settings stay" };

export default {
  /** @param {Lab.RenderProps} props */
  render(props) {
    const page = new PointLabPage(props, options, lossLab);
    return () => page.close();
  },
};
