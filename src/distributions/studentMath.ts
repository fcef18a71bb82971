import * as tf from '@tensorflow/tfjs-core';
import { untaped } from '../core/tensors';
import { polynomial } from '../layers/supports/nearZero';

/*
 * Parts of Student's t in float32, by ordinary ops with gradients on every backend. Differences of logarithms of Gamma, log(1 + x) and
 * exp(x) - 1 would lose everything where degrees of freedom are many.
 */

/** Where log(1 + t^2) turns from a series to the logarithm. */
const SMALL_SQUARE = 0.25;
/** From here on the 1 in 1 + t^2 is nothing, and soon the square is more than float32 holds. */
const LARGE = 1e4;

/** log(1 + t^2), right to rounding for small and large t. */
export function logOnePlusSquare(t: tf.Tensor): tf.Tensor {
  const size = tf.abs(t);
  // 2 atanh(s) with s = q / (2 + q).
  const q = tf.square(tf.minimum(size, Math.sqrt(SMALL_SQUARE)));
  const s = tf.div(q, tf.add(q, 2));
  const series = tf.mul(tf.mul(s, 2), polynomial(tf.square(s), [1, 1 / 3, 1 / 5, 1 / 7]));
  const ordinary = tf.log(tf.add(tf.square(tf.minimum(size, LARGE)), 1));
  const beyond = tf.mul(tf.log(tf.maximum(tf.div(size, LARGE), 1)), 2);
  const isSmall = untaped(() => tf.less(size, Math.sqrt(SMALL_SQUARE)));
  return tf.where(isSmall, series, tf.add(ordinary, beyond));
}

/** (exp(x) - 1) / x for x >= 0. */
export function expRatio(x: tf.Tensor): tf.Tensor {
  const isSmall = untaped(() => tf.less(x, 0.25));
  const series = polynomial(
    tf.minimum(x, 0.25),
    [1, 2, 6, 24, 120, 720].map((factorial) => 1 / factorial),
  );
  const away = tf.maximum(x, 0.25);
  return tf.where(isSmall, series, tf.div(tf.sub(tf.exp(away), 1), away));
}

/** How many steps the recurrence takes to where the asymptotic series is right to 1e-8. */
const STEPS = 4;

/**
 * log Gamma(x + 1/2) - log Gamma(x) - log(x) / 2, for x > 0; it vanishes for large x.
 *
 * Source: Tricomi and Erdélyi, "The asymptotic expansion of a ratio of gamma functions" (1951), doi:10.2140/pjm.1951.1.133
 */
export function logGammaRatio(x: tf.Tensor): tf.Tensor {
  const far = tf.add(x, STEPS);
  const inverse = tf.div(1, far);
  const series = polynomial(tf.square(inverse), [-1 / 8, 1 / 192, -1 / 640, 17 / 14336]);
  let result: tf.Tensor = tf.add(tf.mul(series, inverse), tf.mul(tf.log(tf.div(far, x)), 0.5));
  for (let i = 0; i < STEPS; i++) {
    result = tf.sub(result, tf.log(tf.add(tf.div(0.5, tf.add(x, i)), 1)));
  }
  return result;
}
