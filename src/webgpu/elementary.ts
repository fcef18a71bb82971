/*
 * Functions in WGSL where the built-in ones lose digits, or are not defined everywhere. They hold for f32 and its vectors alike, take
 * nothing for granted that a driver may reorder, and what is no number stays none: comparisons with it are false.
 */

/** WGSL's number type for so many side by side. */
export function floats(width: number): string {
  return width === 1 ? 'f32' : `vec${width}f`;
}

/** `logOnePlus(x)`: log(1 + x) for x in [0, 1], by the series of 2 atanh(x / (2 + x)). */
export function logOnePlus(type = 'f32'): string {
  const series = [1 / 13, 1 / 11, 1 / 9, 1 / 7, 1 / 5, 1 / 3, 1].reduce(
    (inner, c) => (inner === '' ? `${type}(${c})` : `(${inner} * q + ${c})`),
    '',
  );
  return `
fn logOnePlus(x: ${type}) -> ${type} {
  let p = x / (x + 2f);
  let q = p * p;
  return 2f * p * ${series};
}`;
}

/** `tanhOf(x)`, whatever the size of x. */
export function tanhOf(type = 'f32'): string {
  return `
fn tanhOf(x: ${type}) -> ${type} {
  let e = exp(-2f * abs(x));
  let far = (1f - e) / (1f + e);
  let s = x * x;
  let near = x * (1f + s * (${-1 / 3} + s * (${2 / 15} + s * (${-17 / 315} + s * ${62 / 2835}))));
  return select(select(far, -far, x < ${type}(0)), near, abs(x) < ${type}(0.3));
}`;
}

/** `logSigmoid(x)` and `sigmoid(x)`, with all digits at both ends; with `logOnePlus`. */
export function sigmoids(type = 'f32'): string {
  return `
fn logSigmoid(x: ${type}) -> ${type} {
  return select(x, ${type}(0), x > ${type}(0)) - logOnePlus(exp(-abs(x)));
}
fn sigmoid(x: ${type}) -> ${type} {
  let e = exp(-abs(x));
  return select(e, ${type}(1), x > ${type}(0)) / (1f + e);
}`;
}

/** `softplus(x)`: log(1 + e^x), without overflow; with `logOnePlus`. */
export function softplus(type = 'f32'): string {
  return `
fn softplus(x: ${type}) -> ${type} {
  return select(x, ${type}(0), x < ${type}(0)) + logOnePlus(exp(-abs(x)));
}`;
}

/** `isFinite(x)`: whether x is neither NaN nor infinite. By its bits, since programs may take for granted that every number is. */
export const IS_FINITE = `
fn isFinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }`;

/**
 * `expOf(x)` and `logOf(x)`: the built-in ones give a number on some devices where x is none. By its bits, since programs may take for
 * granted that it is one.
 */
export function exponentials(): string {
  return `
fn isNaN(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn expOf(x: f32) -> f32 { return select(exp(x), x, isNaN(x)); }
fn logOf(x: f32) -> f32 { return select(log(x), x, isNaN(x)); }`;
}
