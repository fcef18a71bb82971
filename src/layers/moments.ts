import * as tf from '@tensorflow/tfjs-core';

/**
 * Units in the last place of a channel's largest value, in float32: one that deviates less over the first batch is taken as constant.
 */
const LEAST_UNITS = 4;

/** Per channel of [n, ..., c]: mean, population standard deviation, and the least deviation that float32 tells from rounding; [c] each. */
export function momentsOf(x: tf.Tensor): Record<'mean' | 'deviation' | 'least', tf.Tensor1D> {
  const channels = x.shape[x.rank - 1];
  const rows = tf.reshape(x, [-1, channels]);
  // Differences from one row are exactly 0 where nothing varies, and keep what varies on top of a large mean.
  const first = tf.slice(rows, 0, 1);
  const differences = tf.sub(rows, first);
  // Squares of differences in units of the largest neither overflow nor vanish.
  const largest = tf.max(tf.abs(differences), 0);
  const unit = tf.where(tf.greater(largest, 0), largest, tf.onesLike(largest));
  const { mean, variance } = tf.moments(tf.div(differences, unit), 0);
  return {
    mean: tf.add(tf.reshape(first, [channels]), tf.mul(mean, unit)),
    deviation: tf.mul(tf.sqrt(variance), unit),
    least: tf.mul(tf.max(tf.abs(rows), 0), LEAST_UNITS * 2 ** -23),
  };
}
