import * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError } from '../core/errors';
import type { RandomStream } from '../core/random';
import { Table } from '../data';
import { type BatchLike, type BatchSource, isSource, readSource } from './batchSource';
import { BatchStream } from './batchStream';
import { type ExampleArray, type ExamplePair, type ExampleSet, isExampleSet, noData } from './exampleSet';
import { Examples } from './examples';
import type { Trainable } from './trainable';

/**
 * What can be trained on: examples in memory, or anything that gives batches.
 *
 * - a tensor [n, ...], nested arrays (rows may be typed arrays), or `{ x, shape, context }` with tensors, nested or typed arrays;
 *   `{ x, y }` and `{ xs, ys }` are the same;
 * - a `Table`, for flows that know their columns, alone or as `x`;
 * - a tf.data dataset of batches, an (async) iterable of batches, or a function that returns one for every pass.
 *
 * Tensors that a dataset, iterator or function yields are disposed after use, as tfjs-layers does;
 * an array of batches and examples in memory stay the caller's.
 */
export type FitData =
  | ExampleArray
  | Table
  | ExampleSet
  | ExamplePair
  | BatchSource
  | ((pass: number) => BatchSource | Promise<BatchSource>);

/** Data recognized: examples in memory, or a function that starts a pass over batches. */
export type RecognizedData =
  | { examples: Examples }
  | { startPass: (pass: number) => AsyncIterator<unknown> | Promise<AsyncIterator<unknown>> };

/**
 * Recognizes the kind of data and reads what is in memory.
 *
 * @param model finds its columns in tables
 * @throws DataError, ShapeError, ConfigError
 */
export async function recognizeData(
  where: string,
  data: FitData,
  model: Pick<Trainable, 'asEvents'>,
): Promise<RecognizedData> {
  if (data instanceof Table) return recognizeData(where, rowsOf(where, data, model), model);
  if (typeof data === 'function') {
    return {
      startPass: async (pass) => {
        const source = await data(pass);
        return readSource(where, source, Array.isArray(source));
      },
    };
  }
  if (Array.isArray(data)) {
    if (data.length === 0) throw new DataError(complaint(where, 'at least one example', 'an empty data set'));
    const ofBatches = data[0] instanceof tf.Tensor || isExampleSet(data[0]);
    if (ofBatches) return { startPass: () => readSource(where, data as BatchLike[], true) };
  }
  if (data instanceof tf.Tensor || ArrayBuffer.isView(data) || Array.isArray(data)) {
    return { examples: await Examples.read(where, { x: data as ExampleArray }) };
  }
  if (isExampleSet(data)) {
    const isTable = 'x' in data && data.x instanceof Table;
    const set = isTable ? { ...data, ...rowsOf(where, data.x as Table, model) } : data;
    return { examples: await Examples.read(where, set) };
  }
  if (isSource(data)) return { startPass: () => readSource(where, data, false) };
  throw noData(
    where,
    'a tensor, arrays, { x, context }, a tf.data dataset or an (async) iterable of batches',
    data,
  );
}

function rowsOf(where: string, table: Table, model: Pick<Trainable, 'asEvents'>): ExampleSet {
  const rows = model.asEvents?.(where, table);
  if (rows === undefined) throw noData(where, 'arrays or a dataset', table);
  return rows as ExampleSet;
}

/** A stream of batches over recognized data; `order` shuffles what is in memory, where `shuffle` is set. */
export function streamOf(
  where: string,
  data: RecognizedData,
  batchSize: number,
  order: RandomStream,
  shuffle: boolean,
): BatchStream {
  const open =
    'examples' in data
      ? () => data.examples.batches(batchSize, shuffle ? order : undefined)
      : (pass: number) => data.startPass(pass);
  return new BatchStream(where, open, order);
}
