import type * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../engine/kernels';
import type { GradientStorage } from '../layers/reversePass';

/*
 * Gradients of 16 bits: bfloat16, the upper half of a float32, rounded to the nearest, two in each int32. Who makes and takes them is
 * said here alone.
 */

/** Kernels that take gradients in bfloat16 in place of float32. */
export const bfloat16Kernels = {
  /** [...weights, ...moments, ...gradients, gradientScale], as FlowCompactStep. */
  step: 'FlowCompactStepBfloat16',
  /** As FlowGlobalNorm, of tensors any of which may be in bfloat16. */
  norm: 'FlowGlobalNormBfloat16',
};

/** Gradients in bfloat16, where the active backend has all that makes and takes them; there is no ordinary form. */
export function bfloat16Storage(): GradientStorage | undefined {
  const { step, norm } = bfloat16Kernels;
  if (!hasKernels('FlowToBfloat16', 'FlowFromBfloat16', step, norm)) return undefined;
  return { put: toBfloat16, get: inFloat32 };
}

/** FlowToBfloat16 { x } -> [half of its size, rounded up], int32 */
export function toBfloat16(x: tf.Tensor): tf.Tensor1D {
  return runKernel('FlowToBfloat16', { x })[0] as tf.Tensor1D;
}

/** FlowFromBfloat16 { x }, with the attribute `shape` -> a tensor of that shape, float32 */
export function fromBfloat16(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  return runKernel('FlowFromBfloat16', { x }, { shape })[0];
}

/** Whether any of these gradients is in bfloat16; those of a step all are, or none. */
export function areBfloat16(gradients: readonly tf.Tensor[]): boolean {
  return gradients.some(({ dtype }) => dtype === 'int32');
}

/** A gradient of this shape that may be in bfloat16: as it is where it is not. */
export function inFloat32(gradient: tf.Tensor, shape: readonly number[]): tf.Tensor {
  return areBfloat16([gradient]) ? fromBfloat16(gradient, shape) : gradient;
}
