import type * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../engine/kernels';

/**
 * Whether the active backend takes steps that nobody has looked at: it has `stepScale`, and its fused steps leave weights and moments as
 * they are where the scale is NaN or infinite. So a step is on its way before anything is read. There is no ordinary form:
 * where a read costs little, `fit` looks first.
 */
export function hasStepScale(): boolean {
  return hasKernels('FlowStepScale');
}

/**
 * What the gradients of a step are multiplied by: min(1, clipNorm / norm), and NaN where the loss or the norm is not finite.
 *
 *     FlowStepScale { loss, norm }, with the attribute `clipNorm` (Infinity: no clipping) -> a scalar
 */
export function stepScale(loss: tf.Scalar, norm: tf.Scalar, clipNorm: number): tf.Scalar {
  return runKernel('FlowStepScale', { loss, norm }, { clipNorm })[0] as tf.Scalar;
}
