import * as tf from '@tensorflow/tfjs-core';
import { untaped } from '../../core/tensors';
import { polynomial } from './nearZero';

/*
 * The normal distribution's shares below and above a point, and the point of shares, to float32's precision in both tails: each tail is
 * computed by itself, never as 1 less the other.
 */

/** log sqrt(2 pi) */
const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);

/** A point's shares of the distribution, which sum to 1. */
export interface Shares {
  below: tf.Tensor;
  above: tf.Tensor;
}

/** Least share of which a point is told: float32's least that no backend takes for 0. */
const LEAST_SHARE = 2 ** -125;

/** Chebyshev coefficients of log(erfc(x) / t) + x^2 in t = 1 / (1 + x / 2), x >= 0; relative error of erfc 1.2e-7 (Press et al.). */
const ERFC = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
  -0.82215223, 0.17087277,
];

/** log N(z; 0, 1) */
export function logNormal(z: tf.Tensor): tf.Tensor {
  return tf.sub(tf.mul(tf.square(z), -0.5), HALF_LOG_TWO_PI);
}

/**
 * Shares below and above z, with the gradient N(z) and -N(z).
 *
 * @see Press et al., "Numerical Recipes" (1992), section 6.2
 */
export function sharesOf(z: tf.Tensor): Shares {
  const density = untaped(() => tf.exp(logNormal(z)));
  const moved = tf.mul(
    density,
    tf.sub(
      z,
      untaped(() => tf.clone(z)),
    ),
  );
  const tail = untaped(() => tailBeyond(tf.abs(z)));
  const isBelow = untaped(() => tf.less(z, 0));
  const rest = untaped(() => tf.sub(1, tail));
  return {
    below: tf.add(tf.where(isBelow, tail, rest), moved),
    above: tf.sub(tf.where(isBelow, rest, tail), moved),
  };
}

/**
 * The point with these shares below and above it; the smaller of the two says which. Its gradient by a share is 1 / N(z).
 *
 * @see Wichura, "Algorithm AS 241" (1988), PPND7, doi:10.2307/2347330
 */
export function pointOf({ below, above }: Shares): tf.Tensor {
  const isBelow = untaped(() => tf.less(below, above));
  const tail = tf.maximum(tf.where(isBelow, below, above), LEAST_SHARE);
  const found = untaped(() => deviationOf(tail));
  // One step of Newton's method on the tape: the gradient, and the rounding of the formula taken back.
  const known = untaped(() => tailBeyond(found));
  const density = untaped(() => tf.exp(logNormal(found)));
  const deviation = tf.sub(found, tf.div(tf.sub(tail, known), density));
  return tf.where(isBelow, tf.neg(deviation), deviation);
}

/** P(Z < z) of one number. */
export function shareBelow(z: number): number {
  const scaled = Math.abs(z) * Math.SQRT1_2;
  const t = 1 / (1 + scaled / 2);
  const tail = 0.5 * t * Math.exp(ERFC.reduceRight((sum, c) => sum * t + c, 0) - scaled * scaled);
  return z < 0 ? tail : 1 - tail;
}

/** P(Z > x), x >= 0. */
function tailBeyond(x: tf.Tensor): tf.Tensor {
  const scaled = tf.mul(x, Math.SQRT1_2);
  const t = tf.div(1, tf.add(1, tf.mul(scaled, 0.5)));
  const exponent = tf.sub(polynomial(t, ERFC), tf.square(scaled));
  return tf.mul(tf.mul(t, tf.exp(exponent)), 0.5);
}

/** x >= 0 with P(Z > x) = tail, for tails up to 1/2. */
function deviationOf(tail: tf.Tensor): tf.Tensor {
  const q = tf.sub(0.5, tail);
  const inner = tf.relu(tf.sub(0.180625, tf.square(q)));
  const central = tf.mul(
    q,
    ratio(
      inner,
      [3.3871327179, 50.434271938, 159.29113202, 59.10937472],
      [1, 17.895169469, 78.757757664, 67.1875636],
    ),
  );
  const r = tf.sqrt(tf.neg(tf.log(tail)));
  const near = ratio(
    tf.sub(tf.clipByValue(r, 1.6, 5), 1.6),
    [1.4234372777, 2.75681539, 1.3067284816, 0.17023821103],
    [1, 0.7370016425, 0.12021132975],
  );
  const far = ratio(
    tf.sub(tf.maximum(r, 5), 5),
    [6.657905115, 3.081226386, 0.42868294337, 0.017337203997],
    [1, 0.24197894225, 0.012258202635],
  );
  const outer = tf.where(tf.lessEqual(r, 5), near, far);
  return tf.where(tf.lessEqual(q, 0.425), central, outer);
}

function ratio(x: tf.Tensor, numerator: readonly number[], denominator: readonly number[]): tf.Tensor {
  return tf.div(polynomial(x, numerator), polynomial(x, denominator));
}
