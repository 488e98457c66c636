// The palette of letters: by name, by script, by mouse or with the arrow keys. Its pictures come when it is first opened.

import { pictureAt, putInk } from "./drawing_ink.js";
import { change, html, setText } from "./dom.js";

const MOST_LETTERS = 300; // at once; more are found by a name or a script

/** The indices of the letters of this script (-1: all) whose name has all these words. @type {Lab.LettersFound} */
export function lettersFound({ names, letters, script_of }, words, script) {
  const asked = words.trim().toUpperCase().split(/\s+/).filter(Boolean);
  const all = names.map((_, k) => k).filter((k) => script < 0 || script_of[k] === script);
  return all.filter((k) => letters[k] === words.trim() || asked.every((word) => names[k].includes(word)));
}

/** Which of n letters a key goes to from letter k, in rows of so many; null for other keys. @type {Lab.KeyAmong} */
export function letterAfter(key, k, n, columns) {
  /** @type {Record<string, number>} */
  const ways = { ArrowLeft: k - 1, ArrowRight: k + 1, ArrowUp: k - columns, ArrowDown: k + columns, Home: 0, End: n - 1 };
  if (!(key in ways)) return null;
  return ways[key] >= 0 && ways[key] < n ? ways[key] : k;
}

/** @param {Lab.PadPage} page */
export function letterPalette(page) {
  const [opener, card, find, script, count, options] = ["letters", "palette", "find", "script", "count", "options"].map(page.part);
  /** @type {Lab.Palette | null} */ let palette = null;
  /** @type {Uint8Array} */ let pictures = new Uint8Array(0);

  function toggle(open = card.hidden) {
    card.hidden = !open;
    change(opener, { "aria-expanded": String(open) });
    if (!open) return opener.focus();
    if (!palette) {
      setText(count, "The letters are drawn from the fonts. The first time this takes some seconds.");
      page.ask("palette");
    }
    find.focus();
  }

  /** @type {(message: { palette?: Lab.Palette }, buffers: DataView[]) => void} */
  const receive = (message, buffers) => {
    if (!message.palette) return;
    palette = message.palette;
    const { buffer, byteOffset, byteLength } = buffers[0];
    pictures = new Uint8Array(buffer, byteOffset, byteLength);
    const scripts = palette.scripts.map((name, k) => html("option", { value: k }, name));
    script.replaceChildren(html("option", { value: -1 }, "all"), ...scripts);
    build();
  };

  function build() {
    if (!palette) return;
    const found = lettersFound(palette, find.value, Number(script.value));
    const shown = found.slice(0, MOST_LETTERS);
    const more = found.length > shown.length ? `${shown.length} of ${found.length} letters: choose a script, or type a name` : `${found.length} letters`;
    setText(count, found.length ? more : "No letter has this name.");
    options.replaceChildren(...shown.map((k, at) => option(k, at)));
    options.scrollTop = 0;
  }

  /** @param {number} k @param {number} at */
  function option(k, at) {
    const name = palette?.names[k] ?? "";
    const picture = html("canvas", { class: "ink pixels", width: 28, height: 28 });
    putInk(picture, pictureAt(pictures, k));
    const choose = () => {
      for (const one of options.children) change(one, { "aria-selected": String(one === node) });
      page.ask("letter", { index: k });
    };
    /** @type {HTMLElement} */
    const node = html("div", { role: "option", tabindex: at ? -1 : 0, "aria-selected": "false", "aria-label": name.toLowerCase(), title: name.toLowerCase(), onclick: choose, onkeydown: press }, picture);
    /** @param {KeyboardEvent} event */
    function press(event) {
      const all = /** @type {HTMLElement[]} */ ([...options.children]);
      const columns = Math.max(1, all.filter((one) => one.offsetTop === all[0].offsetTop).length);
      const next = letterAfter(event.key, all.indexOf(node), all.length, columns);
      if (event.key === "Enter" || event.key === " ") choose();
      else if (next === null) return;
      else {
        change(node, { tabindex: -1 });
        change(all[next], { tabindex: 0 }).focus();
      }
      event.preventDefault();
      event.stopPropagation();
    }
    return node;
  }

  change(opener, { onclick: () => toggle() });
  change(find, { oninput: build });
  change(script, { onchange: build });
  change(find, {
    onkeydown(/** @type {KeyboardEvent} */ event) {
      if (event.key === "ArrowDown" || event.key === "Enter") /** @type {HTMLElement | null} */ (options.firstElementChild)?.focus();
      else return;
      event.preventDefault();
    },
  });
  change(card, {
    onkeydown(/** @type {KeyboardEvent} */ event) {
      if (event.key !== "Escape" || page.root.classList.contains("te-projector")) return;
      toggle(false);
      event.stopPropagation();
    },
  });
  page.model.on("msg:custom", receive);
  return { close: () => page.model.off("msg:custom", receive) };
}
