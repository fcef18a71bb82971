import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import { fusedGlobalNorm, hasFused } from '../core/fused';

/**
 * Euclidean norm of all tensors taken together: sqrt(sum_i sum(t_i^2)).
 *
 * Computed on the device; NaN or infinity anywhere makes it non-finite.
 *
 * @param tensors any shapes; null entries count as zero
 *
 * @example
 * globalNorm([tf.tensor1d([3, 0]), tf.tensor1d([4])]); // scalar 5
 */
export function globalNorm(tensors: readonly (tf.Tensor | null)[]): tf.Scalar {
  if (hasFused('FlowGlobalNorm')) return fusedGlobalNorm(tensors.filter((tensor) => tensor !== null));
  return tf.tidy(() => {
    const squares = tensors.flatMap((tensor) => (tensor === null ? [] : [tf.sum(tf.square(tensor))]));
    // Not tf.addN: on webgpu it binds every tensor at once, more than a device allows.
    return tf.sqrt(squares.length === 0 ? tf.scalar(0) : tf.sum(tf.stack(squares))) as tf.Scalar;
  });
}

/**
 * Every entry limited to [-limit, limit]; new tensors, inputs are kept.
 *
 * @param limit largest absolute value, > 0
 * @throws ConfigError
 *
 * @example
 * clipByValue([tf.tensor1d([-3, 0.5])], 1); // [[-1, 0.5]]
 */
export function clipByValue<T extends tf.Tensor | null>(tensors: readonly T[], limit: number): T[] {
  checkLimit('clipByValue', limit);
  return tensors.map((tensor) => (tensor === null ? null : tf.clipByValue(tensor, -limit, limit)) as T);
}

/**
 * All tensors scaled by one factor so that their global norm is at most `limit`; new tensors, inputs are kept.
 *
 *     t_i <- t_i * min(1, limit / norm),    norm = globalNorm(t)
 *
 * Runs on the device without reading back; a non-finite norm gives NaN, so check `globalNorm` where that can be.
 *
 * @param limit largest norm, > 0
 * @throws ConfigError
 *
 * Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013), section 3.2, arXiv:1211.5063.
 *
 * @example
 * clipByGlobalNorm([tf.tensor1d([3, 0]), tf.tensor1d([4])], 1); // [[0.6, 0], [0.8]]
 */
export function clipByGlobalNorm<T extends tf.Tensor | null>(tensors: readonly T[], limit: number): T[] {
  checkLimit('clipByGlobalNorm', limit);
  const scale = tf.tidy(() => tf.minimum(1, tf.div(limit, globalNorm(tensors))));
  const clipped = tensors.map((tensor) => (tensor === null ? null : tf.mul(tensor, scale)) as T);
  scale.dispose();
  return clipped;
}

/** Other gradients in place of these, each of which is disposed as soon as the other is there: the two never all stand side by side. */
export function replaceEach(
  gradients: readonly (tf.Tensor | null)[],
  change: (gradient: tf.Tensor, place: number) => tf.Tensor,
): (tf.Tensor | null)[] {
  return gradients.map((gradient, place) => {
    if (gradient === null) return null;
    const changed = change(gradient, place);
    gradient.dispose();
    return changed;
  });
}

function checkLimit(where: string, limit: number): void {
  if (!(limit > 0)) throw new ConfigError(complaint(where, 'a limit > 0', limit));
}
