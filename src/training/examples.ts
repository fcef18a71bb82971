import * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../core/context';
import { ConfigError, complaint, DataError, ShapeError } from '../core/errors';
import { checkFinite32 } from '../core/hostValues';
import { type HostArray, readArray } from '../core/numbers';
import type { RandomStream } from '../core/random';
import { type Shape, sizeOf } from '../core/shapes';
import { checkNumeric, type ExamplePair, type ExampleSet, type GivenArray, partsOf } from './exampleSet';
import { checkPrecision } from './precision';
import type { Batch } from './trainable';

/** Arrays of a context by their names; '' is the one of a context without names. */
type HostContext = readonly (readonly [name: string, array: HostArray])[];

/** A data set held on the host, cut into batches in any order. */
export class Examples {
  private constructor(
    private readonly x: HostArray,
    private readonly context: HostContext | undefined,
    private readonly first: number,
    /** Number of examples. */
    readonly count: number,
  ) {}

  /**
   * Reads the data once and checks it.
   *
   * @throws DataError for an empty set, what is no number, NaN, infinity, values that float32 cannot tell apart, or lengths of x and
   * context that differ; ShapeError for ragged rows; ConfigError for names that nothing reads
   */
  static async read(where: string, data: ExampleSet | ExamplePair): Promise<Examples> {
    const given = partsOf(where, data);
    const x = await toHost(where, 'x', given.x);
    if (x.count === 0) throw new DataError(complaint(where, 'at least one example', 'an empty data set'));
    checkValues(where, 'x', x);
    const read = async (part: GivenArray): Promise<readonly [string, HostArray]> => {
      const what = part.name === '' ? 'context' : `context '${part.name}'`;
      const array = await toHost(where, what, part, []);
      if (array.count !== x.count) {
        const hint = array.shape.length === 0 ? 'Several values per example need a contextShape.' : '';
        const expected = `a ${what} for each of the ${x.count} examples`;
        throw new DataError(complaint(where, expected, `${array.count}`, hint));
      }
      if (array.dtype === 'float32') checkValues(where, what, array);
      return [part.name, array];
    };
    const context = given.context && (await Promise.all(given.context.map(read)));
    return new Examples({ ...x, dtype: 'float32' }, context, 0, x.count);
  }

  /** All of x. */
  get values(): HostArray['values'] {
    return this.x.values;
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

  /** At most so many of the examples, at even distances, as one batch; the caller disposes it. */
  spread(most: number): Batch {
    const taken = Math.min(most, this.count);
    const rows = Int32Array.from({ length: taken }, (_, i) => Math.floor((i * this.count) / taken));
    return this.batchOf(rows);
  }

  /** One pass; the last batch may be smaller. The caller disposes the batches. */
  *batches(batchSize: number, order?: RandomStream): Generator<Batch, void, undefined> {
    const rows = order?.permutation(this.count) ?? Int32Array.from({ length: this.count }, (_, i) => i);
    for (let start = 0; start < this.count; start += batchSize) {
      yield this.batchOf(rows.subarray(start, start + batchSize));
    }
  }

  private batchOf(rows: Int32Array): Batch {
    const taken = rows.map((row) => row + this.first);
    return { x: takeRows(this.x, taken), context: this.context && contextOf(this.context, taken) };
  }
}

/** Numbers of a tensor or of arrays, on the host; `otherwise` is the shape of a typed array that came without one. */
async function toHost(
  where: string,
  what: string,
  { data, shape }: GivenArray,
  otherwise?: Shape,
): Promise<HostArray> {
  if (data instanceof tf.Tensor) return fromTensor(where, what, data, shape);
  if (!Array.isArray(data)) return readArray(where, what, data, shape ?? otherwise);
  const host = readArray(where, what, data, shape);
  checkShape(where, what, host.shape, shape);
  return host;
}

async function fromTensor(
  where: string,
  what: string,
  tensor: tf.Tensor,
  shape: Shape | undefined,
): Promise<HostArray> {
  checkNumeric(where, what, tensor);
  if (tensor.rank === 0) throw new ShapeError(complaint(where, `${what} to be [n, ...]`, 'a scalar tensor'));
  const [count, ...own] = tensor.shape;
  const same = shape !== undefined && sizeOf(shape) === sizeOf(own);
  if (!same) checkShape(where, what, own, shape);
  return {
    values: (await tensor.data()) as HostArray['values'],
    count,
    shape: same ? shape : own,
    dtype: tensor.dtype === 'float32' ? 'float32' : 'int32',
  };
}

/** Throws a ShapeError where an event shape was given that the data do not have. */
function checkShape(where: string, what: string, own: Shape, given: Shape | undefined): void {
  if (given === undefined || sizeOf(given) === sizeOf(own)) return;
  const expected = `${what} with events of the given shape [${given.join(', ')}]`;
  throw new ShapeError(complaint(where, expected, `events of [${own.join(', ')}]`));
}

function checkValues(where: string, what: string, array: HostArray): void {
  checkFinite32(where, what, array, 'Clean the data before training.');
  checkPrecision(where, what, array);
}

function contextOf(context: HostContext, rows: Int32Array): ContextTensors {
  const [[name, only]] = context;
  if (name === '') return takeRows(only, rows);
  return Object.fromEntries(context.map(([part, array]) => [part, takeRows(array, rows)]));
}

function takeRows(array: HostArray, rows: Int32Array): tf.Tensor {
  const size = sizeOf(array.shape);
  const values = new (array.dtype === 'int32' ? Int32Array : Float32Array)(rows.length * size);
  for (const [i, row] of rows.entries())
    values.set(array.values.subarray(row * size, (row + 1) * size), i * size);
  return tf.tensor(values, [rows.length, ...array.shape], array.dtype);
}
