import * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../core/shapes';
import { joinChannels, splitChannels, sumPerExample } from '../core/tensors';
import { hasKernels, runKernel } from '../engine/kernels';
import { record } from '../engine/tape';
import type { Transformed } from './transformed';

/** Which channels are standardized, and to which side. */
export interface FusedStandardizeOptions {
  /** Leading channels that pass unchanged. */
  kept: number;
  /** Whether standardized values become what they were. */
  inverse: boolean;
}

/**
 * The last channels by mean and log of the scale, with the log-determinant; in one op each way where the active backend has one.
 *
 *     y = (x - mean) exp(-logScale), logDet = -sum(logScale);   inverse: x = y exp(logScale) + mean, logDet = sum(logScale)
 *
 *     FlowStandardize { x, parameters } -> value, logDet [n]
 *     FlowStandardizeGradient { x, parameters, dy, dLogDet } -> gradients in x and the parameters
 *
 * @param x [n, ..., c]
 * @param parameters [mean | logScale], [n, ..., 2 (c - kept)], or broadcastable to it
 */
export function standardize(
  x: tf.Tensor,
  parameters: tf.Tensor,
  options: FusedStandardizeOptions,
): Transformed {
  if (!hasKernels('FlowStandardize', 'FlowStandardizeGradient')) return ordinary(x, parameters, options);
  const shape = [...x.shape.slice(0, -1), parameters.shape[parameters.rank - 1]];
  const everywhere = sizeOf(shape) === parameters.size ? parameters : tf.add(tf.fill(shape, 0), parameters);
  const [value, logDet] = record([x, everywhere], () => ({
    results: runKernel('FlowStandardize', { x, parameters: everywhere }, options),
    needed: [x, everywhere],
    gradient: ([dy, dLogDet], [given, steering]) =>
      runKernel('FlowStandardizeGradient', { x: given, parameters: steering, dy, dLogDet }, options),
  }));
  return { value, logDet: logDet as tf.Tensor1D };
}

function ordinary(
  x: tf.Tensor,
  parameters: tf.Tensor,
  { kept, inverse }: FusedStandardizeOptions,
): Transformed {
  const [passing, changed] = kept === 0 ? [undefined, x] : splitChannels(x, kept);
  const [mean, logScale] = splitChannels(parameters, changed.shape[changed.rank - 1]);
  const logFactor = inverse ? logScale : tf.neg(logScale);
  const value = inverse
    ? tf.add(tf.mul(changed, tf.exp(logFactor)), mean)
    : tf.mul(tf.sub(changed, mean), tf.exp(logFactor));
  // Logarithms may be one for all positions.
  const positions = sizeOf(changed.shape.slice(1)) / sizeOf(logFactor.shape.slice(1));
  const sum = sumPerExample(logFactor);
  return {
    value: passing === undefined ? value : joinChannels([passing, value]),
    logDet: positions === 1 ? sum : tf.mul(sum, positions),
  };
}
