// DrawingPad: a character drawn by hand, opened from a file or chosen from a palette; what the network sees of it, how
// near it is to some classes, and where it lies among scripts. Each part returns what shows and draws it.

import { classTable, scriptMap } from "./drawing_answers.js";
import { bytesOfText, putInk } from "./drawing_ink.js";
import { letterPalette } from "./drawing_letters.js";
import { drawingPaper } from "./drawing_paper.js";
import { change, setText } from "./dom.js";
import { PointLabPage } from "./point_lab.js";

/** A picture file goes to Python as it is, if it is no larger than a message may be. @param {Lab.PadPage} page */
function pictureFile(page) {
  const [choose, input, refusal] = ["choose-file", "file", "refusal"].map(page.part);
  const most = page.words.most_bytes;
  setText(page.part("most"), String(most / 1e6));
  change(choose, { onclick: () => input.click() });
  change(input, {
    async onchange() {
      const [file] = input.files;
      input.value = ""; // the same file may be chosen again
      if (!file) return;
      const large = file.size > most;
      setText(refusal, large ? `${file.name} has ${(file.size / 1e6).toFixed(1)} MB; a picture of at most ${most / 1e6} MB is read. Make it smaller.` : "");
      if (!large) page.ask("file", { name: file.name, buffers: [await file.arrayBuffer()] });
    },
  });
  return () => page.now.problem && setText(refusal, "");
}

/** @param {Lab.PadPage} page */
function drawingPad(page) {
  const [seen, said, told, pen, clear] = [...["seen", "said", "told", "pen"].map(page.part), page.find("ask", "clear")[0]];
  const paper = drawingPaper(page);
  const classes = classTable(page);
  const map = scriptMap(page);
  const letters = letterPalette(page);
  const file = pictureFile(page);

  /** @param {Lab.PadReadings | null} before */
  function show(before) {
    const { now } = page;
    putInk(seen, bytesOfText(now.pixels));
    change(seen, { "aria-label": now.pixels ? `The picture that the network sees: ${now.said}` : "No picture yet", "data-seen": String(Boolean(now.pixels)) });
    setText(said, `On the pad: ${now.said}.`);
    setText(pen, `${page.settings.pen} pixels`);
    change(clear, { disabled: !now.can_clear });
    if (before && before.said !== now.said) page.part("refusal").textContent = "";
    if (before && before !== now) setText(told, [`On the pad: ${now.said}`, now.answer && `nearest class: ${now.answer}`, now.near && `nearest letter: ${now.near}`].filter(Boolean).join("; "));
    file();
    paper.show();
    classes();
    map.show();
  }

  function draw() {
    paper.draw();
    map.draw();
  }

  return { show, draw, resized: [paper.frame, ...map.resized], close: letters.close };
}

export default { render: (/** @type {Lab.RenderProps} */ props) => new PointLabPage(props, drawingPad).close };
