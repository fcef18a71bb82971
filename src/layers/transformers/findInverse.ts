import * as tf from '@tensorflow/tfjs-core';
import type { ElementwiseResult } from './transformer';

/** Numbers are looked for up to here. */
const LARGEST = 1e38;
/** Steps of a bracket, each four times as long as the one before: it finds slopes down to 1e-12. */
const GROWING = 20;
/** Halvings of a bracket: as many as a float32 has bits. */
const HALVING = 24;
const NEWTON = 3;

/**
 * x of f(x) = y for an increasing map of single numbers, without gradients: bisection in a bracket that grows from y itself, then Newton's
 * method inside of it, a step being taken where it comes nearer. The number of passes is fixed, so that nothing is read back.
 */
export function findInverse(forward: (x: tf.Tensor) => ElementwiseResult, y: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const goal = tf.clipByValue(y, -LARGEST, LARGEST);
    let [low, high] = bracketOf((x) => forward(x).value, goal);
    for (let i = 0; i < HALVING; i++) {
      [low, high] = tf.tidy(() => {
        const middle = tf.div(tf.add(low, high), 2);
        const below = tf.less(forward(middle).value, goal);
        return [tf.where(below, middle, low), tf.where(below, high, middle)];
      });
    }
    let x = tf.div(tf.add(low, high), 2);
    for (let i = 0; i < NEWTON; i++) x = tf.tidy(() => newtonStep(forward, goal, x, low, high));
    return x;
  });
}

/** Ends between which the map reaches y. */
function bracketOf(map: (x: tf.Tensor) => tf.Tensor, y: tf.Tensor): [low: tf.Tensor, high: tf.Tensor] {
  const distance = tf.sub(y, map(y));
  const rising = tf.sign(distance);
  let near = y;
  let far = tf.add(y, distance);
  for (let i = 1; i <= GROWING; i++) {
    [near, far] = tf.tidy(() => {
      const reached = tf.greaterEqual(tf.mul(rising, tf.sub(map(far), y)), 0);
      const further = tf.clipByValue(tf.add(y, tf.mul(distance, 4 ** i)), -LARGEST, LARGEST);
      return [tf.where(reached, near, far), tf.where(reached, far, further)];
    });
  }
  return [tf.minimum(near, far), tf.maximum(near, far)];
}

function newtonStep(
  forward: (x: tf.Tensor) => ElementwiseResult,
  y: tf.Tensor,
  x: tf.Tensor,
  low: tf.Tensor,
  high: tf.Tensor,
): tf.Tensor {
  const { value, logDerivative } = forward(x);
  const missing = tf.sub(y, value);
  const step = tf.mul(missing, tf.exp(tf.neg(logDerivative)));
  const next = tf.minimum(tf.maximum(tf.add(x, step), low), high);
  const left = tf.sub(y, forward(next).value);
  return tf.where(tf.less(tf.abs(left), tf.abs(missing)), next, x);
}
