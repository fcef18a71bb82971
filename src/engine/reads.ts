import * as tf from '@tensorflow/tfjs-core';
import { BackendError, complaint, GpuFailedError } from '../core/errors';

/**
 * Values that a caller needs at once, as numbers in a result that is no promise.
 *
 * @throws BackendError where the backend has them on a device that only asynchronous reads reach, as webgpu in Node
 */
export function readAtOnce(where: string, x: tf.Tensor): Float32Array {
  try {
    return x.dataSync<'float32'>();
  } catch (cause) {
    if (cause instanceof GpuFailedError) throw cause;
    const backend = tf.getBackend();
    const hint = "Load the flow on another backend for this: tf.setBackend('wasm'), then loadFlow.";
    const message = complaint(
      where,
      'values that can be read at once',
      `some on a device of '${backend}'`,
      hint,
    );
    throw new BackendError(message, { cause });
  }
}

/** The number that a scalar holds, at once: see {@link readAtOnce}. */
export function numberAtOnce(where: string, x: tf.Tensor): number {
  return readAtOnce(where, x)[0];
}
