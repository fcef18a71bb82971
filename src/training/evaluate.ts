import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../core/random';
import type { BatchStream } from './batchStream';
import { type FitData, recognizeData, streamOf } from './data';
import { LogMeans, type Logs } from './logs';
import { explainNonFinite } from './nonFinite';
import type { Batch, Trainable } from './trainable';

/** Options of `evaluate`. */
export interface EvaluateOptions {
  /** Examples per batch, for data in memory. Default: 32. */
  batchSize?: number;
  /** At most so many batches. Default: all of one pass. */
  steps?: number;
  /** Seed of the loss's noise; equal seeds give equal results. Default: 1. */
  seed?: number;
}

/**
 * Mean loss and metrics of a model over a data set, every example weighing the same; nothing is trained.
 *
 * @param data as for `fit`
 * @returns `loss` in the model's unit and the metrics by name
 * @throws DataError, ShapeError, NonFiniteError
 *
 * @example
 * const { loss } = await evaluate(flow, heldOutImages, { batchSize: 64 });
 */
export async function evaluate(
  model: Trainable,
  data: FitData,
  options: EvaluateOptions = {},
): Promise<Logs> {
  const { batchSize = 32, steps, seed = 1 } = options;
  const recognized = await recognizeData('evaluate', data);
  const stream = streamOf('evaluate', recognized, batchSize, new RandomStream(seed), false);
  return evaluateStream(model, stream, steps, seed);
}

/** One pass over the stream, or its first `steps` batches. */
export async function evaluateStream(
  model: Trainable,
  stream: BatchStream,
  steps = Number.POSITIVE_INFINITY,
  seed = 1,
): Promise<Logs> {
  const random = new RandomStream(seed);
  const means = new LogMeans();
  for (let step = 0; step < steps; step++) {
    const batch = await stream.next();
    if (batch === undefined) return means.logs();
    try {
      model.checkBatch(batch);
      means.add(await readLoss(model, batch, random), batch.x.shape[0]);
    } finally {
      tf.dispose([batch.x, batch.context ?? []]);
    }
  }
  await stream.close();
  return means.logs();
}

async function readLoss(model: Trainable, batch: Batch, random: RandomStream): Promise<Logs> {
  const before = random.state();
  const result = tf.tidy(() => {
    const { loss, metrics } = model.loss(batch, random);
    return { loss, ...metrics };
  });
  const logs = await readScalars(result);
  if (!Number.isFinite(logs.loss)) {
    random.restore(before);
    throw await explainNonFinite('evaluate', `${logs.loss}`, model, batch, random);
  }
  return logs;
}

/** Values of some scalars by one read-back; disposes them. */
export async function readScalars(scalars: Record<string, tf.Tensor>): Promise<Logs> {
  const names = Object.keys(scalars);
  const stacked = tf.tidy(() =>
    tf.stack(names.map((name) => tf.cast(tf.reshape(scalars[name], []), 'float32'))),
  );
  try {
    const values = await stacked.data();
    return Object.fromEntries(names.map((name, i) => [name, values[i]]));
  } finally {
    tf.dispose([stacked, scalars]);
  }
}
