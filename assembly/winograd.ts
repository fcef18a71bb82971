import { parallel, taskArguments, thread } from './parallel';
import { finishBlock, panelWidth, Product } from './product';
import { PACK_WINOGRAD, WINOGRAD } from './tasks';
import { tileOfRows4, tileOfRows8 } from './tiles';
import { ceilDivide, least, loadPart, storePart } from './vector';

/*
 * 3x3 convolutions of stride 1 with fewer multiplications: F(2x2, 3x3) of Lavin and Gray, "Fast Algorithms for
 * Convolutional Neural Networks" (2015, arXiv:1509.09308). A tile of 2 x 2 outputs is A' [(G g G') * (B' d B)] A, d the
 * 4 x 4 inputs that it sees: 16 products of matrices [tiles, channels] [channels, columns] in place of 36.
 * Height and width of the output are even, and a chunk is a number of whole lines of tiles, so its rows are contiguous.
 */

const POINTS: i32 = 16;
const HALF: f32 = 0.5;

/** Points are this many bytes further apart than their tiles need, or their lines would share cache sets. */
const GAP: usize = 64;

// @ts-ignore: decorator
@inline
function tileBytes(channels: i32): usize {
  return <usize>(((channels + 3) & ~3) << 2);
}

// @ts-ignore: decorator
@inline
function pointBytes(tiles: i32, channels: i32): usize {
  return <usize>((tiles + 3) & ~3) * tileBytes(channels) + GAP;
}

/** Bytes of scratch per thread: transformed inputs, one panel of products, addresses of tiles. */
export function winogradLocalBytes(blockRows: i32, channels: i32): i32 {
  const tiles = ((blockRows >> 2) + 3) & ~3;
  return <i32>(pointBytes(tiles, channels) * POINTS) + tiles * (POINTS * 32 + 4) + POINTS * 4;
}

/** Runs a product whose patches are those of a 3x3 convolution; `packed` has room for 16 points in place of 9 taps. */
export function winograd(): void {
  const p = changetype<Product>(taskArguments());
  parallel(PACK_WINOGRAD, ceilDivide(p.columns, 8));
  parallel(WINOGRAD, ceilDivide(p.rows, p.blockRows));
}

/** Four columns of one filter tap; the lanes past `count` are 0. */
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

/** Packs one panel of the transformed filter, G g G': [point][channel][width]. */
export function packWinograd(panel: i32): void {
  const p = changetype<Product>(taskArguments());
  const column = panel * 8;
  const width = panelWidth(column, p.columns);
  const columnBytes = <usize>(p.rightColumn << 2);
  const tapBytes = <usize>(p.rightTap << 2);
  const lineBytes = tapBytes * 3;
  const base = p.packed + (<usize>(POINTS * p.channels * column) << 2);
  const stride = <usize>(p.channels * width) << 2;
  for (let part = 0; part < width; part += 4) {
    const count = least(4, p.columns - column - part);
    for (let channel = 0; channel < p.channels; channel++) {
      const from = p.right + (<usize>(channel * p.rightDepth + (column + part) * p.rightColumn) << 2);
      let to = base + (<usize>(channel * width + part) << 2);
      const half = f32x4.splat(HALF);
      for (let line = 0; line < 4; line++) {
        // One line of G g, for the three columns of taps.
        const a = filterLine(from, lineBytes, columnBytes, count, line);
        const b = filterLine(from + tapBytes, lineBytes, columnBytes, count, line);
        const c = filterLine(from + 2 * tapBytes, lineBytes, columnBytes, count, line);
        const outer = f32x4.mul(f32x4.add(a, c), half);
        const inner = f32x4.mul(b, half);
        v128.store(to, a);
        v128.store(to + stride, f32x4.add(outer, inner));
        v128.store(to + 2 * stride, f32x4.sub(outer, inner));
        v128.store(to + 3 * stride, c);
        to += 4 * stride;
      }
    }
  }
}

/** Line `line` of G times one column of taps. */
// @ts-ignore: decorator
@inline
function filterLine(from: usize, lineBytes: usize, columnBytes: usize, count: i32, line: i32): v128 {
  if (line == 0) return gather(from, columnBytes, count);
  const last = gather(from + 2 * lineBytes, columnBytes, count);
  if (line == 3) return last;
  const half = f32x4.splat(HALF);
  const outer = f32x4.mul(f32x4.add(gather(from, columnBytes, count), last), half);
  const inner = f32x4.mul(gather(from + lineBytes, columnBytes, count), half);
  return line == 1 ? f32x4.add(outer, inner) : f32x4.sub(outer, inner);
}

/** Computes one block of rows: whole lines of tiles. */
export function winogradBlock(chunk: i32): void {
  const p = changetype<Product>(taskArguments());
  const first = chunk * p.blockRows;
  const rows = least(p.blockRows, p.rows - first);
  const channels = p.channels;
  const columns = p.columns;
  const tiles = rows >> 2;
  const lineBytes = tileBytes(channels);
  const plane = pointBytes(p.blockRows >> 2, channels);
  const inputs = p.local + <usize>thread() * p.localBytes;
  const products = inputs + plane * POINTS;
  const padded = (tiles + 3) & ~3;
  const table = products + <usize>(padded * POINTS * 32);
  const pixels = table + <usize>(padded << 2);
  const firstTile = first >> 2;
  // Lines past the last tile are computed and never used: they may read what lies there.
  for (let tile = 0; tile < padded; tile++) store<usize>(table + (tile << 2), inputs + <usize>tile * lineBytes);
  for (let tile = 0; tile < tiles; tile++) {
    locatePixels(p, firstTile + tile, pixels);
    transformInput(pixels, channels, inputs + <usize>tile * lineBytes, plane);
  }

  const outputBytes = <usize>(columns << 2);
  const output = p.output + <usize>first * outputBytes;
  for (let column = 0; column < columns; column += 8) {
    const width = panelWidth(column, columns);
    let right = p.packed + (<usize>(POINTS * channels * column) << 2);
    let to = products;
    for (let point = 0; point < POINTS; point++) {
      const offset = plane * point;
      for (let tile = 0; tile < padded; tile += 4) {
        const lines = table + (tile << 2);
        if (width == 8) tileOfRows8(lines, 0, 1, offset, channels, right, to, 32, false);
        else tileOfRows4(lines, 0, 1, offset, channels, right, to, 32, false);
        to += 128;
      }
      right += <usize>(channels * width) << 2;
    }
    let row = 0;
    for (let tile = 0; tile < tiles; tile++) {
      const place = output + <usize>row * outputBytes + (column << 2);
      const from = products + <usize>(tile << 5);
      transformOutput(from, padded << 5, place, outputBytes, p.width, columns - column);
      if (width == 8) transformOutput(from + 16, padded << 5, place + 16, outputBytes, p.width, columns - column - 4);
      row += 2;
      if (row % p.width == 0) row += p.width;
    }
  }
  finishBlock(p, chunk, rows, output);
}

/** Writes the addresses of the 4 x 4 pixels that a tile sees, column after column; zeros lie outside the image. */
function locatePixels(p: Product, tile: i32, pixels: usize): void {
  const across = p.width >> 1;
  const down = p.height >> 1;
  const line = tile / across;
  const x = (tile % across) * 2 + p.baseX;
  const y = (line % down) * 2 + p.baseY;
  const image = (line / down) * p.sourceHeight;
  for (let wide = x; wide < x + 4; wide++) {
    for (let high = y; high < y + 4; high++) {
      const inside = <u32>wide < <u32>p.sourceWidth && <u32>high < <u32>p.sourceHeight;
      const pixel = <usize>((image + high) * p.sourceWidth + wide);
      store<usize>(pixels, inside ? p.source + ((pixel * p.channels) << 2) : p.zeros);
      pixels += 4;
    }
  }
}

/** B' d B of one tile: its 16 points `plane` bytes apart. Reads up to three floats past a pixel. */
function transformInput(pixels: usize, channels: i32, to: usize, plane: usize): void {
  const end = <usize>(channels << 2);
  for (let offset: usize = 0; offset < end; offset += 16) {
    let d0 = pixel(pixels, 0, offset), d1 = pixel(pixels, 1, offset);
    let d2 = pixel(pixels, 2, offset), d3 = pixel(pixels, 3, offset);
    const a0 = f32x4.sub(d0, d2), a1 = f32x4.add(d1, d2), a2 = f32x4.sub(d2, d1), a3 = f32x4.sub(d1, d3);
    d0 = pixel(pixels, 8, offset); d1 = pixel(pixels, 9, offset);
    d2 = pixel(pixels, 10, offset); d3 = pixel(pixels, 11, offset);
    const c0 = f32x4.sub(d0, d2), c1 = f32x4.add(d1, d2), c2 = f32x4.sub(d2, d1), c3 = f32x4.sub(d1, d3);
    storePoints(to, plane, f32x4.sub(a0, c0), f32x4.sub(a1, c1), f32x4.sub(a2, c2), f32x4.sub(a3, c3));
    d0 = pixel(pixels, 4, offset); d1 = pixel(pixels, 5, offset);
    d2 = pixel(pixels, 6, offset); d3 = pixel(pixels, 7, offset);
    const b0 = f32x4.sub(d0, d2), b1 = f32x4.add(d1, d2), b2 = f32x4.sub(d2, d1), b3 = f32x4.sub(d1, d3);
    storePoints(to + plane, plane, f32x4.add(b0, c0), f32x4.add(b1, c1), f32x4.add(b2, c2), f32x4.add(b3, c3));
    storePoints(to + 2 * plane, plane, f32x4.sub(c0, b0), f32x4.sub(c1, b1), f32x4.sub(c2, b2), f32x4.sub(c3, b3));
    d0 = pixel(pixels, 12, offset); d1 = pixel(pixels, 13, offset);
    d2 = pixel(pixels, 14, offset); d3 = pixel(pixels, 15, offset);
    storePoints(
      to + 3 * plane, plane,
      f32x4.sub(b0, f32x4.sub(d0, d2)), f32x4.sub(b1, f32x4.add(d1, d2)),
      f32x4.sub(b2, f32x4.sub(d2, d1)), f32x4.sub(b3, f32x4.sub(d1, d3)),
    );
    to += 16;
  }
}

/** Four channels of one of the pixels at a table of addresses. */
// @ts-ignore: decorator
@inline
function pixel(pixels: usize, i: usize, offset: usize): v128 {
  return v128.load(load<usize>(pixels + (i << 2)) + offset);
}

/** Stores one column of points, four points apart. */
// @ts-ignore: decorator
@inline
function storePoints(to: usize, plane: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(to, a);
  v128.store(to + 4 * plane, b);
  v128.store(to + 8 * plane, c);
  v128.store(to + 12 * plane, d);
}

/** A' m A of four columns of one tile: 2 x 2 outputs. */
// @ts-ignore: decorator
@inline
function transformOutput(from: usize, stride: usize, to: usize, pixelBytes: usize, width: i32, count: i32): void {
  const line: usize = stride << 2;
  const left0 = leftOutput(from, stride), left1 = leftOutput(from + line, stride);
  const left2 = leftOutput(from + 2 * line, stride), left3 = leftOutput(from + 3 * line, stride);
  const below = to + <usize>width * pixelBytes;
  storePart(to, f32x4.add(f32x4.add(left0, left1), left2), count);
  storePart(below, f32x4.sub(f32x4.sub(left1, left2), left3), count);
  const right0 = rightOutput(from, stride), right1 = rightOutput(from + line, stride);
  const right2 = rightOutput(from + 2 * line, stride), right3 = rightOutput(from + 3 * line, stride);
  storePart(to + pixelBytes, f32x4.add(f32x4.add(right0, right1), right2), count);
  storePart(below + pixelBytes, f32x4.sub(f32x4.sub(right1, right2), right3), count);
}

// @ts-ignore: decorator
@inline
function leftOutput(from: usize, stride: usize): v128 {
  return f32x4.add(f32x4.add(v128.load(from), v128.load(from + stride)), v128.load(from + 2 * stride));
}

// @ts-ignore: decorator
@inline
function rightOutput(from: usize, stride: usize): v128 {
  const inner = f32x4.sub(v128.load(from + stride), v128.load(from + 2 * stride));
  return f32x4.sub(inner, v128.load(from + 3 * stride));
}
