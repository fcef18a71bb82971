import { multiplyAdd, zero } from './vector';

/*
 * Micro-kernels. Eight accumulators, two vectors of the right factor and one broadcast fit the sixteen registers;
 * the exits between the steps keep the compiler from hoisting the loads of later steps, which would spill.
 */

/**
 * c[4 rows, 8 columns] = or += sum over taps and depth of left * right.
 *
 * @param table four row addresses per tap, taps `tableStride` bytes apart
 * @param offset bytes added to every row address
 * @param right packed panel: depth after depth, 8 floats each, taps one after the other
 */
export function tileOfRows8(
  table: usize, tableStride: usize, taps: i32, offset: usize, depth: i32,
  right: usize, c: usize, cStride: usize, accumulate: bool,
): void {
  let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  const c1 = c + cStride, c2 = c1 + cStride, c3 = c2 + cStride;
  if (accumulate) {
    c00 = v128.load(c); c01 = v128.load(c, 16);
    c10 = v128.load(c1); c11 = v128.load(c1, 16);
    c20 = v128.load(c2); c21 = v128.load(c2, 16);
    c30 = v128.load(c3); c31 = v128.load(c3, 16);
  }
  for (let tap = 0; tap < taps; tap++) {
    let p0 = load<usize>(table) + offset;
    let p1 = load<usize>(table, 4) + offset;
    let p2 = load<usize>(table, 8) + offset;
    let p3 = load<usize>(table, 12) + offset;
    table += tableStride;
    let left = depth;
    while (true) {
      {
        const b0 = v128.load(right), b1 = v128.load(right, 16);
        let a = v128.load32_splat(p0); c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01);
        a = v128.load32_splat(p1); c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11);
        a = v128.load32_splat(p2); c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21);
        a = v128.load32_splat(p3); c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31);
      }
      if (left == 1) { right += 32; break; }
      {
        const b0 = v128.load(right, 32), b1 = v128.load(right, 48);
        let a = v128.load32_splat(p0, 4); c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01);
        a = v128.load32_splat(p1, 4); c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11);
        a = v128.load32_splat(p2, 4); c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21);
        a = v128.load32_splat(p3, 4); c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31);
      }
      if (left == 2) { right += 64; break; }
      {
        const b0 = v128.load(right, 64), b1 = v128.load(right, 80);
        let a = v128.load32_splat(p0, 8); c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01);
        a = v128.load32_splat(p1, 8); c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11);
        a = v128.load32_splat(p2, 8); c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21);
        a = v128.load32_splat(p3, 8); c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31);
      }
      if (left == 3) { right += 96; break; }
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
  v128.store(c, c00); v128.store(c, c01, 16);
  v128.store(c1, c10); v128.store(c1, c11, 16);
  v128.store(c2, c20); v128.store(c2, c21, 16);
  v128.store(c3, c30); v128.store(c3, c31, 16);
}

/** As `tileOfRows8` for a panel of 4 columns; even and odd depths have accumulators of their own to hide latency. */
export function tileOfRows4(
  table: usize, tableStride: usize, taps: i32, offset: usize, depth: i32,
  right: usize, c: usize, cStride: usize, accumulate: bool,
): void {
  let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  const c1 = c + cStride, c2 = c1 + cStride, c3 = c2 + cStride;
  if (accumulate) {
    c00 = v128.load(c); c10 = v128.load(c1); c20 = v128.load(c2); c30 = v128.load(c3);
  }
  for (let tap = 0; tap < taps; tap++) {
    let p0 = load<usize>(table) + offset;
    let p1 = load<usize>(table, 4) + offset;
    let p2 = load<usize>(table, 8) + offset;
    let p3 = load<usize>(table, 12) + offset;
    table += tableStride;
    let left = depth;
    while (true) {
      {
        const b = v128.load(right);
        c00 = multiplyAdd(v128.load32_splat(p0), b, c00);
        c10 = multiplyAdd(v128.load32_splat(p1), b, c10);
        c20 = multiplyAdd(v128.load32_splat(p2), b, c20);
        c30 = multiplyAdd(v128.load32_splat(p3), b, c30);
      }
      if (left == 1) { right += 16; break; }
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
  v128.store(c, f32x4.add(c00, c01));
  v128.store(c1, f32x4.add(c10, c11));
  v128.store(c2, f32x4.add(c20, c21));
  v128.store(c3, f32x4.add(c30, c31));
}

/**
 * c[4 rows, 8 columns] = or += left^T right over `depth`.
 *
 * @param left packed panel, 4 floats per depth
 * @param right packed panel, 8 floats per depth
 */
export function tileOfPanels(
  left: usize, right: usize, depth: i32, c: usize, cStride: usize, accumulate: bool,
): void {
  let c00 = zero(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  const c1 = c + cStride, c2 = c1 + cStride, c3 = c2 + cStride;
  if (accumulate) {
    c00 = v128.load(c); c01 = v128.load(c, 16);
    c10 = v128.load(c1); c11 = v128.load(c1, 16);
    c20 = v128.load(c2); c21 = v128.load(c2, 16);
    c30 = v128.load(c3); c31 = v128.load(c3, 16);
  }
  while (true) {
    {
      const b0 = v128.load(right), b1 = v128.load(right, 16);
      let a = v128.load32_splat(left); c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01);
      a = v128.load32_splat(left, 4); c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11);
      a = v128.load32_splat(left, 8); c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21);
      a = v128.load32_splat(left, 12); c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31);
    }
    if (depth == 1) break;
    {
      const b0 = v128.load(right, 32), b1 = v128.load(right, 48);
      let a = v128.load32_splat(left, 16); c00 = multiplyAdd(a, b0, c00); c01 = multiplyAdd(a, b1, c01);
      a = v128.load32_splat(left, 20); c10 = multiplyAdd(a, b0, c10); c11 = multiplyAdd(a, b1, c11);
      a = v128.load32_splat(left, 24); c20 = multiplyAdd(a, b0, c20); c21 = multiplyAdd(a, b1, c21);
      a = v128.load32_splat(left, 28); c30 = multiplyAdd(a, b0, c30); c31 = multiplyAdd(a, b1, c31);
    }
    depth -= 2;
    if (depth == 0) break;
    left += 32;
    right += 64;
  }
  v128.store(c, c00); v128.store(c, c01, 16);
  v128.store(c1, c10); v128.store(c1, c11, 16);
  v128.store(c2, c20); v128.store(c2, c21, 16);
  v128.store(c3, c30); v128.store(c3, c31, 16);
}

/** Copies or adds the part [rows, columns] of a 4 x 8 tile (rows 32 bytes apart) to its place. */
export function placeTile(tile: usize, rows: i32, columns: i32, c: usize, cStride: usize, accumulate: bool): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const value = load<f32>(tile + ((i * 8 + j) << 2));
      const to = c + (j << 2);
      store<f32>(to, accumulate ? load<f32>(to) + value : value);
    }
    c += cStride;
  }
}
