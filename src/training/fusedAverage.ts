import type * as tf from '@tensorflow/tfjs-core';
import { isShared } from '../engine/handles';
import { hasKernels, runKernel } from '../engine/kernels';

/**
 * Whether `fusedAverage` can move these averages: where the active backend has it, and nobody else holds their values. Its ordinary form
 * makes new tensors, in `AveragedWeights.update`.
 */
export function canMoveAverages(averages: readonly tf.Tensor[]): boolean {
  return hasKernels('FlowMoveAverages') && !averages.some(isShared);
}

/**
 * a <- a + rate * (w - a) for all averages, which are changed where they lie.
 *
 *     FlowMoveAverages [...averages, ...weights], with the attribute `rate`
 */
export function fusedAverage(
  averages: readonly tf.Tensor[],
  weights: readonly tf.Tensor[],
  rate: number,
): void {
  runKernel('FlowMoveAverages', [...averages, ...weights], { rate });
}
