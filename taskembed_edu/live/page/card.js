// A task is not a dot: its own data, drawn small beside the pointer and larger when it is chosen.

// Draw one task's data (decodeCard) into a canvas of so many CSS pixels; false where the family has no picture.
function drawCard(canvas, data, palette, wide, high) {
  const ratio = window.devicePixelRatio || 1;
  canvas.hidden = !data;
  if (!data) return false;
  canvas.width = Math.round(wide * ratio);
  canvas.height = Math.round(high * ratio);
  canvas.style.width = `${wide}px`;
  canvas.style.height = `${high}px`;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  ({ curve: drawCurve, scatter: drawScatter, images: drawImages })[data.kind](context, data, palette, wide, high);
  return true;
}

// From the data's axes to the canvas, with room for a marker at the edges and for one line of numbers below.
function axesOf(data, wide, high) {
  const [edge, foot] = [6, 15];
  const x = (v) => edge + ((v - data.x[0]) / (data.x[1] - data.x[0] || 1)) * (wide - 2 * edge);
  const y = (v) => high - foot - ((v - data.y[0]) / (data.y[1] - data.y[0] || 1)) * (high - foot - edge);
  return { x, y };
}

function drawFrame(context, data, palette, wide, high, { x, y }) {
  context.strokeStyle = cssOf(palette.line);
  context.lineWidth = 1;
  context.beginPath();
  const zero = data.y[0] < 0 && data.y[1] > 0 ? Math.round(y(0)) + 0.5 : Math.round(y(data.y[0])) + 0.5;
  context.moveTo(x(data.x[0]), zero);
  context.lineTo(x(data.x[1]), zero);
  context.stroke();
  context.fillStyle = cssOf(palette.soft);
  context.font = "10px system-ui, sans-serif";
  context.textBaseline = "alphabetic";
  context.textAlign = "left";
  context.fillText(shortNumber(data.x[0]), x(data.x[0]), high - 3);
  context.textAlign = "right";
  context.fillText(shortNumber(data.x[1]), x(data.x[1]), high - 3);
  context.textAlign = "center";
  context.fillText(`y: ${shortNumber(data.y[0])} to ${shortNumber(data.y[1])}`, wide / 2, high - 3);
}

function shortNumber(value) {
  return `${+value.toPrecision(2)}`.replace("-", "−");
}

// A function: the curve itself, and the points that the network was given of it.
function drawCurve(context, data, palette, wide, high) {
  const axes = axesOf(data, wide, high);
  drawFrame(context, data, palette, wide, high, axes);
  context.beginPath();
  data.curve.forEach(([px, py], k) => context[k ? "lineTo" : "moveTo"](axes.x(px), axes.y(py)));
  context.strokeStyle = cssOf(palette.truth);
  context.lineWidth = 2;
  context.stroke();
  for (const [px, py] of data.points) {
    drawMarker(context, 0, axes.x(px), axes.y(py), 2.8, cssOf(palette.ink), cssOf(palette.paper));
  }
}

const CLASS_COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

// Points of a classification task: colour and shape say the class.
function drawScatter(context, data, palette, wide, high) {
  const axes = axesOf(data, wide, high);
  drawFrame(context, data, palette, wide, high, axes);
  data.points.forEach(([px, py], k) => {
    const colour = rgbOf(CLASS_COLOURS[data.classes[k] % CLASS_COLOURS.length], "#0072b2");
    const outline = cssOf(outlineOf(colour, palette.paper, palette.ink));
    drawMarker(context, data.classes[k], axes.x(px), axes.y(py), 3.2, cssOf(colour), outline, cssOf(palette.paper));
  });
}

// Digits in rows, each with its label: what the task calls it.
function drawImages(context, data, palette, wide, high) {
  const { width, height, n_images: n, pixels, labels } = data;
  const label = 12;
  let [columns, side] = [1, 0];
  for (let k = 1; k <= n; k++) {
    const fits = Math.min(wide / k - 4, high / Math.ceil(n / k) - label - 3);
    if (fits > side) [columns, side] = [k, fits];
  }
  const one = (drawImages.one ??= document.createElement("canvas"));
  [one.width, one.height] = [width, height];
  const draft = one.getContext("2d", { willReadFrequently: true });
  const image = draft.createImageData(width, height);
  context.imageSmoothingEnabled = false;
  context.textAlign = "center";
  context.textBaseline = "top";
  context.font = "10px system-ui, sans-serif";
  for (let k = 0; k < n; k++) {
    for (let p = 0; p < width * height; p++) {
      const ink = pixels[k * width * height + p];
      image.data.set([255 - ink, 255 - ink, 255 - ink, 255], 4 * p);
    }
    draft.putImageData(image, 0, 0);
    const x = ((k % columns) + 0.5) * (wide / columns);
    const y = Math.floor(k / columns) * (side + label + 3) + 1;
    context.drawImage(one, x - side / 2, y, side, side);
    context.strokeStyle = cssOf(palette.line);
    context.strokeRect(x - side / 2 + 0.5, y + 0.5, side - 1, side - 1);
    context.fillStyle = cssOf(palette.ink);
    context.fillText(`${labels[k]}`, x, y + side + 1);
  }
}
