import * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../engine/kernels';
import { record } from '../engine/tape';

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
