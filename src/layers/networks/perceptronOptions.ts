import * as tf from '@tensorflow/tfjs-core';
import { type ContextOption, type ContextShape, contextShapeOf, contextSize } from '../../core/context';
import { ConfigError, complaint } from '../../core/errors';
import type { OptionNames } from '../../core/options';
import { checkChoice, sizeOf } from '../../core/shapes';
import { type Activation, activationNames } from './activations';

/** Options that all perceptrons share. */
export interface PerceptronOptions {
  /** What hidden units do to what they read. Default 'relu'. */
  activation?: Activation;
  /**
   * Share of what hidden units pass on that is left out in a training step, the rest being raised to make up for it: 0 to below 1. It
   * works in `fit` and in the functions that compute gradients for it; densities, samples and initialization leave nothing out. Default 0.
   */
  dropout?: number;
  /** What is read beside x: a number of values, an event shape, or either by name. Default: nothing. */
  context?: ContextOption;
  /** Read sin(2 pi x / period) and cos(2 pi x / period) of every value of x in place of the value: for angles 2 pi. Default: the value. */
  periodic?: number;
  /** Seed of the initial weights. Default: another one each time. */
  seed?: number;
  /** Name in the weight tree. Default 'network'. */
  name?: string;
}

/** The names of those options, for `checkOptions`. */
export const perceptronNames: OptionNames<PerceptronOptions> = {
  activation: ['nonlinearity'],
  dropout: ['rate'],
  context: true,
  periodic: ['period'],
  seed: true,
  name: true,
};

/** The options, checked and with their defaults. */
export interface PerceptronSettings {
  activation: Activation;
  dropout: number;
  contextShape: ContextShape | undefined;
  /** Number of values of the context. */
  context: number;
  periodic: number | undefined;
  /** What a network's first layer reads for each of its values. */
  featuresPerValue: number;
}

/** @throws ConfigError for options that cannot be */
export function perceptronSettings(where: string, options: PerceptronOptions): PerceptronSettings {
  const { activation = 'relu', dropout = 0, periodic } = options;
  checkChoice(where, 'activation', activation, activationNames);
  // Not by comparison alone: texts compare as numbers.
  if (!(Number.isFinite(dropout) && dropout >= 0 && dropout < 1)) {
    throw new ConfigError(complaint(where, 'dropout of at least 0 and below 1', dropout));
  }
  if (periodic !== undefined && !(Number.isFinite(periodic) && periodic > 0)) {
    throw new ConfigError(complaint(where, 'periodic to be a period, as 2 * Math.PI', periodic));
  }
  const contextShape = contextShapeOf(where, options.context);
  const context = contextSize(contextShape);
  const featuresPerValue = periodic === undefined ? 1 : 2;
  return { activation, dropout, contextShape, context, periodic, featuresPerValue };
}

/** What a network's configuration says of them: what is not as by default. */
export function perceptronConfig(settings: PerceptronSettings): tf.serialization.ConfigDict {
  const { activation, dropout, contextShape, periodic } = settings;
  const config: tf.serialization.ConfigDict = { activation };
  if (dropout > 0) config.dropout = dropout;
  if (contextShape !== undefined) config.context = contextShape as never;
  if (periodic !== undefined) config.periodic = periodic;
  return config;
}

/** What the first layer reads of values: [n, ...] -> [n, d], or [n, 2 d] with sine and cosine of a value side by side. */
export function featuresOf(x: tf.Tensor, periodic: number | undefined): tf.Tensor {
  const d = sizeOf(x.shape.slice(1));
  const values = x.rank === 2 ? x : tf.reshape(x, [x.shape[0], d]);
  if (periodic === undefined) return values;
  const angles = tf.mul(values, (2 * Math.PI) / periodic);
  return tf.reshape(tf.stack([tf.sin(angles), tf.cos(angles)], 2), [x.shape[0], 2 * d]);
}
