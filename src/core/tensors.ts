import * as tf from '@tensorflow/tfjs-core';
import { anotherHandle, record } from '../engine/tape';
import { computesOnHost } from './fused';

/** Sum over all axes but the batch: [n, ...] -> [n]. */
export function sumPerExample(x: tf.Tensor): tf.Tensor1D {
  return tf.sum(tf.reshape(x, [x.shape[0], -1]), 1) as tf.Tensor1D;
}

/** factor * the sum of all entries of the terms, as one entry per example: [...], ... -> [n], differentiable. */
export function repeatSum(terms: readonly tf.Tensor[], factor: number, batch: number): tf.Tensor1D {
  const [result] = record(terms, () => ({
    results: [filledWithSum(terms, factor, [batch])],
    needed: [],
    gradient: ([dy]) => terms.map(({ shape }) => filledWithSum([dy], factor, shape)),
  }));
  return result as tf.Tensor1D;
}

function filledWithSum(terms: readonly tf.Tensor[], factor: number, shape: number[]): tf.Tensor {
  if (!computesOnHost()) {
    const sums = terms.map((x) => tf.sum(x));
    return tf.mul(
      tf.fill(shape, factor),
      sums.reduce((a, b) => tf.add(a, b)),
    );
  }
  let sum = 0;
  for (const x of terms) for (const value of x.dataSync<'float32'>()) sum += value;
  return tf.fill(shape, factor * sum);
}

/** Sum of log-determinants, differentiable. */
export function addLogDets(logDets: readonly tf.Tensor1D[]): tf.Tensor1D {
  // One by one: a webgpu device binds fewer tensors at once than a chain may have members.
  if (!computesOnHost()) return logDets.reduce((sum, logDet) => tf.add(sum, logDet));
  const [result] = record(logDets, () => {
    const sum = new Float32Array(logDets[0].size);
    for (const logDet of logDets) {
      const values = logDet.dataSync<'float32'>();
      for (let i = 0; i < sum.length; i++) sum[i] += values[i];
    }
    const gradient = ([dy]: tf.Tensor[]) => logDets.map(() => anotherHandle(dy));
    return { results: [tf.tensor1d(sum)], needed: [], gradient };
  });
  return result as tf.Tensor1D;
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
  const [result] = record([x], () => ({
    results: [tf.gather(x, tf.tensor1d(order, 'int32'), axis)],
    needed: [],
    gradient: ([dy]) => [permuteChannels(dy, inverseOrder, order)],
  }));
  return result;
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
