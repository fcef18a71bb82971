import * as tf from '@tensorflow/tfjs-core';
import { complaint, ShapeError } from '../core/errors';
import { checkInteger, type Shape, sizeOf } from '../core/shapes';
import { Matrix } from '../linalg';
import type { Context, Flow } from './flow';

/** Many events: a tensor [n, ...] or numbers with their shape. */
export type EventSet = tf.Tensor | { data: ArrayLike<number>; shape: Shape };

/** Options of `encodeLatents`, `encodeLabeled` and `decodeLatents`. */
export interface LatentPassOptions {
  /** Events per pass. Default: 64. */
  batchSize?: number;
  /** What the flow is conditioned on: class numbers, one for all or one per event. Default: nothing. */
  context?: number | readonly number[] | Int32Array;
  /** Called after every batch with the number of events done and their total. Default: nothing. */
  onProgress?: (done: number, total: number) => void;
  /** Ends the work with the signal's reason. Default: none. */
  signal?: AbortSignal;
}

/** Events that know their subclass, and what else is known of them. */
export interface LabeledEvents<Subclass> {
  /** [n, ...eventShape] */
  events: EventSet;
  /** Subclass of every event: numbers or strings. */
  subclass: Subclass;
  /** [n, a], one column per attribute. */
  attributes?: readonly ArrayLike<number>[];
}

/** Latents of labelled events, as `zDelta`, `fitPrior` and the others of `tfjs-flows/attributes` take them. */
export interface EncodedEvents<Subclass> {
  /** [n, d], float64 on the host. */
  z: Matrix;
  subclass: Subclass;
  attributes?: readonly ArrayLike<number>[];
}

/**
 * Latents of many events as a host matrix, encoded in batches; its rows are flat.
 *
 * Shapes: [n, ...eventShape] -> [n, d].
 *
 * @throws ShapeError, ConfigError, DataError for values the flow cannot take
 * @example
 * const z = await encodeLatents(glow, images, { onProgress: (done, total) => console.log(`${done} of ${total}`) });
 */
export async function encodeLatents(
  flow: Flow,
  events: EventSet,
  options: LatentPassOptions = {},
): Promise<Matrix> {
  const where = 'encodeLatents';
  const [count, ...eventShape] = events.shape;
  const size = sizeOf(eventShape);
  if (!(events instanceof tf.Tensor) && events.data.length !== count * size) {
    throw new ShapeError(complaint(where, `${count * size} values`, `${events.data.length}`));
  }
  const result = Matrix.zeros(count, sizeOf(flow.latentShape));
  await inBatches(where, count, options, async (start, end) => {
    const z = tf.tidy(() =>
      flow.encode(slice(events, start, end, eventShape), { context: contextOf(options, start, end) }),
    );
    try {
      result.data.set(await z.data(), start * result.cols);
    } finally {
      z.dispose();
    }
  });
  return result;
}

/**
 * Latents of labelled events with their labels: what the functions of `tfjs-flows/attributes` take.
 *
 * Shapes: events [n, ...eventShape] -> z [n, d].
 *
 * @throws ShapeError, ConfigError, DataError
 * @example
 * const base = await encodeLabeled(glow, { events: faces, subclass: people, attributes: sunglasses });
 * const { delta } = zDelta(base);
 */
export async function encodeLabeled<Subclass extends ArrayLike<number> | readonly string[]>(
  flow: Flow,
  { events, subclass, attributes }: LabeledEvents<Subclass>,
  options: LatentPassOptions = {},
): Promise<EncodedEvents<Subclass>> {
  const z = await encodeLatents(flow, events, options);
  return attributes === undefined ? { z, subclass } : { z, subclass, attributes };
}

/**
 * Events of many latents, decoded in batches.
 *
 * Shapes: [n, d] -> [n, ...eventShape]. The caller owns the tensor.
 *
 * @throws ShapeError, ConfigError
 * @example
 * const base = await encodeLabeled(glow, { events: faces, subclass: people, attributes: sunglasses });
 * const sweep = manipulate(base.z, zDelta(base), [-1, 0, 1]);
 * const images = await decodeLatents(glow, sweep.z);
 */
export async function decodeLatents(
  flow: Flow,
  z: Matrix,
  options: LatentPassOptions = {},
): Promise<tf.Tensor> {
  const where = 'decodeLatents';
  const size = sizeOf(flow.latentShape);
  if (z.cols !== size) {
    throw new ShapeError(complaint(where, `latents of ${size} values`, z.cols, 'Of another flow?'));
  }
  const parts: tf.Tensor[] = [];
  try {
    await inBatches(where, z.rows, options, async (start, end) => {
      const rows = Float32Array.from(z.data.subarray(start * size, end * size));
      const part = tf.tidy(() =>
        flow.decode(tf.tensor(rows, [end - start, ...flow.latentShape]), {
          context: contextOf(options, start, end),
        }),
      );
      parts.push(part);
      // Reading back keeps the event loop and the device's queue from running full.
      await part.data();
    });
    return tf.concat(parts, 0);
  } finally {
    tf.dispose(parts);
  }
}

async function inBatches(
  where: string,
  count: number,
  { batchSize = 64, onProgress, signal }: LatentPassOptions,
  work: (start: number, end: number) => Promise<void>,
): Promise<void> {
  checkInteger(where, 'batchSize', batchSize);
  checkInteger(where, 'number of rows', count);
  for (let start = 0; start < count; start += batchSize) {
    signal?.throwIfAborted();
    const end = Math.min(start + batchSize, count);
    await work(start, end);
    onProgress?.(end, count);
  }
}

function slice(events: EventSet, start: number, end: number, eventShape: Shape): tf.Tensor {
  if (events instanceof tf.Tensor) return tf.slice(events, start, end - start);
  const size = sizeOf(eventShape);
  const values = Float32Array.from({ length: (end - start) * size }, (_, i) => events.data[start * size + i]);
  return tf.tensor(values, [end - start, ...eventShape]);
}

function contextOf({ context }: LatentPassOptions, start: number, end: number): Context | undefined {
  return context === undefined || typeof context === 'number'
    ? context
    : Array.from(context).slice(start, end);
}
