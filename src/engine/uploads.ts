import * as tf from '@tensorflow/tfjs-core';

/** A backend whose values lie on a device, and that takes them there before the first operation on them. */
interface Uploads {
  upload?(tensor: tf.TensorInfo): void;
}

/** Sends values to the device that will compute with them, where the backend has one; the host keeps them, too. */
export function upload(tensors: readonly tf.Tensor[]): void {
  const backend = tf.backend() as Uploads;
  for (const tensor of tensors) backend.upload?.(tensor);
}
