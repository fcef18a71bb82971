import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import type { RandomStream } from 'tfjs-flows';
import { expect } from 'vitest';
import { fusedScaledLinear } from '../../src/layers/fusedScaledLinear';

/** A tensor's shape with its values in float32 on the host. */
export interface HostTensor {
  shape: number[];
  values: Float32Array;
}

export function randomTensor(random: RandomStream, shape: number[]): HostTensor {
  return { shape, values: Float32Array.from(random.normalArray(tf.util.sizeFromShape(shape))) };
}

/** Results as host arrays; checks that only they were made. */
export function compute(inputs: HostTensor[], f: (...tensors: tf.Tensor[]) => tf.Tensor[]): Float32Array[] {
  const before = tf.memory().numTensors;
  const results = tf.tidy(() => f(...inputs.map(({ shape, values }) => tf.tensor(values, shape))));
  const values = results.map((result) => result.dataSync<'float32'>().slice());
  tf.dispose(results);
  expect(tf.memory().numTensors).toBe(before);
  return values;
}

/**
 * Largest difference, relative to the largest finite value of the reference (or 1 if that is smaller); infinite where one side alone
 * is NaN, or infinite with its sign.
 */
export function distance(reference: ArrayLike<number>, received: ArrayLike<number>): number {
  expect(received.length).toBe(reference.length);
  let largest = 1;
  let difference = 0;
  for (let i = 0; i < reference.length; i++) {
    if (Object.is(reference[i], received[i])) continue;
    const gap = Math.abs(reference[i] - received[i]);
    if (!Number.isFinite(gap)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, Math.abs(reference[i]));
    difference = Math.max(difference, gap);
  }
  return difference / largest;
}

/** The same computation on wasm and on the cpu backend: results of the first, held against the second. */
export async function expectSame(
  inputs: HostTensor[],
  f: (...tensors: tf.Tensor[]) => tf.Tensor[],
  tolerance = 5e-6,
): Promise<Float32Array[]> {
  await tf.setBackend('wasm');
  const received = compute(inputs, f);
  await tf.setBackend('cpu');
  const reference = compute(inputs, f);
  await tf.setBackend('wasm');
  reference.forEach((expected, i) => {
    expect(distance(expected, received[i]), `result ${i}`).toBeLessThan(tolerance);
  });
  return received;
}

/** Actnorm with a 1x1 convolution of x, offset, logScale and the matrix itself. */
export function scaledLinearValue(tensors: tf.Tensor[], inverse: boolean): tf.Tensor {
  return scaledLinear([...tensors, tf.scalar(0)], inverse)[0];
}

/** Value and logDet of actnorm with a 1x1 convolution of x, offset, logScale, the matrix itself and its logDet, a scalar. */
export function scaledLinear(
  [x, offset, logScale, matrix, ofMatrix]: tf.Tensor[],
  inverse: boolean,
): tf.Tensor[] {
  const compute = () => ({
    matrix: matrix as tf.Tensor2D,
    logDet: ofMatrix as tf.Scalar,
    needed: [],
    gradient: (dMatrix: tf.Tensor2D, dLogDet?: tf.Scalar) => [dMatrix, dLogDet as tf.Scalar],
  });
  const weights = { offset, logScale, matrix: { weights: [matrix, ofMatrix], compute } };
  const { value, logDet } = fusedScaledLinear(x, weights, inverse);
  return [value, logDet];
}
