// DistanceLab: two vectors to drag, or their coordinates, with every distance between them.

import { distanceCoordinates } from "./distance_coordinates.js";
import { distanceTable, reasonsList, trianglePanel, vectorFields } from "./distance_numbers.js";
import { distancePlane } from "./distance_plane.js";
import { tidy } from "./numbers.js";
import { PointLabPage } from "./point_lab.js";

/** @param {Lab.DistancePage} page @returns {Lab.LabParts<Lab.DistanceReadings>} */
function distanceLab(page) {
  const [plane, coordinates] = [distancePlane(page), distanceCoordinates(page)];
  const shown = [distanceTable(page), trianglePanel(page), reasonsList(page), vectorFields(page)];
  const radius = page.part("radius");
  const isFlat = () => page.points.x.length === 2;

  function show() {
    page.root.classList.toggle("is-flat", isFlat());
    page.root.classList.toggle("is-triangle", page.settings.triangle);
    radius.textContent = tidy(page.settings.radius);
    for (const part of shown) part();
  }
  return { show, draw: () => (isFlat() ? plane() : coordinates()) };
}

/** @param {Lab.RenderProps} props */
const render = (props) => new PointLabPage(props, distanceLab).close;

export default { render };
