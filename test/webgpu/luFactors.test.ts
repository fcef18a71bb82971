import * as tf from '@tensorflow/tfjs-core';
import { ActNorm, InvConv1x1, inverseMatrix, Linear, logAbsDet, Matrix, RandomStream } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import type { BothWays } from '../../src/layers/bijector';
import { inverse, randomRotation, slogdet, toDevice } from '../../src/linalg';
import { hasAdapter } from './adapter';
import { activate, dispatchesOf, expectSameOnBoth, valuesOn } from './onBoth';

/** A matrix as float32 holds it. */
function rounded(matrix: Matrix): Matrix {
  return new Matrix(Float64Array.from(matrix.data, Math.fround), matrix.rows, matrix.cols);
}

/** Singular values fall from 1 to 1 / condition. */
function conditioned(n: number, condition: number): Matrix {
  const random = new RandomStream(n);
  const right = randomRotation(n, random);
  right.data.forEach((value, at) => {
    right.data[at] = value * condition ** (-Math.floor(at / n) / (n - 1));
  });
  return rounded(randomRotation(n, random).multiply(right));
}

async function onDevice(matrix: Matrix): Promise<{ logDet: number; inverse: Float32Array }> {
  const [logDet, values] = await valuesOn('webgpu', () => {
    const a = toDevice(matrix);
    return [logAbsDet(a), inverseMatrix(a)];
  });
  return { logDet: logDet[0], inverse: values };
}

/** Largest difference of the inverse, relative to its largest entry, and that of the log-determinant. */
async function errorsOf(matrix: Matrix) {
  const received = await onDevice(matrix);
  const expected = inverse(matrix).data;
  const largest = expected.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
  let farthest = 0;
  for (let at = 0; at < expected.length; at++) {
    const distance = Math.abs(expected[at] - received.inverse[at]);
    farthest = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : Math.max(farthest, distance);
  }
  return {
    ofInverse: farthest / largest,
    ofLogDet: Math.abs(received.logDet - slogdet(matrix).logAbsDet),
  };
}

describe.skipIf(!hasAdapter)('LU on the device', () => {
  // In a workgroup's memory up to 63 rows, with fewer invocations up to 24.
  it.each([1, 2, 3, 12, 25, 63, 64, 192])(
    'is that in float64 for a rotation of %i rows (float32, sums of so many)',
    async (n) => {
      const { ofInverse, ofLogDet } = await errorsOf(rounded(randomRotation(n, new RandomStream(n))));
      expect(ofInverse).toBeLessThan(2e-5);
      expect(ofLogDet).toBeLessThan(5e-6);
    },
  );

  it.each([12, 48, 96])('loses what the condition number costs, 1e4 for %i rows', async (n) => {
    const { ofInverse, ofLogDet } = await errorsOf(conditioned(n, 1e4));
    expect(ofInverse).toBeLessThan(1e-3);
    expect(ofLogDet).toBeLessThan(1e-3);
  });

  it('exchanges rows, and holds determinants beyond float32', async () => {
    const exchanged = Matrix.fromRows([
      [0, 2, 0],
      [0, 0, 4],
      [8, 0, 0],
    ]);
    expect([...(await onDevice(exchanged)).inverse]).toEqual([0, 0, 0.125, 0.5, 0, 0, 0, 0.25, 0]);
    for (const scale of [1e-10, 1e10]) {
      const scaled = Matrix.identity(30);
      scaled.data.forEach((value, at) => {
        scaled.data[at] = scale * value;
      });
      expect((await onDevice(scaled)).logDet / (30 * Math.log(scale))).toBeCloseTo(1, 6);
    }
  });

  it.each([2, 70])('gives -Infinity and no finite inverse for a singular matrix of %i rows', async (n) => {
    const singular = rounded(randomRotation(n, new RandomStream(1)));
    singular.row(n - 1).fill(0);
    const received = await onDevice(singular);
    expect(received.logDet).toBe(Number.NEGATIVE_INFINITY);
    expect(received.inverse.every(Number.isFinite)).toBe(false);
  });

  it('gives -Infinity where the first pivot is 0', async () => {
    const received = await onDevice(new Matrix(Float64Array.of(0, 1, 2, 0, 3, 1, 0, 1, 1), 3, 3));
    expect(received.logDet).toBe(Number.NEGATIVE_INFINITY);
    expect(received.inverse.every(Number.isFinite)).toBe(false);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('shows %f', async (bad) => {
    const matrix = rounded(randomRotation(5, new RandomStream(1)));
    matrix.data[13] = bad;
    const received = await onDevice(matrix);
    expect(Number.isFinite(received.logDet)).toBe(false);
    expect(received.inverse.every(Number.isFinite)).toBe(false);
  });
});

/** Both directions of a layer and the gradients of its weights, moved from where they begin. */
function passes(layer: Linear | InvConv1x1, x: tf.Tensor): tf.Tensor[] {
  const weights = layer.trainableWeights;
  const loss = () => {
    const [forward, back] = [layer.forward(x), layer.inverse(x)];
    const values = tf.add(tf.sum(tf.mul(forward.value, x)), tf.sum(tf.square(back.value)));
    return tf.add(values, tf.sum(tf.sub(forward.logDet, tf.mul(back.logDet, 2)))) as tf.Scalar;
  };
  const { value, grads } = tf.variableGrads(loss, weights);
  return [value, layer.inverse(x).value, ...weights.map(({ name }) => grads[name])];
}

describe.skipIf(!hasAdapter)('linear layers on webgpu, which reads nothing', () => {
  const layers = {
    'a full convolution': () => new InvConv1x1({ inputShape: [2, 2, 12], seed: 1 }),
    'an LU convolution': () =>
      new InvConv1x1({ inputShape: [2, 2, 12], parameterization: 'lu' as const, seed: 1 }),
    'an LU map': () => new Linear({ inputShape: [7] }),
    'a rotation': () => new Linear({ inputShape: [7], form: 'rotation' }),
    reflections: () => new Linear({ inputShape: [7], form: 'householder', seed: 1 }),
  };

  it.each(Object.entries(layers))('as on cpu, %s', async (_, make) => {
    const run = () => {
      const random = new RandomStream(3);
      const layer = make();
      for (const weight of layer.trainableWeights) {
        weight.assign(tf.add(weight, random.normal(weight.shape, 0, 0.1)));
      }
      const results = passes(layer, random.normal([3, ...layer.inputShape]));
      layer.dispose();
      return results;
    };
    await expectSameOnBoth(run, 1e-4);
  });

  it('take few dispatches after an actnorm', async () => {
    await activate('webgpu');
    const inputShape = [2, 2, 12];
    const x = tf.ones([2, ...inputShape]);
    const counted = (['full', 'lu'] as const).map((parameterization) => {
      const layer = new InvConv1x1({ inputShape, parameterization, seed: 1 });
      const norm = new ActNorm({ inputShape });
      const joined = layer.absorb(norm) as BothWays;
      const counts = [dispatchesOf(() => joined.forward(x)), dispatchesOf(() => joined.inverse(x))];
      layer.dispose();
      norm.dispose();
      return counts;
    });
    // Factors and the map; its inverse between them.
    expect(counted).toEqual([
      [2, 3],
      [2, 3],
    ]);
    x.dispose();
  });
});
