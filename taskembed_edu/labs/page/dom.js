// HTML and SVG elements: how they are made, how they change, and who hears of the pointer and the focus.

/** An attribute "on..." is a listener, true is an attribute without a value, and false or null takes it away. */
/** @type {<N extends Element>(node: N, attributes: Lab.Attributes) => N} */
export function change(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (value === false || value === null || value === undefined) node.removeAttribute(name);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  return node;
}

/** @type {<N extends Element>(node: N, attributes: Lab.Attributes, children: (Node | string)[]) => N} */
function filled(node, attributes, children) {
  node.append(...children);
  return change(node, attributes);
}

/** @type {<T extends keyof HTMLElementTagNameMap>(tag: T, attributes?: Lab.Attributes, ...children: (Node | string)[])
 * => HTMLElementTagNameMap[T]} */
export const html = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);

/** @type {<T extends keyof SVGElementTagNameMap>(tag: T, attributes?: Lab.Attributes, ...children: (Node | string)[])
 * => SVGElementTagNameMap[T]} */
export const svg = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/** @type {(words: string, onclick: () => void, attributes?: Lab.Attributes) => HTMLButtonElement} */
export const button = (words, onclick, attributes = {}) =>
  html("button", { type: "button", onclick, ...attributes }, words);

/** The same for the pointer and for the focus, so that a keyboard shows all that a mouse does. */
/** @type {<N extends Element>(node: N, enter: () => void, leave: () => void) => N} */
export const onHover = (node, enter, leave) =>
  change(node, { onpointerenter: enter, onfocusin: enter, onpointerleave: leave, onfocusout: leave });

/** A text that stays the same is left alone: a screen reader would say it again. @type {(n: Node, t: string) => void} */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A function that calls `build` only where the key is another than the last time. */
/** @type {() => (key: string, build: () => void) => void} */
export function whenChanged() {
  let last = "";
  return (key, build) => {
    if (key !== last) build();
    last = key;
  };
}
