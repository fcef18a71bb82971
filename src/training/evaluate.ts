import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import { checkOptions, type OptionNames } from '../core/options';
import { RandomStream, type Seed } from '../core/random';
import { checkInteger } from '../core/shapes';
import type { BatchStream } from './batchStream';
import { type FitData, recognizeData, streamOf } from './data';
import { LogMeans, type Logs } from './logs';
import { bringToHost, explainNonFinite } from './nonFinite';
import { checkNoData, checkSeed } from './optionChecks';
import type { Batch, Loss, Trainable } from './trainable';

/** Options of `evaluate`. */
export interface EvaluateOptions {
  /** Examples per batch, for data in memory. Default: 32. */
  batchSize?: number;
  /** At most so many batches. Default: all of one pass. */
  steps?: number;
  /** Seed of the loss's noise; equal seeds give equal results. Default: 1. */
  seed?: Seed;
}

/**
 * Mean loss and metrics of a model over a data set, every example weighing the same; nothing is trained.
 *
 * @param data as for `fit`
 * @returns `loss` in the model's unit and the metrics by name
 * @throws ConfigError, DataError, ShapeError, NonFiniteError
 *
 * @example
 * const { loss } = await evaluate(flow, heldOutImages, { batchSize: 64 });
 */
export function evaluate(model: Trainable, data: FitData, options?: EvaluateOptions): Promise<Logs>;
export async function evaluate(
  model: Trainable,
  data: FitData,
  options: EvaluateOptions = {},
  ...surplus: unknown[]
): Promise<Logs> {
  checkEvaluateOptions(options, surplus);
  const { batchSize = 32, steps, seed = 1 } = options;
  const recognized = await recognizeData('evaluate', data, model);
  const stream = streamOf('evaluate', recognized, batchSize, new RandomStream(seed), false);
  return evaluateStream(model, stream, steps, seed);
}

const names: OptionNames<EvaluateOptions> = {
  batchSize: ['batch', 'batch_size'],
  steps: ['batches'],
  seed: ['randomSeed', 'random_state'],
};

function checkEvaluateOptions(options: EvaluateOptions, surplus: readonly unknown[]): void {
  checkNoData('evaluate', options, surplus);
  checkOptions('evaluate', options, names);
  for (const name of ['batchSize', 'steps'] as const) {
    const value = options[name];
    if (value !== undefined) checkInteger('evaluate', name, value);
  }
  if (options.seed !== undefined) checkSeed('evaluate', options.seed);
}

/** One pass over the stream, or the first `steps` batches of one; the next call begins another pass, whatever came of this one. */
export async function evaluateStream(
  model: Trainable,
  stream: BatchStream,
  steps = Number.POSITIVE_INFINITY,
  seed: Seed = 1,
): Promise<Logs> {
  const random = new RandomStream(seed);
  const means = new LogMeans();
  try {
    for (let step = 0; step < steps; step++) {
      const batch = await stream.next();
      if (batch === undefined) break;
      try {
        await bringToHost(batch);
        model.checkBatch(batch);
        means.add(await lossOf(model, batch, random), batch.x.shape[0]);
      } finally {
        tf.dispose([batch.x, batch.context ?? []]);
      }
    }
    return means.logs();
  } finally {
    await stream.endPass();
  }
}

async function lossOf(model: Trainable, batch: Batch, random: RandomStream): Promise<Logs> {
  const before = random.state();
  const result = tf.tidy(() => {
    const { loss, metrics } = model.loss(batch, random);
    return { loss, metrics };
  });
  const logs = await readLoss('evaluate', result);
  if (!Number.isFinite(logs.loss)) {
    random.restore(before);
    const locate = () => model.locateNonFinite(batch, random);
    throw await explainNonFinite('evaluate', `${logs.loss}`, model, batch, locate);
  }
  return logs;
}

/** Names in logs that are not a metric's. */
const RESERVED = ['loss', 'gradientNorm', 'learningRate', 'batch', 'size', 'epoch', 'step'];

/**
 * Values of a loss, its metrics and further scalars by one read-back; disposes them.
 *
 * @throws ConfigError for a metric that would take the place of another value in the logs
 */
export async function readLoss(
  where: string,
  { loss, metrics }: Loss,
  further: Record<string, tf.Tensor> = {},
): Promise<Logs> {
  const taken = Object.keys(metrics).find((name) => RESERVED.includes(name) || name.startsWith('val_'));
  if (taken === undefined) return readScalars({ loss, ...metrics, ...further });
  tf.dispose([loss, metrics, further]);
  const expected = `metrics with names other than ${RESERVED.join(', ')} and val_...`;
  throw new ConfigError(complaint(where, expected, `'${taken}'`, 'Those stand for other values in logs.'));
}

/** Values of some scalars by one read-back; disposes them. */
export async function readScalars(scalars: Record<string, tf.Tensor>): Promise<Logs> {
  const names = Object.keys(scalars);
  let stacked: tf.Tensor | undefined;
  try {
    stacked = tf.tidy(() => tf.stack(names.map((name) => tf.cast(tf.reshape(scalars[name], []), 'float32'))));
    const values = await stacked.data();
    return Object.fromEntries(names.map((name, i) => [name, values[i]]));
  } finally {
    tf.dispose([stacked ?? [], scalars]);
  }
}
