import { POINTS, SIDE } from '../src/core/kernelConstants';
import { parallel, taskArguments, thread } from './parallel';
import { Product } from './product';
import { panelColumns, panelWidth, tilesOfRows } from './tiles';
import { ceilDivide, least, loadPart, multiplyAdd, storePair, storePart, zero } from './vector';
import {
  FILTER_ROOM, locateTile, OUTPUT_ROOM, pointBytesOf, REACH, ROOM, tileBytesOf, transformFilter, transformInput,
  transformOutput,
} from './winogradTransforms';

/*
 * 3x3 convolutions of stride 1 with fewer multiplications: one product of matrices [tiles, channels] [channels, columns]
 * per point. A chunk is a number of lines of tiles.
 */

/** Channels and columns of one pass: what is worked on stays in the cache, and outputs leave it in whole lines. */
const CHANNELS: i32 = 32;
const COLUMNS: i32 = 64;

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

/** Bytes from point to point of a tile's transformed inputs. */
// @ts-ignore: decorator
@inline
function inputBytes(channels: i32): usize {
  return pointBytesOf(least(CHANNELS, channels));
}

/** Bytes from point to point of a tile's products: those of a panel. */
// @ts-ignore: decorator
@inline
function productBytes(): usize {
  return <usize>panelColumns() << 2;
}

/** Bytes of scratch per thread: addresses, transformed inputs, products, room for the transforms. */
export function winogradLocalBytes(tiles: i32, channels: i32): i32 {
  const padded = (tiles + 3) & ~3;
  const inputs = padded * <i32>tileBytesOf(inputBytes(channels));
  const products = padded * <i32>tileBytesOf(productBytes()) * (COLUMNS / panelColumns());
  return (padded + tiles * POINTS) * 4 + inputs + products + ROOM;
}

/** Runs a product whose patches are those of a 3x3 convolution; `packed` has room for 36 points in place of 9 taps. */
export function winograd(): void {
  const p = taskArguments<Winograd>();
  const lines = p.rows / (p.height * p.width) * ceilDivide(p.height, SIDE);
  parallel<PackWinograd>(ceilDivide(p.columns, panelColumns()));
  parallel<WinogradBlock>(ceilDivide(lines, p.lines));
}

/** Where the transformed filter of some channels and one panel of columns lies: [point][channel][width]. */
// @ts-ignore: decorator
@inline
function packedPanel(p: Winograd, channel: i32, column: i32): usize {
  const depth = least(CHANNELS, p.channels - channel);
  const panel = panelColumns();
  const columns = ceilDivide(p.columns, panel) * panel;
  return p.packed + (<usize>(POINTS * (columns * channel + column * depth)) << 2);
}

/** Packs one panel of the transformed filter. */
export class PackWinograd {
  run(panel: i32): void {
    const p = taskArguments<Winograd>();
    const room = p.local + <usize>thread() * p.localBytes;
    const column = panel * panelColumns();
    const width = panelWidth(column, p.columns);
    for (let first = 0; first < p.channels; first += CHANNELS) {
      const depth = least(CHANNELS, p.channels - first);
      const base = packedPanel(p, first, column);
      const pointBytes = <usize>(depth * width) << 2;
      for (let part = 0; part < width; part += 8) {
        const count = least(8, p.columns - column - part);
        for (let i = 0; i < depth; i++) {
          const from = p.right + (<usize>((first + i) * p.rightDepth + (column + part) * p.rightColumn) << 2);
          const to = base + (<usize>(i * width + part) << 2);
          if (width > 4) {
            transformFilter(from, p.rightTap << 2, p.rightColumn << 2, count, room, to, pointBytes);
          } else {
            const wide = room + FILTER_ROOM;
            transformFilter(from, p.rightTap << 2, p.rightColumn << 2, count, room, wide, 32);
            for (let point: usize = 0; point < <usize>POINTS; point++) {
              v128.store(to + point * pointBytes, v128.load(wide + (point << 5)));
            }
          }
        }
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
export class WinogradBlock {
  run(chunk: i32): void {
    const p = taskArguments<Winograd>();
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
    const inputPoint = inputBytes(channels);
    const inputTile = tileBytesOf(inputPoint);
    const products = inputs + inputTile * padded;
    const panel = panelColumns();
    const productPoint = productBytes();
    const productTile = tileBytesOf(productPoint);
    const panelBytes = productTile * padded;
    const room = products + panelBytes * (COLUMNS / panel);
    // Lines past the last tile are computed and never used: they may read what lies there.
    for (let tile = 0; tile < padded; tile++) store<usize>(table + (tile << 2), inputs + <usize>tile * inputTile);
    for (let tile = 0; tile < tiles; tile++) {
      const line = firstLine + tile / across;
      const image = p.source + (<usize>(line / down * p.sourceHeight * p.sourceWidth * channels) << 2);
      const y = line % down * SIDE + p.baseY;
      const x = tile % across * SIDE + p.baseX;
      const place = pixels + <usize>(tile * POINTS * 4);
      locateTile(image, channels << 2, p.sourceHeight, p.sourceWidth, y, x, REACH, p.zeros, place);
    }

    if (p.sums != 0) memory.fill(p.sums + (<usize>(chunk * 2 * columns) << 2), 0, columns << 3);
    for (let column = 0; column < columns; column += COLUMNS) {
      const end = least(column + COLUMNS, columns);
      for (let channel = 0; channel < channels; channel += CHANNELS) {
        const depth = least(CHANNELS, channels - channel);
        if (column == 0 || channels > CHANNELS) {
          for (let tile = 0; tile < tiles; tile++) {
            const at = pixels + <usize>(tile * POINTS * 4);
            transformInput(at, channel << 2, depth, room, inputs + <usize>tile * inputTile, inputPoint);
          }
        }
        let panelProducts = products;
        for (let first = column; first < end; first += panel) {
          const width = panelWidth(first, columns);
          let right = packedPanel(p, channel, first);
          let offset: usize = 0;
          let to = panelProducts;
          for (let point = 0; point < POINTS; point++) {
            tilesOfRows(width, padded, table, 0, 1, offset, depth, right, to, productTile, channel > 0);
            offset += inputPoint;
            to += productPoint;
            right += <usize>(depth * width) << 2;
          }
          panelProducts += panelBytes;
        }
      }
      for (let tile = 0; tile < tiles; tile++) {
        const line = firstLine + tile / across;
        const x = tile % across * SIDE;
        const high = least(SIDE, p.height - line % down * SIDE);
        const wide = least(SIDE, p.width - x);
        const row = firstRow(p, line) + x;
        let from = products + <usize>tile * productTile;
        for (let first = column; first < end; first += panel) {
          const valid = least(panel, columns - first);
          for (let part = 0; part < valid; part += 8) {
            transformOutput(from + <usize>(part << 2), productPoint, room);
            placeOutput(p, room, chunk, row, first + part, high, wide);
          }
          from += panelBytes;
        }
      }
    }
  }
}

/**
 * Brings eight columns of a tile's outputs, 4 x 4 of them at `from`, through the epilogue to their places: the part
 * [high, wide] of the tile that lies in the image. Reads up to seven floats past the last column.
 */
function placeOutput(p: Winograd, from: usize, chunk: i32, row: i32, column: i32, high: i32, wide: i32): void {
  const count = p.columns - column;
  const pixelBytes = <usize>p.columns << 2;
  const columnBytes = <usize>column << 2;
  // Ones and zeros stand for a factor and a summand that are not there.
  const neutral = from + (OUTPUT_ROOM - 64);
  storePair(neutral, f32x4.splat(1), f32x4.splat(1));
  storePair(neutral + 32, zero(), zero());
  const scale = p.scale == 0 ? neutral : p.scale + columnBytes;
  const scaleA = v128.load(scale), scaleB = v128.load(scale, 16);
  const shift = p.shift == 0 ? neutral + 32 : p.shift + columnBytes;
  // One line of the shift for all positions, or one for each of an image: then a tile's line does not wrap around.
  const shiftRows = p.shift == 0 ? 1 : p.shiftRows;
  const shiftBytes: usize = shiftRows == 1 ? 0 : pixelBytes;
  const floor = f32x4.splat(p.relu ? 0 : -Infinity);
  const lineBytes = pixelBytes * p.width;
  let to = p.output + <usize>row * pixelBytes + columnBytes;
  let mask: usize = p.mask == 0 ? 0 : p.mask + <usize>row * pixelBytes + columnBytes;
  let sumA = zero(), sumB = sumA, weightedA = sumA, weightedB = sumA;
  for (let line = 0; line < high; line++) {
    const shiftLine = shift + <usize>(row % shiftRows) * shiftBytes;
    for (let i: usize = 0; i < <usize>wide; i++) {
      const outputs = from + (i << 5);
      let a = v128.load(outputs), b = v128.load(outputs, 16);
      if (mask != 0) {
        const place = mask + i * pixelBytes;
        const shownA = v128.load(place), shownB = v128.load(place, 16);
        a = v128.andnot(a, f32x4.le(shownA, zero()));
        b = v128.andnot(b, f32x4.le(shownB, zero()));
        sumA = f32x4.add(sumA, a);
        sumB = f32x4.add(sumB, b);
        weightedA = multiplyAdd(a, shownA, weightedA);
        weightedB = multiplyAdd(b, shownB, weightedB);
      }
      const summand = shiftLine + i * shiftBytes;
      const shiftA = v128.load(summand), shiftB = v128.load(summand, 16);
      a = f32x4.pmax(f32x4.add(f32x4.mul(a, scaleA), shiftA), floor);
      b = f32x4.pmax(f32x4.add(f32x4.mul(b, scaleB), shiftB), floor);
      const place = to + i * pixelBytes;
      if (count >= 8) {
        storePair(place, a, b);
      } else {
        storePart(place, a, count);
        if (count > 4) storePart(place + 16, b, count - 4);
      }
    }
    from += 128;
    row += p.width;
    to += lineBytes;
    if (mask != 0) mask += lineBytes;
  }
  if (p.sums != 0) {
    const sums = p.sums + <usize>(chunk * 2) * pixelBytes + columnBytes;
    addPart(sums, sumA, count);
    addPart(sums + pixelBytes, weightedA, count);
    if (count > 4) {
      addPart(sums + 16, sumB, count - 4);
      addPart(sums + pixelBytes + 16, weightedB, count - 4);
    }
  }
}

/** Adds up to four lanes to what lies there. */
// @ts-ignore: decorator
@inline
function addPart(to: usize, value: v128, count: i32): void {
  storePart(to, f32x4.add(loadPart(to, count), value), count);
}
