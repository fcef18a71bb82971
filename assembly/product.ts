import { thread, taskArguments, parallel } from './parallel';
import { locateRows, Patches, tapCount, tapDepth } from './patches';
import { PACK_RIGHT, PRODUCT } from './tasks';
import { EDGE_ROW, EDGE_TILE, panelColumns, panelWidth, placeTile, tileOfRows } from './tiles';
import { ceilDivide, least, multiplyAdd, storePair, zero } from './vector';

/** Rows of one pass over the right factor's panel: their taps stay in the cache beside it. */
export const BLOCK_ROWS: i32 = 32;
/** Floats of a panel in one pass, 16 kB: depth times columns. */
const BLOCK_PANEL: i32 = 4096;

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
  /** Room for the packed right factor: taps * depth * columns rounded up to a multiple of 16. */
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
  return <i32>EDGE_TILE + (unfolded ? 128 + BLOCK_ROWS * depth * 4 + 64 : taps * BLOCK_ROWS * 4);
}

/** Runs a product whose arguments lie in the task's argument block. */
export function product(): void {
  const p = changetype<Product>(taskArguments());
  parallel(PACK_RIGHT, ceilDivide(p.columns, panelColumns()));
  parallel(PRODUCT, ceilDivide(p.rows, p.blockRows));
}

/** Packs one panel of the right factor: [tap][depth][width], columns past the end are zero. */
export function packRight(panel: i32): void {
  const p = changetype<Product>(taskArguments());
  const column = panel * panelColumns();
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
        for (let j = 0; j < width; j += 4) {
          v128.store(to, v128.load(from));
          from += 16;
          to += 16;
        }
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
  const table = tile + EDGE_TILE;
  const tableStride: usize = BLOCK_ROWS * 4;
  locateRows(p, first, rows, table, tableStride, table + 128);
  for (let tap = 0; tap < taps; tap++) {
    const line = table + <usize>tap * tableStride;
    for (let row = rows; row < padded; row++) store<usize>(line + (row << 2), load<usize>(line));
  }

  const panel = panelColumns();
  const blockDepth = BLOCK_PANEL / panel;
  const tapsAtOnce = depth < blockDepth ? blockDepth / depth : 1;
  for (let tap = 0; tap < taps; tap += tapsAtOnce) {
    const tapsNow = least(tapsAtOnce, taps - tap);
    for (let start = 0; start < depth; start += blockDepth) {
      const depthNow = least(blockDepth, depth - start);
      const accumulate = (tap | start) != 0;
      for (let column = 0; column < columns; column += panel) {
        const width = panelWidth(column, columns);
        const valid = least(width, columns - column);
        const right = p.packed + (<usize>(taps * depth * column + (tap * depth + start) * width) << 2);
        for (let row = 0; row < rows; row += 4) {
          const lines = table + <usize>tap * tableStride + (row << 2);
          const to = output + <usize>row * outputBytes + (column << 2);
          if (rows - row >= 4 && valid == width) {
            tileOfRows(width, lines, tableStride, tapsNow, start << 2, depthNow, right, to, outputBytes, accumulate);
          } else {
            tileOfRows(width, lines, tableStride, tapsNow, start << 2, depthNow, right, tile, EDGE_ROW, false);
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
  const whole = columns & ~7;
  const floor = f32x4.splat(p.relu ? 0 : -Infinity);
  for (let row = 0; row < rows; row++) {
    let scale = p.scale;
    let shift: usize = p.shift == 0 ? 0 : p.shift + (<usize>(((first + row) % p.shiftRows) * columns) << 2);
    let j = 0;
    for (; j < whole; j += 8) {
      let a = v128.load(output), b = v128.load(output, 16);
      if (scale != 0) {
        a = f32x4.mul(a, v128.load(scale));
        b = f32x4.mul(b, v128.load(scale, 16));
        scale += 32;
      }
      if (shift != 0) {
        a = f32x4.add(a, v128.load(shift));
        b = f32x4.add(b, v128.load(shift, 16));
        shift += 32;
      }
      storePair(output, f32x4.pmax(a, floor), f32x4.pmax(b, floor));
      output += 32;
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
  const whole = columns & ~7;
  const lineBytes: usize = columns << 2;
  const mask = p.mask + <usize>first * lineBytes;
  const sums: usize = p.sums == 0 ? 0 : p.sums + <usize>(chunk * 2) * lineBytes;
  let j = 0;
  for (; j < whole; j += 8) {
    let at: usize = j << 2;
    let sumA = zero(), sumB = sumA, weightedA = sumA, weightedB = sumA;
    for (let row = 0; row < rows; row++) {
      const shownA = v128.load(mask + at), shownB = v128.load(mask + at, 16);
      const a = v128.andnot(v128.load(output + at), f32x4.le(shownA, zero()));
      const b = v128.andnot(v128.load(output + at, 16), f32x4.le(shownB, zero()));
      storePair(output + at, a, b);
      sumA = f32x4.add(sumA, a);
      sumB = f32x4.add(sumB, b);
      weightedA = multiplyAdd(a, shownA, weightedA);
      weightedB = multiplyAdd(b, shownB, weightedB);
      at += lineBytes;
    }
    if (sums != 0) {
      storePair(sums + (j << 2), sumA, sumB);
      storePair(sums + lineBytes + <usize>(j << 2), weightedA, weightedB);
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
