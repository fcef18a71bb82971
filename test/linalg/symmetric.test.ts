import * as oracle from 'ml-matrix';
import { DataError, Matrix, RandomStream, ShapeError } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import {
  cholesky,
  choleskyLogDet,
  gram,
  leadingEigen,
  principalComponents,
  randomRotation,
  slogdet,
  solveLower,
  solveLowerTransposed,
  spectralMap,
  symmetricEigen,
} from '../../src/linalg';

const random = new RandomStream(5);
const randomMatrix = (rows: number, cols: number) => new Matrix(random.normalArray(rows * cols), rows, cols);
const positiveDefinite = (n: number) => gram(randomMatrix(n, n + 2));
const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0);

describe('Cholesky', () => {
  it.each([1, 2, 7, 40])('agrees with ml-matrix at n = %i (1e-10: float64 sums of n products)', (n) => {
    const a = positiveDefinite(n);
    const lower = cholesky(a);
    const expected = new oracle.CholeskyDecomposition(oracle.Matrix.from1DArray(n, n, a.data));
    expect(largestDifference(lower.data, expected.lowerTriangularMatrix.to1DArray())).toBeLessThan(1e-10);
    expect(choleskyLogDet(lower)).toBeCloseTo(slogdet(a).logAbsDet, 9);
    const b = random.normalArray(n);
    const x = solveLowerTransposed(lower, solveLower(lower, b));
    const back = a.multiply(new Matrix(x, n, 1));
    expect(largestDifference(back.data, b)).toBeLessThan(1e-9);
  });

  it('refuses what is not positive definite or not square', () => {
    expect(() =>
      cholesky(
        Matrix.fromRows([
          [1, 2],
          [2, 1],
        ]),
      ),
    ).toThrow(DataError);
    expect(() => cholesky(Matrix.fromRows([[Number.NaN]]))).toThrow('positive definite');
    expect(() => cholesky(Matrix.zeros(2, 3))).toThrow(ShapeError);
  });
});

describe('symmetric eigenvalues', () => {
  it.each([1, 2, 3, 20, 120])('agrees with ml-matrix at n = %i (1e-10 of the largest eigenvalue)', (n) => {
    const half = randomMatrix(n, n);
    const a = Matrix.zeros(n, n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) a.data[i * n + j] = half.at(i, j) + half.at(j, i);
    }
    const { values, vectors } = symmetricEigen(a);
    const expected = new oracle.EigenvalueDecomposition(oracle.Matrix.from1DArray(n, n, a.data), {
      assumeSymmetric: true,
    }).realEigenvalues.sort((x, y) => y - x);
    const scale = Math.max(...values.map(Math.abs));
    expect(largestDifference(values, expected)).toBeLessThan(1e-10 * scale);
    expect(largestDifference(gram(vectors).data, Matrix.identity(n).data)).toBeLessThan(1e-12 * n);
    expect(largestDifference(spectralMap({ values, vectors }, (value) => value).data, a.data)).toBeLessThan(
      1e-11 * scale * n,
    );
  });

  it('handles equal eigenvalues, zeros, a spread of 1e20 and a matrix that is diagonal already', () => {
    expect([...symmetricEigen(Matrix.identity(4)).values]).toEqual([1, 1, 1, 1]);
    expect([...symmetricEigen(Matrix.zeros(3, 3)).values]).toEqual([0, 0, 0]);
    const spread = Matrix.zeros(3, 3);
    [1e-10, 1e10, 1].forEach((value, i) => {
      spread.data[i * 4] = value;
    });
    expect([...symmetricEigen(spread).values]).toEqual([1e10, 1, 1e-10]);
    const rotation = randomRotation(30, random);
    const projector = rotation.multiply(
      new Matrix(
        rotation.transpose().data.map((value, i) => (i < 300 ? value : 0)),
        30,
        30,
      ),
    );
    const { values } = symmetricEigen(projector);
    expect(
      largestDifference(
        values,
        Array.from({ length: 30 }, (_, k) => (k < 10 ? 1 : 0)),
      ),
    ).toBeLessThan(1e-13);
  });

  it('says so when values are not finite', () => {
    expect(() =>
      symmetricEigen(
        Matrix.fromRows([
          [1, 0],
          [Number.NaN, 2],
        ]),
      ),
    ).toThrow('Are all values finite');
    expect(() => symmetricEigen(Matrix.zeros(2, 3))).toThrow(ShapeError);
  });
});

describe('principal components', () => {
  it.each([
    [3, 2],
    [7, 1030],
    [11, 5],
    [1, 4],
  ])('gram agrees with the plain product at %i x %i (1e-11)', (n, d) => {
    const x = randomMatrix(n, d);
    expect(largestDifference(gram(x).data, x.multiply(x.transpose()).data)).toBeLessThan(1e-11 * d);
  });

  it.each([
    [200, 12],
    [12, 200],
  ])('agrees with the singular values of ml-matrix at %i x %i (1e-10)', (n, d) => {
    const x = randomMatrix(n, d);
    const { variances, directions } = principalComponents(x, 5);
    const svd = new oracle.SVD(oracle.Matrix.from1DArray(n, d, x.data), { autoTranspose: true });
    const expected = svd.diagonal.slice(0, 5).map((value) => value ** 2 / n);
    expect(largestDifference(variances, expected)).toBeLessThan(1e-10);
    expect(largestDifference(gram(directions).data, Matrix.identity(5).data)).toBeLessThan(1e-10);
    for (let k = 0; k < 5; k++) {
      let overlap = 0;
      for (let j = 0; j < d; j++) overlap += directions.at(k, j) * svd.rightSingularVectors.get(j, k);
      expect(Math.abs(overlap)).toBeCloseTo(1, 9);
    }
  });

  it('leaves out directions without variance', () => {
    const x = randomMatrix(6, 2).multiply(randomMatrix(2, 9));
    expect(principalComponents(x).variances.length).toBe(2);
    expect(principalComponents(Matrix.zeros(3, 4)).variances.length).toBe(0);
  });

  it('finds the leading part of a large matrix by subspace iteration (1e-8 relative at a gap of 2)', () => {
    const n = 400;
    const spectrum = Float64Array.from({ length: n }, (_, k) => (k < 6 ? 2 ** (6 - k) : 0.5 / (1 + k)));
    const rotation = randomRotation(n, random).transpose();
    const { values, vectors } = leadingEigen(
      spectralMap({ values: spectrum, vectors: rotation }, (v) => v),
      6,
    );
    for (let k = 0; k < 6; k++) {
      expect(Math.abs(values[k] / spectrum[k] - 1)).toBeLessThan(1e-8);
      let overlap = 0;
      for (let j = 0; j < n; j++) overlap += vectors.at(k, j) * rotation.at(k, j);
      expect(Math.abs(overlap)).toBeCloseTo(1, 6);
    }
  });
});
