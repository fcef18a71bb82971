import * as tf from '@tensorflow/tfjs-core';
import { splitChannels } from '../../core/tensors';
import { quantilesOf, sortedColumns } from './columnStatistics';
import { logOneMinusExpOfMinus } from './nearZero';
import { shareBelow } from './normalQuantile';

/** The spline goes from minus this to this many deviations. */
export const HALF_RANGE = 3;

/** Where the columns' splines lie, [d] each, and their parameters [d, 3 bins - 1], as a spline with linear tails takes them. */
export interface QuantileSplines {
  middle: tf.Tensor;
  halfWidth: tf.Tensor;
  parameters: tf.Tensor;
}

/**
 * The splines of [-1, 1] that take the quantiles of columns [n, d], each with its column from `middle - halfWidth` to `middle + halfWidth`,
 * to those of a standard normal from -3 to 3. Their knots stand at even distances there; slopes are harmonic means of those beside them.
 *
 * @param minimum least share of a piece and least slope of the spline
 */
export function quantileSplines(x: tf.Tensor, bins: number, minimum: number): QuantileSplines {
  const sorted = sortedColumns(x);
  const heights = Array.from({ length: bins + 1 }, (_, k) => (2 * k) / bins - 1);
  const places = tf.concat(
    heights.map((height) => quantilesOf(sorted, shareBelow(HALF_RANGE * height))),
    1,
  );
  const [low] = splitChannels(places, 1);
  const [, high] = splitChannels(places, bins);
  const varies = tf.greater(tf.sub(high, low), 0);
  const width = tf.where(varies, tf.sub(high, low), tf.fill(low.shape, 2));
  const pieces = tf.sub(splitChannels(places, 1)[1], splitChannels(places, bins)[0]);
  const even = tf.fill(pieces.shape, 1 / bins);
  const shares = atLeast(
    tf.where(tf.broadcastTo(varies, even.shape), tf.div(pieces, width), even),
    2 * minimum,
  );
  const neighbours = tf.add(splitChannels(shares, 1)[1], splitChannels(shares, bins - 1)[0]);
  const derivatives = tf.maximum(tf.div(2 / bins, neighbours), 2 * minimum);
  const one = Math.log(Math.expm1(1 - minimum));
  const above = tf.sub(derivatives, minimum);
  return {
    middle: tf.reshape(tf.div(tf.add(low, high), 2), [-1]),
    halfWidth: tf.reshape(tf.div(width, 2), [-1]),
    parameters: tf.concat(
      [
        tf.log(tf.div(tf.sub(shares, minimum), 1 - bins * minimum)),
        tf.zerosLike(shares),
        tf.sub(tf.add(above, logOneMinusExpOfMinus(above)), one),
      ],
      1,
    ),
  };
}

/** Shares that sum to 1, none below the least: what that takes is taken from the others in proportion. */
function atLeast(shares: tf.Tensor, least: number): tf.Tensor {
  const raised = tf.maximum(shares, least);
  const room = tf.sub(raised, least);
  const surplus = tf.sub(tf.sum(raised, 1, true), 1);
  return tf.sub(raised, tf.mul(room, tf.div(surplus, tf.sum(room, 1, true))));
}
