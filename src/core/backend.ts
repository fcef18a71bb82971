import * as tf from '@tensorflow/tfjs-core';
import { BackendError, complaint } from './errors';

/**
 * Throws where TensorFlow.js has no backend to make a tensor on, or has one that nobody waited for. Called where the first tensor of
 * ours is made.
 *
 * @param where class and method that is about to make one
 * @throws BackendError
 */
export function requireBackend(where: string): void {
  try {
    tf.backend();
  } catch (error) {
    const hint =
      "Call `await prepareWasm()` of 'tfjs-flows/wasm' first, or import a backend ('@tensorflow/tfjs-backend-webgl', ...) and `await tf.ready()`.";
    throw new BackendError(
      complaint(
        where,
        'a backend of TensorFlow.js that is ready',
        'none',
        `${hint} (${(error as Error).message})`,
      ),
    );
  }
}
