// Measures every text that is seen in a lab, in the document and on its canvases, and says what is wrong with their
// boxes. A rule speaks of boxes and never of a place on the page, so that what is added later is measured too.

window.textBoxes = (() => {
  const TOUCH = 1.5; // pixels that boxes may share: letters do not fill their boxes
  const SLACK = 2; // pixels that a box may reach over an edge: the same
  const CIRCLE = 0.8; // of a marker's radius: no marker fills its circle

  const scrolls = new Set(["auto", "scroll"]);
  const opaque = (colour) => !/^(transparent|rgba\(.*, 0\))$/.test(colour);

  /** Is the element seen? What a screen reader alone reads is clipped to nothing. */
  function seen(node) {
    if (!node.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true })) return false;
    for (let up = node; up; up = up.parentElement) if (up.matches(".te-unseen, option, [popover]:not(:popover-open)")) return false;
    return true;
  }

  /** The words of one line may come as several fragments: one box for each line. */
  function linesOf(node) {
    const range = document.createRange();
    range.selectNodeContents(node);
    return [...range.getClientRects()].filter((box) => box.width > 0.5 && box.height > 0.5);
  }

  /** The ancestors whose box matters, from the inside out; the whole screen is the outermost. */
  function* around(element) {
    for (let up = element; up && up !== document.documentElement; up = up.parentElement) {
      const style = getComputedStyle(up);
      if (style.display !== "inline" && style.display !== "contents") yield [up, style, up.getBoundingClientRect()];
      if (up === document.fullscreenElement) return;
    }
  }

  /** What is left of a box inside the elements that clip it. */
  function leftOf({ left, right, top, bottom }, element) {
    for (const [, style, edge] of around(element)) {
      if (style.overflowX !== "visible") [left, right] = [Math.max(left, edge.left), Math.min(right, edge.right)];
      if (style.overflowY !== "visible") [top, bottom] = [Math.max(top, edge.top), Math.min(bottom, edge.bottom)];
    }
    return { left, right, top, bottom };
  }

  /** What an open element hides of this one, and how: by an edge, or by an edge with an ellipsis. */
  function cutBy(box, element, root) {
    const hall = Boolean(document.fullscreenElement?.contains(root)); // nobody scrolls there
    for (const [up, style, edge] of around(element)) {
      const inside = root.contains(up);
      const framed = inside && up !== root && (opaque(style.backgroundColor) || parseFloat(style.borderRightWidth) > 0);
      const across = box.left < edge.left - SLACK || box.right > edge.right + SLACK;
      const along = box.top < edge.top - SLACK || box.bottom > edge.bottom + SLACK;
      const clipsX = style.overflowX !== "visible" && across;
      const clipsY = style.overflowY !== "visible" && along && (hall || !scrolls.has(style.overflowY));
      const name = up.className?.baseVal ?? up.className;
      if (clipsX && !(scrolls.has(style.overflowX) && !inside)) {
        return style.textOverflow === "ellipsis" ? `shortened in .${name}` : `cut by .${name}`;
      }
      if (clipsY && style.webkitLineClamp !== "none") return `shortened in .${name}`;
      if (clipsY && inside) return `cut by .${name}`;
      if (framed && across) return `out of .${name}`;
      if (!hall && inside && up !== root && scrolls.has(style.overflowY) && along) return "";
    }
    const below = hall && box.bottom > innerHeight + SLACK;
    return box.right > innerWidth + SLACK || box.left < -SLACK || below ? "cut by the window" : "";
  }

  function inDocument(root) {
    const texts = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!node.data.trim() || element.matches("style, script, template, option") || !seen(element)) continue;
      const line = parseFloat(getComputedStyle(element).fontSize);
      for (const { left, right, top, bottom } of linesOf(node)) {
        // A line's box is as high as the font: the letters take its middle.
        const spare = Math.max(0, (bottom - top - line) / 2) + 0.1 * line;
        const box = { left, right, top: top + spare, bottom: bottom - spare };
        // The whole of a shortened text is shown on hover.
        const whole = element.closest("[title]")?.title.includes(node.data.trim());
        texts.push({ words: node.data.trim(), node, element, ...leftOf(box, element), cut: cutBy(box, element, root), whole });
      }
    }
    return texts;
  }

  /** A menu shows its own words, and the browser cuts them where they do not fit. */
  function inMenus(root) {
    const pen = document.createElement("canvas").getContext("2d");
    return [...root.querySelectorAll("select")].filter(seen).flatMap((menu) => {
      const style = getComputedStyle(menu);
      pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
      const words = menu.selectedOptions[0]?.label ?? "";
      const room = menu.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - 16; // its arrow
      const { left, right, top, bottom } = menu.getBoundingClientRect();
      const wide = pen.measureText(words).width;
      const cut = wide <= room + SLACK ? "" : style.textOverflow === "ellipsis" ? "shortened in a menu" : "cut by its menu";
      const whole = menu.title.includes(words);
      return words ? [{ words, node: menu, element: menu, left, right, top: top + 4, bottom: bottom - 4, cut, whole }] : [];
    });
  }

  function onCanvases(root) {
    return [...root.querySelectorAll("canvas")].filter(seen).flatMap((canvas) => {
      const edge = canvas.getBoundingClientRect();
      return (canvas.__written ?? []).map(({ words, x, y, width, height }, place) => {
        const box = { left: edge.left + x, right: edge.left + x + width, top: edge.top + y, bottom: edge.top + y + height };
        const over = x < -1 || y < -1 || x + width > edge.width + 1 || y + height > edge.height + 1;
        return { words, node: `${place}`, element: canvas, ...box, cut: over ? `cut by its canvas` : cutBy(box, canvas, root) };
      });
    });
  }

  const meet = (a, b) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > TOUCH && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > TOUCH;

  function overlaps(texts) {
    const found = [];
    texts.forEach((one, k) => {
      for (const other of texts.slice(k + 1)) {
        const same = one.node === other.node && one.element === other.element;
        if (!same && meet(one, other)) found.push(`"${one.words}" lies on "${other.words}"`);
      }
    });
    return found;
  }

  /** Words of a canvas with a line through them, where its drawing names its lines (they stand upright). */
  function struck(root) {
    return [...root.querySelectorAll("canvas")].filter(seen).flatMap((canvas) =>
      (canvas.__written ?? []).flatMap(({ words, x, y, width, height }) => {
        const through = (canvas.__lines ?? []).some(
          ([at, top, , bottom]) => at > x + 1 && at < x + width - 1 && Math.min(bottom, y + height) - Math.max(top, y) > TOUCH,
        );
        return through ? [`a line goes through "${words}"`] : [];
      }),
    );
  }

  /** Notes and buttons over the points of a map, and words of the canvas over points that are not theirs. */
  function covered(root) {
    return [...root.querySelectorAll(".te-map")].filter(seen).flatMap((map) => {
      const view = map.__map;
      const edge = view.canvas.getBoundingClientRect();
      const places = view.screenPositions();
      const radius = (CIRCLE * view.radius()) / view.ratio;
      const over = [...view.stage.querySelectorAll("*")].filter(
        (part) => part !== view.canvas && seen(part) && !part.childElementCount && part.textContent.trim() && !part.matches(".te-map-stamp"),
      );
      const written = (view.canvas.__written ?? []).map(({ words, x, y, width, height }) => ({
        words, left: edge.left + x, right: edge.left + x + width, top: edge.top + y, bottom: edge.top + y + height,
      }));
      const boxes = [...over.map((part) => {
        const { left, right, top, bottom } = leftOf(part.getBoundingClientRect(), part);
        return { words: part.textContent, left, right, top, bottom };
      }), ...written];
      return boxes.flatMap(({ words, left, right, top, bottom }) => {
        let hidden = 0;
        for (let i = 0; i < places.length; i += 2) {
          const [x, y] = [edge.left + places[i], edge.top + places[i + 1]];
          const inside = x > left - radius + TOUCH && x < right + radius - TOUCH && y > top - radius + TOUCH && y < bottom + radius - TOUCH;
          if (inside && view.shown(i / 2)) hidden += 1;
        }
        return hidden ? [`"${words}" lies on ${hidden} points of the map`] : [];
      });
    });
  }

  /** All texts of this element, with their boxes. */
  const all = (root) => [...inDocument(root), ...inMenus(root), ...onCanvases(root)];

  return {
    all: (root) => all(root).map(({ words, left, right, top, bottom, cut }) => ({ words, left, right, top, bottom, cut })),
    problems(root) {
      const texts = all(root);
      const cuts = texts.filter(({ cut, whole }) => cut && !(cut.startsWith("shortened") && whole)).map(({ words, cut }) => `"${words}" is ${cut}`);
      return [...new Set([...overlaps(texts), ...cuts, ...struck(root), ...covered(root)])];
    },
  };
})();
