// LossLab: points to drag, the forces that a loss puts on them, and one update in slow motion.

import { change, onHover, setText, svg } from "./dom.js";
import { lossPlane } from "./loss_plane.js";
import { lossTable } from "./loss_table.js";
import { PointLabPage } from "./point_lab.js";

const SLOW = 1800; // ms a sub-step lasts when it is played: long enough to read its sentence

/** The loss over the updates, as a small curve. @param {Lab.LossPage} page */
function lossCurve(page) {
  const node = page.part("curve");
  return () => {
    const { losses, loss } = page.now;
    const last = losses.length - 1;
    node.style.visibility = last > 0 ? "visible" : "hidden";
    if (last < 1) return;
    const top = Math.max(...losses, 1e-9);
    const points = losses.map((value, k) => [4 + (112 * k) / last, 30 - (26 * value) / top]);
    const [cx, cy] = points[last];
    const axis = svg("line", { x1: 2, x2: 118, y1: 30.5, y2: 30.5 });
    change(node, { "aria-label": `The loss after each update, now ${loss}` });
    node.replaceChildren(axis, svg("polyline", { points: points.join(" ") }), svg("circle", { cx, cy, r: 3 }));
  };
}

/** The five sub-steps: which one is shown, and playing them one after the other. @param {Lab.LossPage} page */
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
    if (playing) timer = setTimeout(substep, SLOW); // each sub-step brings the next one
  }
  return { show, stop: () => setPlaying(false) };
}

/** @param {Lab.LossPage} page @returns {Lab.LabParts<Lab.LossReadings>} */
function lossLab(page) {
  const nothing = () => "";
  let hint = nothing;
  /** @type {Lab.LossStage} */
  const stage = {
    page,
    hot: null,
    anchor: 0,
    each: true,
    summed: false,
    say(words) {
      hint = words ?? nothing;
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
  for (const name of toggles) {
    const press = () => {
      stage[name] = !stage[name];
      showToggles();
      page.redraw();
    };
    change(page.part(name), { onclick: press });
  }
  for (const node of page.find("name")) {
    const { help } = page.words.settings[String(node.dataset.name)];
    onHover(node, () => stage.say(() => help), () => stage.say(null));
  }
  const [mining] = page.find("setting", "mining");
  page.root.addEventListener("keydown", ({ key }) => key === "Escape" && slow.stop());

  /** @param {Lab.LossReadings | null} before */
  function show(before) {
    plane.show(before);
    for (const option of mining.children) {
      change(option, { disabled: !page.now.minings.includes(option.getAttribute("value") ?? "") });
    }
    for (const part of [table, curve, slow.show, showToggles]) part();
    stage.say(hint);
  }
  return { show, draw: plane.draw, resized: [page.part("plane")], interrupt: slow.stop };
}

/** @param {Lab.RenderProps} props */
const render = (props) => new PointLabPage(props, lossLab).close;

export default { render };
