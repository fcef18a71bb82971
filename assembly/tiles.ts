import { multiplyAdd, storePair, zero } from './vector';

/*
 * Micro-kernels. Eight accumulators, two vectors of the right factor and one broadcast fit the sixteen registers;
 * the exits between the steps keep the compiler from hoisting the loads of later steps, which would spill.
 *
 * Where the jumps of `tilesOfRows8` lie matters: see "The inner loop is laid out for Node 20" in docs/decisions.md.
 *
 * Those of sixteen columns are for engines that make one operation of 256 bits out of two neighbours of 128; elsewhere
 * they spill. Such engines start from pairs of stores, the upper half first.
 */

/** Columns of a packed panel: 8, or 16 where the engine has vectors of 256 bits. */
let panel: i32 = 8;

/** Terms of the sums of `tryTile`. */
const TRIAL_DEPTH: i32 = 128;

// @ts-ignore: decorator
@inline
export function panelColumns(): i32 {
  return panel;
}

/** Every thread's instance must pack and read panels of the same width. */
export function usePanels(columns: i32): void {
  panel = columns;
}

/** Width of the panel that starts at `column`: the least of 4, 8 and 16 that covers what is left. */
export function panelWidth(column: i32, columns: i32): i32 {
  const left = columns - column;
  if (left > 8) return panel;
  return left > 4 ? 8 : 4;
}

/** c[rows, width columns] = or += sum over taps and depth of left * right, for each of the widths; rows go by fours. */
// @ts-ignore: decorator
@inline
export function tilesOfRows(
  width: i32, rows: i32, table: usize, tableStride: usize, taps: i32, offset: usize, depth: i32,
  right: usize, c: usize, cStride: usize, accumulate: bool,
): void {
  if (width == 16) tilesOfRows16(rows, table, tableStride, taps, offset, depth, right, c, cStride, accumulate);
  else if (width == 8) tilesOfRows8(rows, table, tableStride, taps, offset, depth, right, c, cStride, accumulate);
  else tilesOfRows4(rows, table, tableStride, taps, offset, depth, right, c, cStride, accumulate);
}

/** c[4 rows, a panel's columns] = or += left^T right over `depth`; from depth to depth there are `leftBytes` and `rightBytes`. */
// @ts-ignore: decorator
@inline
export function tileOfPanels(
  left: usize, leftBytes: usize, right: usize, rightBytes: usize, depth: i32, c: usize, cStride: usize, accumulate: bool,
): void {
  if (panel == 16) tileOfPanels16(left, leftBytes, right, rightBytes, depth, c, cStride, accumulate);
  else tileOfPanels8(left, leftBytes, right, rightBytes, depth, c, cStride, accumulate);
}

// @ts-ignore: decorator
@inline
function placeRow4(c: usize, value: v128, accumulate: bool): void {
  v128.store(c, accumulate ? f32x4.add(v128.load(c), value) : value);
}

// @ts-ignore: decorator
@inline
function placeRow8(c: usize, low: v128, high: v128, accumulate: bool): void {
  if (accumulate) {
    low = f32x4.add(v128.load(c), low);
    high = f32x4.add(v128.load(c, 16), high);
  }
  storePair(c, low, high);
}

// @ts-ignore: decorator
@inline
function placeRow16(c: usize, v0: v128, v1: v128, v2: v128, v3: v128, accumulate: bool): void {
  if (accumulate) {
    v0 = f32x4.add(v128.load(c), v0);
    v1 = f32x4.add(v128.load(c, 16), v1);
    v2 = f32x4.add(v128.load(c, 32), v2);
    v3 = f32x4.add(v128.load(c, 48), v3);
  }
  v128.store(c, v3, 48);
  v128.store(c, v2, 32);
  v128.store(c, v1, 16);
  v128.store(c, v0);
}

/**
 * c[rows, 8 columns] = or += sum over taps and depth of left * right.
 *
 * @param rows a multiple of 4, not 0
 * @param table row addresses per tap, taps `tableStride` bytes apart
 * @param offset bytes added to every row address
 * @param packed panel: depth after depth, 8 floats each, taps one after the other
 */
function tilesOfRows8(
  rows: i32, table: usize, tableStride: usize, taps: i32, offset: usize, depth: i32,
  packed: usize, c: usize, cStride: usize, accumulate: bool,
): void {
  while (true) {
    let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
    let line = table;
    let next = packed;
    for (let tap = 0; tap < taps; tap++) {
      let p0 = load<usize>(line) + offset;
      let p1 = load<usize>(line, 4) + offset;
      let p2 = load<usize>(line, 8) + offset;
      let p3 = load<usize>(line, 12) + offset;
      line += tableStride;
      let left = depth;
      let right = next;
      next += <usize>depth << 5;
      while (true) {
        {
          const b0 = v128.load(right), b1 = v128.load(right, 16);
          let a = v128.load32_splat(p0); c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01);
          a = v128.load32_splat(p1); c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11);
          a = v128.load32_splat(p2); c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21);
          a = v128.load32_splat(p3); c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31);
        }
        if (left == 1) break;
        {
          const b0 = v128.load(right, 32), b1 = v128.load(right, 48);
          let a = v128.load32_splat(p0, 4); c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01);
          a = v128.load32_splat(p1, 4); c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11);
          a = v128.load32_splat(p2, 4); c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21);
          a = v128.load32_splat(p3, 4); c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31);
        }
        if (left == 2) break;
        {
          const b0 = v128.load(right, 64), b1 = v128.load(right, 80);
          let a = v128.load32_splat(p0, 8); c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01);
          a = v128.load32_splat(p1, 8); c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11);
          a = v128.load32_splat(p2, 8); c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21);
          a = v128.load32_splat(p3, 8); c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31);
        }
        if (left == 3) break;
        {
          const b0 = v128.load(right, 96), b1 = v128.load(right, 112);
          let a = v128.load32_splat(p0, 12); c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01);
          a = v128.load32_splat(p1, 12); c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11);
          a = v128.load32_splat(p2, 12); c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21);
          a = v128.load32_splat(p3, 12); c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31);
        }
        right += 128;
        left -= 4;
        if (left == 0) break;
        p0 += 16; p1 += 16; p2 += 16; p3 += 16;
      }
    }
    placeRow8(c, c00, c01, accumulate);
    placeRow8(c + cStride, c10, c11, accumulate);
    placeRow8(c + 2 * cStride, c20, c21, accumulate);
    placeRow8(c + 3 * cStride, c30, c31, accumulate);
    rows -= 4;
    if (rows == 0) break;
    table += 16;
    c += cStride << 2;
  }
}

/** As `tilesOfRows8` for a panel of 16 columns. */
function tilesOfRows16(
  rows: i32, table: usize, tableStride: usize, taps: i32, offset: usize, depth: i32,
  packed: usize, c: usize, cStride: usize, accumulate: bool,
): void {
  while (true) {
    let c00 = zero(), c01 = c00, c02 = c00, c03 = c00, c10 = c00, c11 = c00, c12 = c00, c13 = c00,
      c20 = c00, c21 = c00, c22 = c00, c23 = c00, c30 = c00, c31 = c00, c32 = c00, c33 = c00;
    let line = table;
    let next = packed;
    for (let tap = 0; tap < taps; tap++) {
      let p0 = load<usize>(line) + offset;
      let p1 = load<usize>(line, 4) + offset;
      let p2 = load<usize>(line, 8) + offset;
      let p3 = load<usize>(line, 12) + offset;
      line += tableStride;
      let left = depth;
      let right = next;
      next += <usize>depth << 6;
      while (true) {
        {
          const b0 = v128.load(right), b1 = v128.load(right, 16), b2 = v128.load(right, 32), b3 = v128.load(right, 48);
          let a = v128.load32_splat(p0);
          c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01); c02 = multiplyAdd(a, b2, c02); c03 = multiplyAdd(a, b3, c03);
          a = v128.load32_splat(p1);
          c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11); c12 = multiplyAdd(a, b2, c12); c13 = multiplyAdd(a, b3, c13);
          a = v128.load32_splat(p2);
          c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21); c22 = multiplyAdd(a, b2, c22); c23 = multiplyAdd(a, b3, c23);
          a = v128.load32_splat(p3);
          c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31); c32 = multiplyAdd(a, b2, c32); c33 = multiplyAdd(a, b3, c33);
        }
        if (left == 1) break;
        {
          const b0 = v128.load(right, 64), b1 = v128.load(right, 80), b2 = v128.load(right, 96), b3 = v128.load(right, 112);
          let a = v128.load32_splat(p0, 4);
          c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01); c02 = multiplyAdd(a, b2, c02); c03 = multiplyAdd(a, b3, c03);
          a = v128.load32_splat(p1, 4);
          c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11); c12 = multiplyAdd(a, b2, c12); c13 = multiplyAdd(a, b3, c13);
          a = v128.load32_splat(p2, 4);
          c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21); c22 = multiplyAdd(a, b2, c22); c23 = multiplyAdd(a, b3, c23);
          a = v128.load32_splat(p3, 4);
          c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31); c32 = multiplyAdd(a, b2, c32); c33 = multiplyAdd(a, b3, c33);
        }
        if (left == 2) break;
        {
          const b0 = v128.load(right, 128), b1 = v128.load(right, 144), b2 = v128.load(right, 160), b3 = v128.load(right, 176);
          let a = v128.load32_splat(p0, 8);
          c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01); c02 = multiplyAdd(a, b2, c02); c03 = multiplyAdd(a, b3, c03);
          a = v128.load32_splat(p1, 8);
          c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11); c12 = multiplyAdd(a, b2, c12); c13 = multiplyAdd(a, b3, c13);
          a = v128.load32_splat(p2, 8);
          c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21); c22 = multiplyAdd(a, b2, c22); c23 = multiplyAdd(a, b3, c23);
          a = v128.load32_splat(p3, 8);
          c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31); c32 = multiplyAdd(a, b2, c32); c33 = multiplyAdd(a, b3, c33);
        }
        if (left == 3) break;
        {
          const b0 = v128.load(right, 192), b1 = v128.load(right, 208), b2 = v128.load(right, 224), b3 = v128.load(right, 240);
          let a = v128.load32_splat(p0, 12);
          c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01); c02 = multiplyAdd(a, b2, c02); c03 = multiplyAdd(a, b3, c03);
          a = v128.load32_splat(p1, 12);
          c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11); c12 = multiplyAdd(a, b2, c12); c13 = multiplyAdd(a, b3, c13);
          a = v128.load32_splat(p2, 12);
          c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21); c22 = multiplyAdd(a, b2, c22); c23 = multiplyAdd(a, b3, c23);
          a = v128.load32_splat(p3, 12);
          c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31); c32 = multiplyAdd(a, b2, c32); c33 = multiplyAdd(a, b3, c33);
        }
        right += 256;
        left -= 4;
        if (left == 0) break;
        p0 += 16; p1 += 16; p2 += 16; p3 += 16;
      }
    }
    placeRow16(c, c00, c01, c02, c03, accumulate);
    placeRow16(c + cStride, c10, c11, c12, c13, accumulate);
    placeRow16(c + 2 * cStride, c20, c21, c22, c23, accumulate);
    placeRow16(c + 3 * cStride, c30, c31, c32, c33, accumulate);
    rows -= 4;
    if (rows == 0) break;
    table += 16;
    c += cStride << 2;
  }
}

/** As `tilesOfRows8` for a panel of 4 columns; even and odd depths have accumulators of their own to hide latency. */
function tilesOfRows4(
  rows: i32, table: usize, tableStride: usize, taps: i32, offset: usize, depth: i32,
  packed: usize, c: usize, cStride: usize, accumulate: bool,
): void {
  while (true) {
    let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
    let line = table;
    let next = packed;
    for (let tap = 0; tap < taps; tap++) {
      let p0 = load<usize>(line) + offset;
      let p1 = load<usize>(line, 4) + offset;
      let p2 = load<usize>(line, 8) + offset;
      let p3 = load<usize>(line, 12) + offset;
      line += tableStride;
      let left = depth;
      let right = next;
      next += <usize>depth << 4;
      while (true) {
        {
          const b = v128.load(right);
          c00 = multiplyAdd(v128.load32_splat(p0), b, c00);
          c10 = multiplyAdd(v128.load32_splat(p1), b, c10);
          c20 = multiplyAdd(v128.load32_splat(p2), b, c20);
          c30 = multiplyAdd(v128.load32_splat(p3), b, c30);
        }
        if (left == 1) break;
        {
          const b = v128.load(right, 16);
          c01 = multiplyAdd(v128.load32_splat(p0, 4), b, c01);
          c11 = multiplyAdd(v128.load32_splat(p1, 4), b, c11);
          c21 = multiplyAdd(v128.load32_splat(p2, 4), b, c21);
          c31 = multiplyAdd(v128.load32_splat(p3, 4), b, c31);
        }
        right += 32;
        left -= 2;
        if (left == 0) break;
        p0 += 8; p1 += 8; p2 += 8; p3 += 8;
      }
    }
    placeRow4(c, f32x4.add(c00, c01), accumulate);
    placeRow4(c + cStride, f32x4.add(c10, c11), accumulate);
    placeRow4(c + 2 * cStride, f32x4.add(c20, c21), accumulate);
    placeRow4(c + 3 * cStride, f32x4.add(c30, c31), accumulate);
    rows -= 4;
    if (rows == 0) break;
    table += 16;
    c += cStride << 2;
  }
}

/**
 * c[4 rows, 8 columns] = or += left^T right over `depth`.
 *
 * @param left packed panel, 4 floats per depth, `leftBytes` apart
 * @param right 8 floats per depth, `rightBytes` apart
 */
export function tileOfPanels8(
  left: usize, leftBytes: usize, right: usize, rightBytes: usize, depth: i32, c: usize, cStride: usize, accumulate: bool,
): void {
  let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  while (true) {
    {
      const b0 = v128.load(right), b1 = v128.load(right, 16);
      let a = v128.load32_splat(left); c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01);
      a = v128.load32_splat(left, 4); c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11);
      a = v128.load32_splat(left, 8); c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21);
      a = v128.load32_splat(left, 12); c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31);
    }
    if (depth == 1) break;
    left += leftBytes;
    right += rightBytes;
    {
      const b0 = v128.load(right), b1 = v128.load(right, 16);
      let a = v128.load32_splat(left); c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01);
      a = v128.load32_splat(left, 4); c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11);
      a = v128.load32_splat(left, 8); c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21);
      a = v128.load32_splat(left, 12); c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31);
    }
    if (depth == 2) break;
    left += leftBytes;
    right += rightBytes;
    {
      const b0 = v128.load(right), b1 = v128.load(right, 16);
      let a = v128.load32_splat(left); c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01);
      a = v128.load32_splat(left, 4); c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11);
      a = v128.load32_splat(left, 8); c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21);
      a = v128.load32_splat(left, 12); c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31);
    }
    if (depth == 3) break;
    left += leftBytes;
    right += rightBytes;
    {
      const b0 = v128.load(right), b1 = v128.load(right, 16);
      let a = v128.load32_splat(left); c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01);
      a = v128.load32_splat(left, 4); c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11);
      a = v128.load32_splat(left, 8); c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21);
      a = v128.load32_splat(left, 12); c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31);
    }
    depth -= 4;
    if (depth == 0) break;
    left += leftBytes;
    right += rightBytes;
  }
  placeRow8(c, c00, c01, accumulate);
  placeRow8(c + cStride, c10, c11, accumulate);
  placeRow8(c + 2 * cStride, c20, c21, accumulate);
  placeRow8(c + 3 * cStride, c30, c31, accumulate);
}

/** As `tileOfPanels8` for a right panel of 16 columns. */
function tileOfPanels16(
  left: usize, leftBytes: usize, right: usize, rightBytes: usize, depth: i32, c: usize, cStride: usize, accumulate: bool,
): void {
  let c00 = zero(), c01 = c00, c02 = c00, c03 = c00, c10 = c00, c11 = c00, c12 = c00, c13 = c00,
    c20 = c00, c21 = c00, c22 = c00, c23 = c00, c30 = c00, c31 = c00, c32 = c00, c33 = c00;
  while (true) {
    {
      const b0 = v128.load(right), b1 = v128.load(right, 16), b2 = v128.load(right, 32), b3 = v128.load(right, 48);
      let a = v128.load32_splat(left);
      c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01); c02 = multiplyAdd(a, b2, c02); c03 = multiplyAdd(a, b3, c03);
      a = v128.load32_splat(left, 4);
      c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11); c12 = multiplyAdd(a, b2, c12); c13 = multiplyAdd(a, b3, c13);
      a = v128.load32_splat(left, 8);
      c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21); c22 = multiplyAdd(a, b2, c22); c23 = multiplyAdd(a, b3, c23);
      a = v128.load32_splat(left, 12);
      c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31); c32 = multiplyAdd(a, b2, c32); c33 = multiplyAdd(a, b3, c33);
    }
    if (depth == 1) break;
    const next = left + leftBytes;
    right += rightBytes;
    {
      const b0 = v128.load(right), b1 = v128.load(right, 16), b2 = v128.load(right, 32), b3 = v128.load(right, 48);
      let a = v128.load32_splat(next);
      c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01); c02 = multiplyAdd(a, b2, c02); c03 = multiplyAdd(a, b3, c03);
      a = v128.load32_splat(next, 4);
      c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11); c12 = multiplyAdd(a, b2, c12); c13 = multiplyAdd(a, b3, c13);
      a = v128.load32_splat(next, 8);
      c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21); c22 = multiplyAdd(a, b2, c22); c23 = multiplyAdd(a, b3, c23);
      a = v128.load32_splat(next, 12);
      c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31); c32 = multiplyAdd(a, b2, c32); c33 = multiplyAdd(a, b3, c33);
    }
    depth -= 2;
    if (depth == 0) break;
    left = next + leftBytes;
    right += rightBytes;
  }
  placeRow16(c, c00, c01, c02, c03, accumulate);
  placeRow16(c + cStride, c10, c11, c12, c13, accumulate);
  placeRow16(c + 2 * cStride, c20, c21, c22, c23, accumulate);
  placeRow16(c + 3 * cStride, c30, c31, c32, c33, accumulate);
}

/** Bytes of the edge tile of `placeTile`, and from row to row in it. */
export const EDGE_TILE: usize = 256;
export const EDGE_ROW: usize = 64;

/** Copies or adds the part [rows, columns] of a tile (rows EDGE_ROW apart) to its place. */
export function placeTile(tile: usize, rows: i32, columns: i32, c: usize, cStride: usize, accumulate: bool): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const value = load<f32>(tile + <usize>(j << 2));
      const to = c + (j << 2);
      store<f32>(to, accumulate ? load<f32>(to) + value : value);
    }
    tile += EDGE_ROW;
    c += cStride;
  }
}

/**
 * Repeats a tile of 4 rows and so many columns, for the time it takes.
 *
 * @param room TRIAL_BYTES of zeros
 */
export function tryTile(columns: i32, repetitions: i32, room: usize): void {
  for (let row: usize = 0; row < 4; row++) store<usize>(room + (row << 2), room + 512);
  for (let i = 0; i < repetitions; i++) {
    tilesOfRows(columns, 4, room, 0, 1, 0, TRIAL_DEPTH, room + 2048, room + 1024, EDGE_ROW, false);
  }
}
