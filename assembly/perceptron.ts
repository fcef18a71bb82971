import { CONTEXT_GATE, CONTEXT_NONE, NO_ACTIVATION, PERCEPTRON_ROWS, RELU } from '../src/core/kernelConstants';
import { activate } from './activations';
import { parallel, taskArguments, thread } from './parallel';
import { loadUpTo, multiplyPanels, PackLayer } from './perceptronPanels';
import { fillTable, floats, layerAt, Perceptron, PerceptronLayer, sourceAt, TABLE, upTo16 } from './perceptronRecords';
import { ceilDivide, copyExactly, least, storePair, storePart, zero } from './vector';

/** Computes the outputs, and the records where they are kept. */
export function perceptron(): void {
  const p = taskArguments<Perceptron>();
  parallel<PackLayer>(p.layerCount);
  parallel<PerceptronChunk>(ceilDivide(p.rows, p.chunkRows));
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
