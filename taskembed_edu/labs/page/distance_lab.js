// DistanceLab: two vectors to drag, or their coordinates, with every distance between them.

import { slider } from "./controls.js";
import { distanceCoordinates } from "./distance_coordinates.js";
import { distanceTable, trianglePanel, vectorFields, whyPanel } from "./distance_numbers.js";
import { distancePlane } from "./distance_plane.js";
import { html } from "./dom.js";
import { tidy } from "./numbers.js";
import { PointLabPage } from "./point_lab.js";

/** @param {Lab.DistancePage} page @returns {Lab.Part} */
function radiusSlider(page) {
  const declared = page.words.settings.radius;
  const radius = slider(page, { ...declared, name: "radius" });
  const number = html("span", { class: "te-number" });
  const node = html("label", { class: "line", title: declared.help }, declared.label, radius.node, number);
  const show = () => {
    radius.show(page.now.radius_high);
    number.textContent = tidy(page.settings.radius);
  };
  return { node, show };
}

/** @param {Lab.DistancePage} page @returns {Lab.LabParts<Lab.DistanceReadings>} */
function distanceLab(page) {
  const plane = distancePlane(page);
  const coordinates = distanceCoordinates(page);
  const table = distanceTable(page);
  const [triangle, why, fields, radius] = [trianglePanel(page), whyPanel(page), vectorFields(page), radiusSlider(page)];
  const problem = html("div", { class: "problem", role: "alert", hidden: true });
  const hint = html("div", { class: "te-note small" });
  const tools = html("div", { class: "bar tools" }, page.undo, page.reset, page.projector);
  const left = [plane.node, coordinates.node, radius.node, fields.node, hint];
  const right = [problem, table.node, table.help, triangle.node, why.node];
  const nodes = [
    html("div", { class: "bar" }, html("div", { class: "te-title" }, "How far is x from y?"), page.late, tools),
    html("div", { class: "bar" }, ...page.presets),
    html("div", { class: "columns" }, html("div", { class: "stack" }, ...left), html("div", { class: "stack" }, ...right)),
  ];
  const isFlat = () => page.points.x.length === 2;

  function show() {
    const flat = isFlat();
    plane.node.toggleAttribute("hidden", !flat);
    coordinates.node.toggleAttribute("hidden", flat);
    radius.node.hidden = !flat || page.settings.triangle;
    for (const part of [table, triangle, why, fields, radius]) part.show();
    problem.textContent = page.now.problem;
    problem.hidden = !page.now.problem;
    const what = flat ? "the tips of the arrows" : "the dots";
    hint.textContent = `Drag ${what}, or focus one and use the arrow keys; Shift moves by whole steps. Ctrl+Z undoes.`;
  }
  return { nodes, show, draw: () => (isFlat() ? plane : coordinates).draw() };
}

const options = { kind: "te-distance", title: "How far is x from y?", reset: "Back to the first vectors" };

export default {
  /** @param {Lab.RenderProps} props */
  render(props) {
    const page = new PointLabPage(props, options, distanceLab);
    return () => page.close();
  },
};
