import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint, DataError, ShapeError } from '../core/errors';
import type { RandomStream } from '../core/random';
import { checkFinite, type Shape, sizeOf } from '../core/shapes';
import type { Batch } from './trainable';

/** Numbers in memory that fit in a tensor. */
export type NumericArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray;

/** Nested arrays of numbers, all rows of one length. */
export type NestedNumbers = number[] | NestedNumbers[];

/** One array of examples: a tensor [n, ...], nested arrays, or a typed array with its event shape given beside it. */
export type ExampleArray = tf.Tensor | NumericArray | NestedNumbers;

/** Examples with what they are conditioned on. */
export interface ExampleSet {
  /** [n, ...eventShape] */
  x: ExampleArray;
  /** Event shape of `x`, needed where it is a typed array. */
  shape?: Shape;
  /** Conditioning, [n, ...]: class labels for one. */
  context?: ExampleArray;
  /** The same under the name that tfjs-layers uses. */
  y?: ExampleArray;
  /** Event shape of a context given as typed array. Default: [], one number per example. */
  contextShape?: Shape;
}

interface HostArray {
  values: NumericArray;
  count: number;
  shape: Shape;
  dtype: 'float32' | 'int32';
}

/** A data set held on the host, cut into batches in any order. */
export class Examples {
  private constructor(
    private readonly x: HostArray,
    private readonly context: HostArray | undefined,
    private readonly first: number,
    /** Number of examples. */
    readonly count: number,
  ) {}

  /**
   * Reads the data once and checks it.
   *
   * @throws DataError for an empty set, NaN, infinity, or lengths of x and context that differ
   */
  static async read(where: string, data: ExampleSet): Promise<Examples> {
    const x = await toHost(where, 'x', data.x, data.shape);
    if (x.count === 0) throw new DataError(complaint(where, 'at least one example', 'an empty data set'));
    checkFinite(where, x.values, 'Clean the data before training.');
    const given = data.context ?? data.y;
    const context =
      given === undefined ? undefined : await toHost(where, 'context', given, data.contextShape ?? []);
    if (context !== undefined) {
      if (context.count !== x.count) {
        throw new DataError(
          complaint(where, `a context for each of the ${x.count} examples`, `${context.count}`),
        );
      }
      checkFinite(where, context.values, 'Clean the context before training.');
    }
    return new Examples({ ...x, dtype: 'float32' }, context, 0, x.count);
  }

  /** The first examples and the last `fraction` of them, as tfjs-layers splits: before any shuffle. */
  split(fraction: number): [Examples, Examples] {
    const kept = Math.floor(this.count * (1 - fraction));
    if (kept < 1 || kept === this.count) {
      throw new ConfigError(
        complaint(
          'fit',
          'a validationSplit that leaves examples on both sides',
          `${fraction} of ${this.count} examples`,
        ),
      );
    }
    return [
      new Examples(this.x, this.context, this.first, kept),
      new Examples(this.x, this.context, this.first + kept, this.count - kept),
    ];
  }

  /** One pass; the last batch may be smaller. The caller disposes the batches. */
  *batches(batchSize: number, order?: RandomStream): Generator<Batch, void, undefined> {
    const rows = order?.permutation(this.count) ?? Int32Array.from({ length: this.count }, (_, i) => i);
    for (let start = 0; start < this.count; start += batchSize) {
      const taken = rows.subarray(start, start + batchSize).map((row) => row + this.first);
      yield {
        x: takeRows(this.x, taken),
        context: this.context === undefined ? undefined : takeRows(this.context, taken),
      };
    }
  }
}

async function toHost(where: string, name: string, data: ExampleArray, shape?: Shape): Promise<HostArray> {
  if (data instanceof tf.Tensor) {
    if (data.rank === 0) throw new ShapeError(complaint(where, `${name} to be [n, ...]`, 'a scalar tensor'));
    return {
      values: (await data.data()) as NumericArray,
      count: data.shape[0],
      shape: data.shape.slice(1),
      dtype: data.dtype === 'float32' ? 'float32' : 'int32',
    };
  }
  if (Array.isArray(data)) {
    const tensor = nestedToTensor(where, name, data);
    const host = await toHost(where, name, tensor);
    tensor.dispose();
    return host;
  }
  if (!ArrayBuffer.isView(data)) {
    throw new DataError(complaint(where, `${name} to be a tensor, a typed array or nested arrays`, data));
  }
  if (shape === undefined) {
    throw new ConfigError(
      complaint(
        where,
        'an event shape beside a typed array',
        'none',
        'Write { x: values, shape: [28, 28, 1] }.',
      ),
    );
  }
  const size = sizeOf(shape);
  if (data.length % size !== 0) {
    throw new DataError(
      complaint(where, `${name} to hold whole examples of ${size} values`, `${data.length} values`),
    );
  }
  const dtype = data instanceof Float32Array || data instanceof Float64Array ? 'float32' : 'int32';
  return { values: data, count: data.length / size, shape, dtype };
}

/** Nested arrays as a tensor; tf.tensor itself accepts rows of different lengths and fills the rest with anything. */
export function nestedToTensor(
  where: string,
  name: string,
  data: NestedNumbers,
  dtype?: 'float32',
): tf.Tensor {
  const shape: number[] = [];
  for (let level: unknown = data; Array.isArray(level); level = level[0]) shape.push(level.length);
  checkNested(where, name, data, shape);
  return tf.tensor(data as number[], shape, dtype);
}

function checkNested(where: string, name: string, data: unknown, shape: Shape): void {
  const [length, ...rest] = shape;
  const fits = shape.length === 0 ? typeof data === 'number' : Array.isArray(data) && data.length === length;
  if (!fits) {
    const expected = shape.length === 0 ? 'a number' : `${length} entries`;
    const received = Array.isArray(data) ? `an array of ${data.length}` : String(data);
    throw new ShapeError(
      complaint(where, `${name} to be nested arrays with rows of one length (${expected})`, received),
    );
  }
  for (const entry of shape.length === 0 ? [] : (data as unknown[])) checkNested(where, name, entry, rest);
}

function takeRows(array: HostArray, rows: Int32Array): tf.Tensor {
  const size = sizeOf(array.shape);
  const values = new (array.dtype === 'int32' ? Int32Array : Float32Array)(rows.length * size);
  for (const [i, row] of rows.entries())
    values.set(array.values.subarray(row * size, (row + 1) * size), i * size);
  return tf.tensor(values, [rows.length, ...array.shape], array.dtype);
}
