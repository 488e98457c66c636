// Formatting numbers, and rounding them to steps that suit a drag.

/** @type {(value: number, low: number, high: number) => number} */
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
/** @type {(a: number, b: number, t: number) => number} */
export const between = (a, b, t) => a + (b - a) * t;
/** An animation's progress, slow at both ends. @type {(t: number) => number} */
export const ease = (t) => (t < 0.5 ? 2 * t * t : 1 - 2 * (1 - t) * (1 - t));
/** With the true minus sign, which is as wide as a digit. @type {(text: string) => string} */
export const minus = (text) => text.replace(/-/g, "−");
/** No trailing zeros, and no minus zero. @type {(value: number, digits?: number) => string} */
export const tidy = (value, digits = 2) => minus(String(Number(value.toFixed(digits)) + 0));
/** The nearest multiple, as 0.3 and not as 0.30000000000000004. @type {(value: number, grain: number) => number} */
export const snapped = (value, grain) => Number((Math.round(value / grain) * grain).toPrecision(10)) + 0;

/** The smallest of ..., 0.1, 0.2, 0.5, 1, 2, 5, ... that is at least `least`. @type {(least: number) => number} */
export function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10);
}
