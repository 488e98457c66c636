// LossLab: points to drag, the forces that a loss puts on them, and one update in slow motion.

import { change, html, onHover, setText, whenChanged } from "./dom.js";
import { lossPlane } from "./loss_plane.js";
import { PointLabPage } from "./point_lab.js";

const SLOW = 1800; // ms per sub-step while playing: long enough to read its sentence

/** A small curve of the loss over the updates. @param {Lab.LossPage} page */
function lossCurve(page) {
  const [curve, line, end] = ["curve", "losses", "last"].map((name) => page.part(name));
  return () => {
    const { losses, loss } = page.now;
    const [last, top] = [losses.length - 1, Math.max(...losses, 1e-9)];
    const points = losses.map((value, k) => [4 + (112 * k) / (last || 1), 30 - (26 * value) / top]);
    const [cx, cy] = points.at(-1) ?? [];
    curve.style.visibility = last > 0 ? "visible" : "hidden";
    change(curve, { "aria-label": `The loss after each update, now ${loss}` });
    change(line, { points: points.join(" ") });
    change(end, { cx, cy });
  };
}

/** The five sub-steps: marks the one shown, and plays them one after the other. @param {Lab.LossPage} page */
function slowMotion(page) {
  let playing = false;
  let timer = 0;
  const play = page.part("play");
  const forward = [play, ...page.find("ask", "substep"), ...page.find("ask", "step")];
  const substep = () => page.queue.send({ do: "substep" });
  /** @param {boolean} on */
  function setPlaying(on) {
    playing = on;
    clearTimeout(timer);
    setText(play, on ? "Stop" : "Play");
    change(play, { "aria-pressed": String(on) });
  }
  change(play, { onclick: () => (playing || substep(), setPlaying(!playing)) });
  function show() {
    const { phase, still, trouble, undefined: why } = page.now;
    [...page.part("chips").children].forEach((chip, k) => {
      chip.classList.toggle("te-done", k + 1 < phase);
      change(chip, { "aria-current": k + 1 === phase && "step" });
    });
    change(page.find("ask", "back")[0], { disabled: phase === 0 });
    for (const button of forward) change(button, { disabled: Boolean(why) });
    const ends = trouble || why || (still && phase >= page.words.phases.indexOf("forces")); // nothing would move
    setPlaying(playing && !ends);
    if (playing) timer = setTimeout(substep, SLOW); // each sub-step starts the timer of the next one
  }
  return { show, stop: () => setPlaying(false) };
}

/** The table of pairs or triplets: hover or focus on a row highlights it in the plane. @param {Lab.LossStage} stage */
function lossTable(stage) {
  const { page } = stage;
  const rebuilt = whenChanged();
  /** @type {{ line: HTMLElement, kind: HTMLElement, cells: HTMLElement[] }[]} */ let rows = [];
  function build() {
    const { names, titles } = page.now;
    rows = page.now.rows.map((row, k) => {
      const kind = html("span");
      const words = row.members.map((i) => names[i]).join(row.kind === "triplet" ? " · " : " – ");
      const cells = titles.slice(1).map(() => html("td"));
      const line = html("tr", { tabindex: 0 }, html("td", {}, kind, words), ...cells);
      return { line: onHover(line, () => stage.light(k), () => stage.light(null)), kind, cells };
    });
    page.part("titles").replaceChildren(...titles.map((title) => html("th", { scope: "col" }, title)));
    page.part("rows").replaceChildren(...rows.map(({ line }) => line));
  }
  return () => {
    const { names, titles, rows: terms, cells: texts, shows } = page.now;
    rebuilt(JSON.stringify([names, titles, terms.map((term) => term.members)]), build);
    rows.forEach(({ line, kind, cells }, k) => {
      change(kind, { class: `te-kind te-${terms[k].sort}` });
      [kind, ...cells].forEach((cell, column) => setText(cell, texts[k][column]));
      line.classList.toggle("te-idle", !terms[k].active && shows.judged);
      line.classList.toggle("te-lit", k === stage.hot);
    });
  };
}

/** @param {Lab.LossPage} page @returns {Lab.LabParts<Lab.LossReadings>} */
function lossLab(page) {
  let hint = () => "";
  /** @type {Lab.LossStage} */ const stage = {
    page,
    hot: null,
    anchor: 0,
    each: true,
    summed: false,
    say(words) {
      hint = words ?? (() => "");
      const { trouble, undefined: why, said, caution } = page.now;
      setText(page.part("said"), [trouble || why || hint() || said, caution].filter(Boolean).join(" "));
      page.part("said").classList.toggle("te-trouble", Boolean(trouble || why));
    },
    light(row) {
      if (page.held) return;
      stage.hot = row;
      stage.say(row === null ? null : () => (page.now.shows.judged ? (page.now.rows[row]?.words ?? "") : ""));
      table();
      page.redraw();
    },
  };
  const [plane, table, curve, slow] = [lossPlane(stage), lossTable(stage), lossCurve(page), slowMotion(page)];
  const toggles = /** @type {const} */ (["each", "summed"]);
  const showToggles = () => toggles.forEach((name) => change(page.part(name), { "aria-pressed": String(stage[name]) }));
  const press = (/** @type {"each" | "summed"} */ name) => {
    stage[name] = !stage[name];
    showToggles();
    page.redraw();
  };
  for (const name of toggles) change(page.part(name), { onclick: () => press(name) });
  for (const node of page.find("name")) {
    const { help } = page.words.settings[String(node.dataset.name)];
    onHover(node, () => stage.say(() => help), () => stage.say(null));
  }
  page.root.addEventListener("keydown", ({ key }) => key === "Escape" && slow.stop());
  /** @param {Lab.LossReadings | null} before */
  function show(before) {
    plane.show(before);
    for (const part of [table, curve, slow.show, showToggles]) part();
    stage.say(hint);
  }
  return { show, draw: plane.draw, resized: [page.part("plane")], interrupt: slow.stop };
}

export default { render: (/** @type {Lab.RenderProps} */ props) => new PointLabPage(props, lossLab).close };
