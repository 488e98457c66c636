// What opens above the page: a menu under a button, and dialogs for the run's code, the keys, "what may I read?".
//
// They are native <dialog> and popover elements: the browser keeps the focus inside, closes them on Escape, and returns
// the focus afterwards.

import { element, freshId, setText } from "./base.js";

/** @import { LabPage } from "./lab.js" */
/** @import { Help } from "./types.js" */
/** @typedef {{ value: string, label: string, about?: string }} Item of a menu */

export const EXPORTS = [
  { value: "png", label: "Picture (PNG)", about: "the map of the moment shown, loss and scores, for print" },
  { value: "svg", label: "Picture (SVG)", about: "the same, sharp at any size" },
  { value: "gif", label: "Film (GIF)", about: "the map of this run from its start, for a slide" },
  { value: "csv", label: "Table (CSV)", about: "every task: truth, place, vector, nearest" },
  { value: "parquet", label: "Table (Parquet)", about: "the same, with its types" },
  { value: "json", label: "Recording (JSON)", about: "runs again with lab.replay(...)" },
  { value: "html", label: "Page (HTML)", about: "this page with its history, without a kernel" },
];

/** @type {[keys: string, what: string][]} */
const KEYS = [
  ["Anywhere in the lab", ""],
  ["Space", "play or pause"],
  ["S", "step: train up to the next picture"],
  ["P", "projector: large letters and points; press P again, or Escape, to go back"],
  [", and .", "one frame back, one frame forward"],
  ["L", "live: back to now"],
  ["?", "this help"],
  ["On the map", ""],
  ["Arrow keys", "the nearest task in that direction"],
  ["Enter", "choose it: its data and its neighbours"],
  ["Space", "add the task to the selection, or remove it; Tab leads to what the selection says, below the map"],
  ["+  −  0", "zoom in, zoom out, all tasks"],
  ["Shift + arrows", "move the map"],
  ["Shift + drag", "a lasso: select the tasks inside, and read below the map what they have in common"],
  ["Escape", "choose nothing; then let the selection go"],
  ["Ctrl + wheel", "zoom in or out; after a click into the map the wheel alone does it too"],
];

export class MenuButton {
  /** @param {HTMLButtonElement} button @param {Item[] | (() => Item[])} items @param {(value: string) => void} choose */
  constructor(button, items, choose) {
    this.button = button;
    this.items = items; // a list, or a function that returns it when the menu opens
    this.choose = choose;
    /** @type {HTMLButtonElement[]} */
    this.menuItems = [];
    this.menu = element("div", "te-menu", button.parentElement);
    this.menu.dataset.lmSuppressShortcuts = "true";
    this.menu.id = freshId("menu");
    this.menu.popover = "auto";
    this.menu.setAttribute("role", "menu");
    this.menu.setAttribute("aria-label", button.textContent);
    button.setAttribute("aria-haspopup", "menu");
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("popovertarget", this.menu.id);
    this.menu.addEventListener("beforetoggle", (event) => event.newState === "open" && this.fill());
    this.menu.addEventListener("toggle", (event) => this.toggled(event.newState === "open"));
    this.menu.addEventListener("keydown", (event) => this.key(event));
  }

  fill() {
    const items = typeof this.items === "function" ? this.items() : this.items;
    this.menuItems = items.map(({ value, label, about }) => {
      const item = element("button", "te-menu-item");
      item.setAttribute("role", "menuitem");
      item.tabIndex = -1;
      element("span", "", item, label);
      if (about) element("span", "te-menu-about", item, about);
      item.addEventListener("click", () => {
        this.menu.hidePopover();
        this.choose(value);
      });
      return item;
    });
    this.menu.replaceChildren(...this.menuItems);
    const box = this.button.getBoundingClientRect();
    this.menu.style.top = `${Math.round(box.bottom + 4)}px`;
    this.menu.style.left = `${Math.round(box.left)}px`;
  }

  /** @param {boolean} open */
  toggled(open) {
    this.button.setAttribute("aria-expanded", String(open));
    if (!open) return;
    // An element in the top layer is not kept inside the window by its parents' layout: move it back in.
    const over = this.menu.getBoundingClientRect().right - (window.innerWidth - 8);
    if (over > 0) this.menu.style.left = `${parseFloat(this.menu.style.left) - over}px`;
    this.menuItems[0]?.focus();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const items = this.menuItems;
    const at = items.findIndex((item) => item === document.activeElement);
    /** @type {Record<string, number>} */
    const places = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 };
    const next = places[event.key];
    if (event.key === "Tab") this.menu.hidePopover();
    event.stopPropagation(); // the lab's own keys must not act while the menu has the focus
    if (next === undefined) return;
    event.preventDefault();
    items[next % items.length].focus();
  }
}

/** @type {Partial<Help>} */
const NO_HELP = {};

// A dialog for one purpose, created once: a heading, a body, and a Close button.
class PanelDialog {
  /** @param {Element} parent @param {string} heading */
  constructor(parent, heading) {
    this.root = element("dialog", "te-dialog te-card", parent);
    this.title = element("h2", "te-dialog-title", this.root, heading);
    this.title.id = freshId("dialog");
    this.root.setAttribute("aria-labelledby", this.title.id);
    this.body = element("div", "te-dialog-body", this.root);
    this.foot = element("div", "te-dialog-foot", this.root);
    const close = element("button", "te-button", this.foot, "Close");
    close.addEventListener("click", () => this.root.close());
    // A click on the backdrop has the dialog itself as its target, at a position outside the dialog's box.
    this.root.addEventListener("click", (event) => {
      if (event.target !== this.root) return;
      const box = this.root.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside) this.root.close();
    });
    this.root.addEventListener("keydown", (event) => event.stopPropagation());
  }

  open() {
    if (!this.root.open) this.root.showModal();
  }
}

// Lines of code with a heading, words about them, and a button that copies them.
class CodeBlock {
  /** @param {Element} parent @param {string} heading @param {string} copies */
  constructor(parent, heading, copies) {
    this.root = element("section", "te-code-block", parent);
    element("h3", "te-help-heading", this.root, heading);
    const head = element("div", "te-code-head", this.root);
    this.about = element("div", "", head);
    this.copied = element("span", "te-note", head);
    this.copied.setAttribute("role", "status");
    const copy = element("button", "te-button te-primary", head, copies);
    copy.addEventListener("click", () => this.copy());
    const frame = element("pre", "te-code-text", this.root);
    frame.tabIndex = 0;
    this.text = element("code", "", frame);
  }

  /** @param {string} text "": the block is hidden */
  show(text) {
    this.root.hidden = !text;
    setText(this.text, text);
    setText(this.copied, "");
  }

  // Where the browser forbids writing to the clipboard, the lines are selected, ready for Ctrl+C.
  async copy() {
    try {
      await navigator.clipboard.writeText(this.text.textContent ?? "");
      setText(this.copied, "Copied.");
    } catch {
      window.getSelection()?.selectAllChildren(this.text);
      setText(this.copied, "Selected: press Ctrl+C.");
    }
  }
}

export class DialogsView {
  /** @param {LabPage} page @param {Element} parent */
  constructor(page, parent) {
    this.page = page;
    this.code = new PanelDialog(parent, "");
    this.line = new CodeBlock(this.code.body, "This lab", "Copy the line");
    element("p", "te-note", this.line.about, "One line opens this lab with the settings of the moment shown. What it does not name is as the lab begins.");
    this.lines = new CodeBlock(this.code.body, "This run", "Copy the run");
    element("p", "te-note", this.lines.about, "Run these lines in a cell of their own: they give the same run, frame by frame.");

    this.keys = new PanelDialog(parent, "Help");
    this.keys.body.tabIndex = 0; // longer than a small window: the arrow keys scroll it
    const ideas = page.model.get("help")?.try ?? [];
    if (ideas.length) element("h3", "te-help-heading", this.keys.body, "What to try");
    const list = element("ul", "te-try", this.keys.body);
    for (const idea of ideas) element("li", "", list, idea);
    /** @type {Element | null} */
    let table = null;
    for (const [key, does] of KEYS) {
      if (!does) {
        element("h3", "te-help-heading", this.keys.body, key);
        table = element("dl", "te-keys", this.keys.body);
        continue;
      }
      const pair = element("div", "te-key", table);
      element("dt", "", pair, key);
      element("dd", "", pair, does);
    }
    element("p", "te-note", this.keys.body, "Keys count while the lab has the focus: click into it once.");

    this.reading = new PanelDialog(parent, "What may I read from this picture?");
    this.reading.body.tabIndex = 0; // longer than a small window: the arrow keys scroll it
  }

  /**
   * @param {string} text of the run @param {string} line that opens the lab; "": a panel that no lab opened
   * @param {string} run whose code it is, of two; "": of one
   */
  showCode(text, line, run) {
    setText(this.code.title, run ? `${run} in Python` : "What this lab does, in Python");
    this.line.show(line);
    this.lines.show(text);
    this.code.open();
  }

  showReading() {
    const { reading = [], scores = {} } = this.page.model.get("help") ?? NO_HELP;
    this.reading.body.replaceChildren(...reading.map((paragraph) => element("p", "", null, paragraph)));
    const list = element("dl", "te-keys", this.reading.body);
    for (const { label, help } of Object.values(scores)) {
      const pair = element("div", "te-key", list);
      element("dt", "", pair, label);
      element("dd", "", pair, help);
    }
    this.reading.open();
    this.reading.body.scrollTop = 0;
  }
}
