import { PERCEPTRON_ROWS } from '../src/core/kernelConstants';
import { least, zero } from './vector';

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
export class Perceptron {
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
export const TABLE: usize = PERCEPTRON_ROWS * 4;

/** Bytes of scratch per thread, for records of gradients. */
export function perceptronLocalBytes(gradientBytes: i32): i32 {
  return (<i32>TABLE * 2) + PERCEPTRON_ROWS * gradientBytes;
}

// @ts-ignore: decorator
@inline
export function layerAt(p: Perceptron, i: i32): PerceptronLayer {
  return changetype<PerceptronLayer>(p.layers + <usize>i * offsetof<PerceptronLayer>());
}

// @ts-ignore: decorator
@inline
export function sourceAt(p: Perceptron, i: i32): PerceptronSource {
  return changetype<PerceptronSource>(p.sources + <usize>i * offsetof<PerceptronSource>());
}

// @ts-ignore: decorator
@inline
export function floats(count: i32): usize {
  return <usize>count << 2;
}

// @ts-ignore: decorator
@inline
export function upTo16(count: i32): i32 {
  return (count + 15) & ~15;
}

/** Addresses of rows; the last one again up to a multiple of 4. */
export function fillTable(table: usize, at: usize, bytes: i32, rows: i32): void {
  for (let row = 0; row < ((rows + 3) & ~3); row++) {
    store<usize>(table + floats(row), at + <usize>least(row, rows - 1) * bytes);
  }
}

export function clearColumns(at: usize, bytes: i32, rows: i32, width: i32): void {
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < width; j += 4) v128.store(at + floats(j), zero());
    at += bytes;
  }
}
