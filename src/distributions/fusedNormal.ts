import * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../core/shapes';
import { sumPerExample } from '../core/tensors';
import { hasKernels, runKernel } from '../engine/kernels';
import { record } from '../engine/tape';

/** log sqrt(2 pi), the normal density's constant per dimension. */
export const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);

/**
 * Log-density of N(0, I) per example, -1/2 sum z^2 - D/2 log(2 pi); in one op each way where the active backend has one.
 *
 *     FlowNormalLogProb { z } -> [n]
 *     FlowNormalLogProbGradient { z, dy } -> gradient in z
 *
 * @param z [n, ...], D values each
 */
export function normalLogProb(z: tf.Tensor): tf.Tensor1D {
  if (!hasKernels('FlowNormalLogProb', 'FlowNormalLogProbGradient')) {
    const constant = -sizeOf(z.shape.slice(1)) * HALF_LOG_TWO_PI;
    return tf.add(tf.mul(sumPerExample(tf.square(z)), -0.5), constant) as tf.Tensor1D;
  }
  const [logProb] = record([z], () => ({
    results: runKernel('FlowNormalLogProb', { z }),
    needed: [z],
    gradient: ([dy], [given]) => runKernel('FlowNormalLogProbGradient', { z: given, dy }),
  }));
  return logProb as tf.Tensor1D;
}
