import * as tf from '@tensorflow/tfjs-core';

/** Weights [steps, 1] of the two ends along a straight path: 1 - t and t. */
export function linearWeights(steps: number): [tf.Tensor, tf.Tensor] {
  const right = tf.reshape(tf.linspace(0, 1, steps), [steps, 1]);
  return [tf.sub(1, right), right];
}

/** sin((1 - t) angle) / sin(angle) and sin(t angle) / sin(angle); linear where the ends are nearly parallel. */
export function sphericalWeights(a: tf.Tensor, b: tf.Tensor, steps: number): [tf.Tensor, tf.Tensor] {
  const [dot, lengthA, lengthB] = [tf.sum(tf.mul(a, b)), tf.norm(a), tf.norm(b)].map((x) => x.dataSync()[0]);
  const angle = Math.acos(Math.max(-1, Math.min(1, dot / (lengthA * lengthB))));
  if (!(Math.sin(angle) > 1e-6)) return linearWeights(steps);
  const [left, right] = linearWeights(steps);
  const weight = (part: tf.Tensor) => tf.div(tf.sin(tf.mul(part, angle)), Math.sin(angle));
  return [weight(left), weight(right)];
}
