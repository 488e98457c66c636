// HTML and SVG elements: how they are made, how they change, and who hears of the pointer and the focus.

/** "on..." is a listener, true is an attribute without a value, false and null take it away. @type {Lab.Change} */
export function change(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (name === "checked" && node instanceof HTMLInputElement) node.checked = Boolean(value); // also once touched
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

/** The same for the pointer and for the focus: a keyboard shows all that a mouse does. @type {Lab.OnHover} */
export const onHover = (node, enter, leave) =>
  change(node, { onpointerenter: enter, onfocusin: enter, onpointerleave: leave, onfocusout: leave });

/** The same text is left alone: a screen reader would say it again. @type {(node: Node, text: string) => void} */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A function that calls `build` only where the key is another than the last time. @type {Lab.WhenChanged} */
export function whenChanged() {
  let last = "";
  return (key, build) => {
    if (key !== last) build();
    last = key;
  };
}
