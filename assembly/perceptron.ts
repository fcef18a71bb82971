import { CONTEXT_GATE, CONTEXT_NONE, NO_ACTIVATION, PERCEPTRON_ROWS, RELU } from '../src/core/kernelConstants';
import { activate, throughActivation } from './activations';
import { packLine, turn } from './product';
import { parallel, taskArguments, thread } from './parallel';
import { panelColumns, panelWidth, tileOfPanels, tilesOfRows } from './tiles';
import { ceilDivide, copyExactly, least, loadPart, storePair, storePart, zero } from './vector';

/*
 * A network of fully connected layers, forward and back: a block of rows goes through all layers while it is in the cache.
 *
 * What a row's layers read and give lies in one record: the inputs side by side, then results and activated results, each from a
 * multiple of 16 floats on. Gradients by them lie in records of their own. Weights are packed in panels of columns; of a masked layer
 * only those depths that a panel's columns may read.
 */

/** One layer; places are in floats within records, or -1 for none. */
@unmanaged
export class PerceptronLayer {
  inputs: i32;
  outputs: i32;
  /** Weights [inputs, outputs]; mask like them, or 0; [outputs]. */
  kernel: usize;
  mask: usize;
  bias: usize;
  /** Room for the bias, then the weights in panels: (inputs + 1) * outputs rounded up to 16. */
  packed: usize;
  /** Room for first depth and number of depths of each panel. */
  ranges: usize;
  /** What it reads. */
  source: i32;
  /** The product with the bias, where a gate or an activated summand needs it; the result; the result activated. */
  product: i32;
  result: i32;
  activated: i32;
  activation: i32;
  /** What dropout multiplies the activated result by, [rows, outputs], or 0: 0 for what is dropped, one number for the rest. */
  dropout: usize;
  /** Result of an earlier layer that is added. */
  skip: i32;
  /** What a layer of the context does, and where its activated result and result lie. */
  contextUse: i32;
  context: i32;
  contextRead: i32;
  contextActivation: i32;
  /** Room for the turned weights, with outputs and inputs exchanged, and their ranges. */
  turned: usize;
  turnedRanges: usize;
  /** Where the gradients by the result lie, and by what it reads, by what is added and by the layer of the context. */
  gradient: i32;
  sourceGradient: i32;
  /** Whether there is a gradient already. */
  sourceAdds: i32;
  skipGradient: i32;
  skipAdds: i32;
  contextGradient: i32;
  /** What the source went through: its activation, and where what that read lies. */
  sourceActivation: i32;
  sourceRead: i32;
  /** What dropout multiplied the source by, [rows, inputs], or 0. */
  sourceDropout: usize;
  /** Where the sums for the weights lie in a chunk's part, in floats: bias, then weights [inputs up to 4, outputs up to 16]. */
  part: i32;
  dKernel: usize;
  dBias: usize;
}

@unmanaged
export class PerceptronSource {
  /** Rows of so many floats, of which the first columns are read. */
  at: usize;
  rowFloats: i32;
  columns: i32;
  /** Like the rows: where the gradient goes, and whether it is added to what is there. */
  gradient: usize;
  adds: i32;
}

@unmanaged
class Perceptron {
  rows: i32;
  /** Rows of a chunk. */
  chunkRows: i32;
  layers: usize;
  layerCount: i32;
  sources: usize;
  sourceCount: i32;
  /** Records of all rows, rounded up to 4, or room for PERCEPTRON_ROWS of them per thread where they are not kept. */
  records: usize;
  recordBytes: i32;
  kept: i32;
  /** The share that dropout leaves. */
  share: f32;
  /** [rows, outputs of the last layer] */
  output: usize;
  /** Room per thread. */
  local: usize;
  localBytes: i32;
  /** Records of gradients; the last layer's results take one, too. */
  gradientBytes: i32;
  lastResult: i32;
  /** Place of the gradient by the inputs, and of a product that is added to another. */
  inputGradient: i32;
  added: i32;
  /** Columns of the inputs, and whether the gradient by them starts from zeros, several layers adding to it. */
  inputColumns: i32;
  clearInputs: i32;
  /** Gradient in the output. */
  outputGradient: usize;
  /** Room for the sums of each chunk. */
  parts: usize;
  partBytes: i32;
}

/** Tables of row addresses, of records and of gradients. */
const TABLE: usize = PERCEPTRON_ROWS * 4;

/** Bytes of scratch per thread, for records of gradients. */
export function perceptronLocalBytes(gradientBytes: i32): i32 {
  return (<i32>TABLE * 2) + PERCEPTRON_ROWS * gradientBytes;
}

// @ts-ignore: decorator
@inline
function layerAt(p: Perceptron, i: i32): PerceptronLayer {
  return changetype<PerceptronLayer>(p.layers + <usize>i * offsetof<PerceptronLayer>());
}

// @ts-ignore: decorator
@inline
function sourceAt(p: Perceptron, i: i32): PerceptronSource {
  return changetype<PerceptronSource>(p.sources + <usize>i * offsetof<PerceptronSource>());
}

// @ts-ignore: decorator
@inline
function floats(count: i32): usize {
  return <usize>count << 2;
}

// @ts-ignore: decorator
@inline
function upTo16(count: i32): i32 {
  return (count + 15) & ~15;
}

/** Computes the outputs, and the records where they are kept. */
export function perceptron(): void {
  const p = taskArguments<Perceptron>();
  parallel<PackLayer>(p.layerCount);
  parallel<PerceptronChunk>(ceilDivide(p.rows, p.chunkRows));
}

/** Computes the gradients in the inputs and in all weights from the records. */
export function perceptronGradient(): void {
  const p = taskArguments<Perceptron>();
  parallel<TurnLayer>(p.layerCount);
  parallel<PerceptronGradientChunk>(ceilDivide(p.rows, p.chunkRows));
  parallel<PlaceLayerGradient>(p.layerCount);
}

/** Packs bias and weights of a layer. */
export class PackLayer {
  run(chunk: i32): void {
    const layer = layerAt(taskArguments<Perceptron>(), chunk);
    const columns = layer.outputs;
    for (let j = 0; j < upTo16(columns); j += 4) {
      const left = columns - j;
      v128.store(layer.packed + floats(j), loadUpTo(layer.bias + floats(j), left));
    }
    findRanges(layer);
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

/** Finds for each panel of columns what depths the mask leaves: from the first to the last of them. */
function findRanges(layer: PerceptronLayer): void {
  const columns = layer.outputs;
  const lineBytes = floats(columns);
  const panel = panelColumns();
  for (let column = 0; column < columns; column += panel) {
    let first = 0, end = layer.inputs;
    if (layer.mask != 0) {
      const mask = layer.mask + floats(column);
      const count = least(panel, columns - column);
      while (first < end && hidden(mask + <usize>first * lineBytes, 4, count)) first++;
      while (end > first && hidden(mask + <usize>(end - 1) * lineBytes, 4, count)) end--;
    }
    setRange(layer.ranges, column / panel, first, end);
  }
}

/** Packs the turned weights of a layer: panels of inputs, their depths being outputs. */
export class TurnLayer {
  run(chunk: i32): void {
    const layer = layerAt(taskArguments<Perceptron>(), chunk);
    findRanges(layer);
    const columns = layer.inputs;
    const lineBytes = floats(layer.outputs);
    const panel = panelColumns();
    for (let column = 0; column < columns; column += panel) {
      const width = panelWidth(column, columns);
      const count = least(width, columns - column);
      const rows = layer.kernel + <usize>column * lineBytes;
      const masks = layer.mask + <usize>column * lineBytes;
      let first = 0, end = layer.outputs;
      if (layer.mask != 0) {
        while (first < end && hidden(masks + floats(first), lineBytes, count)) first++;
        while (end > first && hidden(masks + floats(end - 1), lineBytes, count)) end--;
      }
      setRange(layer.turnedRanges, column / panel, first, end);
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
function shown(weights: v128, mask: v128): v128 {
  return v128.andnot(weights, f32x4.eq(mask, zero()));
}

// @ts-ignore: decorator
@inline
function setRange(ranges: usize, panel: i32, first: i32, end: i32): void {
  store<i32>(ranges + <usize>(panel << 3), first);
  store<i32>(ranges + <usize>(panel << 3), end - first, 4);
}

/** A block of rows through all layers. */
export class PerceptronChunk {
  run(chunk: i32): void {
    const p = taskArguments<Perceptron>();
    const table = p.local + <usize>thread() * p.localBytes;
    const results = table + 2 * TABLE;
    const start = chunk * p.chunkRows;
    const end = least(start + p.chunkRows, p.rows);
    for (let first = start; first < end; first += PERCEPTRON_ROWS) {
      const rows = least(PERCEPTRON_ROWS, end - first);
      const at = p.kept ? first : thread() * PERCEPTRON_ROWS;
      const records = p.records + <usize>at * p.recordBytes;
      fillTable(table, records, p.recordBytes, rows);
      joinInputs(p, first, rows, records);
      for (let i = 0; i < p.layerCount; i++) {
        const layer = layerAt(p, i);
        const last = i == p.layerCount - 1;
        const to = last ? results + floats(p.lastResult) : records + floats(firstPlace(layer));
        const toBytes = last ? p.gradientBytes : p.recordBytes;
        const packed = layer.packed + floats(upTo16(layer.outputs));
        multiplyPanels(table, rows, layer.source, layer.inputs, packed, layer.ranges, layer.outputs, to, toBytes, false);
        if (last) placeOutput(p, layer, first, rows, to);
        else finishLayer(p, layer, first, rows, records, to);
      }
    }
  }
}

/** Where the product goes. */
// @ts-ignore: decorator
@inline
function firstPlace(layer: PerceptronLayer): i32 {
  if (layer.product >= 0) return layer.product;
  return layer.result >= 0 ? layer.result : layer.activated;
}

/** Addresses of rows; the last one again up to a multiple of 4. */
function fillTable(table: usize, at: usize, bytes: i32, rows: i32): void {
  for (let row = 0; row < ((rows + 3) & ~3); row++) {
    store<usize>(table + floats(row), at + <usize>least(row, rows - 1) * bytes);
  }
}

/** The inputs side by side, at the start of each record. */
function joinInputs(p: Perceptron, first: i32, rows: i32, records: usize): void {
  for (let i = 0; i < p.sourceCount; i++) {
    const source = sourceAt(p, i);
    const bytes = floats(source.rowFloats);
    let from = source.at + <usize>first * bytes;
    let to = records;
    for (let row = 0; row < rows; row++) {
      copyExactly(to, from, source.columns);
      from += bytes;
      to += p.recordBytes;
    }
    records += floats(source.columns);
  }
}

/** to[rows up to 4, columns] = or += (rows of the table from `place` on) times packed panels, over the depths that these have. */
function multiplyPanels(
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

function clearColumns(at: usize, bytes: i32, rows: i32, width: i32): void {
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < width; j += 4) v128.store(at + floats(j), zero());
    at += bytes;
  }
}

/**
 * Bias, context, skip, activation and dropout of a block whose product lies at `at`. Fields are read ahead of the loops: compilers
 * cannot know that what is stored is none of them.
 */
function finishLayer(p: Perceptron, layer: PerceptronLayer, first: i32, rows: i32, records: usize, at: usize): void {
  const simple = layer.activation == RELU || layer.activation == NO_ACTIVATION;
  if (simple && layer.contextUse == CONTEXT_NONE && layer.dropout == 0) finishSimply(p, layer, rows, records, at);
  else finishWithAll(p, layer, first, rows, records, at);
}

/** Without a context, dropout, or a bent activation. */
function finishSimply(p: Perceptron, layer: PerceptronLayer, rows: i32, records: usize, at: usize): void {
  const bytes = floats(upTo16(layer.outputs));
  const bias = layer.packed;
  const step: usize = p.recordBytes;
  const skips = layer.skip >= 0, places = layer.result >= 0, activates = layer.activated >= 0;
  let skip = records + floats(layer.skip), result = records + floats(layer.result), activated = records + floats(layer.activated);
  for (let row = 0; row < rows; row++) {
    for (let j: usize = 0; j < bytes; j += 32) {
      let low = f32x4.add(v128.load(at + j), v128.load(bias + j));
      let high = f32x4.add(v128.load(at + j, 16), v128.load(bias + j, 16));
      if (skips) {
        low = f32x4.add(low, v128.load(skip + j));
        high = f32x4.add(high, v128.load(skip + j, 16));
      }
      if (places) storePair(result + j, low, high);
      // NaN is not below 0 and passes.
      if (activates) storePair(activated + j, f32x4.pmax(low, zero()), f32x4.pmax(high, zero()));
    }
    at += step;
    skip += step;
    result += step;
    activated += step;
  }
}

function finishWithAll(p: Perceptron, layer: PerceptronLayer, first: i32, rows: i32, records: usize, at: usize): void {
  const outputs = layer.outputs;
  const bias = layer.packed;
  const use = layer.contextUse, activation = layer.activation;
  const product = layer.product, context = layer.context, skip = layer.skip, result = layer.result, activated = layer.activated;
  const drops = layer.dropout != 0;
  let dropout = layer.dropout + <usize>first * floats(outputs);
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < upTo16(outputs); j += 4) {
      const here = records + floats(j);
      let value = f32x4.add(v128.load(at + floats(j)), v128.load(bias + floats(j)));
      if (product >= 0) v128.store(here + floats(product), value);
      if (use != CONTEXT_NONE) {
        const given = v128.load(here + floats(context));
        value = use == CONTEXT_GATE ? f32x4.mul(value, given) : f32x4.add(value, given);
      }
      if (skip >= 0) value = f32x4.add(value, v128.load(here + floats(skip)));
      if (result >= 0) v128.store(here + floats(result), value);
      if (activated >= 0) {
        value = activate(value, activation);
        if (drops) value = f32x4.mul(value, loadUpTo(dropout + floats(j), outputs - j));
        v128.store(here + floats(activated), value);
      }
    }
    at += p.recordBytes;
    records += p.recordBytes;
    dropout += floats(outputs);
  }
}

/** Four values, or as many as there are and zeros. */
// @ts-ignore: decorator
@inline
function loadUpTo(from: usize, count: i32): v128 {
  return count > 0 ? loadPart(from, count) : zero();
}

/** The last layer's block with its bias. */
function placeOutput(p: Perceptron, layer: PerceptronLayer, first: i32, rows: i32, at: usize): void {
  const columns = layer.outputs;
  let to = p.output + <usize>first * floats(columns);
  for (let row = 0; row < rows; row++) {
    let j = 0;
    for (; j + 8 <= columns; j += 8) {
      const from = at + floats(j), bias = layer.packed + floats(j);
      storePair(to + floats(j), f32x4.add(v128.load(from), v128.load(bias)), f32x4.add(v128.load(from, 16), v128.load(bias, 16)));
    }
    for (; j < columns; j += 4) {
      storePart(to + floats(j), f32x4.add(v128.load(at + floats(j)), v128.load(layer.packed + floats(j))), columns - j);
    }
    at += p.gradientBytes;
    to += floats(columns);
  }
}

/** A chunk of rows back through all layers, block by block; sums for the weights add up in the chunk's part. */
export class PerceptronGradientChunk {
  run(chunk: i32): void {
    const p = taskArguments<Perceptron>();
    const table = p.local + <usize>thread() * p.localBytes + TABLE;
    const gradients = table + TABLE;
    const part = p.parts + <usize>chunk * p.partBytes;
    const start = chunk * p.chunkRows;
    const end = least(start + p.chunkRows, p.rows);
    for (let first = start; first < end; first += PERCEPTRON_ROWS) {
      const rows = least(PERCEPTRON_ROWS, end - first);
      const records = p.records + <usize>first * p.recordBytes;
      const more = first > start;
      fillTable(table, gradients, p.gradientBytes, rows);
      takeOutputGradient(p, first, rows, gradients);
      if (p.clearInputs) clearColumns(gradients + floats(p.inputGradient), p.gradientBytes, rows, upTo16(p.inputColumns));
      for (let i = p.layerCount - 1; i >= 0; i--) {
        const layer = layerAt(p, i);
        splitGradient(p, layer, rows, records, gradients, part, more);
        correlate(p, layer, rows, records, gradients, part, more);
        passBack(p, layer, first, rows, records, gradients, table);
      }
      placeInputGradients(p, first, rows, gradients);
    }
  }
}

function takeOutputGradient(p: Perceptron, first: i32, rows: i32, gradients: usize): void {
  const layer = layerAt(p, p.layerCount - 1);
  const columns = layer.outputs;
  let from = p.outputGradient + <usize>first * floats(columns);
  let to = gradients + floats(layer.gradient);
  for (let row = 0; row < rows; row++) {
    let j = 0;
    for (; j + 8 <= columns; j += 8) storePair(to + floats(j), v128.load(from + floats(j)), v128.load(from + floats(j), 16));
    for (; j < columns; j += 4) v128.store(to + floats(j), loadPart(from + floats(j), columns - j));
    for (; j < upTo16(columns); j += 4) v128.store(to + floats(j), zero());
    from += floats(columns);
    to += p.gradientBytes;
  }
}

/** From the gradient by a layer's result to those by what was added or multiplied, by its product, and the sums for its bias. */
function splitGradient(
  p: Perceptron, layer: PerceptronLayer, rows: i32, records: usize, gradients: usize, part: usize, more: bool,
): void {
  const columns = upTo16(layer.outputs);
  const sums = part + floats(layer.part);
  const plain = layer.contextUse == CONTEXT_NONE;
  if (layer.skip >= 0) handToSkip(p, layer, rows, gradients);
  for (let j = 0; j < columns; j += 8) {
    let low = zero(), high = low;
    if (more) {
      low = v128.load(sums + floats(j));
      high = v128.load(sums + floats(j), 16);
    }
    let at = gradients + floats(layer.gradient + j);
    if (plain) {
      for (let row = 0; row < rows; row++) {
        low = f32x4.add(low, v128.load(at));
        high = f32x4.add(high, v128.load(at, 16));
        at += p.gradientBytes;
      }
    } else {
      let record = records + floats(j), other = gradients + floats(j);
      for (let row = 0; row < rows; row++) {
        low = f32x4.add(low, splitFour(layer, at, record, other));
        high = f32x4.add(high, splitFour(layer, at + 16, record + 16, other + 16));
        at += p.gradientBytes;
        record += p.recordBytes;
        other += p.gradientBytes;
      }
    }
    storePair(sums + floats(j), low, high);
  }
}

/** The gradient by a result is that by what was added to it. */
function handToSkip(p: Perceptron, layer: PerceptronLayer, rows: i32, gradients: usize): void {
  const bytes = floats(upTo16(layer.outputs));
  const adds = layer.skipAdds != 0;
  let from = gradients + floats(layer.gradient), to = gradients + floats(layer.skipGradient);
  for (let row = 0; row < rows; row++) {
    for (let j: usize = 0; j < bytes; j += 32) {
      let low = v128.load(from + j), high = v128.load(from + j, 16);
      if (adds) {
        low = f32x4.add(low, v128.load(to + j));
        high = f32x4.add(high, v128.load(to + j, 16));
      }
      storePair(to + j, low, high);
    }
    from += p.gradientBytes;
    to += p.gradientBytes;
  }
}

/** Four of them, with a context; returns the gradient by the product. */
// @ts-ignore: decorator
@inline
function splitFour(layer: PerceptronLayer, at: usize, record: usize, other: usize): v128 {
  let gradient = v128.load(at);
  const context = v128.load(record + floats(layer.context));
  let ofContext = gradient;
  if (layer.contextUse == CONTEXT_GATE) {
    ofContext = f32x4.mul(gradient, v128.load(record + floats(layer.product)));
    gradient = f32x4.mul(gradient, context);
    v128.store(at, gradient);
  }
  const read = layer.contextRead < 0 ? context : v128.load(record + floats(layer.contextRead));
  v128.store(other + floats(layer.contextGradient), throughActivation(ofContext, context, read, layer.contextActivation));
  return gradient;
}

/** The part's weights = or += (what the layer read)^T gradient, over the rows of a block and the weights that are not masked. */
function correlate(
  p: Perceptron, layer: PerceptronLayer, rows: i32, records: usize, gradients: usize, part: usize, more: bool,
): void {
  const columns = upTo16(layer.outputs);
  const lineBytes = floats(columns);
  const weights = part + floats(layer.part + columns);
  const panel = panelColumns();
  let ranges = layer.ranges;
  for (let column = 0; column < layer.outputs; column += panel) {
    const end = load<i32>(ranges) + load<i32>(ranges, 4);
    const right = gradients + floats(layer.gradient + column);
    for (let k = load<i32>(ranges) & ~3; k < end; k += 4) {
      const left = records + floats(layer.source + k);
      const to = weights + <usize>k * lineBytes + floats(column);
      tileOfPanels(left, p.recordBytes, right, p.gradientBytes, rows, to, lineBytes, more);
    }
    ranges += 8;
  }
}

/** The gradient by what a layer read, before its activation and dropout. */
function passBack(
  p: Perceptron, layer: PerceptronLayer, first: i32, rows: i32, records: usize, gradients: usize, table: usize,
): void {
  const columns = layer.inputs;
  const through = layer.sourceActivation != NO_ACTIVATION;
  const apart = through && layer.sourceAdds != 0;
  const to = gradients + floats(apart ? p.added : layer.sourceGradient);
  const adds = layer.sourceAdds != 0 && !apart;
  multiplyPanels(table, rows, layer.gradient, layer.outputs, layer.turned, layer.turnedRanges, columns, to, p.gradientBytes, adds);
  if (!through) return;
  const activation = layer.sourceActivation;
  const bytes = floats(upTo16(columns));
  let at = to, target = gradients + floats(layer.sourceGradient);
  let result = records + floats(layer.source), read = records + floats(layer.sourceRead < 0 ? layer.source : layer.sourceRead);
  let dropout = layer.sourceDropout + <usize>first * floats(columns);
  const share = f32x4.splat(p.share);
  const drops = layer.sourceDropout != 0;
  for (let row = 0; row < rows; row++) {
    if (activation == RELU && !drops) {
      for (let j: usize = 0; j < bytes; j += 32) {
        let low = v128.andnot(v128.load(at + j), f32x4.le(v128.load(result + j), zero()));
        let high = v128.andnot(v128.load(at + j, 16), f32x4.le(v128.load(result + j, 16), zero()));
        if (apart) {
          low = f32x4.add(low, v128.load(target + j));
          high = f32x4.add(high, v128.load(target + j, 16));
        }
        storePair(target + j, low, high);
      }
    } else {
      for (let j = 0; j < upTo16(columns); j += 4) {
        const here = floats(j);
        let gradient = v128.load(at + here), given = v128.load(result + here);
        if (drops) {
          // What was dropped has no gradient, so that its lost result is not asked for.
          gradient = f32x4.mul(gradient, loadUpTo(dropout + here, columns - j));
          given = f32x4.mul(given, share);
        }
        gradient = throughActivation(gradient, given, v128.load(read + here), activation);
        if (apart) gradient = f32x4.add(gradient, v128.load(target + here));
        v128.store(target + here, gradient);
      }
    }
    at += p.gradientBytes;
    target += p.gradientBytes;
    result += p.recordBytes;
    read += p.recordBytes;
    dropout += floats(columns);
  }
}

function placeInputGradients(p: Perceptron, first: i32, rows: i32, gradients: usize): void {
  let place = p.inputGradient;
  for (let i = 0; i < p.sourceCount; i++) {
    const source = sourceAt(p, i);
    const columns = source.columns;
    const bytes = floats(source.rowFloats);
    let from = gradients + floats(place);
    let to = source.gradient + <usize>first * bytes;
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < columns; j += 4) {
        const at = floats(j), left = columns - j;
        const gradient = v128.load(from + at);
        storePart(to + at, source.adds ? f32x4.add(gradient, loadPart(to + at, left)) : gradient, left);
      }
      from += p.gradientBytes;
      to += bytes;
    }
    place += columns;
  }
}

/** A layer's gradients: the sums of all chunks, 0 where weights are masked. */
export class PlaceLayerGradient {
  run(chunk: i32): void {
    const p = taskArguments<Perceptron>();
    const layer = layerAt(p, chunk);
    const columns = layer.outputs;
    const lineBytes = floats(upTo16(columns));
    const parts = ceilDivide(p.rows, p.chunkRows);
    const at = p.parts + floats(layer.part);
    for (let j = 0; j < columns; j += 4) storePart(layer.dBias + floats(j), sumOfParts(at + floats(j), parts, p.partBytes), columns - j);
    const panel = panelColumns();
    let ranges = layer.ranges;
    for (let column = 0; column < columns; column += panel) {
      const first = load<i32>(ranges), end = first + load<i32>(ranges, 4);
      ranges += 8;
      for (let k = 0; k < layer.inputs; k++) {
        const inside = k >= first && k < end;
        const from = at + <usize>(k + 1) * lineBytes;
        for (let j = column; j < least(column + panel, columns); j += 4) {
          const place = <usize>k * floats(columns) + floats(j);
          let sum = inside ? sumOfParts(from + floats(j), parts, p.partBytes) : zero();
          if (layer.mask != 0) sum = shown(sum, loadPart(layer.mask + place, columns - j));
          storePart(layer.dKernel + place, sum, columns - j);
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function sumOfParts(at: usize, parts: i32, bytes: i32): v128 {
  let sum = zero();
  for (let i = 0; i < parts; i++) {
    sum = f32x4.add(sum, v128.load(at));
    at += bytes;
  }
  return sum;
}
