import * as tf from '@tensorflow/tfjs-core';

/** Weights [steps, 1] of the two ends along a straight path: 1 - t and t. */
export function linearWeights(steps: number): [tf.Tensor, tf.Tensor] {
  const right = tf.reshape(tf.linspace(0, 1, steps), [steps, 1]);
  return [tf.sub(1, right), right];
}

/** sin((1 - t) angle) / sin(angle) and sin(t angle) / sin(angle); linear where the ends are nearly parallel. Reads nothing. */
export function sphericalWeights(a: tf.Tensor, b: tf.Tensor, steps: number): [tf.Tensor, tf.Tensor] {
  const lengths = tf.mul(tf.norm(a), tf.norm(b));
  const angle = tf.acos(tf.clipByValue(tf.div(tf.sum(tf.mul(a, b)), lengths), -1, 1));
  // False for the angle to a latent of zeros, which is NaN.
  const apart = tf.greater(tf.sin(angle), 1e-6);
  const weight = (part: tf.Tensor) =>
    tf.where(apart, tf.div(tf.sin(tf.mul(part, angle)), tf.sin(angle)), part);
  const [left, right] = linearWeights(steps);
  return [weight(left), weight(right)];
}
