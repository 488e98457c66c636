// Pictures of ink: a byte for each pixel, 255 is ink. They are drawn in black on nothing; the style sheet turns black
// into white in a dark theme.

const INK_SIDE = 28;
const INK_BYTES = INK_SIDE * INK_SIDE;

/** @type {(canvas: HTMLCanvasElement) => CanvasRenderingContext2D} */
export function inkPen(canvas) {
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("This browser gives no canvas to draw on.");
  return pen;
}

/** The bytes of a picture that came as text; all paper for "". @type {(text: string) => Uint8Array} */
export const bytesOfText = (text) =>
  text ? Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)) : new Uint8Array(INK_BYTES);

/** Puts a picture of 28 x 28 pixels on a canvas of that size. @type {(canvas: HTMLCanvasElement, bytes: Uint8Array) => void} */
export function putInk(canvas, bytes) {
  const pen = inkPen(canvas);
  const image = pen.createImageData(INK_SIDE, INK_SIDE);
  for (let k = 0; k < INK_BYTES; k++) image.data[4 * k + 3] = bytes[k];
  pen.putImageData(image, 0, 0);
}

/** The k-th of many pictures in one row of bytes. @type {(bytes: Uint8Array, k: number) => Uint8Array} */
export const pictureAt = (bytes, k) => bytes.subarray(k * INK_BYTES, (k + 1) * INK_BYTES);
