import { loadPart, multiplyAdd } from './vector';

/*
 * The transforms of F(4x4, 3x3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015,
 * arXiv:1509.09308, section 4.3). A tile of 4 x 4 outputs y sees 6 x 6 inputs d through a filter g of 3 x 3:
 *
 *     y = A' [(G g G') * (B' d B)] A          in place of 144 products per pair of channels, 36
 *     dg = G' [(B' d B) * (A dy A')] G        the same bilinear form, read as a function of g
 *
 * Each is done on lines first and on columns then, four channels at a time. The interpolation points are 0, P, -P, Q, -Q
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

/** Products per tile and pair of channels. */
export const POINTS: i32 = 36;
/** Outputs of a tile along a side, and inputs that it sees. */
export const SIDE: i32 = 4;
export const REACH: i32 = 6;

/** Bytes of room that the transforms of so many channels need. */
// @ts-ignore: decorator
@inline
export function transformBytes(channels: i32): i32 {
  return POINTS * ((channels + 3) & ~3) * 4;
}

/** B' d of one line. */
// @ts-ignore: decorator
@inline
function inputLine(d0: v128, d1: v128, d2: v128, d3: v128, d4: v128, d5: v128, to: usize, stride: usize): void {
  const even = multiplyAdd(d2, f32x4.splat(-Q2), d4);
  const odd = f32x4.mul(multiplyAdd(d1, f32x4.splat(-Q2), d3), f32x4.splat(P));
  const evenFar = multiplyAdd(d2, f32x4.splat(-P2), d4);
  const oddFar = f32x4.mul(multiplyAdd(d1, f32x4.splat(-P2), d3), f32x4.splat(Q));
  const ends = f32x4.splat(P2 * Q2);
  const middle = f32x4.splat(-(P2 + Q2));
  v128.store(to, multiplyAdd(d0, ends, multiplyAdd(d2, middle, d4)));
  v128.store(to + stride, f32x4.add(even, odd));
  v128.store(to + 2 * stride, f32x4.sub(even, odd));
  v128.store(to + 3 * stride, f32x4.add(evenFar, oddFar));
  v128.store(to + 4 * stride, f32x4.sub(evenFar, oddFar));
  v128.store(to + 5 * stride, multiplyAdd(d1, ends, multiplyAdd(d3, middle, d5)));
}

/** A dy of one line. */
// @ts-ignore: decorator
@inline
function gradientLine(y0: v128, y1: v128, y2: v128, y3: v128, to: usize, stride: usize): void {
  const even = multiplyAdd(y2, f32x4.splat(P2), y0);
  const odd = f32x4.mul(multiplyAdd(y3, f32x4.splat(P2), y1), f32x4.splat(P));
  const evenFar = multiplyAdd(y2, f32x4.splat(Q2), y0);
  const oddFar = f32x4.mul(multiplyAdd(y3, f32x4.splat(Q2), y1), f32x4.splat(Q));
  v128.store(to, y0);
  v128.store(to + stride, f32x4.add(even, odd));
  v128.store(to + 2 * stride, f32x4.sub(even, odd));
  v128.store(to + 3 * stride, f32x4.add(evenFar, oddFar));
  v128.store(to + 4 * stride, f32x4.sub(evenFar, oddFar));
  v128.store(to + 5 * stride, y3);
}

/** Four channels of the pixel at a place of a table of addresses. */
// @ts-ignore: decorator
@inline
function pixel(table: usize, i: usize, offset: usize): v128 {
  return v128.load(load<usize>(table + (i << 2)) + offset);
}

/**
 * B' d B of one tile. Reads up to three floats past the channels of a pixel.
 *
 * @param pixels addresses of its 6 x 6 pixels, column after column
 * @param offset bytes from there to the first channel
 * @param vectors channels / 4
 * @param room scratch
 * @param to point after point `pointBytes` apart, four channels each, the next four `vectorBytes` further
 */
export function transformInput(
  pixels: usize, offset: usize, vectors: i32, room: usize, to: usize, pointBytes: usize, vectorBytes: usize,
): void {
  const bytes = <usize>vectors << 4;
  let place = room;
  for (let column = 0; column < REACH; column++) {
    for (let at: usize = 0; at < bytes; at += 16) {
      inputLine(
        pixel(pixels, 0, offset + at), pixel(pixels, 1, offset + at), pixel(pixels, 2, offset + at),
        pixel(pixels, 3, offset + at), pixel(pixels, 4, offset + at), pixel(pixels, 5, offset + at),
        place + at, bytes * REACH,
      );
    }
    pixels += REACH << 2;
    place += bytes;
  }
  for (let line = 0; line < REACH; line++) {
    let from = room;
    let target = to;
    for (let vector = 0; vector < vectors; vector++) {
      inputLine(
        v128.load(from), v128.load(from + bytes), v128.load(from + 2 * bytes),
        v128.load(from + 3 * bytes), v128.load(from + 4 * bytes), v128.load(from + 5 * bytes),
        target, pointBytes,
      );
      from += 16;
      target += vectorBytes;
    }
    room += bytes * REACH;
    to += pointBytes * REACH;
  }
}

/** A dy A' of one tile, from the addresses of its 4 x 4 pixels; otherwise as `transformInput`. */
export function transformGradient(
  pixels: usize, offset: usize, vectors: i32, room: usize, to: usize, pointBytes: usize, vectorBytes: usize,
): void {
  const bytes = <usize>vectors << 4;
  let place = room;
  for (let column = 0; column < SIDE; column++) {
    for (let at: usize = 0; at < bytes; at += 16) {
      gradientLine(
        pixel(pixels, 0, offset + at), pixel(pixels, 1, offset + at),
        pixel(pixels, 2, offset + at), pixel(pixels, 3, offset + at),
        place + at, bytes * SIDE,
      );
    }
    pixels += SIDE << 2;
    place += bytes;
  }
  for (let line = 0; line < REACH; line++) {
    let from = room;
    let target = to;
    for (let vector = 0; vector < vectors; vector++) {
      gradientLine(
        v128.load(from), v128.load(from + bytes), v128.load(from + 2 * bytes), v128.load(from + 3 * bytes),
        target, pointBytes,
      );
      from += 16;
      target += vectorBytes;
    }
    room += bytes * SIDE;
    to += pointBytes * REACH;
  }
}

/** A' m of one line, its four outputs `stride` apart. */
// @ts-ignore: decorator
@inline
function outputLine(m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128, to: usize, stride: usize): void {
  const even = f32x4.add(m1, m2);
  const odd = f32x4.mul(f32x4.sub(m1, m2), f32x4.splat(P));
  const evenFar = f32x4.add(m3, m4);
  const oddFar = f32x4.mul(f32x4.sub(m3, m4), f32x4.splat(Q));
  const p2 = f32x4.splat(P2);
  const q2 = f32x4.splat(Q2);
  v128.store(to, f32x4.add(m0, f32x4.add(even, evenFar)));
  v128.store(to + stride, f32x4.add(odd, oddFar));
  v128.store(to + 2 * stride, multiplyAdd(evenFar, q2, f32x4.mul(even, p2)));
  v128.store(to + 3 * stride, multiplyAdd(oddFar, q2, multiplyAdd(odd, p2, m5)));
}

/**
 * A' m A of four channels of one tile: 4 x 4 outputs, line after line at `room`, which has 640 bytes.
 *
 * @param from point after point, `pointBytes` apart
 */
export function transformOutput(from: usize, pointBytes: usize, room: usize): void {
  const stride = pointBytes * REACH;
  const columns = room + 256;
  for (let i: usize = 0; i < 96; i += 16) {
    outputLine(
      v128.load(from), v128.load(from + stride), v128.load(from + 2 * stride),
      v128.load(from + 3 * stride), v128.load(from + 4 * stride), v128.load(from + 5 * stride),
      columns + i, 96,
    );
    from += pointBytes;
  }
  for (let line: usize = 0; line < <usize>SIDE; line++) {
    const at = columns + line * 96;
    outputLine(
      v128.load(at), v128.load(at, 16), v128.load(at, 32), v128.load(at, 48), v128.load(at, 64), v128.load(at, 80),
      room + line * 64, 16,
    );
  }
}

/** G g of one line, `to` being `stride` apart. */
// @ts-ignore: decorator
@inline
function filterLine(g0: v128, g1: v128, g2: v128, to: usize, stride: usize): void {
  const even = f32x4.mul(multiplyAdd(g2, f32x4.splat(P2), g0), f32x4.splat(1 / OF_P));
  const odd = f32x4.mul(g1, f32x4.splat(P / OF_P));
  const evenFar = f32x4.mul(multiplyAdd(g2, f32x4.splat(Q2), g0), f32x4.splat(1 / OF_Q));
  const oddFar = f32x4.mul(g1, f32x4.splat(Q / OF_Q));
  v128.store(to, f32x4.mul(g0, f32x4.splat(1 / OF_ZERO)));
  v128.store(to + stride, f32x4.add(even, odd));
  v128.store(to + 2 * stride, f32x4.sub(even, odd));
  v128.store(to + 3 * stride, f32x4.add(evenFar, oddFar));
  v128.store(to + 4 * stride, f32x4.sub(evenFar, oddFar));
  v128.store(to + 5 * stride, g2);
}

/** Four columns of a filter tap, `columnBytes` apart; the lanes past `count` are 0. */
// @ts-ignore: decorator
@inline
function gather(from: usize, columnBytes: usize, count: i32): v128 {
  if (columnBytes == 4) return loadPart(from, count);
  let value = v128.load32_zero(from);
  if (count > 1) value = v128.load32_lane(from + columnBytes, value, 1);
  if (count > 2) value = v128.load32_lane(from + 2 * columnBytes, value, 2);
  if (count > 3) value = v128.load32_lane(from + 3 * columnBytes, value, 3);
  return value;
}

/**
 * G g G' of four columns of a filter.
 *
 * @param from first of the 3 x 3 taps, `tapBytes` apart
 * @param to point after point, `pointBytes` apart
 */
export function transformFilter(
  from: usize, tapBytes: usize, columnBytes: usize, count: i32, room: usize, to: usize, pointBytes: usize,
): void {
  for (let column: usize = 0; column < 48; column += 16) {
    const below = from + 3 * tapBytes;
    filterLine(
      gather(from, columnBytes, count),
      gather(below, columnBytes, count),
      gather(below + 3 * tapBytes, columnBytes, count),
      room + column, 48,
    );
    from += tapBytes;
  }
  for (let line = 0; line < REACH; line++) {
    filterLine(v128.load(room), v128.load(room, 16), v128.load(room, 32), to, pointBytes);
    room += 48;
    to += pointBytes * REACH;
  }
}

/** G' m of one line of points, `stride` apart. */
// @ts-ignore: decorator
@inline
function tapsLine(
  m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128, to: usize, stride: usize,
): void {
  const even = f32x4.mul(f32x4.add(m1, m2), f32x4.splat(1 / OF_P));
  const odd = f32x4.mul(f32x4.sub(m1, m2), f32x4.splat(P / OF_P));
  const evenFar = f32x4.mul(f32x4.add(m3, m4), f32x4.splat(1 / OF_Q));
  const oddFar = f32x4.mul(f32x4.sub(m3, m4), f32x4.splat(Q / OF_Q));
  v128.store(to, multiplyAdd(m0, f32x4.splat(1 / OF_ZERO), f32x4.add(even, evenFar)));
  v128.store(to + stride, f32x4.add(odd, oddFar));
  v128.store(to + 2 * stride, multiplyAdd(even, f32x4.splat(P2), multiplyAdd(evenFar, f32x4.splat(Q2), m5)));
}

/** G' m G: the 3 x 3 taps of a filter's gradient, four columns each, tap after tap at `room`; uses 432 bytes there. */
export function transformTaps(from: usize, pointBytes: usize, room: usize): void {
  const lines = room + 144;
  for (let i: usize = 0; i < 96; i += 16) {
    const stride = pointBytes * REACH;
    tapsLine(
      v128.load(from), v128.load(from + stride), v128.load(from + 2 * stride),
      v128.load(from + 3 * stride), v128.load(from + 4 * stride), v128.load(from + 5 * stride),
      lines + i, 96,
    );
    from += pointBytes;
  }
  for (let line: usize = 0; line < 3; line++) {
    const at = lines + line * 96;
    tapsLine(
      v128.load(at), v128.load(at, 16), v128.load(at, 32), v128.load(at, 48), v128.load(at, 64), v128.load(at, 80),
      room + line * 48, 16,
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
