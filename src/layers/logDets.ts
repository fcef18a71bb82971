import * as tf from '@tensorflow/tfjs-core';
import { constantLogDet, constantOf, zeroLogDet } from '../core/tensors';
import { capabilities } from '../engine/capabilities';
import { anotherHandle } from '../engine/handles';
import { hasKernels, runKernel } from '../engine/kernels';
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

/** A tensor of this shape, each entry being factor * the sum of all entries of the terms: `FlowRepeatSum [...terms]`, or ordinary ops. */
function filledWithSum(terms: readonly tf.Tensor[], factor: number, shape: number[]): tf.Tensor {
  if (capabilities().valuesOnHost) return tf.fill(shape, factor * hostSum(terms));
  if (hasKernels('FlowRepeatSum')) return runKernel('FlowRepeatSum', terms, { factor, shape })[0];
  const sums = terms.map((x) => tf.sum(x));
  return tf.mul(
    tf.fill(shape, factor),
    sums.reduce((a, b) => tf.add(a, b)),
  );
}

function hostSum(terms: readonly tf.Tensor[]): number {
  let sum = 0;
  for (const x of terms) for (const value of x.dataSync<'float32'>()) sum += value;
  return sum;
}

/** Sum of all entries, for use off the tape. */
export function sumOf(x: tf.Tensor): tf.Scalar {
  return filledWithSum([x], 1, []) as tf.Scalar;
}

/** Sum of log-determinants, differentiable. Those that are one number for all examples are added as such. */
export function addLogDets(logDets: readonly tf.Tensor1D[]): tf.Tensor1D {
  const terms = logDets.filter((logDet) => constantOf(logDet) === undefined);
  const constant = logDets.reduce((sum, logDet) => sum + (constantOf(logDet) ?? 0), 0);
  if (terms.length === 0) return constantLogDet(logDets[0].size, constant);
  if (terms.length === 1 && constant === 0) return terms[0];
  const [result] = record(terms, () => ({
    results: [sumOfTerms(terms, constant)],
    needed: [],
    gradient: ([dy]) => terms.map(() => anotherHandle(dy)),
  }));
  return result as tf.Tensor1D;
}

/** constant + term + term ...: `FlowAddLogDets [...terms]`, or ordinary ops. */
function sumOfTerms(terms: readonly tf.Tensor1D[], constant: number): tf.Tensor {
  if (capabilities().valuesOnHost) {
    const sum = new Float32Array(terms[0].size).fill(constant);
    for (const term of terms) {
      const values = term.dataSync<'float32'>();
      for (let i = 0; i < sum.length; i++) sum[i] += values[i];
    }
    return tf.tensor1d(sum);
  }
  if (hasKernels('FlowAddLogDets')) return runKernel('FlowAddLogDets', terms, { constant })[0];
  // One by one: a webgpu device binds fewer tensors at once than a chain may have members.
  const all: tf.Tensor[] = constant === 0 ? [...terms] : [tf.scalar(constant), ...terms];
  return all.reduce((sum, term) => tf.add(sum, term));
}
