import * as tf from '@tensorflow/tfjs-core';
import { momentsOf } from '../moments';

/** Columns of rows [n, d] in order of size, the largest first: [d, n]. By ops alone: not every device can be read at once. */
export function sortedColumns(x: tf.Tensor): tf.Tensor {
  return tf.topk(tf.transpose(x), x.shape[0]).values;
}

/** The values below which a share of each sorted column lies, linear between neighbours: [d, 1]. */
export function quantilesOf(sorted: tf.Tensor, share: number): tf.Tensor {
  const [d, n] = sorted.shape as [number, number];
  const place = (1 - share) * (n - 1);
  const before = Math.min(Math.floor(place), n - 1);
  const at = (index: number) => tf.slice(sorted, [0, Math.min(index, n - 1)], [d, 1]);
  const rest = place - before;
  return tf.add(tf.mul(at(before), 1 - rest), tf.mul(at(before + 1), rest));
}

/** Distance of a normal's quartiles in deviations. */
const QUARTILE_DISTANCE = 1.3489795003921634;

/** Median and scale of every column: the distance of its quartiles, else its deviation, else 1; [d] each. */
export function middleOf(x: tf.Tensor): { median: tf.Tensor; scale: tf.Tensor } {
  const sorted = sortedColumns(x);
  const [low, median, high] = [0.25, 0.5, 0.75].map((share) => tf.reshape(quantilesOf(sorted, share), [-1]));
  const distance = tf.div(tf.sub(high, low), QUARTILE_DISTANCE);
  const { deviation, least } = momentsOf(x);
  const otherwise = tf.where(tf.greater(deviation, least), deviation, tf.onesLike(deviation));
  return { median, scale: tf.where(tf.greater(distance, least), distance, otherwise) };
}
