import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '../core/shapes';
import type { DistributionDraw } from './distribution';

/** Standard normal numbers, [n, ...eventShape], times the temperature. */
export function normalNoise(
  n: number,
  eventShape: Shape,
  { random, temperature }: DistributionDraw,
): tf.Tensor {
  const factors = typeof temperature === 'number' ? [temperature] : temperature;
  const shape = factors.length === 1 ? [] : eventShape;
  return tf.mul(random.normal([n, ...eventShape]), tf.tensor(factors, [...shape], 'float32'));
}
