import * as tf from '@tensorflow/tfjs-core';
import { zeroLogDet } from '../core/tensors';
import { capabilities } from '../engine/capabilities';
import { anotherHandle } from '../engine/handles';
import { record } from '../engine/tape';

/** factor * the sum of all entries of the terms, 0 where there are none, as one entry per example: [...], ... -> [n], differentiable. */
export function repeatSum(terms: readonly tf.Tensor[], factor: number, batch: number): tf.Tensor1D {
  if (terms.length === 0) return zeroLogDet(batch);
  const [result] = record(terms, () => ({
    results: [filledWithSum(terms, factor, [batch])],
    needed: [],
    gradient: ([dy]) => terms.map(({ shape }) => filledWithSum([dy], factor, shape)),
  }));
  return result as tf.Tensor1D;
}

function filledWithSum(terms: readonly tf.Tensor[], factor: number, shape: number[]): tf.Tensor {
  if (!capabilities().valuesOnHost) {
    const sums = terms.map((x) => tf.sum(x));
    return tf.mul(
      tf.fill(shape, factor),
      sums.reduce((a, b) => tf.add(a, b)),
    );
  }
  return tf.fill(shape, factor * hostSum(terms));
}

function hostSum(terms: readonly tf.Tensor[]): number {
  let sum = 0;
  for (const x of terms) for (const value of x.dataSync<'float32'>()) sum += value;
  return sum;
}

/** Sum of log-determinants, differentiable. */
export function addLogDets(logDets: readonly tf.Tensor1D[]): tf.Tensor1D {
  // One by one: a webgpu device binds fewer tensors at once than a chain may have members.
  if (!capabilities().valuesOnHost) return logDets.reduce((sum, logDet) => tf.add(sum, logDet));
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
