import * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../engine/kernels';

/** Constants of one step of Adam. */
export interface StepConstants {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** 1 - beta1^t, and 1 - beta2^t. */
  bias1: number;
  bias2: number;
}

/** Constants of one step of Adam or Adamax; the latter takes no notice of `bias2`. */
export interface AdaptiveStep extends StepConstants {
  kind: 'adam' | 'adamax';
}

/** Weights with their moments, all in one order. */
export interface AdaptiveState {
  weight: readonly tf.Tensor[];
  first: readonly tf.Tensor[];
  second: readonly tf.Tensor[];
}

/** Whether the active backend has `fusedAdaptiveStep`; its ordinary form is `applyGradients` of tf.train's optimizers. */
export function hasFusedAdaptiveStep(): boolean {
  return hasKernels('FlowAdaptiveStep');
}

/**
 * One step of Adam or Adamax on all weights; they and their moments are changed where they lie.
 *
 *     FlowAdaptiveStep [...weights, ...first moments, ...second moments, ...gradients, gradientScale]
 *
 * The attribute `weights` is their number, the others are the step's constants. Without the last two the weights alone are moved, by the
 * moments as they stand.
 *
 * @param gradientScale the gradients are multiplied by it; see `stepScale` for one on the device
 */
export function fusedAdaptiveStep(
  { weight, first, second }: AdaptiveState,
  gradients: readonly tf.Tensor[],
  step: AdaptiveStep,
  gradientScale: number | tf.Scalar,
): void {
  const scale = typeof gradientScale === 'number' ? tf.scalar(gradientScale) : gradientScale;
  const inputs = [...weight, ...first, ...second, ...gradients, scale];
  runKernel('FlowAdaptiveStep', inputs, { ...step, weights: weight.length });
  if (scale !== gradientScale) scale.dispose();
}

/** Takes the weights back to before a step, to rounding; the moments stay as that step left them. */
export function fusedAdaptiveStepBack({ weight, first, second }: AdaptiveState, step: AdaptiveStep): void {
  const attributes = { ...step, learningRate: -step.learningRate, weights: weight.length };
  runKernel('FlowAdaptiveStep', [...weight, ...first, ...second], attributes);
}
