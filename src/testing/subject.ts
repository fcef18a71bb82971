import * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../core/context';
import { FlowError } from '../core/errors';
import { RandomStream } from '../core/random';
import type { Bijector, Transformed } from '../layers/bijector';

/** Options of `checkBijector`. */
export interface CheckOptions {
  /** Builds a fresh bijector; called several times, so give it a seed. */
  create: () => Bijector;
  /** Draws n events that the bijector takes. Default: standard normal numbers of its input shape. */
  sample?: (n: number, random: RandomStream) => tf.Tensor;
  /** Draws contexts for n events, a tensor or tensors by name. Default: none. */
  context?: (n: number, random: RandomStream) => ContextTensors;
  /**
   * Places of the values that the density is of, where an equation binds the others, as the last share of a whole is bound by a sum of 1.
   * Default: all values.
   */
  free?: readonly number[];
  /** Seed of data and weights. Default 1. */
  seed?: number;
  /** Largest round-trip error, absolute. Default 1e-4: float32 with condition numbers below 1e3. */
  tolerance?: number;
}

/** A bijector under test, with data, and weights moved away from their special starting values. */
export interface Subject {
  bijector: Bijector;
  x: tf.Tensor;
  context?: ContextTensors;
  random: RandomStream;
  tolerance: number;
  free?: readonly number[];
  create: () => Bijector;
}

/** One property that every bijector has; throws where it does not hold. */
export type Check = (subject: Subject) => void | Promise<void>;

/** Standard deviation of the noise added to every trainable weight: zeros would hide missing terms. */
const PERTURBATION = 0.1;

/** Events for data-dependent initialization: few would give actnorm extreme scales. */
const INITIAL_BATCH = 64;

export function makeSubject(options: CheckOptions, batch = 3): Subject {
  const random = new RandomStream(options.seed ?? 1);
  const bijector = options.create();
  const sample = options.sample ?? ((n, stream) => stream.normal([n, ...bijector.inputShape]));
  const draw = (n: number) => ({ x: sample(n, random), context: options.context?.(n, random) });
  const first = draw(INITIAL_BATCH);
  bijector.initialize(first.x, first.context).dispose();
  tf.dispose([first.x, first.context ?? []]);
  perturb(bijector, random);
  const { x, context } = draw(batch);
  const { tolerance = 1e-4, free, create } = options;
  return { bijector, x, context, random, tolerance, free, create };
}

export function freeSubject({ bijector, x, context }: Subject): void {
  bijector.dispose();
  tf.dispose([x, context ?? []]);
}

function perturb(bijector: Bijector, random: RandomStream): void {
  for (const weight of bijector.trainableWeights) {
    tf.tidy(() => weight.assign(tf.add(weight, random.normal(weight.shape, 0, PERTURBATION))));
  }
}

export function require(condition: boolean, message: string): void {
  if (!condition) throw new FlowError(message);
}

/** Largest absolute difference; NaN counts as infinite. */
export function largestDifference(a: tf.Tensor, b: tf.Tensor): number {
  const left = a.dataSync();
  const right = b.dataSync();
  let largest = left.length === right.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < left.length; i++) {
    const difference = Math.abs(left[i] - right[i]);
    largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(largest, difference);
  }
  return largest;
}

export function disposeAll(...results: Transformed[]): void {
  for (const { value, logDet } of results) {
    value.dispose();
    logDet.dispose();
  }
}
