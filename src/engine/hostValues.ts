import * as tf from '@tensorflow/tfjs-core';
import { capabilities } from './capabilities';

type Values = Float32Array | Int32Array | Uint8Array;

/** Where a backend keeps what is still on the host. */
interface Holder {
  tensorMap?: { has(dataId: object): boolean; get(dataId: object): { values?: unknown } };
}

/**
 * The values of a tensor, where the host has them or can read them at once; undefined where they lie on a device that has to be waited
 * for. A tensor that was just made of a list is on the host, and one that was read before.
 */
export function hostValues(tensor: tf.Tensor): Values | undefined {
  return capabilities().readsAtOnce ? tensor.dataSync() : heldValues(tensor);
}

/** The values of a tensor that the active backend holds on the host; a device is not asked for them. */
export function heldValues({ dataId }: tf.TensorInfo): Values | undefined {
  const { tensorMap } = tf.backend() as unknown as Holder;
  const values = tensorMap?.has(dataId) ? tensorMap.get(dataId).values : undefined;
  return ArrayBuffer.isView(values) ? (values as Values) : undefined;
}
