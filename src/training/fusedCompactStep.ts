import * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../engine/kernels';
import { areBfloat16, bfloat16Kernels } from './bfloat16';
import type { StepConstants } from './fusedAdaptiveStep';

/** Constants of one step of Adam with moments of 16 bits. */
export interface CompactStep extends StepConstants {
  /** What chance goes by as moments are rounded: another one in each step. */
  seed: number;
}

/** Weights with both their moments in one int32 each. */
export interface CompactState {
  weight: readonly tf.Tensor[];
  moments: readonly tf.Tensor[];
}

/** Whether the active backend has `fusedCompactStep`; its ordinary form is `compactStep`, on the host. */
export function hasFusedCompactStep(): boolean {
  return hasKernels('FlowCompactStep');
}

/**
 * One step of Adam with moments of 16 bits on all weights; they and their moments are changed where they lie.
 *
 *     FlowCompactStep [...weights, ...moments, ...gradients, gradientScale]
 *
 * The attribute `weights` is their number, the others are the step's constants. Without the last two the weights alone are moved, by the
 * moments as they stand.
 *
 * @param gradientScale the gradients are multiplied by it; see `stepScale` for one on the device
 */
export function fusedCompactStep(
  { weight, moments }: CompactState,
  gradients: readonly tf.Tensor[],
  step: CompactStep,
  gradientScale: number | tf.Scalar,
): void {
  const scale = typeof gradientScale === 'number' ? tf.scalar(gradientScale) : gradientScale;
  const kernel = areBfloat16(gradients) ? bfloat16Kernels.step : 'FlowCompactStep';
  runKernel(kernel, [...weight, ...moments, ...gradients, scale], { ...step, weights: weight.length });
  if (scale !== gradientScale) scale.dispose();
}

/** Takes the weights back to before a step, to rounding; the moments stay as that step left them. */
export function fusedCompactStepBack({ weight, moments }: CompactState, step: CompactStep): void {
  const attributes = { ...step, learningRate: -step.learningRate, weights: weight.length };
  runKernel('FlowCompactStep', [...weight, ...moments], attributes);
}
