import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import { hasKernels, runKernel } from '../engine/kernels';
import { areBfloat16, bfloat16Kernels } from './bfloat16';

/** What stands for a largest value of 0, so that nothing is divided by it: the least float32 that every device holds. */
const LEAST = 2 ** -126;

/**
 * Euclidean norm of all tensors taken together: sqrt(sum_i sum(t_i^2)).
 *
 * Computed on the device, over the largest absolute value, so that no square overflows or vanishes: entries of 1e30 and of 1e-30 count.
 * NaN or infinity anywhere makes it non-finite.
 *
 * @param tensors any shapes; null entries count as zero
 *
 * @example
 * globalNorm([tf.tensor1d([3, 0]), tf.tensor1d([4])]); // scalar 5
 */
export function globalNorm(tensors: readonly (tf.Tensor | null)[]): tf.Scalar {
  return tf.tidy(() => normOfGradients(tensors.map((tensor) => tensor && asFloat(tensor))));
}

/**
 * As `globalNorm`, of gradients that may be in bfloat16; in one op where the active backend has one.
 *
 *     FlowGlobalNorm [...tensors] -> their norm, a scalar
 */
export function normOfGradients(gradients: readonly (tf.Tensor | null)[]): tf.Scalar {
  const given = gradients.filter((gradient) => gradient !== null && gradient.size > 0) as tf.Tensor[];
  const kernel = areBfloat16(given) ? bfloat16Kernels.norm : 'FlowGlobalNorm';
  if (hasKernels(kernel)) return runKernel(kernel, given)[0] as tf.Scalar;
  return tf.tidy(() => {
    if (given.length === 0) return tf.scalar(0);
    // Not tf.addN: on webgpu it binds every tensor at once, more than a device allows.
    const largest = tf.maximum(tf.max(tf.stack(given.map((gradient) => tf.max(tf.abs(gradient))))), LEAST);
    const squares = given.map((gradient) => tf.sum(tf.square(tf.div(gradient, largest))));
    return tf.mul(largest, tf.sqrt(tf.sum(tf.stack(squares)))) as tf.Scalar;
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
  return tensors.map(
    (tensor) => (tensor && tf.tidy(() => tf.clipByValue(asFloat(tensor), -limit, limit))) as T,
  );
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
  return tf.tidy(() => {
    const norm = globalNorm(tensors);
    // Zero times the norm: limit / infinity would clip to zero, and some devices take the smaller of 1 and NaN for 1.
    const scale = tf.add(tf.minimum(1, tf.div(limit, norm)), tf.mul(norm, 0));
    return tensors.map((tensor) => tensor && tf.mul(tensor, scale)) as never;
  });
}

/**
 * Other gradients in place of these, each of which is disposed as soon as the other is there: the two never all stand side by side.
 * Where `change` throws, those that are there already are disposed.
 */
export function replaceEach(
  gradients: readonly (tf.Tensor | null)[],
  change: (gradient: tf.Tensor, place: number) => tf.Tensor,
): (tf.Tensor | null)[] {
  const changed: (tf.Tensor | null)[] = [];
  try {
    for (const [place, gradient] of gradients.entries()) {
      changed.push(gradient && change(gradient, place));
      gradient?.dispose();
    }
    return changed;
  } catch (error) {
    tf.dispose(changed.filter((gradient) => gradient !== null));
    throw error;
  }
}

/** Integers and booleans as the float32 that kernels read. */
function asFloat(tensor: tf.Tensor): tf.Tensor {
  return tensor.dtype === 'float32' ? tensor : tf.cast(tensor, 'float32');
}

function checkLimit(where: string, limit: number): void {
  if (!(limit > 0)) throw new ConfigError(complaint(where, 'a limit > 0', limit));
}
