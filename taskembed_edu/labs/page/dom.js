// HTML and SVG elements: creating them, changing them, and listening to pointer and focus.

/** "on..." adds a listener, true sets an attribute without a value, false and null remove it. @type {Lab.Change} */
export function change(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (name === "checked" && node instanceof HTMLInputElement) node.checked = Boolean(value); // also after a click
    else if (value === false || value === null || value === undefined) node.removeAttribute(name);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  return node;
}

/** @type {Lab.MakeHtml} */
export function html(tag, attributes = {}, ...children) {
  const node = change(document.createElement(tag), attributes);
  node.append(...children);
  return node;
}

/** @type {Lab.MakeSvg} */
export function svg(tag, attributes = {}, ...children) {
  const node = change(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes);
  node.append(...children);
  return node;
}

/** @type {(words: string, onclick: () => void) => HTMLButtonElement} */
export const button = (words, onclick) => html("button", { type: "button", onclick }, words);

/** Hover and focus act the same, so that a keyboard shows all that a mouse does. @type {Lab.OnHover} */
export const onHover = (node, enter, leave) =>
  change(node, { onpointerenter: enter, onfocusin: enter, onpointerleave: leave, onfocusout: leave });

/** Does not set the same text again: a screen reader would repeat it. @type {(node: Node, text: string) => void} */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Returns a function that calls `build` only where the key differs from the last call's. @type {Lab.WhenChanged} */
export function whenChanged() {
  let last = "";
  return (key, build) => {
    if (key !== last) build();
    last = key;
  };
}
