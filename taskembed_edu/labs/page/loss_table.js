// LossLab's table of pairs or triplets: a row that is hovered or focused lights up in the plane.

import { change, html, onHover, setText, whenChanged } from "./dom.js";

/** @param {Lab.LossStage} stage */
export function lossTable(stage) {
  const { page } = stage;
  const rebuilt = whenChanged();
  /** @type {{ line: HTMLElement, kind: HTMLElement, cells: HTMLElement[] }[]} */
  let rows = [];

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
