import { packLine, turn } from './product';
import { taskArguments } from './parallel';
import { clearColumns, floats, layerAt, Perceptron, PerceptronLayer, upTo16 } from './perceptronRecords';
import { panelColumns, panelWidth, tilesOfRows } from './tiles';
import { least, loadPart, zero } from './vector';

/** Packs bias and weights of a layer. */
export class PackLayer {
  run(chunk: i32): void {
    const layer = layerAt(taskArguments<Perceptron>(), chunk);
    const columns = layer.outputs;
    for (let j = 0; j < upTo16(columns); j += 4) {
      const left = columns - j;
      v128.store(layer.packed + floats(j), loadUpTo(layer.bias + floats(j), left));
    }
    findLayerRanges(layer);
    const packed = layer.packed + floats(upTo16(columns));
    const lineBytes = floats(columns);
    const panel = panelColumns();
    for (let column = 0; column < columns; column += panel) {
      const width = panelWidth(column, columns);
      const range = layer.ranges + <usize>(column / panel << 3);
      const first = load<i32>(range), end = first + load<i32>(range, 4);
      let to = packed + floats(layer.inputs * column + first * width);
      for (let k = first; k < end; k++) {
        const at = <usize>k * lineBytes + floats(column);
        packLine(layer.kernel + at, 4, columns - column, to, width);
        if (layer.mask != 0) maskLine(to, layer.mask + at, columns - column, width);
        to += floats(width);
      }
    }
  }
}

/**
 * Finds for each panel of columns what depths the mask leaves: from the first to the last of them. In the mask, which may be 0,
 * depths and columns lie so many bytes apart.
 */
function findRanges(ranges: usize, mask: usize, depth: i32, depthBytes: usize, columns: i32, columnBytes: usize): void {
  const panel = panelColumns();
  for (let column = 0; column < columns; column += panel) {
    let first = 0, end = depth;
    if (mask != 0) {
      const at = mask + <usize>column * columnBytes;
      const count = least(panel, columns - column);
      while (first < end && hidden(at + <usize>first * depthBytes, columnBytes, count)) first++;
      while (end > first && hidden(at + <usize>(end - 1) * depthBytes, columnBytes, count)) end--;
    }
    store<i32>(ranges, first);
    store<i32>(ranges, end - first, 4);
    ranges += 8;
  }
}

/** The ranges of a layer's panels of outputs. */
function findLayerRanges(layer: PerceptronLayer): void {
  findRanges(layer.ranges, layer.mask, layer.inputs, floats(layer.outputs), layer.outputs, 4);
}

/** Packs the turned weights of a layer: panels of inputs, their depths being outputs. */
export class TurnLayer {
  run(chunk: i32): void {
    const layer = layerAt(taskArguments<Perceptron>(), chunk);
    const columns = layer.inputs;
    const lineBytes = floats(layer.outputs);
    findLayerRanges(layer);
    findRanges(layer.turnedRanges, layer.mask, layer.outputs, 4, columns, lineBytes);
    const panel = panelColumns();
    for (let column = 0; column < columns; column += panel) {
      const width = panelWidth(column, columns);
      const count = least(width, columns - column);
      const rows = layer.kernel + <usize>column * lineBytes;
      const masks = layer.mask + <usize>column * lineBytes;
      const range = layer.turnedRanges + <usize>(column / panel << 3);
      const first = load<i32>(range), end = first + load<i32>(range, 4);
      let to = layer.turned + floats(layer.outputs * column + first * width);
      let k = first;
      for (; k + 4 <= end; k += 4) {
        for (let part = 0; part < width; part += 4) {
          const at = <usize>part * lineBytes + floats(k);
          turnShown(rows + at, layer.mask == 0 ? 0 : masks + at, lineBytes, count - part, to + floats(part), floats(width));
        }
        to += floats(width * 4);
      }
      for (; k < end; k++) {
        for (let j = 0; j < width; j++) {
          const at = <usize>j * lineBytes + floats(k);
          const counts = j < count && (layer.mask == 0 || load<f32>(masks + at) != 0);
          store<f32>(to + floats(j), counts ? load<f32>(rows + at) : 0);
        }
        to += floats(width);
      }
    }
  }
}

/** As `turn`, for weights and their mask, which may be 0. */
// @ts-ignore: decorator
@inline
function turnShown(from: usize, mask: usize, bytes: usize, count: i32, to: usize, lineBytes: usize): void {
  turn(from, bytes, count, to, lineBytes);
  if (mask == 0) return;
  for (let j = 0; j < 4; j++) {
    const line = v128.load(to);
    let counts = zero();
    if (count > 0) counts = v128.load32_lane(mask, counts, 0);
    if (count > 1) counts = v128.load32_lane(mask + bytes, counts, 1);
    if (count > 2) counts = v128.load32_lane(mask + 2 * bytes, counts, 2);
    if (count > 3) counts = v128.load32_lane(mask + 3 * bytes, counts, 3);
    v128.store(to, shown(line, counts));
    mask += 4;
    to += lineBytes;
  }
}

/** Whether a mask is 0 at `count` places, `bytes` apart. */
function hidden(mask: usize, bytes: usize, count: i32): bool {
  for (let j = 0; j < count; j++) {
    if (load<f32>(mask) != 0) return false;
    mask += bytes;
  }
  return true;
}

/** Clears what the mask hides in a packed line. */
// @ts-ignore: decorator
@inline
function maskLine(to: usize, mask: usize, count: i32, width: i32): void {
  for (let j = 0; j < least(count, width); j += 4) {
    v128.store(to + floats(j), shown(v128.load(to + floats(j)), loadPart(mask + floats(j), count - j)));
  }
}

/** Weights where their mask is not 0, and 0 elsewhere. */
// @ts-ignore: decorator
@inline
export function shown(weights: v128, mask: v128): v128 {
  return v128.andnot(weights, f32x4.eq(mask, zero()));
}

/** Four values, or as many as there are and zeros. */
// @ts-ignore: decorator
@inline
export function loadUpTo(from: usize, count: i32): v128 {
  return count > 0 ? loadPart(from, count) : zero();
}

/** to[rows up to 4, columns] = or += (rows of the table from `place` on) times packed panels, over the depths that these have. */
export function multiplyPanels(
  table: usize, rows: i32, place: i32, depth: i32, packed: usize, ranges: usize, columns: i32, to: usize, toBytes: i32, add: bool,
): void {
  const padded = (rows + 3) & ~3;
  const panel = panelColumns();
  for (let column = 0; column < columns; column += panel) {
    const width = panelWidth(column, columns);
    const first = load<i32>(ranges), count = load<i32>(ranges, 4);
    ranges += 8;
    const at = to + floats(column);
    if (count > 0) {
      const right = packed + floats(depth * column + first * width);
      tilesOfRows(width, padded, table, 0, 1, floats(place + first), count, right, at, toBytes, add);
    } else if (!add) {
      clearColumns(at, toBytes, rows, width);
    }
  }
}
