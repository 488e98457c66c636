// The controls of the bench: what is done with the points, and with the steps.

import { element, freshId, helpMark, icon } from "./base.js";

/** @import { BenchView } from "./bench.js" */

export const SHOWN_STEPS = [5, 10, 20, 50, 100];
const BENCH_HELP =
  "One task that training never saw. From each start the same inner loop takes gradient steps on the support points (filled), and the curve bends to them. " +
  "The query points (hollow) only judge. Play the outer loop, and watch the meta-learned start get better; move its time back, and it is bad again.";

// The task's name, which stands beside the switch of the views, and the buttons for its points.
/** @param {BenchView} bench */
export function makeHead(bench) {
  const head = element("div", "te-bench-head te-live-only", bench.root);
  const title = element("div", "te-bench-title"); // it stands beside the switch of the views
  const name = element("span", "te-bench-name", title);
  helpMark(title, "this picture", BENCH_HELP);
  const buttons = element("div", "te-group", head);
  /** @param {string} words @param {() => void} action @param {string} tip */
  const button = (words, action, tip) => {
    const made = element("button", "te-button", buttons, words);
    const bubble = element("span", "te-bubble", made, tip);
    bubble.setAttribute("aria-hidden", "true");
    made.setAttribute("aria-description", tip);
    made.addEventListener("click", action);
    return made;
  };
  return {
    title,
    name,
    another: button("Another task", () => bench.another(), "Put the next task of the map on the bench. A click on the map chooses one too."),
    own: button("Draw your own wave", () => bench.ask("own"), "Take all points away, then click to place your own. Take back brings what was there."),
    mine: button("Your own wave", () => bench.ask("mine"), "Show the points that you have drawn again."),
    add: button("Add a point", () => bench.plane.addInGap(), "In the widest gap. A double click on the plane adds one there; Delete removes the one with the focus."),
    back: button("Back to the task", () => bench.ask("back"), "The task's own points, as they came."),
    undo: button("Take back", () => bench.ask("undo"), "Undo the last change of the points (Ctrl+Z)."),
  };
}

// The slow motion: play, one step back and forward, a slider, and how many steps there are.
/** @param {BenchView} bench */
export function makeTime(bench) {
  const row = element("div", "te-bench-time", bench.root);
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", "Inner steps");
  const play = element("button", "te-button te-bench-play", row);
  const words = element("span", "", play, "Slow motion");
  const path = icon("play", play);
  play.addEventListener("click", () => (bench.playing ? bench.pause() : bench.play()));
  /** @param {"back" | "forward"} picture @param {number} by */
  const arrow = (picture, by) => {
    const made = element("button", "te-button te-icon-button", row);
    made.setAttribute("aria-label", by < 0 ? "Earlier in the inner loop" : "Later in the inner loop");
    icon(picture, made);
    made.addEventListener("click", () => bench.go(Math.round(bench.position()) + by));
    return made;
  };
  const back = arrow("back", -1);
  const label = element("label", "te-unseen", row, "Inner step shown");
  const slider = element("input", "te-bench-slider", row);
  Object.assign(slider, { type: "range", min: "0", step: "1", id: freshId("inner") });
  label.htmlFor = slider.id;
  slider.addEventListener("input", () => bench.go(Number(slider.value)));
  const forward = arrow("forward", 1);
  const where = element("span", "te-bench-where te-number", row);
  const most = element("select", "te-bench-steps te-live-only", row);
  most.setAttribute("aria-label", "How many inner steps are shown");
  for (const each of SHOWN_STEPS) element("option", "", most, `${each} steps`).value = String(each);
  most.addEventListener("change", () => bench.ask("steps", { steps: Number(most.value) }));
  return { words, path, back, slider, forward, where, most };
}
