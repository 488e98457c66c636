// Finds a task by name: what is typed chooses the first task whose name fits, and Enter the next one.

import { counted, element, freshId, setText } from "./base.js";

/** @import { LabPage } from "./lab.js" */

// The tasks whose names contain the text, in order; those that begin with it come first. No text: none.
/** @param {string[]} names @param {string} text */
export function found(names, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const fits = names.flatMap((name, task) => {
    const at = name.toLowerCase().indexOf(wanted);
    return at < 0 ? [] : [{ task, begins: at === 0 }];
  });
  return [...fits.filter(({ begins }) => begins), ...fits.filter(({ begins }) => !begins)].map(({ task }) => task);
}

export class FindView {
  /** @param {LabPage} page @param {Element} parent */
  constructor(page, parent) {
    this.page = page;
    this.root = element("div", "te-find", parent);
    const label = element("label", "te-control-label", this.root, "Find a task");
    this.input = element("input", "te-find-name", this.root);
    this.input.type = "search";
    this.input.autocomplete = "off";
    this.input.placeholder = "a part of its name";
    this.input.id = label.htmlFor = freshId("find");
    this.said = element("span", "te-note", this.root);
    this.said.setAttribute("role", "status");
    this.input.addEventListener("input", () => this.choose(0));
    // JupyterLab handles Enter in a notebook, so it must not leave the field.
    this.input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") this.choose(1);
    });
  }

  // Chooses the first task that fits; `by`: so many further than the one that is chosen.
  /** @param {number} by */
  choose(by) {
    const fits = found(this.page.model.get("tasks")?.names ?? [], this.input.value);
    const at = by ? fits.indexOf(this.page.get("chosen")) : -1;
    const next = at < 0 ? 0 : (at + by) % fits.length;
    if (fits.length) {
      this.page.set("chosen", fits[next]);
      this.page.maps.forEach((map) => map.reveal(fits[next]));
    }
    const none = this.input.value.trim() ? "No task has this in its name." : "";
    setText(this.said, fits.length ? `${counted(next + 1)} of ${counted(fits.length)}` : none);
  }
}
