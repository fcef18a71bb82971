import * as tf from '@tensorflow/tfjs-core';
import { BackendError, complaint, GpuFailedError } from './errors';

/**
 * Values of the float32 tensors that `make` computes, by one read for all: on a GPU each is a wait. What `make` computes is freed, and
 * what it computes from may be, as soon as there is a promise.
 */
export async function readTogether(make: () => readonly tf.Tensor[]): Promise<Float32Array[]> {
  let sizes: number[] = [];
  const joined = tf.tidy(() => {
    const tensors = make();
    sizes = tensors.map(({ size }) => size);
    const flat = tensors.map((x) => tf.reshape(x, [-1]));
    // Kept: the caller's tidy ends before the values are there.
    return tf.keep(flat.length === 0 ? tf.tensor1d([]) : tf.concat(flat));
  });
  try {
    const values = await joined.data<'float32'>();
    let end = 0;
    return sizes.map((size) => {
      end += size;
      return values.subarray(end - size, end);
    });
  } finally {
    joined.dispose();
  }
}

/**
 * Values of a tensor for functions that compute on the host and are no promises.
 *
 * @throws BackendError where they lie on a device that only asynchronous reads reach, as with webgpu in Node
 */
export function readAtOnce(where: string, x: tf.Tensor): tf.TypedArray {
  try {
    return x.dataSync();
  } catch (cause) {
    if (cause instanceof GpuFailedError) throw cause;
    const given =
      x.rank > 1 ? '{ data: await tensor.data(), shape: tensor.shape }' : 'what await tensor.data() gives';
    const received = `a tensor on a device of '${tf.getBackend()}'`;
    const message = complaint(
      where,
      'values that can be read at once',
      received,
      `Give ${given} in its place.`,
    );
    throw new BackendError(message, { cause });
  }
}
