import { POINTS, SIDE } from '../src/core/kernelConstants';
import { loadPart, multiplyAdd, multiplySubtract, storePair, zero } from './vector';

/*
 * The transforms of F(4x4, 3x3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015,
 * arXiv:1509.09308, section 4.3). A tile of 4 x 4 outputs y sees 6 x 6 inputs d through a filter g of 3 x 3:
 *
 *     y = A' [(G g G') * (B' d B)] A          in place of 144 products per pair of channels, 36
 *     dg = G' [(B' d B) * (A dy A')] G        the same bilinear form, read as a function of g
 *
 * Each is done on lines first and on columns then, eight channels at a time: as two vectors of four, whose operations
 * engines with vectors of 256 bits join. The interpolation points are 0, P, -P, Q, -Q
 * and infinity; with 3/4 and 3/2 the rounding error is a fourth of that with the usual 1 and 2.
 */

const P: f32 = 0.75;
const Q: f32 = 1.5;
const P2: f32 = P * P;
const Q2: f32 = Q * Q;
/** Denominators of the rows of G: of 0, of P and -P, of Q and -Q. */
const OF_ZERO: f32 = P2 * Q2;
const OF_P: f32 = 2 * P2 * (P2 - Q2);
const OF_Q: f32 = 2 * Q2 * (Q2 - P2);

/*
 * The factors of the transforms lie in memory, at these distances: engines make a vector of a constant in the code from
 * several instructions, each time anew, which takes twice the time of everything else here.
 */
let factors: usize = 0;
const AT_P: usize = 0;
const AT_Q: usize = 4;
const AT_P2: usize = 8;
const AT_Q2: usize = 12;
const AT_MINUS_P2: usize = 16;
const AT_MINUS_Q2: usize = 20;
const AT_ENDS: usize = 24;
const AT_MIDDLE: usize = 28;
const AT_OF_ZERO: usize = 32;
const AT_EVEN_P: usize = 36;
const AT_ODD_P: usize = 40;
const AT_EVEN_Q: usize = 44;
const AT_ODD_Q: usize = 48;

/** Bytes that the factors take, in whole cache lines. */
export const FACTOR_BYTES: usize = 64;

/** Writes the factors of the transforms. */
export function placeFactors(at: usize): void {
  factors = at;
  store<f32>(at, P, AT_P);
  store<f32>(at, Q, AT_Q);
  store<f32>(at, P2, AT_P2);
  store<f32>(at, Q2, AT_Q2);
  store<f32>(at, -P2, AT_MINUS_P2);
  store<f32>(at, -Q2, AT_MINUS_Q2);
  store<f32>(at, P2 * Q2, AT_ENDS);
  store<f32>(at, -(P2 + Q2), AT_MIDDLE);
  store<f32>(at, 1 / OF_ZERO, AT_OF_ZERO);
  store<f32>(at, 1 / OF_P, AT_EVEN_P);
  store<f32>(at, P / OF_P, AT_ODD_P);
  store<f32>(at, 1 / OF_Q, AT_EVEN_Q);
  store<f32>(at, Q / OF_Q, AT_ODD_Q);
}

/** Inputs that a tile sees along a side. */
export const REACH: i32 = 6;

/** Bytes of eight channels. */
const GROUP: usize = 32;
/** Bytes of a line of inputs, and of outputs, of eight channels. */
const REACH_LINE: usize = <usize>REACH * GROUP;
const SIDE_LINE: usize = <usize>SIDE * GROUP;

/*
 * Sizes of so many vectors of four channels, for `offsetof`: distances that are known when compiled become part of an
 * address and cost nothing.
 */
@unmanaged
class Vectors0 {}
@unmanaged
class Vectors2 { a: v128; b: v128; }
@unmanaged
class Vectors4 extends Vectors2 { c: v128; d: v128; }
@unmanaged
class Vectors8 extends Vectors4 { e: v128; f: v128; g: v128; h: v128; }
@unmanaged
class Vectors12 extends Vectors8 { i: v128; j: v128; k: v128; l: v128; }

/** Bytes from point to point of a tile's transformed channels, of which there are at most 32: 32, 64 or 128. */
export function pointBytesOf(channels: i32): usize {
  if (channels <= 8) return offsetof<Vectors2>();
  return channels <= 16 ? offsetof<Vectors4>() : offsetof<Vectors8>();
}

/** Bytes from tile to tile: 64 more than the points take, or their lines would share cache sets. */
export function tileBytesOf(pointBytes: usize): usize {
  return pointBytes * POINTS + 64;
}

/** Bytes of room that each of the transforms can do with. */
export const ROOM: i32 = 2048;

/**
 * B' d of one line. The addresses are those of eight floats each; there are `From` more bytes from each to the next, and
 * `To` bytes from result to result.
 */
// @ts-ignore: decorator
@inline
function inputLine<From, To>(
  d0: usize, d1: usize, d2: usize, d3: usize, d4: usize, d5: usize, to: usize,
  p: v128, q: v128, near: v128, far: v128, ends: v128, middle: v128,
): void {
  const a1 = v128.load(d1, offsetof<From>()), b1 = v128.load(d1, offsetof<From>() + 16);
  const a2 = v128.load(d2, 2 * offsetof<From>()), b2 = v128.load(d2, 2 * offsetof<From>() + 16);
  const a3 = v128.load(d3, 3 * offsetof<From>()), b3 = v128.load(d3, 3 * offsetof<From>() + 16);
  const a4 = v128.load(d4, 4 * offsetof<From>()), b4 = v128.load(d4, 4 * offsetof<From>() + 16);
  const evenA = multiplyAdd(a2, near, a4), evenB = multiplyAdd(b2, near, b4);
  const oddA = multiplyAdd(a1, near, a3), oddB = multiplyAdd(b1, near, b3);
  v128.store(to, multiplyAdd(oddB, p, evenB), offsetof<To>() + 16);
  v128.store(to, multiplyAdd(oddA, p, evenA), offsetof<To>());
  v128.store(to, multiplySubtract(oddB, p, evenB), 2 * offsetof<To>() + 16);
  v128.store(to, multiplySubtract(oddA, p, evenA), 2 * offsetof<To>());
  const evenFarA = multiplyAdd(a2, far, a4), evenFarB = multiplyAdd(b2, far, b4);
  const oddFarA = multiplyAdd(a1, far, a3), oddFarB = multiplyAdd(b1, far, b3);
  v128.store(to, multiplyAdd(oddFarB, q, evenFarB), 3 * offsetof<To>() + 16);
  v128.store(to, multiplyAdd(oddFarA, q, evenFarA), 3 * offsetof<To>());
  v128.store(to, multiplySubtract(oddFarB, q, evenFarB), 4 * offsetof<To>() + 16);
  v128.store(to, multiplySubtract(oddFarA, q, evenFarA), 4 * offsetof<To>());
  const a0 = v128.load(d0), b0 = v128.load(d0, 16);
  v128.store(to, multiplyAdd(b0, ends, multiplyAdd(b2, middle, b4)), 16);
  v128.store(to, multiplyAdd(a0, ends, multiplyAdd(a2, middle, a4)));
  const a5 = v128.load(d5, 5 * offsetof<From>()), b5 = v128.load(d5, 5 * offsetof<From>() + 16);
  v128.store(to, multiplyAdd(b1, ends, multiplyAdd(b3, middle, b5)), 5 * offsetof<To>() + 16);
  v128.store(to, multiplyAdd(a1, ends, multiplyAdd(a3, middle, a5)), 5 * offsetof<To>());
}

/** A dy of one line; otherwise as `inputLine`. */
// @ts-ignore: decorator
@inline
function gradientLine<From, To>(
  y0: usize, y1: usize, y2: usize, y3: usize, to: usize, p: v128, q: v128, p2: v128, q2: v128,
): void {
  const a0 = v128.load(y0), b0 = v128.load(y0, 16);
  const a1 = v128.load(y1, offsetof<From>()), b1 = v128.load(y1, offsetof<From>() + 16);
  const a2 = v128.load(y2, 2 * offsetof<From>()), b2 = v128.load(y2, 2 * offsetof<From>() + 16);
  const a3 = v128.load(y3, 3 * offsetof<From>()), b3 = v128.load(y3, 3 * offsetof<From>() + 16);
  v128.store(to, b0, 16);
  v128.store(to, a0);
  const evenA = multiplyAdd(a2, p2, a0), evenB = multiplyAdd(b2, p2, b0);
  const oddA = multiplyAdd(a3, p2, a1), oddB = multiplyAdd(b3, p2, b1);
  v128.store(to, multiplyAdd(oddB, p, evenB), offsetof<To>() + 16);
  v128.store(to, multiplyAdd(oddA, p, evenA), offsetof<To>());
  v128.store(to, multiplySubtract(oddB, p, evenB), 2 * offsetof<To>() + 16);
  v128.store(to, multiplySubtract(oddA, p, evenA), 2 * offsetof<To>());
  const evenFarA = multiplyAdd(a2, q2, a0), evenFarB = multiplyAdd(b2, q2, b0);
  const oddFarA = multiplyAdd(a3, q2, a1), oddFarB = multiplyAdd(b3, q2, b1);
  v128.store(to, multiplyAdd(oddFarB, q, evenFarB), 3 * offsetof<To>() + 16);
  v128.store(to, multiplyAdd(oddFarA, q, evenFarA), 3 * offsetof<To>());
  v128.store(to, multiplySubtract(oddFarB, q, evenFarB), 4 * offsetof<To>() + 16);
  v128.store(to, multiplySubtract(oddFarA, q, evenFarA), 4 * offsetof<To>());
  v128.store(to, b3, 5 * offsetof<To>() + 16);
  v128.store(to, a3, 5 * offsetof<To>());
}

/** A place of a table of addresses, so many bytes further. */
// @ts-ignore: decorator
@inline
function pixel(table: usize, i: usize, offset: usize): usize {
  return load<usize>(table + (i << 2)) + offset;
}

/**
 * B' d B of one tile. Reads up to seven floats past the channels of a pixel.
 *
 * @param pixels addresses of its 6 x 6 pixels, column after column
 * @param offset bytes from there to the first channel
 * @param channels a multiple of 8, or what is past them is transformed too
 * @param room scratch
 * @param to point after point, the channels of each `Point` bytes
 */
function inputTile<Point>(pixels: usize, offset: usize, channels: i32, room: usize, to: usize): void {
  const p = v128.load32_splat(factors, AT_P);
  const q = v128.load32_splat(factors, AT_Q);
  const near = v128.load32_splat(factors, AT_MINUS_Q2);
  const far = v128.load32_splat(factors, AT_MINUS_P2);
  const ends = v128.load32_splat(factors, AT_ENDS);
  const middle = v128.load32_splat(factors, AT_MIDDLE);
  for (let channel = 0; channel < channels; channel += 8) {
    let at = pixels;
    for (let column: usize = 0; column < REACH_LINE; column += GROUP) {
      inputLine<Vectors0, Vectors12>(
        pixel(at, 0, offset), pixel(at, 1, offset), pixel(at, 2, offset),
        pixel(at, 3, offset), pixel(at, 4, offset), pixel(at, 5, offset),
        room + column, p, q, near, far, ends, middle,
      );
      at += REACH << 2;
    }
    let target = to;
    for (let line: usize = 0; line < <usize>REACH * REACH_LINE; line += REACH_LINE) {
      const from = room + line;
      inputLine<Vectors2, Point>(from, from, from, from, from, from, target, p, q, near, far, ends, middle);
      target += REACH * offsetof<Point>();
    }
    offset += GROUP;
    to += GROUP;
  }
}

/** As `inputTile` for points `pointBytes` apart. */
export function transformInput(
  pixels: usize, offset: usize, channels: i32, room: usize, to: usize, pointBytes: usize,
): void {
  if (pointBytes == offsetof<Vectors2>()) inputTile<Vectors2>(pixels, offset, channels, room, to);
  else if (pointBytes == offsetof<Vectors4>()) inputTile<Vectors4>(pixels, offset, channels, room, to);
  else inputTile<Vectors8>(pixels, offset, channels, room, to);
}

/** A dy A' of one tile, from the addresses of its 4 x 4 pixels; otherwise as `inputTile`. */
function gradientTile<Point>(pixels: usize, offset: usize, channels: i32, room: usize, to: usize): void {
  const p = v128.load32_splat(factors, AT_P);
  const q = v128.load32_splat(factors, AT_Q);
  const p2 = v128.load32_splat(factors, AT_P2);
  const q2 = v128.load32_splat(factors, AT_Q2);
  for (let channel = 0; channel < channels; channel += 8) {
    let at = pixels;
    for (let column: usize = 0; column < SIDE_LINE; column += GROUP) {
      gradientLine<Vectors0, Vectors8>(
        pixel(at, 0, offset), pixel(at, 1, offset), pixel(at, 2, offset), pixel(at, 3, offset), room + column, p, q, p2, q2,
      );
      at += SIDE << 2;
    }
    let target = to;
    for (let line: usize = 0; line < <usize>REACH * SIDE_LINE; line += SIDE_LINE) {
      const from = room + line;
      gradientLine<Vectors2, Point>(from, from, from, from, target, p, q, p2, q2);
      target += REACH * offsetof<Point>();
    }
    offset += GROUP;
    to += GROUP;
  }
}

/** As `gradientTile` for points `pointBytes` apart. */
export function transformGradient(
  pixels: usize, offset: usize, channels: i32, room: usize, to: usize, pointBytes: usize,
): void {
  if (pointBytes == offsetof<Vectors2>()) gradientTile<Vectors2>(pixels, offset, channels, room, to);
  else if (pointBytes == offsetof<Vectors4>()) gradientTile<Vectors4>(pixels, offset, channels, room, to);
  else gradientTile<Vectors8>(pixels, offset, channels, room, to);
}

/** A' m of one line; otherwise as `inputLine`. */
// @ts-ignore: decorator
@inline
function outputLine<From, To>(from: usize, to: usize, p: v128, q: v128, p2: v128, q2: v128): void {
  const a1 = v128.load(from, offsetof<From>()), b1 = v128.load(from, offsetof<From>() + 16);
  const a2 = v128.load(from, 2 * offsetof<From>()), b2 = v128.load(from, 2 * offsetof<From>() + 16);
  const a3 = v128.load(from, 3 * offsetof<From>()), b3 = v128.load(from, 3 * offsetof<From>() + 16);
  const a4 = v128.load(from, 4 * offsetof<From>()), b4 = v128.load(from, 4 * offsetof<From>() + 16);
  const evenA = f32x4.add(a1, a2), evenB = f32x4.add(b1, b2);
  const evenFarA = f32x4.add(a3, a4), evenFarB = f32x4.add(b3, b4);
  const a0 = v128.load(from), b0 = v128.load(from, 16);
  v128.store(to, f32x4.add(b0, f32x4.add(evenB, evenFarB)), 16);
  v128.store(to, f32x4.add(a0, f32x4.add(evenA, evenFarA)));
  v128.store(to, multiplyAdd(evenFarB, q2, f32x4.mul(evenB, p2)), 2 * offsetof<To>() + 16);
  v128.store(to, multiplyAdd(evenFarA, q2, f32x4.mul(evenA, p2)), 2 * offsetof<To>());
  const oddA = f32x4.mul(f32x4.sub(a1, a2), p), oddB = f32x4.mul(f32x4.sub(b1, b2), p);
  const oddFarA = f32x4.mul(f32x4.sub(a3, a4), q), oddFarB = f32x4.mul(f32x4.sub(b3, b4), q);
  v128.store(to, f32x4.add(oddB, oddFarB), offsetof<To>() + 16);
  v128.store(to, f32x4.add(oddA, oddFarA), offsetof<To>());
  const a5 = v128.load(from, 5 * offsetof<From>()), b5 = v128.load(from, 5 * offsetof<From>() + 16);
  v128.store(to, multiplyAdd(oddFarB, q2, multiplyAdd(oddB, p2, b5)), 3 * offsetof<To>() + 16);
  v128.store(to, multiplyAdd(oddFarA, q2, multiplyAdd(oddA, p2, a5)), 3 * offsetof<To>());
}

/** Bytes of the room of `transformOutput`: its 4 x 4 outputs, and 4 x 6 values on the way to them. */
export const OUTPUT_ROOM: usize = (16 + 24) * GROUP;

/** A' m A of eight channels of one tile: 4 x 4 outputs, line after line at `room`; points are `Point` bytes apart. */
function outputTile<Point>(from: usize, room: usize): void {
  const p = v128.load32_splat(factors, AT_P);
  const q = v128.load32_splat(factors, AT_Q);
  const p2 = v128.load32_splat(factors, AT_P2);
  const q2 = v128.load32_splat(factors, AT_Q2);
  const lines = room + 16 * GROUP;
  for (let line: usize = 0; line < REACH_LINE; line += GROUP) {
    outputLine<Point, Vectors12>(from, lines + line, p, q, p2, q2);
    from += REACH * offsetof<Point>();
  }
  for (let column: usize = 0; column < <usize>SIDE; column++) {
    outputLine<Vectors2, Vectors8>(lines + column * REACH_LINE, room + column * GROUP, p, q, p2, q2);
  }
}

/** As `outputTile` for points `pointBytes` apart: those of a panel. */
export function transformOutput(from: usize, pointBytes: usize, room: usize): void {
  if (pointBytes == offsetof<Vectors2>()) outputTile<Vectors2>(from, room);
  else outputTile<Vectors4>(from, room);
}

/** G g of one line, eight columns as two vectors each; `to` is `stride` apart. */
// @ts-ignore: decorator
@inline
function filterLine(a0: v128, b0: v128, a1: v128, b1: v128, a2: v128, b2: v128, to: usize, stride: usize): void {
  const ofZero = v128.load32_splat(factors, AT_OF_ZERO);
  const evenP = v128.load32_splat(factors, AT_EVEN_P);
  const oddP = v128.load32_splat(factors, AT_ODD_P);
  const evenQ = v128.load32_splat(factors, AT_EVEN_Q);
  const oddQ = v128.load32_splat(factors, AT_ODD_Q);
  const p2 = v128.load32_splat(factors, AT_P2);
  const q2 = v128.load32_splat(factors, AT_Q2);
  storePair(to, f32x4.mul(a0, ofZero), f32x4.mul(b0, ofZero));
  to += stride;
  const evenA = f32x4.mul(multiplyAdd(a2, p2, a0), evenP), evenB = f32x4.mul(multiplyAdd(b2, p2, b0), evenP);
  const oddA = f32x4.mul(a1, oddP), oddB = f32x4.mul(b1, oddP);
  storePair(to, f32x4.add(evenA, oddA), f32x4.add(evenB, oddB));
  to += stride;
  storePair(to, f32x4.sub(evenA, oddA), f32x4.sub(evenB, oddB));
  to += stride;
  const evenFarA = f32x4.mul(multiplyAdd(a2, q2, a0), evenQ), evenFarB = f32x4.mul(multiplyAdd(b2, q2, b0), evenQ);
  const oddFarA = f32x4.mul(a1, oddQ), oddFarB = f32x4.mul(b1, oddQ);
  storePair(to, f32x4.add(evenFarA, oddFarA), f32x4.add(evenFarB, oddFarB));
  to += stride;
  storePair(to, f32x4.sub(evenFarA, oddFarA), f32x4.sub(evenFarB, oddFarB));
  to += stride;
  storePair(to, a2, b2);
}

/** Four columns of a filter tap, `columnBytes` apart; the lanes past `count` are 0. */
// @ts-ignore: decorator
@inline
function gather(from: usize, columnBytes: usize, count: i32): v128 {
  if (count < 1) return zero();
  if (columnBytes == 4) return loadPart(from, count);
  let value = v128.load32_zero(from);
  if (count > 1) value = v128.load32_lane(from + columnBytes, value, 1);
  if (count > 2) value = v128.load32_lane(from + 2 * columnBytes, value, 2);
  if (count > 3) value = v128.load32_lane(from + 3 * columnBytes, value, 3);
  return value;
}

/** Bytes of the room of `transformFilter`: 6 x 3 values on the way. */
export const FILTER_ROOM: usize = 18 * GROUP;

/**
 * G g G' of eight columns of a filter.
 *
 * @param from first of the 3 x 3 taps, `tapBytes` apart
 * @param count columns that there are; the others are taken as 0
 * @param to point after point, `pointBytes` apart
 */
export function transformFilter(
  from: usize, tapBytes: usize, columnBytes: usize, count: i32, room: usize, to: usize, pointBytes: usize,
): void {
  for (let column: usize = 0; column < 3 * GROUP; column += GROUP) {
    const below = from + 3 * tapBytes;
    const far = below + 3 * tapBytes;
    const half = columnBytes << 2;
    filterLine(
      gather(from, columnBytes, count), gather(from + half, columnBytes, count - 4),
      gather(below, columnBytes, count), gather(below + half, columnBytes, count - 4),
      gather(far, columnBytes, count), gather(far + half, columnBytes, count - 4),
      room + column, 3 * GROUP,
    );
    from += tapBytes;
  }
  for (let line = 0; line < REACH; line++) {
    filterLine(
      v128.load(room), v128.load(room, 16), v128.load(room, 32),
      v128.load(room, 48), v128.load(room, 64), v128.load(room, 80),
      to, pointBytes,
    );
    room += 3 * GROUP;
    to += pointBytes * REACH;
  }
}

/** G' m of one line of points, `stride` apart; every address is that of eight floats. */
// @ts-ignore: decorator
@inline
function tapsLine(m0: usize, m1: usize, m2: usize, m3: usize, m4: usize, m5: usize, to: usize, stride: usize): void {
  const a0 = v128.load(m0), b0 = v128.load(m0, 16), a1 = v128.load(m1), b1 = v128.load(m1, 16);
  const a2 = v128.load(m2), b2 = v128.load(m2, 16), a3 = v128.load(m3), b3 = v128.load(m3, 16);
  const a4 = v128.load(m4), b4 = v128.load(m4, 16), a5 = v128.load(m5), b5 = v128.load(m5, 16);
  const ofZero = v128.load32_splat(factors, AT_OF_ZERO);
  const ofP = v128.load32_splat(factors, AT_EVEN_P);
  const ofQ = v128.load32_splat(factors, AT_EVEN_Q);
  const p = v128.load32_splat(factors, AT_ODD_P);
  const q = v128.load32_splat(factors, AT_ODD_Q);
  const p2 = v128.load32_splat(factors, AT_P2);
  const q2 = v128.load32_splat(factors, AT_Q2);
  const evenA = f32x4.mul(f32x4.add(a1, a2), ofP), evenB = f32x4.mul(f32x4.add(b1, b2), ofP);
  const evenFarA = f32x4.mul(f32x4.add(a3, a4), ofQ), evenFarB = f32x4.mul(f32x4.add(b3, b4), ofQ);
  storePair(
    to,
    multiplyAdd(a0, ofZero, f32x4.add(evenA, evenFarA)),
    multiplyAdd(b0, ofZero, f32x4.add(evenB, evenFarB)),
  );
  to += stride;
  const oddA = f32x4.mul(f32x4.sub(a1, a2), p), oddB = f32x4.mul(f32x4.sub(b1, b2), p);
  const oddFarA = f32x4.mul(f32x4.sub(a3, a4), q), oddFarB = f32x4.mul(f32x4.sub(b3, b4), q);
  storePair(to, f32x4.add(oddA, oddFarA), f32x4.add(oddB, oddFarB));
  to += stride;
  storePair(
    to,
    multiplyAdd(evenA, p2, multiplyAdd(evenFarA, q2, a5)),
    multiplyAdd(evenB, p2, multiplyAdd(evenFarB, q2, b5)),
  );
}

/** G' m G: the 3 x 3 taps of a filter's gradient, eight columns each, tap after tap at `room`; 3 x 6 values on the way lie after them. */
export function transformTaps(from: usize, pointBytes: usize, room: usize): void {
  const stride = pointBytes * REACH;
  const lines = room + 9 * GROUP;
  for (let i: usize = 0; i < 6 * GROUP; i += GROUP) {
    tapsLine(
      from, from + stride, from + 2 * stride, from + 3 * stride, from + 4 * stride, from + 5 * stride,
      lines + i, 6 * GROUP,
    );
    from += pointBytes;
  }
  for (let line: usize = 0; line < 3; line++) {
    const at = lines + line * 6 * GROUP;
    tapsLine(
      at, at + GROUP, at + 2 * GROUP, at + 3 * GROUP, at + 4 * GROUP, at + 5 * GROUP, room + line * 3 * GROUP, GROUP,
    );
  }
}

/**
 * Writes the addresses of the side x side pixels from (y, x) on, column after column; zeros lie outside the image.
 *
 * @param image its first pixel
 */
export function locateTile(
  image: usize, pixelBytes: usize, height: i32, width: i32, y: i32, x: i32, side: i32, zeros: usize, table: usize,
): void {
  for (let column = x; column < x + side; column++) {
    const wide = <u32>column < <u32>width;
    for (let line = y; line < y + side; line++) {
      const inside = wide && <u32>line < <u32>height;
      store<usize>(table, inside ? image + <usize>(line * width + column) * pixelBytes : zeros);
      table += 4;
    }
  }
}
