import * as tf from '@tensorflow/tfjs-core';

/** Sum over all axes but the batch: [n, ...] -> [n]. */
export function sumPerExample(x: tf.Tensor): tf.Tensor1D {
  return tf.sum(tf.reshape(x, [x.shape[0], -1]), 1) as tf.Tensor1D;
}

/** factor * the sum of all entries of the terms, as one entry per example: [...], ... -> [n], differentiable. */
export function repeatSum(terms: readonly tf.Tensor[], factor: number, batch: number): tf.Tensor1D {
  const operation = tf.customGrad(() => ({
    value: tf.mul(
      tf.fill([batch], factor),
      terms.map((x) => tf.sum(x)).reduce((a, b) => tf.add(a, b)),
    ),
    gradFunc: (dy: tf.Tensor) => {
      const sum = tf.sum(dy);
      return terms.map(({ shape }) => tf.mul(tf.fill(shape, factor), sum));
    },
  }));
  return operation(...terms) as tf.Tensor1D;
}

/** Zeros [n]: the log-determinant of a volume-preserving map. */
export function zeroLogDet(batch: number): tf.Tensor1D {
  return tf.zeros([batch]) as tf.Tensor1D;
}

/** The last axis cut into [0, at) and [at, end). */
export function splitChannels(x: tf.Tensor, at: number): [tf.Tensor, tf.Tensor] {
  const channels = x.shape[x.rank - 1];
  return tf.split(x, [at, channels - at], x.rank - 1) as [tf.Tensor, tf.Tensor];
}

/** The first `count` entries of the last axis. */
export function firstChannels(x: tf.Tensor, count: number): tf.Tensor {
  const begin = x.shape.map(() => 0);
  return tf.slice(x, begin, [...x.shape.slice(0, -1), count]);
}

/** Parts joined along the last axis. */
export function joinChannels(parts: tf.Tensor[]): tf.Tensor {
  return tf.concat(parts, parts[0].rank - 1);
}

/**
 * Channels in a new order: result[..., j] = x[..., order[j]].
 *
 * The gradient is the gather by the inverse order, so no backend needs UnsortedSegmentSum.
 */
export function permuteChannels(x: tf.Tensor, order: Int32Array, inverseOrder: Int32Array): tf.Tensor {
  const axis = x.rank - 1;
  const gather = tf.customGrad((input) => ({
    value: tf.gather(input as tf.Tensor, tf.tensor1d(order, 'int32'), axis),
    gradFunc: (dy: tf.Tensor) => permuteChannels(dy, inverseOrder, order),
  }));
  return gather(x);
}

/** Position of every channel after `order`: inverse[order[j]] = j. */
export function invertPermutation(order: Int32Array): Int32Array {
  const inverse = new Int32Array(order.length);
  for (let j = 0; j < order.length; j++) inverse[order[j]] = j;
  return inverse;
}

/** Linear map over the last axis: [..., i] x [i, o] -> [..., o], as one matrix product. */
export function linearChannels(x: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  const [inputs, outputs] = weight.shape;
  const rows = tf.reshape(x, [-1, inputs]);
  return tf.reshape(tf.matMul(rows, weight), [...x.shape.slice(0, -1), outputs]);
}

/** Whether no value is NaN or infinite; reads one number back (0 times a finite value is 0, else NaN). */
export function allFinite(x: tf.Tensor): boolean {
  const [sum] = tf.tidy(() => tf.sum(tf.mul(x, 0)).dataSync());
  return sum === 0;
}

/**
 * Frees an intermediate value in the middle of a pass, so that a pass needs no more memory the deeper it goes.
 * What the pass was given or goes on with stays, and so does what somebody keeps. (A tape holds clones of its own.)
 */
export function disposeBetween(value: tf.Tensor, ...needed: tf.Tensor[]): void {
  if (!needed.includes(value) && !value.kept) value.dispose();
}

/** What `compute` returns, off the tape: it is a constant to every gradient. */
export function untaped<T extends tf.Tensor>(compute: () => T): T {
  const operation = tf.customGrad(() => ({ value: compute(), gradFunc: () => [] }));
  return operation() as T;
}
