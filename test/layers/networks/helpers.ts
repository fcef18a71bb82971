import * as tf from '@tensorflow/tfjs-core';
import { type Module, RandomStream } from 'tfjs-flows';

/** All weights away from where they start. */
export function perturb<T extends Module>(module: T, deviation = 0.4): T {
  const random = new RandomStream(7);
  for (const weight of module.trainableWeights) {
    weight.assign(tf.tidy(() => tf.add(weight, random.normal(weight.shape, 0, deviation))));
  }
  return module;
}

/** Weights by their names in the module. */
export function weightsByName(module: Module): Record<string, tf.Variable> {
  return Object.fromEntries(module.weights.map(({ name, variable }) => [name, variable]));
}

/** Largest difference. */
export function distance(a: tf.Tensor, b: tf.Tensor): number {
  return tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]);
}
