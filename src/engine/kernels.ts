import * as tf from '@tensorflow/tfjs-core';
import { engine } from './fields';

/*
 * Kernels by name. A fused operation is a pair of kernels, one forward and one for its gradient, that some backends have; who owns the
 * operation keeps an ordinary form with the same result (to 1e-5 relative) beside it, and takes the fused one where both are there.
 */

/** Whether the active backend has all of these kernels. */
export function hasKernels(...names: string[]): boolean {
  const backend = tf.getBackend();
  return names.every((name) => tf.getKernel(name, backend) !== undefined);
}

/** Results of a kernel of the active backend; its tensors by name, or in a list. Attributes are plain configuration. */
export function runKernel(
  name: string,
  inputs: tf.NamedTensorMap | readonly tf.Tensor[],
  attributes: object = {},
): tf.Tensor[] {
  // The engine hands a list on as it is.
  return engine().runKernel(name, inputs as tf.NamedTensorMap, attributes) as tf.Tensor[];
}
