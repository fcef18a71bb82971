import * as tf from '@tensorflow/tfjs-core';
import { engine } from './fields';

/** A constant with the values of a tensor, which are shared: `tf.clone` without the op. */
export function anotherHandle(tensor: tf.Tensor): tf.Tensor {
  const { dataId, shape, dtype } = tensor;
  tf.backend().incRef(dataId);
  return engine().makeTensorFromTensorInfo({ dataId, shape, dtype });
}

/** Whether another tensor holds the same values, so that they must not be changed where they lie. */
export function isShared({ dataId }: tf.Tensor): boolean {
  return tf.backend().refCount(dataId) !== 1;
}

/** The variable of a name, as optimizers are told of it. */
export function variableOf(name: string): tf.Variable {
  return engine().registeredVariables[name];
}
