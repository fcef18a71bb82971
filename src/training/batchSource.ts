import * as tf from '@tensorflow/tfjs-core';
import { readArray } from '../core/numbers';
import type { BatchIterator } from './batchStream';
import {
  checkNumeric,
  type ExampleArray,
  type ExamplePair,
  type ExampleSet,
  type GivenArray,
  isExampleSet,
  noData,
  partsOf,
} from './exampleSet';
import { checkPrecision } from './precision';
import type { Batch } from './trainable';

/** A batch as iterators and tf.data give it: what `fit` takes as examples in memory. */
export type BatchLike = ExampleArray | ExampleSet | ExamplePair;

/** A tf.data dataset, by what it offers; tfjs-data itself is not needed. */
export interface DatasetLike {
  iterator(): Promise<{ next(): Promise<{ value: unknown; done: boolean }> }>;
}

/** Anything that gives batches, again and again. */
export type BatchSource = DatasetLike | Iterable<BatchLike> | AsyncIterable<BatchLike>;

/** Whether batches can be read from a value. */
export function isSource(value: unknown): value is BatchSource {
  if (typeof value !== 'object' || value === null) return false;
  return (
    Symbol.asyncIterator in value ||
    Symbol.iterator in value ||
    ('iterator' in value && typeof value.iterator === 'function')
  );
}

/** Batches of a source as device tensors of their own; what the source yields is disposed unless `keep`. */
export async function* readSource(
  where: string,
  source: BatchSource,
  keep: boolean,
): AsyncGenerator<Batch, void, undefined> {
  const iterator = await openSource(where, source);
  try {
    for (let first = true; ; first = false) {
      const { value, done } = await iterator.next();
      if (done === true) return;
      let batch: Batch;
      try {
        batch = await toBatch(where, value, first);
      } finally {
        if (!keep) tf.dispose(tensorsIn(value));
      }
      yield batch;
    }
  } finally {
    await (iterator as AsyncIterator<unknown>).return?.();
  }
}

async function openSource(where: string, source: BatchSource): Promise<BatchIterator> {
  if (!isSource(source)) throw noData(where, 'a tf.data dataset or an (async) iterable of batches', source);
  if ('iterator' in source && typeof source.iterator === 'function') {
    return (await source.iterator()) as AsyncIterator<unknown>;
  }
  if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
  return (source as Iterable<unknown>)[Symbol.iterator]();
}

/** A batch on the device; in the first one of a pass, float32 must tell its values apart. */
async function toBatch(where: string, element: unknown, first: boolean): Promise<Batch> {
  const bare = element instanceof tf.Tensor || Array.isArray(element) || ArrayBuffer.isView(element);
  if (!bare && !isExampleSet(element)) {
    throw noData(where, 'batches that are tensors, nested arrays or { x, context }', element);
  }
  const given = partsOf(where, bare ? { x: element as ExampleArray } : (element as ExampleSet));
  const made: tf.Tensor[] = [];
  const read = async (part: GivenArray, what: string, float: boolean) => {
    const tensor = await toTensor(where, `${what} of a batch`, part, float, first);
    made.push(tensor);
    return tensor;
  };
  try {
    const x = await read(given.x, 'x', true);
    if (given.context === undefined) return { x };
    const context: Record<string, tf.Tensor> = {};
    for (const part of given.context) {
      const what = part.name === '' ? 'context' : `context '${part.name}'`;
      context[part.name] = await read(part, what, false);
    }
    return { x, context: context[''] ?? context };
  } catch (error) {
    tf.dispose(made);
    throw error;
  }
}

async function toTensor(
  where: string,
  what: string,
  { data, shape }: GivenArray,
  float: boolean,
  first: boolean,
): Promise<tf.Tensor> {
  if (data instanceof tf.Tensor) {
    checkNumeric(where, what, data);
    if (first && data.rank > 0 && (float || data.dtype === 'float32')) {
      const [count, ...event] = data.shape;
      const values = await data.data<'float32' | 'int32'>();
      checkPrecision(where, what, { values, count, shape: event, dtype: 'float32' });
    }
    return tf.cast(data, float ? 'float32' : data.dtype);
  }
  const host = readArray(where, what, data, float || Array.isArray(data) ? shape : (shape ?? []));
  if (first && (float || host.dtype === 'float32')) checkPrecision(where, what, host);
  const dtype = float ? 'float32' : host.dtype;
  const values = dtype === 'float32' ? new Float32Array(host.values) : new Int32Array(host.values);
  return tf.tensor(values, [host.count, ...host.shape], dtype);
}

/** The tensors of an element; numbers are not looked through. */
function tensorsIn(value: unknown): tf.Tensor[] {
  if (value instanceof tf.Tensor) return [value];
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  if (Array.isArray(value) && !(value[0] instanceof tf.Tensor)) return [];
  return Object.values(value).flatMap(tensorsIn);
}
