import * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../engine/kernels';
import { record } from '../engine/tape';
import type { ChannelOrder } from './channelOrder';
import type { Transformed } from './transformed';

/** Whether the active backend has `fusedActNorm`; its ordinary form is `scaleChannels` and a sum of logarithms. */
export function hasFusedActNorm(): boolean {
  return hasKernels('FlowActNorm', 'FlowActNormGradient');
}

/**
 * Channels brought into an order, then (x + offset) * exp(logScale), with its log-determinant, positions * sum(logScale).
 *
 *     FlowActNorm { input, offset, logScale } -> y, logDet [n]
 *     FlowActNormGradient { dy, dLogDet, y, logScale } -> gradients in the input, offset and logScale
 *
 * The attribute `order` says which order, if any.
 *
 * @param x [n, ..., c], offset [c], logScale [c]
 */
export function fusedActNorm(
  x: tf.Tensor,
  offset: tf.Tensor,
  logScale: tf.Tensor,
  order?: ChannelOrder,
): Transformed {
  const attributes = { order: order?.order };
  const [value, logDet] = record([x, offset, logScale], () => {
    const results = runKernel('FlowActNorm', { input: x, offset, logScale }, attributes);
    return {
      results,
      needed: [results[0], logScale],
      gradient: ([dy, dLogDet], [y, l]) =>
        runKernel('FlowActNormGradient', { dy, dLogDet, y, logScale: l }, attributes),
    };
  });
  return { value, logDet: logDet as tf.Tensor1D };
}

/**
 * (x + offset) * exp(logScale), per channel; in one op each way where the active backend has one.
 *
 *     FlowScaleChannels { input, offset, logScale } -> y
 *     FlowScaleChannelsGradient { dy, y, logScale } -> gradients in the input, offset and logScale
 *
 * @param x [..., c], offset [c], logScale [c]
 */
export function scaleChannels(x: tf.Tensor, offset: tf.Tensor, logScale: tf.Tensor): tf.Tensor {
  if (!hasKernels('FlowScaleChannels', 'FlowScaleChannelsGradient')) {
    return tf.mul(tf.add(x, offset), tf.exp(logScale));
  }
  const [result] = record([x, offset, logScale], () => {
    const [value] = runKernel('FlowScaleChannels', { input: x, offset, logScale });
    const gradient = ([dy]: tf.Tensor[], [y, l]: tf.Tensor[]) =>
      runKernel('FlowScaleChannelsGradient', { dy, y, logScale: l });
    return { results: [value], needed: [value, logScale], gradient };
  });
  return result;
}

/**
 * The inverse of `scaleChannels`, y * exp(-logScale) - offset.
 *
 *     FlowUnscaleChannels { input, offset, logScale } -> x
 *     FlowUnscaleChannelsGradient { dx, x, offset, logScale } -> gradients in the input, offset and logScale
 *
 * @param y [..., c], offset [c], logScale [c]
 */
export function unscaleChannels(y: tf.Tensor, offset: tf.Tensor, logScale: tf.Tensor): tf.Tensor {
  if (!hasKernels('FlowUnscaleChannels', 'FlowUnscaleChannelsGradient')) {
    return tf.sub(tf.mul(y, tf.exp(tf.neg(logScale))), offset);
  }
  const [result] = record([y, offset, logScale], () => {
    const [value] = runKernel('FlowUnscaleChannels', { input: y, offset, logScale });
    const gradient = ([dx]: tf.Tensor[], [x, b, l]: tf.Tensor[]) =>
      runKernel('FlowUnscaleChannelsGradient', { dx, x, offset: b, logScale: l });
    return { results: [value], needed: [value, offset, logScale], gradient };
  });
  return result;
}
