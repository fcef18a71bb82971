import { complaint, DataError, ShapeError } from '../core/errors';
import { Matrix, type SymmetricEigen, spectralMap, symmetricEigen } from '../linalg';
import { type LatentsInput, toLatents } from './inputs';

/**
 * The linear map that carries N(0, source) to N(0, target) with the least squared displacement.
 *
 *     A = S^-1/2 (S^1/2 T S^1/2)^1/2 S^-1/2,   A S A = T,   A symmetric
 *
 * Shapes: [d, d], [d, d] -> [d, d]. Shrink covariances of few samples first (`ledoitWolf`).
 *
 * Source: Peyre and Cuturi, "Computational Optimal Transport" (2019), remark 2.31, arXiv:1803.00567.
 *
 * @throws ShapeError unless both are square, of one size and symmetric; DataError unless the source is positive definite and the
 *   target positive semi-definite
 * @example
 * otMap([[1, 0], [0, 4]], [[4, 0], [0, 4]]); // [[2, 0], [0, 1]]
 */
export function otMap(source: LatentsInput, target: LatentsInput): Matrix {
  const from = decompose('otMap', source);
  const to = decompose('otMap', target, from.vectors.cols);
  const smallest = from.values[from.values.length - 1];
  if (!(smallest > from.values[0] * Number.EPSILON * from.values.length)) {
    throw new DataError(
      complaint('otMap', 'a positive definite source', `eigenvalue ${smallest}`, 'Shrink it: ledoitWolf.'),
    );
  }
  const root = spectralMap(from, Math.sqrt);
  const inverseRoot = spectralMap(from, (value) => 1 / Math.sqrt(value));
  const middle = spectralMap(
    symmetricEigen(root.multiply(spectralMap(to, clip)).multiply(root)),
    rootOfClipped,
  );
  return symmetrized(inverseRoot.multiply(middle).multiply(inverseRoot));
}

/**
 * Squared Bures distance of two covariances: the squared Wasserstein-2 distance of N(0, a) and N(0, b).
 *
 *     tr(A) + tr(B) - 2 tr (A^1/2 B A^1/2)^1/2
 *
 * Shapes: [d, d], [d, d] -> number, in squared units of the data. Source: as for `otMap`.
 *
 * @throws ShapeError, DataError as `otMap`; singular matrices are fine
 * @example
 * buresDistanceSquared([[1]], [[4]]); // 1
 */
export function buresDistanceSquared(a: LatentsInput, b: LatentsInput): number {
  const from = decompose('buresDistanceSquared', a);
  const to = decompose('buresDistanceSquared', b, from.vectors.cols);
  const root = spectralMap(from, rootOfClipped);
  const cross = symmetricEigen(root.multiply(spectralMap(to, clip)).multiply(root));
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
  return Math.max(0, sum(from.values) + sum(to.values) - 2 * sum(cross.values.map(rootOfClipped)));
}

function decompose(where: string, input: LatentsInput, size?: number): SymmetricEigen {
  const matrix = toLatents(where, input);
  const d = matrix.rows;
  if (matrix.cols !== d || (size !== undefined && d !== size)) {
    const expected = size === undefined ? 'a square matrix' : `a matrix ${size} x ${size}`;
    throw new ShapeError(complaint(where, expected, `${d} x ${matrix.cols}`));
  }
  const scale = matrix.data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < i; j++) {
      if (Math.abs(matrix.at(i, j) - matrix.at(j, i)) > 1e-8 * scale) {
        throw new ShapeError(
          complaint(where, 'a symmetric matrix', `${matrix.at(i, j)} and ${matrix.at(j, i)} at ${i}, ${j}`),
        );
      }
    }
  }
  const eigen = symmetricEigen(matrix);
  if (eigen.values[d - 1] < -1e-8 * scale) {
    throw new DataError(complaint(where, 'a covariance', `a matrix with eigenvalue ${eigen.values[d - 1]}`));
  }
  return eigen;
}

/** Rounding may leave a zero eigenvalue slightly negative. */
function clip(value: number): number {
  return Math.max(0, value);
}

function rootOfClipped(value: number): number {
  return Math.sqrt(clip(value));
}

function symmetrized(a: Matrix): Matrix {
  const transposed = a.transpose();
  return new Matrix(
    a.data.map((value, i) => 0.5 * (value + transposed.data[i])),
    a.rows,
    a.cols,
  );
}
