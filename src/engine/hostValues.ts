import * as tf from '@tensorflow/tfjs-core';
import { capabilities } from './capabilities';

/** Where a backend keeps what is still on the host. */
interface Values {
  tensorMap?: { has(dataId: object): boolean; get(dataId: object): { values?: unknown } };
}

/**
 * The values of a tensor, where the host has them or can read them at once; undefined where they lie on a device that has to be waited
 * for. A tensor that was just made of a list is on the host, and one that was read before.
 */
export function hostValues(tensor: tf.Tensor): Float32Array | Int32Array | Uint8Array | undefined {
  if (capabilities().readsAtOnce) return tensor.dataSync();
  const { tensorMap } = tf.backend() as unknown as Values;
  const known = tensorMap?.has(tensor.dataId) && ArrayBuffer.isView(tensorMap.get(tensor.dataId).values);
  return known ? tensor.dataSync() : undefined;
}
