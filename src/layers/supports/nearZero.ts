import * as tf from '@tensorflow/tfjs-core';
import { untaped } from '../../core/tensors';

/*
 * Functions that lose their digits near 0 where they are written as sums with 1, and whose kernels do so on some backends. Series serve
 * small arguments, the plain forms large ones; each branch sees arguments of its own, so that neither value nor gradient is NaN.
 */

/** Between series and plain form. */
const SMALL = 0.5;

/** 1, 1/2, 1/6, ...: coefficients of (e^x - 1) / x; eight reach float32 below SMALL. */
const EXP = [1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040, 1 / 40320];

/** e^x - 1. */
export function expm1(x: tf.Tensor): tf.Tensor {
  const small = tf.clipByValue(x, -SMALL, SMALL);
  return choose(x, tf.mul(small, polynomial(small, EXP)), tf.sub(tf.exp(x), 1));
}

/** log(1 + x), x >= 0: 2 artanh(x / (2 + x)). */
export function log1p(x: tf.Tensor): tf.Tensor {
  const small = tf.clipByValue(x, 0, SMALL);
  const t = tf.div(small, tf.add(small, 2));
  const series = tf.mul(tf.mul(t, 2), polynomial(tf.square(t), [1, 1 / 3, 1 / 5, 1 / 7, 1 / 9]));
  return choose(x, series, tf.log(tf.add(x, 1)));
}

/** log(1 - e^-x), x > 0. */
export function logOneMinusExpOfMinus(x: tf.Tensor): tf.Tensor {
  const small = tf.minimum(x, SMALL);
  const large = tf.maximum(x, SMALL);
  const series = tf.add(tf.log(small), tf.log(polynomial(tf.neg(small), EXP)));
  return choose(x, series, tf.log(tf.sub(1, tf.exp(tf.neg(large)))));
}

function choose(x: tf.Tensor, whereSmall: tf.Tensor, otherwise: tf.Tensor): tf.Tensor {
  const isSmall = untaped(() => tf.less(tf.abs(x), SMALL));
  return tf.where(isSmall, whereSmall, otherwise);
}

/** c_0 + c_1 x + c_2 x^2 + ..., by Horner's rule. */
export function polynomial(x: tf.Tensor, coefficients: readonly number[]): tf.Tensor {
  const [last, ...rest] = [...coefficients].reverse();
  return rest.reduce<tf.Tensor>((sum, c) => tf.add(tf.mul(sum, x), c), tf.fill(x.shape, last));
}
