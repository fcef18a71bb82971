import type * as tf from '@tensorflow/tfjs-core';

/** Result of a pass through a bijector. */
export interface Transformed {
  /** [batch, ...shape] */
  value: tf.Tensor;
  /** [batch], natural log of the absolute Jacobian determinant of the pass that was made. */
  logDet: tf.Tensor1D;
}

/** A layer's value on the way back, and the gradient of the loss by it; both [batch, ...shape]. */
export interface Reversed {
  value: tf.Tensor;
  gradient: tf.Tensor;
}
