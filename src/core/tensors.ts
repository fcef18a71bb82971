import * as tf from '@tensorflow/tfjs-core';

/**
 * Sum over all axes but the batch: the log-determinant of an elementwise map of its log-slopes.
 *
 * Shapes: [n, ...] -> [n].
 *
 * @example
 * sumPerExample(tf.ones([2, 3, 4])).print(); // [12, 12]
 */
export function sumPerExample(x: tf.Tensor): tf.Tensor1D {
  return tf.sum(tf.reshape(x, [x.shape[0], -1]), 1) as tf.Tensor1D;
}

const constants = new WeakMap<tf.Tensor, number>();

/** One number for every example [n]: a log-determinant that sums know as a number and need not read. */
export function constantLogDet(batch: number, value: number): tf.Tensor1D {
  const logDet = tf.tensor1d(new Float32Array(batch).fill(value));
  constants.set(logDet, value);
  return logDet;
}

/** Zeros [n]: the log-determinant of a volume-preserving map. */
export function zeroLogDet(batch: number): tf.Tensor1D {
  return constantLogDet(batch, 0);
}

/** The number that every entry is; undefined for tensors that `constantLogDet` did not make. */
export function constantOf(logDet: tf.Tensor): number | undefined {
  return constants.get(logDet);
}

/**
 * The last axis cut into [0, at) and [at, end).
 *
 * Shapes: [..., c] -> [..., at] and [..., c - at].
 *
 * @example
 * const [kept, changed] = splitChannels(tf.tensor2d([[1, 2, 3]]), 1);
 * changed.print(); // [[2, 3]]
 */
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

/** Linear map over the last axis: [..., i] x [i, o] -> [..., o], as one matrix product. */
export function linearChannels(x: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  const [inputs, outputs] = weight.shape;
  const rows = tf.reshape(x, [-1, inputs]);
  return tf.reshape(tf.matMul(rows, weight), [...x.shape.slice(0, -1), outputs]);
}

/** The same values in each of n rows, [n, number of values], by a product: the gradient of `tile` takes an op for every row. */
export function inEveryRow(values: tf.Tensor, n: number): tf.Tensor {
  return tf.matMul(tf.ones([n, 1]), tf.reshape(values, [1, -1]));
}

/** 0 where no value of any of these is NaN or infinite, else NaN: 0 times a finite value is 0. */
export function finiteMark(...tensors: tf.Tensor[]): tf.Scalar {
  return tf.tidy(() => tensors.map((x) => tf.sum(tf.mul(x, 0))).reduce((a, b) => tf.add(a, b))) as tf.Scalar;
}

/** A result that holds no tensors: all that were made for it are freed. */
export function withoutTensors<T>(compute: () => T): T {
  const results: T[] = [];
  tf.tidy(() => {
    results.push(compute());
  });
  return results[0];
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
