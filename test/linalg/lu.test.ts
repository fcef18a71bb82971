import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import * as oracle from 'ml-matrix';
import { inverseMatrix, logAbsDet, Matrix, RandomStream } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { declareBackend } from '../../src/engine/capabilities';
import { inverse, lowerInverse, luDecompose, randomRotation, slogdet, solve } from '../../src/linalg';

const random = new RandomStream(11);
const randomMatrix = (n: number) => new Matrix(random.normalArray(n * n), n, n);

/** As on a device, whose values are not read. */
function withoutReads<T>(compute: () => T): T {
  declareBackend('cpu', {});
  try {
    return compute();
  } finally {
    declareBackend('cpu', { readsAtOnce: true });
  }
}

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

  it.each([1, 2, 3, 5, 12, 24, 48])('inverts the factors of a rotation by ordinary ops, n = %i', (n) => {
    const { packed } = luDecompose(randomRotation(n, random));
    const upper = Matrix.zeros(n, n);
    for (let i = 0; i < n; i++) for (let j = i; j < n; j++) upper.data[j * n + i] = packed.at(i, j);
    const unit = Matrix.zeros(n, n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++) unit.data[i * n + j] = i === j ? 1 : packed.at(i, j);
    for (const lower of [upper, unit]) {
      const before = tf.memory().numTensors;
      const [value, gradient, expectedGradient] = tf.tidy(() => {
        const a = tf.tensor2d(Float32Array.from(lower.data), [n, n]);
        const weights = tf.tensor2d(Float32Array.from(random.normalArray(n * n)), [n, n]);
        const below = tf.tensor2d(
          Float32Array.from(lower.data, (entry) => Number(entry !== 0)),
          [n, n],
        );
        const gradientOf = (f: (x: tf.Tensor2D) => tf.Tensor) =>
          tf.mul(tf.grad((x) => tf.sum(tf.mul(f(x as tf.Tensor2D), weights)))(a), below).dataSync();
        return [lowerInverse(a).dataSync(), gradientOf(lowerInverse), gradientOf(inverseMatrix)] as never;
      }) as unknown as Float32Array[];
      expect(tf.memory().numTensors).toBe(before);
      // float32 against float64, relative to the largest entry; the gradient has two products more.
      const expectClose = (received: Float32Array, expected: ArrayLike<number>, tolerance: number) => {
        const largest = Math.max(...Array.from(expected, Math.abs));
        received.forEach((entry, i) => {
          expect(Math.abs(entry - expected[i])).toBeLessThan(tolerance * largest);
        });
      };
      expectClose(value, inverse(lower).data, 1e-5);
      expectClose(gradient, expectedGradient, 1e-4);
    }
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

  it.each([1, 2, 5, 12])('are the same by ops alone at n = %i, rows exchanged (1e-4)', (n) => {
    const a = randomMatrix(n);
    a.data[0] = 0;
    if (n === 1) a.data[0] = -3;
    const weights = tf.tensor2d(Float32Array.from(a.data), [n, n]);
    const run = () =>
      [tf.grad((w) => logAbsDet(w as tf.Tensor2D))(weights), inverseMatrix(weights), logAbsDet(weights)].map(
        (result) => Array.from(result.dataSync()),
      );
    const expected = run();
    const received = withoutReads(run);
    expected.forEach((values, i) => {
      const largest = Math.max(1, ...values.map(Math.abs));
      values.forEach((value, at) => {
        expect(Math.abs(value - received[i][at])).toBeLessThan(1e-4 * largest);
      });
    });
  });

  it('are -Infinity and not finite by ops alone where the matrix is singular', () => {
    const singular = tf.tensor2d([1, 2, 2, 4], [2, 2]);
    withoutReads(() => {
      expect(logAbsDet(singular).dataSync()[0]).toBe(Number.NEGATIVE_INFINITY);
      expect(inverseMatrix(singular).dataSync().every(Number.isFinite)).toBe(false);
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
