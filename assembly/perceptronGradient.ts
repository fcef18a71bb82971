import { CONTEXT_GATE, CONTEXT_NONE, NO_ACTIVATION, PERCEPTRON_ROWS, RELU } from '../src/core/kernelConstants';
import { throughActivation } from './activations';
import { parallel, taskArguments, thread } from './parallel';
import { loadUpTo, multiplyPanels, shown, TurnLayer } from './perceptronPanels';
import {
  clearColumns,
  fillTable,
  floats,
  layerAt,
  Perceptron,
  PerceptronLayer,
  sourceAt,
  TABLE,
  upTo16,
} from './perceptronRecords';
import { panelColumns, tileOfPanels } from './tiles';
import { ceilDivide, least, loadPart, storePair, storePart, zero } from './vector';

/** Computes the gradients in the inputs and in all weights from the records. */
export function perceptronGradient(): void {
  const p = taskArguments<Perceptron>();
  parallel<TurnLayer>(p.layerCount);
  parallel<PerceptronGradientChunk>(ceilDivide(p.rows, p.chunkRows));
  parallel<PlaceLayerGradient>(p.layerCount);
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
