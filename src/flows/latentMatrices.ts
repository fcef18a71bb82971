import * as tf from '@tensorflow/tfjs-core';
import { checkOptions, type OptionNames } from '../core/options';
import { checkInteger, sizeOf } from '../core/shapes';
import { Matrix } from '../linalg';
import type { Context } from './context';
import { type EventArray, type EventSource, type Events, openEvents } from './events';
import type { Flow } from './flow';

/** Options of `encodeLatents`, `encodeLabeled` and `decodeLatents`. */
export interface LatentPassOptions {
  /** Events per pass. Default: 64. */
  batchSize?: number;
  /** What the flow is conditioned on, as its `contextShape` says: one row per event, or one for all. Default: nothing. */
  context?: Context;
  /** Called after every batch with the number of events done and their total. Default: nothing. */
  onProgress?: (done: number, total: number) => void;
  /** Ends the work with the signal's reason. Default: none. */
  signal?: AbortSignal;
}

/** Events that know their subclass, and what else is known of them. */
export interface LabeledEvents<Subclass, Attributes = readonly ArrayLike<number>[]> {
  /** [n, ...eventShape] */
  events: Events;
  /** Subclass of every event: numbers or strings. */
  subclass: Subclass;
  /** [n, a], one column per attribute, or what else `zDelta` takes: a list of one, lists by name. */
  attributes?: Attributes;
}

/** Latents of labelled events, as `zDelta`, `fitPrior` and the others of `tfjs-flows/attributes` take them. */
export interface EncodedEvents<Subclass, Attributes = readonly ArrayLike<number>[]> {
  /** [n, d], float64 on the host. */
  z: Matrix;
  subclass: Subclass;
  attributes?: Attributes;
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
  events: Events,
  options: LatentPassOptions = {},
): Promise<Matrix> {
  const where = 'encodeLatents';
  const source = openEvents(where, flow.asEvents(where, events), flow.eventShape);
  const result = Matrix.zeros(source.count, sizeOf(flow.latentShape));
  await inBatches(where, flow, source, options, async (batch, context, start) => {
    const z = flow.encode(batch, { context });
    try {
      result.data.set(await z.data(), start * result.cols);
    } finally {
      z.dispose();
    }
  });
  return result;
}

/**
 * Latents of labelled events with their labels: what the functions of `tfjs-flows/attributes` take. They measure directions and
 * priors by means and covariances, so any normal base does, with whatever mean and deviation; another one is refused.
 *
 * Shapes: events [n, ...eventShape] -> z [n, d].
 *
 * @throws ConfigError where the flow's base is not normal, or for unknown options; ShapeError, DataError
 * @example
 * const base = await encodeLabeled(glow, { events: faces, subclass: people, attributes: sunglasses });
 * const { delta } = zDelta(base);
 */
export async function encodeLabeled<Subclass, Attributes>(
  flow: Flow,
  { events, subclass, attributes }: LabeledEvents<Subclass, Attributes>,
  options: LatentPassOptions = {},
): Promise<EncodedEvents<Subclass, Attributes>> {
  const hint =
    'Means and covariances of its latents say little: train the flow on a normal base. encodeLatents gives them as they are.';
  flow.requireNormalLatents('encodeLabeled', hint);
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
  z: EventArray,
  options: LatentPassOptions = {},
): Promise<tf.Tensor> {
  const where = 'decodeLatents';
  const source = openEvents(where, z, flow.latentShape, 'Of another flow?');
  const parts: tf.Tensor[] = [];
  try {
    await inBatches(where, flow, source, options, async (batch, context) => {
      const part = flow.decode(batch, { context });
      parts.push(part);
      // Reading back keeps the event loop and the device's queue from running full.
      await part.data();
    });
    return tf.concat(parts, 0);
  } finally {
    tf.dispose(parts);
  }
}

const names: OptionNames<LatentPassOptions> = {
  batchSize: true,
  context: true,
  onProgress: true,
  signal: true,
};

/** Work on batch after batch, each with its part of the context. */
async function inBatches(
  where: string,
  flow: Flow,
  source: EventSource,
  options: LatentPassOptions,
  work: (batch: tf.Tensor, context: Context | undefined, start: number) => Promise<void>,
): Promise<void> {
  checkOptions(where, options, names);
  const { batchSize = 64, onProgress, signal } = options;
  checkInteger(where, 'batchSize', batchSize);
  const { count } = source;
  const rows = flow.readContext(where, options.context);
  rows?.check(where, [1, count]);
  for (let start = 0; start < count; start += batchSize) {
    signal?.throwIfAborted();
    const end = Math.min(start + batchSize, count);
    // A handle of our own: one batch of all may be the caller's tensor.
    const batch = tf.tidy(() => tf.clone(source.slice(start, end)));
    try {
      await work(batch, rows?.slice(start, end) as unknown as Context | undefined, start);
    } finally {
      batch.dispose();
    }
    onProgress?.(end, count);
  }
}
