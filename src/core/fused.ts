import * as tf from '@tensorflow/tfjs-core';

/*
 * Fused operations: one kernel for what ordinary ops do in many passes. A backend has them or not; every caller keeps
 * an ordinary form with the same result (to 1e-5 relative), and asks here which to take.
 */

/** Names of the fused kernels that stand for ordinary ops. */
export type FusedKernel = 'FlowAdaptiveStep' | 'FlowCompactStep' | 'FlowGlobalNorm';

/** Whether the active backend has a fused kernel. */
export function hasFused(kernel: FusedKernel): boolean {
  return tf.getKernel(kernel, tf.getBackend()) !== undefined;
}

function run(kernel: string, inputs: tf.NamedTensorMap, attributes: object = {}): tf.Tensor[] {
  return tf.engine().runKernel(kernel, inputs, attributes as tf.NamedAttrMap) as tf.Tensor[];
}

/** A kernel's inputs by their places in a list: the engine hands them on as they are. */
function listed(...tensors: tf.Tensor[]): tf.NamedTensorMap {
  return tensors as unknown as tf.NamedTensorMap;
}

/**
 * A float32 tensor's values in bfloat16 (their upper 16 bits, rounded to the nearest), two in each int32. It has no ordinary form: only
 * who gives them to `fusedCompactStep` has a use for them.
 */
export function toBfloat16(x: tf.Tensor): tf.Tensor1D {
  return run('FlowToBfloat16', { x })[0] as tf.Tensor1D;
}

/** The float32 tensor of values in bfloat16. */
export function fromBfloat16(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  return run('FlowFromBfloat16', { x }, { shape })[0];
}

/** A tensor of this shape that may be in bfloat16: as it is where it is not. */
export function inFloat32(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  return x.dtype === 'float32' ? x : fromBfloat16(x, shape);
}

/** Euclidean norm of all tensors together, summed in float64. Those in bfloat16 count too. */
export function fusedGlobalNorm(tensors: readonly tf.Tensor[]): tf.Scalar {
  return run('FlowGlobalNorm', listed(...tensors))[0] as tf.Scalar;
}

/** Constants of one step of Adam. */
interface StepConstants {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** 1 - beta1^t, and 1 - beta2^t. */
  bias1: number;
  bias2: number;
  /** The gradients are multiplied by it. */
  gradientScale: number;
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

/** One step of Adam or Adamax on all weights; they and their moments are changed where they lie. */
export function fusedAdaptiveStep(
  { weight, first, second }: AdaptiveState,
  gradients: readonly tf.Tensor[],
  step: AdaptiveStep,
): void {
  const inputs = listed(...weight, ...first, ...second, ...gradients);
  run('FlowAdaptiveStep', inputs, { ...step, weights: weight.length });
}

/** Takes the weights back to before a step, to rounding; the moments stay as that step left them. */
export function fusedAdaptiveStepBack(state: AdaptiveState, step: AdaptiveStep): void {
  fusedAdaptiveStep(state, [], { ...step, learningRate: -step.learningRate });
}

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

/** One step of Adam with moments of 16 bits on all weights; they and their moments are changed where they lie. Gradients may be in bfloat16. */
export function fusedCompactStep(
  { weight, moments }: CompactState,
  gradients: readonly tf.Tensor[],
  step: CompactStep,
): void {
  run('FlowCompactStep', listed(...weight, ...moments, ...gradients), { ...step, weights: weight.length });
}

/** Takes the weights back to before a step, to rounding; the moments stay as that step left them. */
export function fusedCompactStepBack(state: CompactState, step: CompactStep): void {
  fusedCompactStep(state, [], { ...step, learningRate: -step.learningRate });
}
