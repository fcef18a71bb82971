import { thread, taskArguments, parallel } from './parallel';
import { locateRows, Patches, tapCount, tapDepth } from './patches';
import { PACK_RIGHT, PRODUCT } from './tasks';
import { placeTile, tileOfRows4, tileOfRows8 } from './tiles';
import { ceilDivide, least, multiplyAdd, zero } from './vector';

/** Rows of one pass over the right factor's panel: their taps stay in the cache beside it. */
export const BLOCK_ROWS: i32 = 32;
/** Depth of one pass: a panel of 8 columns is then 16 kB. */
const BLOCK_DEPTH: i32 = 512;

/** output[rows, columns] = epilogue(patches[rows, taps * depth] right[taps * depth, columns]). */
@unmanaged
export class Product extends Patches {
  rows: i32;
  /** Rows per chunk, a multiple of 4 up to BLOCK_ROWS. */
  blockRows: i32;
  columns: i32;
  /** Right factor, and the floats from tap to tap, depth to depth, column to column. */
  right: usize;
  rightTap: i32;
  rightDepth: i32;
  rightColumn: i32;
  /** Room for the packed right factor: taps * depth * columns rounded up to a multiple of 8. */
  packed: usize;
  output: usize;
  /** Room per thread: table, edge tile, unfolded rows. */
  local: usize;
  localBytes: i32;
  /** Factor per column, or 0. */
  scale: usize;
  /** Summand per column, or 0; row r uses line r % shiftRows. */
  shift: usize;
  shiftRows: i32;
  relu: i32;
  /** [rows, columns]: where it is not above 0 the result is cleared, or 0 for none. */
  mask: usize;
  /** Per chunk the column sums of the masked result and of its product with the mask, or 0 for none. */
  sums: usize;
}

/** Bytes of scratch per thread. */
export function productLocalBytes(taps: i32, depth: i32, unfolded: i32): i32 {
  return 128 + (unfolded ? 128 + BLOCK_ROWS * depth * 4 + 64 : taps * BLOCK_ROWS * 4);
}

/** Runs a product whose arguments lie in the task's argument block. */
export function product(): void {
  const p = changetype<Product>(taskArguments());
  parallel(PACK_RIGHT, ceilDivide(p.columns, 8));
  parallel(PRODUCT, ceilDivide(p.rows, p.blockRows));
}

/** Width of the panel that starts at `column`: 4 where that covers what is left. */
// @ts-ignore: decorator
@inline
export function panelWidth(column: i32, columns: i32): i32 {
  return columns - column > 4 ? 8 : 4;
}

/** Packs one panel of the right factor: [tap][depth][width], columns past the end are zero. */
export function packRight(panel: i32): void {
  const p = changetype<Product>(taskArguments());
  const column = panel * 8;
  const width = panelWidth(column, p.columns);
  const valid = least(width, p.columns - column);
  const channels = p.channels;
  const taps = p.tapsHigh * p.tapsWide;
  const columnBytes = <usize>(p.rightColumn << 2);
  let to = p.packed + (<usize>(taps * channels * column) << 2);
  for (let tap = 0; tap < taps; tap++) {
    const tapStart = p.right + ((tap * p.rightTap + column * p.rightColumn) << 2);
    for (let k = 0; k < channels; k++) {
      let from = tapStart + ((k * p.rightDepth) << 2);
      if (valid == width && columnBytes == 4) {
        v128.store(to, v128.load(from));
        if (width == 8) v128.store(to, v128.load(from, 16), 16);
        to += width << 2;
      } else {
        for (let j = 0; j < width; j++) {
          store<f32>(to, j < valid ? load<f32>(from) : 0);
          from += columnBytes;
          to += 4;
        }
      }
    }
  }
}

/** Computes one block of rows. */
export function productBlock(chunk: i32): void {
  const p = changetype<Product>(taskArguments());
  const first = chunk * p.blockRows;
  const rows = least(p.blockRows, p.rows - first);
  const padded = (rows + 3) & ~3;
  const taps = tapCount(p);
  const depth = tapDepth(p);
  const columns = p.columns;
  const outputBytes = <usize>(columns << 2);
  const output = p.output + <usize>first * outputBytes;
  const tile = p.local + <usize>thread() * p.localBytes;
  const table = tile + 128;
  const tableStride: usize = BLOCK_ROWS * 4;
  locateRows(p, first, rows, table, tableStride, table + 128);
  for (let tap = 0; tap < taps; tap++) {
    const line = table + <usize>tap * tableStride;
    for (let row = rows; row < padded; row++) store<usize>(line + (row << 2), load<usize>(line));
  }

  const tapsAtOnce = depth < BLOCK_DEPTH ? BLOCK_DEPTH / depth : 1;
  for (let tap = 0; tap < taps; tap += tapsAtOnce) {
    const tapsNow = least(tapsAtOnce, taps - tap);
    for (let start = 0; start < depth; start += BLOCK_DEPTH) {
      const depthNow = least(BLOCK_DEPTH, depth - start);
      const accumulate = (tap | start) != 0;
      for (let column = 0; column < columns; column += 8) {
        const width = panelWidth(column, columns);
        const valid = least(width, columns - column);
        const right = p.packed + (<usize>(taps * depth * column + (tap * depth + start) * width) << 2);
        for (let row = 0; row < rows; row += 4) {
          const lines = table + <usize>tap * tableStride + (row << 2);
          const to = output + <usize>row * outputBytes + (column << 2);
          if (rows - row >= 4 && valid == width) {
            if (width == 8) {
              tileOfRows8(lines, tableStride, tapsNow, start << 2, depthNow, right, to, outputBytes, accumulate);
            } else {
              tileOfRows4(lines, tableStride, tapsNow, start << 2, depthNow, right, to, outputBytes, accumulate);
            }
          } else {
            if (width == 8) tileOfRows8(lines, tableStride, tapsNow, start << 2, depthNow, right, tile, 32, false);
            else tileOfRows4(lines, tableStride, tapsNow, start << 2, depthNow, right, tile, 32, false);
            placeTile(tile, least(4, rows - row), valid, to, outputBytes, accumulate);
          }
        }
      }
    }
  }
  finishBlock(p, chunk, first, rows, output);
}

/** What follows on the rows of a chunk while they are in the cache. */
export function finishBlock(p: Product, chunk: i32, first: i32, rows: i32, output: usize): void {
  if (p.mask != 0) maskAndSum(p, chunk, first, rows, output);
  if (p.scale != 0 || p.shift != 0 || p.relu) scaleAndShift(p, first, rows, output);
}

/** output = relu(output * scale + shift), each part where given. NaN passes. */
function scaleAndShift(p: Product, first: i32, rows: i32, output: usize): void {
  const columns = p.columns;
  const whole = columns & ~3;
  for (let row = 0; row < rows; row++) {
    let scale = p.scale;
    let shift: usize = p.shift == 0 ? 0 : p.shift + (<usize>(((first + row) % p.shiftRows) * columns) << 2);
    let j = 0;
    for (; j < whole; j += 4) {
      let value = v128.load(output);
      if (scale != 0) {
        value = f32x4.mul(value, v128.load(scale));
        scale += 16;
      }
      if (shift != 0) {
        value = f32x4.add(value, v128.load(shift));
        shift += 16;
      }
      if (p.relu) value = f32x4.pmax(value, zero());
      v128.store(output, value);
      output += 16;
    }
    for (; j < columns; j++) {
      let value = load<f32>(output);
      if (scale != 0) {
        value *= load<f32>(scale);
        scale += 4;
      }
      if (shift != 0) {
        value += load<f32>(shift);
        shift += 4;
      }
      store<f32>(output, p.relu && value < 0 ? 0 : value);
      output += 4;
    }
  }
}

/** Clears what the mask hides and sums the columns of the chunk, plain and times the mask. */
function maskAndSum(p: Product, chunk: i32, first: i32, rows: i32, output: usize): void {
  const columns = p.columns;
  const whole = columns & ~3;
  const lineBytes: usize = columns << 2;
  const mask = p.mask + <usize>first * lineBytes;
  const sums: usize = p.sums == 0 ? 0 : p.sums + <usize>(chunk * 2) * lineBytes;
  let j = 0;
  for (; j < whole; j += 4) {
    let at: usize = j << 2;
    let sum = zero();
    let weighted = zero();
    for (let row = 0; row < rows; row++) {
      const shown = v128.load(mask + at);
      const value = v128.andnot(v128.load(output + at), f32x4.le(shown, zero()));
      v128.store(output + at, value);
      sum = f32x4.add(sum, value);
      weighted = multiplyAdd(value, shown, weighted);
      at += lineBytes;
    }
    if (sums != 0) {
      v128.store(sums + (j << 2), sum);
      v128.store(sums + lineBytes + <usize>(j << 2), weighted);
    }
  }
  for (; j < columns; j++) {
    let at: usize = j << 2;
    let sum: f32 = 0;
    let weighted: f32 = 0;
    for (let row = 0; row < rows; row++) {
      const shown = load<f32>(mask + at);
      const value: f32 = shown <= 0 ? 0 : load<f32>(output + at);
      store<f32>(output + at, value);
      sum += value;
      weighted += value * shown;
      at += lineBytes;
    }
    if (sums != 0) {
      store<f32>(sums + (j << 2), sum);
      store<f32>(sums + lineBytes + <usize>(j << 2), weighted);
    }
  }
}
