import { parallel, taskArguments, thread } from './parallel';
import { panelWidth, Product } from './product';
import { PACK_WINOGRAD, WINOGRAD } from './tasks';
import { tileOfRows4, tileOfRows8 } from './tiles';
import { ceilDivide, least, loadPart, multiplyAdd, storePart, zero } from './vector';
import {
  locateTile, POINTS, REACH, SIDE, transformBytes, transformFilter, transformInput, transformOutput,
} from './winogradTransforms';

/*
 * 3x3 convolutions of stride 1 with fewer multiplications: one product of matrices [tiles, channels] [channels, columns]
 * per point. A chunk is a number of lines of tiles.
 */

/** Channels of one pass, and columns where the channels take more than one: what is worked on stays in the cache. */
const CHANNELS: i32 = 32;
const COLUMNS: i32 = 64;
/** Points are this many bytes further apart than their tiles need, or their lines would share cache sets. */
const GAP: usize = 64;

/** The grid of positions has the size of the source. */
@unmanaged
class Winograd extends Product {
  /** Lines of tiles per chunk. */
  lines: i32;
}

// @ts-ignore: decorator
@inline
function tilesAcross(p: Winograd): i32 {
  return ceilDivide(p.width, SIDE);
}

/** Bytes between the transformed inputs of two tiles. */
// @ts-ignore: decorator
@inline
function inputBytes(channels: i32): i32 {
  return ((least(CHANNELS, channels) + 3) & ~3) << 2;
}

/** Columns of one pass. */
// @ts-ignore: decorator
@inline
function columnsAtOnce(channels: i32): i32 {
  return channels > CHANNELS ? COLUMNS : 8;
}

/** Bytes of scratch per thread: addresses, transformed inputs, products, room for the transforms. */
export function winogradLocalBytes(tiles: i32, channels: i32): i32 {
  const padded = (tiles + 3) & ~3;
  const inputs = POINTS * (padded * inputBytes(channels) + <i32>GAP);
  const products = POINTS * padded * columnsAtOnce(channels) * 4;
  return (padded + tiles * POINTS) * 4 + inputs + products + transformBytes(CHANNELS);
}

/** Runs a product whose patches are those of a 3x3 convolution; `packed` has room for 36 points in place of 9 taps. */
export function winograd(): void {
  const p = changetype<Winograd>(taskArguments());
  const lines = p.rows / (p.height * p.width) * ceilDivide(p.height, SIDE);
  parallel(PACK_WINOGRAD, ceilDivide(p.columns, 8));
  parallel(WINOGRAD, ceilDivide(lines, p.lines));
}

/** Where the transformed filter of some channels and one panel of columns lies: [point][channel][width]. */
// @ts-ignore: decorator
@inline
function packedPanel(p: Winograd, channel: i32, column: i32): usize {
  const depth = least(CHANNELS, p.channels - channel);
  const columns = (p.columns + 7) & ~7;
  return p.packed + (<usize>(POINTS * (columns * channel + column * depth)) << 2);
}

/** Packs one panel of the transformed filter. */
export function packWinograd(panel: i32): void {
  const p = changetype<Winograd>(taskArguments());
  const room = p.local + <usize>thread() * p.localBytes;
  const column = panel * 8;
  const width = panelWidth(column, p.columns);
  for (let first = 0; first < p.channels; first += CHANNELS) {
    const depth = least(CHANNELS, p.channels - first);
    const base = packedPanel(p, first, column);
    const pointBytes = <usize>(depth * width) << 2;
    for (let part = 0; part < width; part += 4) {
      const count = least(4, p.columns - column - part);
      for (let i = 0; i < depth; i++) {
        const from = p.right + (<usize>((first + i) * p.rightDepth + (column + part) * p.rightColumn) << 2);
        const to = base + (<usize>(i * width + part) << 2);
        transformFilter(from, p.rightTap << 2, p.rightColumn << 2, count, room, to, pointBytes);
      }
    }
  }
}

/** First row of a line of tiles. */
// @ts-ignore: decorator
@inline
function firstRow(p: Winograd, line: i32): i32 {
  const down = ceilDivide(p.height, SIDE);
  return (line / down * p.height + line % down * SIDE) * p.width;
}

/** Computes one chunk: some lines of tiles. */
export function winogradBlock(chunk: i32): void {
  const p = changetype<Winograd>(taskArguments());
  const channels = p.channels;
  const columns = p.columns;
  const across = tilesAcross(p);
  const down = ceilDivide(p.height, SIDE);
  const firstLine = chunk * p.lines;
  const lines = least(p.lines, p.rows / (p.height * p.width) * down - firstLine);
  const tiles = lines * across;
  const padded = (tiles + 3) & ~3;

  const table = p.local + <usize>thread() * p.localBytes;
  const pixels = table + <usize>(padded << 2);
  const inputs = pixels + <usize>(tiles * POINTS * 4);
  const tileBytes: usize = inputBytes(channels);
  const plane = <usize>padded * tileBytes + GAP;
  const products = inputs + plane * POINTS;
  const pointBytes = <usize>padded << 5;
  const room = products + pointBytes * POINTS * (columnsAtOnce(channels) >> 3);
  // Lines past the last tile are computed and never used: they may read what lies there.
  for (let tile = 0; tile < padded; tile++) store<usize>(table + (tile << 2), inputs + <usize>tile * tileBytes);
  for (let tile = 0; tile < tiles; tile++) {
    const line = firstLine + tile / across;
    const image = p.source + (<usize>(line / down * p.sourceHeight * p.sourceWidth * channels) << 2);
    const y = line % down * SIDE + p.baseY;
    const x = tile % across * SIDE + p.baseX;
    const place = pixels + <usize>(tile * POINTS * 4);
    locateTile(image, channels << 2, p.sourceHeight, p.sourceWidth, y, x, REACH, p.zeros, place);
  }

  if (p.sums != 0) memory.fill(p.sums + (<usize>(chunk * 2 * columns) << 2), 0, columns << 3);
  const columnStep = columnsAtOnce(channels);
  for (let column = 0; column < columns; column += columnStep) {
    const end = least(column + columnStep, columns);
    for (let channel = 0; channel < channels; channel += CHANNELS) {
      const depth = least(CHANNELS, channels - channel);
      if (column == 0 || channels > CHANNELS) {
        for (let tile = 0; tile < tiles; tile++) {
          const at = pixels + <usize>(tile * POINTS * 4);
          const to = inputs + <usize>tile * tileBytes;
          transformInput(at, channel << 2, ceilDivide(depth, 4), room, to, plane, 16);
        }
      }
      let to = products;
      for (let panel = column; panel < end; panel += 8) {
        const width = panelWidth(panel, columns);
        let right = packedPanel(p, channel, panel);
        for (let point = 0; point < POINTS; point++) {
          const offset = plane * point;
          for (let tile = 0; tile < padded; tile += 4) {
            const lefts = table + (tile << 2);
            if (width == 8) tileOfRows8(lefts, 0, 1, offset, depth, right, to, 32, channel > 0);
            else tileOfRows4(lefts, 0, 1, offset, depth, right, to, 32, channel > 0);
            to += 128;
          }
          right += <usize>(depth * width) << 2;
        }
      }
    }
    for (let tile = 0; tile < tiles; tile++) {
      const line = firstLine + tile / across;
      const x = tile % across * SIDE;
      const high = least(SIDE, p.height - line % down * SIDE);
      const wide = least(SIDE, p.width - x);
      const row = firstRow(p, line) + x;
      let from = products + <usize>(tile << 5);
      for (let panel = column; panel < end; panel += 8) {
        transformOutput(from, pointBytes, room);
        placeOutput(p, room, chunk, row, panel, high, wide);
        if (columns - panel > 4) {
          transformOutput(from + 16, pointBytes, room);
          placeOutput(p, room, chunk, row, panel + 4, high, wide);
        }
        from += pointBytes * POINTS;
      }
    }
  }
}

/**
 * Brings four columns of a tile's outputs, 4 x 4 of them at `from`, through the epilogue to their places: the part
 * [high, wide] of the tile that lies in the image.
 */
function placeOutput(p: Winograd, from: usize, chunk: i32, row: i32, column: i32, high: i32, wide: i32): void {
  const count = p.columns - column;
  const pixelBytes = <usize>p.columns << 2;
  const at = <usize>row * pixelBytes + <usize>(column << 2);
  const scale = p.scale == 0 ? f32x4.splat(1) : loadPart(p.scale + (column << 2), count);
  let to = p.output + at;
  let shown = p.mask + at;
  let sum = zero();
  let weighted = zero();
  for (let line = 0; line < high; line++) {
    for (let i = 0; i < wide; i++) {
      const offset = <usize>i * pixelBytes;
      let value = v128.load(from + (i << 4));
      if (p.mask != 0) {
        const mask = loadPart(shown + offset, count);
        value = v128.andnot(value, f32x4.le(mask, zero()));
        sum = f32x4.add(sum, value);
        weighted = multiplyAdd(value, mask, weighted);
      }
      if (p.scale != 0) value = f32x4.mul(value, scale);
      if (p.shift != 0) {
        const shiftRow = p.shiftRows == 1 ? 0 : (row + i) % p.shiftRows;
        value = f32x4.add(value, loadPart(p.shift + <usize>shiftRow * pixelBytes + (column << 2), count));
      }
      if (p.relu) value = f32x4.pmax(value, zero());
      storePart(to + offset, value, count);
    }
    from += 64;
    row += p.width;
    to += pixelBytes * p.width;
    shown += pixelBytes * p.width;
  }
  if (p.sums != 0) {
    const place = p.sums + <usize>(chunk * 2) * pixelBytes + (column << 2);
    storePart(place, f32x4.add(loadPart(place, count), sum), count);
    storePart(place + pixelBytes, f32x4.add(loadPart(place + pixelBytes, count), weighted), count);
  }
}
