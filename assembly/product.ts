import { PRODUCT_ROWS } from '../src/core/kernelConstants';
import { thread, taskArguments, parallel } from './parallel';
import { locateRows, Patches, tapCount, tapDepth } from './patches';
import { EDGE_ROW, EDGE_TILE, panelColumns, panelWidth, placeTile, tilesOfRows } from './tiles';
import {
  ceilDivide,
  firstPairs,
  highHalves,
  least,
  lowHalves,
  multiplyAdd,
  secondPairs,
  storePair,
  zero,
} from './vector';

/** Panels that one chunk packs. */
const PACKED_PANELS: i32 = 4;
/** Floats of a panel in one pass, 16 kB: depth times columns. */
const BLOCK_PANEL: i32 = 4096;

/** output[rows, columns] = epilogue(patches[rows, taps * depth] right[taps * depth, columns]). */
@unmanaged
export class Product extends Patches {
  rows: i32;
  /** Rows per chunk, a multiple of 4 up to PRODUCT_ROWS. */
  blockRows: i32;
  /** Columns per chunk, a multiple of 16 unless it is all: what is packed of them stays in the cache for all rows. */
  blockColumns: i32;
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
  /** Per block of rows the column sums of the masked result and of its product with the mask, or 0 for none. */
  sums: usize;
}

/** Bytes of scratch per thread. */
export function productLocalBytes(taps: i32, depth: i32, unfolded: i32): i32 {
  return <i32>EDGE_TILE + (unfolded ? 128 + PRODUCT_ROWS * depth * 4 + 64 : taps * PRODUCT_ROWS * 4);
}

/** Runs a product whose arguments lie in the task's argument block. */
export function product(): void {
  const p = taskArguments<Product>();
  parallel<PackRight>(ceilDivide(p.columns, PACKED_PANELS * panelColumns()));
  parallel<ProductBlock>(ceilDivide(p.rows, p.blockRows) * ceilDivide(p.columns, p.blockColumns));
}

/** Packs some panels of the right factor: [tap][depth][width] each, columns past the end are zero. */
export class PackRight {
  run(chunk: i32): void {
    const p = taskArguments<Product>();
    const panel = panelColumns();
    const first = chunk * PACKED_PANELS * panel;
    const end = least(first + PACKED_PANELS * panel, p.columns);
    const channels = p.channels;
    const taps = p.tapsHigh * p.tapsWide;
    for (let tap = 0; tap < taps; tap++) {
      const from = p.right + <usize>(tap * p.rightTap << 2);
      let k = 0;
      // With columns far apart four depths at a time are turned; otherwise a line goes to all panels, as it lies in memory.
      if (p.rightDepth == 1 && p.rightColumn != 1) {
        for (; k < (channels & ~3); k += 4) {
          for (let column = first; column < end; column += panel) {
            const width = panelWidth(column, p.columns);
            let to = p.packed + (<usize>(taps * channels * column + (tap * channels + k) * width) << 2);
            for (let part = 0; part < width; part += 4) {
              const at = from + (<usize>(k + (column + part) * p.rightColumn) << 2);
              turn(at, p.rightColumn << 2, p.columns - column - part, to, width << 2);
              to += 16;
            }
          }
        }
      }
      for (; k < channels; k++) {
        for (let column = first; column < end; column += panel) {
          const width = panelWidth(column, p.columns);
          const to = p.packed + (<usize>(taps * channels * column + (tap * channels + k) * width) << 2);
          packLine(from + (<usize>(k * p.rightDepth + column * p.rightColumn) << 2), p.rightColumn << 2, p.columns - column, to, width);
        }
      }
    }
  }
}

/** Copies up to `width` floats, `bytes` apart, of which there are `count`; zeros stand for those that are not there. */
// @ts-ignore: decorator
@inline
export function packLine(from: usize, bytes: usize, count: i32, to: usize, width: i32): void {
  if (bytes == 4 && count >= width) {
    for (let j = 0; j < width; j += 4) {
      v128.store(to, v128.load(from));
      from += 16;
      to += 16;
    }
    return;
  }
  for (let j = 0; j < width; j++) {
    store<f32>(to, j < count ? load<f32>(from) : 0);
    from += bytes;
    to += 4;
  }
}

/** Writes four columns of four floats as four lines; of the columns, `bytes` apart, there are `count`. */
// @ts-ignore: decorator
@inline
export function turn(from: usize, bytes: usize, count: i32, to: usize, lineBytes: usize): void {
  const a = count > 0 ? v128.load(from) : zero();
  const b = count > 1 ? v128.load(from + bytes) : zero();
  const c = count > 2 ? v128.load(from + 2 * bytes) : zero();
  const d = count > 3 ? v128.load(from + 3 * bytes) : zero();
  const lowAB = firstPairs(a, b);
  const highAB = secondPairs(a, b);
  const lowCD = firstPairs(c, d);
  const highCD = secondPairs(c, d);
  v128.store(to, lowHalves(lowAB, lowCD));
  v128.store(to + lineBytes, highHalves(lowAB, lowCD));
  v128.store(to + 2 * lineBytes, lowHalves(highAB, highCD));
  v128.store(to + 3 * lineBytes, highHalves(highAB, highCD));
}

/** Computes one block of rows and columns. */
export class ProductBlock {
  run(chunk: i32): void {
    const p = taskArguments<Product>();
    const blocks = ceilDivide(p.rows, p.blockRows);
    const block = chunk % blocks;
    const first = block * p.blockRows;
    const firstColumn = chunk / blocks * p.blockColumns;
    const endColumn = least(firstColumn + p.blockColumns, p.columns);
    const rows = least(p.blockRows, p.rows - first);
    const padded = (rows + 3) & ~3;
    const taps = tapCount(p);
    const depth = tapDepth(p);
    const columns = p.columns;
    const outputBytes = <usize>(columns << 2);
    const output = p.output + <usize>first * outputBytes;
    const tile = p.local + <usize>thread() * p.localBytes;
    const table = tile + EDGE_TILE;
    const tableStride: usize = PRODUCT_ROWS * 4;
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
        for (let column = firstColumn; column < endColumn; column += panel) {
          const width = panelWidth(column, columns);
          const valid = least(width, columns - column);
          const right = p.packed + (<usize>(taps * depth * column + (tap * depth + start) * width) << 2);
          const lines = table + <usize>tap * tableStride;
          const to = output + (column << 2);
          const whole = valid == width ? rows & ~3 : 0;
          if (whole > 0) {
            tilesOfRows(width, whole, lines, tableStride, tapsNow, start << 2, depthNow, right, to, outputBytes, accumulate);
          }
          for (let row = whole; row < rows; row += 4) {
            const edge = lines + (row << 2);
            tilesOfRows(width, 4, edge, tableStride, tapsNow, start << 2, depthNow, right, tile, EDGE_ROW, false);
            placeTile(tile, least(4, rows - row), valid, to + <usize>row * outputBytes, outputBytes, accumulate);
          }
        }
      }
    }
    if (p.mask != 0) maskAndSum(p, block, first, rows, firstColumn, endColumn);
    if (p.scale != 0 || p.shift != 0 || p.relu) scaleAndShift(p, first, rows, firstColumn, endColumn);
  }
}

/** output = relu(output * scale + shift) on a block, each part where given. NaN passes. */
function scaleAndShift(p: Product, first: i32, rows: i32, column: i32, end: i32): void {
  const lineBytes = <usize>p.columns << 2;
  const whole = end - (end - column & 7);
  const floor = f32x4.splat(p.relu ? 0 : -Infinity);
  for (let row = first; row < first + rows; row++) {
    let at = <usize>column << 2;
    let to = p.output + <usize>row * lineBytes + at;
    let scale: usize = p.scale == 0 ? 0 : p.scale + at;
    let shift: usize = p.shift == 0 ? 0 : p.shift + <usize>(row % p.shiftRows) * lineBytes + at;
    let j = column;
    for (; j < whole; j += 8) {
      let a = v128.load(to), b = v128.load(to, 16);
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
      storePair(to, f32x4.pmax(a, floor), f32x4.pmax(b, floor));
      to += 32;
    }
    for (; j < end; j++) {
      let value = load<f32>(to);
      if (scale != 0) {
        value *= load<f32>(scale);
        scale += 4;
      }
      if (shift != 0) {
        value += load<f32>(shift);
        shift += 4;
      }
      store<f32>(to, p.relu && value < 0 ? 0 : value);
      to += 4;
    }
  }
}

/** Clears what the mask hides in a block and sums its columns, plain and times the mask. */
function maskAndSum(p: Product, block: i32, first: i32, rows: i32, column: i32, end: i32): void {
  const lineBytes = <usize>p.columns << 2;
  const whole = end - (end - column & 7);
  const output = p.output + <usize>first * lineBytes;
  const mask = p.mask + <usize>first * lineBytes;
  const sums: usize = p.sums == 0 ? 0 : p.sums + <usize>(block * 2) * lineBytes;
  let j = column;
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
  for (; j < end; j++) {
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
