import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import * as oracle from 'ml-matrix';
import { inverseMatrix, logAbsDet, Matrix, RandomStream } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { inverse, luDecompose, randomRotation, slogdet, solve } from '../../src/linalg';

const random = new RandomStream(11);
const randomMatrix = (n: number) => new Matrix(random.normalArray(n * n), n, n);

describe('LU on the host', () => {
  it.each([1, 2, 5, 12, 48])(
    'agrees with ml-matrix at n = %i (1e-9 relative: float64, condition below 1e4)',
    (n) => {
      const a = randomMatrix(n);
      const reference = oracle.Matrix.from1DArray(n, n, a.data);
      const { sign, logAbsDet: value } = slogdet(a);
      const determinant = oracle.determinant(reference);
      expect(sign).toBe(Math.sign(determinant));
      expect(value).toBeCloseTo(Math.log(Math.abs(determinant)), 9);
      const expected = oracle.inverse(reference).to1DArray();
      inverse(a).data.forEach((entry, i) => {
        expect(Math.abs(entry - expected[i])).toBeLessThan(1e-9 * (1 + Math.abs(expected[i])));
      });
    },
  );

  it('solves what it decomposes, and pivots where the first entry is 0', () => {
    const a = Matrix.fromRows([
      [0, 2],
      [3, 0],
    ]);
    expect(luDecompose(a).pivotSign).toBe(-1);
    expect([...solve(a, Matrix.fromRows([[4], [9]])).data]).toEqual([3, 2]);
  });

  it('says so when a matrix is singular', () => {
    const singular = Matrix.fromRows([
      [1, 2],
      [2, 4],
    ]);
    expect(slogdet(singular).logAbsDet).toBe(Number.NEGATIVE_INFINITY);
    expect(() => inverse(singular)).toThrow('solve: the 2 x 2 matrix is singular');
  });

  it('draws rotations: Q Q^T = I to 1e-12, log|det| = 0', () => {
    const rotation = randomRotation(24, random);
    const product = rotation.multiply(rotation.transpose());
    product.data.forEach((entry, i) => {
      expect(Math.abs(entry - (i % 25 === 0 ? 1 : 0))).toBeLessThan(1e-12);
    });
    expect(Math.abs(slogdet(rotation).logAbsDet)).toBeLessThan(1e-12);
  });
});

describe('LU on tensors', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('has gradients that agree with finite differences on the host (1e-3: float32 weights)', () => {
    const a = randomMatrix(4);
    const weights = tf.tensor2d(Float32Array.from(a.data), [4, 4]);
    const direction = tf.tensor2d(Float32Array.from(randomMatrix(4).data), [4, 4]);
    const gradient = tf.grad((w) =>
      tf.add(logAbsDet(w as tf.Tensor2D), tf.sum(tf.mul(inverseMatrix(w as tf.Tensor2D), direction))),
    )(weights);
    const exact = Float64Array.from(weights.dataSync());
    const factors = direction.dataSync();
    const loss = (data: Float64Array) => {
      const matrix = new Matrix(data, 4, 4);
      return (
        slogdet(matrix).logAbsDet +
        inverse(matrix).data.reduce((sum, entry, i) => sum + entry * factors[i], 0)
      );
    };
    gradient.dataSync().forEach((entry, i) => {
      const up = exact.slice();
      const down = exact.slice();
      up[i] += 1e-6;
      down[i] -= 1e-6;
      const expected = (loss(up) - loss(down)) / 2e-6;
      expect(Math.abs(entry - expected)).toBeLessThan(1e-3 * (1 + Math.abs(expected)));
    });
  });

  it('leaks nothing and refuses what is not square', () => {
    const before = tf.memory().numTensors;
    tf.tidy(() =>
      logAbsDet(
        tf.tensor2d([
          [2, 0],
          [0, 3],
        ]),
      ),
    ).dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(() => tf.tidy(() => logAbsDet(tf.zeros([2, 3]) as tf.Tensor2D))).toThrow(
      'logAbsDet: expected a square matrix',
    );
  });
});
