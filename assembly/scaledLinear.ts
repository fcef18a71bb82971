import { LINEAR_ROWS } from '../src/core/kernelConstants';
import { addParts } from './channels';
import { exp } from './exponential';
import { parallel, taskArguments, thread } from './parallel';
import { tileOfPanels8 } from './tiles';
import { ceilDivide, least, loadPart, multiplyAdd, storePair, storePart, sumLanes, zero } from './vector';

/**
 * Actnorm and 1x1 convolution as one linear map of the channels, M being the scaled matrix:
 *
 *     y = (x + offset) M,  M = diag(exp(logScale)) W;    inverse: y = x M - offset,  M = W diag(exp(-logScale))
 *
 * M lies in lines of `width` floats, the number of channels rounded up to a multiple of 8; so do copied rows. Zeros fill them.
 */
@unmanaged
class LinearMap {
  x: usize;
  rows: i32;
  channels: i32;
  width: i32;
  /** Rows per chunk; in the gradient a multiple of LINEAR_ROWS. */
  chunkRows: i32;
  offset: usize;
  logScale: usize;
  /** W, [channels, channels]. */
  matrix: usize;
  inverse: i32;
  /** y, or the gradient in x. */
  output: usize;
}

@unmanaged
class ScaledLinear extends LinearMap {
  /** Room for lines: three, M, and M transposed. */
  lines: usize;
  /** Room per thread: two blocks of rows. */
  local: usize;
  /** The gradient in y, or 0 where only y is wanted. */
  dy: usize;
  /** Room for [chunks, channels rounded up to 4, width], a line more each: (x + offset)^T dy, and the sums of dy. */
  parts: usize;
  dOffset: usize;
  dLogScale: usize;
  dMatrix: usize;
}

// @ts-ignore: decorator
@inline
function lineBytes(s: ScaledLinear): usize {
  return <usize>(s.width << 2);
}

/** exp(logScale), or exp(-logScale) in the inverse. */
// @ts-ignore: decorator
@inline
function scaleLine(s: ScaledLinear): usize {
  return s.lines;
}

/** What is added to x. */
// @ts-ignore: decorator
@inline
function beforeLine(s: ScaledLinear): usize {
  return s.lines + lineBytes(s);
}

/** What is added to the product. */
// @ts-ignore: decorator
@inline
function afterLine(s: ScaledLinear): usize {
  return s.lines + lineBytes(s) * 2;
}

// @ts-ignore: decorator
@inline
function scaledMatrix(s: ScaledLinear): usize {
  return s.lines + lineBytes(s) * 3;
}

// @ts-ignore: decorator
@inline
function transposedMatrix(s: ScaledLinear): usize {
  return scaledMatrix(s) + lineBytes(s) * s.channels;
}

/** Bytes of one part of the sums. */
// @ts-ignore: decorator
@inline
function partBytes(s: ScaledLinear): usize {
  return lineBytes(s) * (((s.channels + 3) & ~3) + 1);
}

/** Computes y. */
export function scaledLinear(): void {
  const s = taskArguments<ScaledLinear>();
  scaleMatrix(s);
  parallel<ScaledLinearChunk>(ceilDivide(s.rows, s.chunkRows));
}

/** Computes the gradients. */
export function scaledLinearGradient(): void {
  const s = taskArguments<ScaledLinear>();
  const chunks = ceilDivide(s.rows, s.chunkRows);
  scaleMatrix(s);
  transposeMatrix(s);
  parallel<ScaledLinearChunk>(chunks);
  addParts(s.parts, chunks, <i32>(partBytes(s) >> 2));
  placeGradients(s);
}

function scaleMatrix(s: ScaledLinear): void {
  const channels = s.channels;
  for (let j = 0; j < s.width; j += 4) {
    const at = <usize>(j << 2);
    const left = channels - j;
    const offset = left > 0 ? loadPart(s.offset + at, left) : zero();
    const logScale = left > 0 ? loadPart(s.logScale + at, left) : zero();
    v128.store(scaleLine(s) + at, exp(s.inverse ? f32x4.neg(logScale) : logScale));
    v128.store(beforeLine(s) + at, s.inverse ? zero() : offset);
    v128.store(afterLine(s) + at, s.inverse ? f32x4.neg(offset) : zero());
  }
  let from = s.matrix;
  let to = scaledMatrix(s);
  for (let i = 0; i < channels; i++) {
    for (let j = 0; j < s.width; j += 4) {
      const left = channels - j;
      const value = left > 0 ? loadPart(from + (j << 2), left) : zero();
      v128.store(to + (j << 2), f32x4.mul(value, factors(s, i, j)));
    }
    from += <usize>(channels << 2);
    to += lineBytes(s);
  }
}

/** What four entries of W in a row are multiplied by. */
// @ts-ignore: decorator
@inline
function factors(s: ScaledLinear, row: i32, column: i32): v128 {
  return s.inverse ? v128.load(scaleLine(s) + (column << 2)) : v128.load32_splat(scaleLine(s) + (row << 2));
}

function transposeMatrix(s: ScaledLinear): void {
  const channels = s.channels;
  let to = transposedMatrix(s);
  for (let i = 0; i < channels; i++) {
    let from = scaledMatrix(s) + (i << 2);
    for (let j = 0; j < s.width; j++) {
      store<f32>(to + (j << 2), j < channels ? load<f32>(from) : 0);
      from += lineBytes(s);
    }
    to += lineBytes(s);
  }
}

export class ScaledLinearChunk {
  run(chunk: i32): void {
    const s = taskArguments<ScaledLinear>();
    const blockBytes = lineBytes(s) * LINEAR_ROWS;
    const block = s.local + <usize>thread() * blockBytes * 2;
    const part = s.parts + <usize>chunk * partBytes(s);
    const first = chunk * s.chunkRows;
    const end = least(first + s.chunkRows, s.rows);
    for (let row = first; row < end; row += LINEAR_ROWS) {
      const rows = least(LINEAR_ROWS, end - row);
      copyBlock(s, s.x, beforeLine(s), row, rows, block);
      if (s.dy == 0) {
        multiplyBlock(s, block, scaledMatrix(s), afterLine(s), row, rows);
      } else {
        const gradient = block + blockBytes;
        copyBlock(s, s.dy, 0, row, rows, gradient);
        multiplyBlock(s, gradient, transposedMatrix(s), 0, row, rows);
        correlateBlock(s, block, gradient, rows, part, row > first);
      }
    }
  }
}

/** Rows of a tensor plus a line (none if 0). */
function copyBlock(s: ScaledLinear, from: usize, line: usize, row: i32, rows: i32, to: usize): void {
  const channels = s.channels;
  from += <usize>(row * channels) << 2;
  for (let i = 0; i < rows; i++) {
    v128.store(to + lineBytes(s) - 16, zero());
    for (let j = 0; j < channels; j += 4) {
      const value = loadPart(from + (j << 2), channels - j);
      v128.store(to + (j << 2), line == 0 ? value : f32x4.add(value, v128.load(line + (j << 2))));
    }
    from += <usize>(channels << 2);
    to += lineBytes(s);
  }
}

/** output = block matrix + line */
function multiplyBlock(s: ScaledLinear, block: usize, matrix: usize, line: usize, row: i32, rows: i32): void {
  const channels = s.channels;
  const outputBytes = <usize>(channels << 2);
  for (let column = 0; column < channels; column += 8) {
    const at = <usize>(column << 2);
    let from = block;
    let to = s.output + <usize>row * outputBytes + at;
    for (let i = 0; i < rows; i += 4) {
      tileOfRows(from, lineBytes(s), channels, matrix + at, line == 0 ? 0 : line + at, to, outputBytes, rows - i, channels - column);
      from += lineBytes(s) << 2;
      to += outputBytes << 2;
    }
  }
}

/** Four rows by eight columns; rows and columns past the end are computed and dropped. */
// @ts-ignore: decorator
@inline
function tileOfRows(
  from: usize, bytes: usize, depth: i32, matrix: usize, line: usize,
  to: usize, toBytes: usize, rows: i32, columns: i32,
): void {
  let p0 = from, p1 = p0 + bytes, p2 = p1 + bytes, p3 = p2 + bytes;
  let c00 = zero(), c01 = c00;
  if (line != 0) {
    c00 = v128.load(line);
    c01 = v128.load(line, 16);
  }
  let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
  while (true) {
    {
      const b0 = v128.load(matrix), b1 = v128.load(matrix, 16);
      let a = v128.load32_splat(p0); c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01);
      a = v128.load32_splat(p1); c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11);
      a = v128.load32_splat(p2); c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21);
      a = v128.load32_splat(p3); c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31);
    }
    if (depth == 1) break;
    matrix += bytes;
    {
      const b0 = v128.load(matrix), b1 = v128.load(matrix, 16);
      let a = v128.load32_splat(p0, 4); c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01);
      a = v128.load32_splat(p1, 4); c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11);
      a = v128.load32_splat(p2, 4); c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21);
      a = v128.load32_splat(p3, 4); c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31);
    }
    depth -= 2;
    if (depth == 0) break;
    p0 += 8; p1 += 8; p2 += 8; p3 += 8;
    matrix += bytes;
  }
  storeLine(to, c00, c01, columns);
  if (rows > 1) storeLine(to + toBytes, c10, c11, columns);
  if (rows > 2) storeLine(to + toBytes * 2, c20, c21, columns);
  if (rows > 3) storeLine(to + toBytes * 3, c30, c31, columns);
}

// @ts-ignore: decorator
@inline
function storeLine(to: usize, left: v128, right: v128, columns: i32): void {
  storePart(to, left, columns);
  if (columns > 4) storePart(to + 16, right, columns - 4);
}

/** part = or += values^T gradient, and below it the sums of the gradient's columns. */
function correlateBlock(s: ScaledLinear, values: usize, gradient: usize, rows: i32, part: usize, accumulate: bool): void {
  const bytes = lineBytes(s);
  const sums = part + partBytes(s) - bytes;
  for (let column: usize = 0; column < bytes; column += 32) {
    for (let k = 0; k < s.channels; k += 4) {
      tileOfPanels8(values + (k << 2), bytes, gradient + column, bytes, rows, part + <usize>k * bytes + column, bytes, accumulate);
    }
    let left = accumulate ? v128.load(sums + column) : zero();
    let right = accumulate ? v128.load(sums + column, 16) : zero();
    let at = gradient + column;
    for (let i = 0; i < rows; i++) {
      left = f32x4.add(left, v128.load(at));
      right = f32x4.add(right, v128.load(at, 16));
      at += bytes;
    }
    storePair(sums + column, left, right);
  }
}

/**
 * Gradients in the weights, from G = (x + offset)^T dy and s = sum dy:
 *
 *     dW_ij = G_ij exp(logScale_i),   d logScale_i = sum_j M_ij G_ij,   d offset = M s;
 *     inverse (G = x^T dy): dW_ij = G_ij exp(-logScale_j),   d logScale_j = -sum_i M_ij G_ij,   d offset = -s
 */
function placeGradients(s: ScaledLinear): void {
  const channels = s.channels;
  const bytes = lineBytes(s);
  const sums = s.parts + partBytes(s) - bytes;
  for (let j = 0; j < channels; j += 4) {
    const at = <usize>(j << 2);
    storePart(s.dOffset + at, f32x4.neg(v128.load(sums + at)), channels - j);
    storePart(s.dLogScale + at, zero(), channels - j);
  }
  let correlation = s.parts;
  let matrix = scaledMatrix(s);
  let dMatrix = s.dMatrix;
  for (let i = 0; i < channels; i++) {
    let ofLogScale = zero(), ofOffset = zero();
    for (let j = 0; j < channels; j += 4) {
      const at = <usize>(j << 2);
      const left = channels - j;
      const m = v128.load(matrix + at);
      const g = loadPart(correlation + at, left);
      storePart(dMatrix + at, f32x4.mul(g, factors(s, i, j)), left);
      if (s.inverse) {
        storePart(s.dLogScale + at, f32x4.sub(loadPart(s.dLogScale + at, left), f32x4.mul(m, g)), left);
      } else {
        ofLogScale = multiplyAdd(m, g, ofLogScale);
        ofOffset = multiplyAdd(m, v128.load(sums + at), ofOffset);
      }
    }
    if (!s.inverse) {
      store<f32>(s.dLogScale + (i << 2), sumLanes(ofLogScale));
      store<f32>(s.dOffset + (i << 2), sumLanes(ofOffset));
    }
    correlation += bytes;
    matrix += bytes;
    dMatrix += <usize>(channels << 2);
  }
}
