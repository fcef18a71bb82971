import { RandomStream } from '../core/random';
import { gram } from './gram';
import { Matrix } from './matrix';
import { type SymmetricEigen, symmetricEigen } from './symmetricEigen';

/** The leading directions of variation of rows that are already centred. */
export interface PrincipalComponents {
  /** Mean square of the rows along each direction, X v / sqrt(n), largest first, [r]. */
  variances: Float64Array;
  /** Row k is direction k, of length 1, [r, d]. */
  directions: Matrix;
}

/** Up to this size all eigenvectors are computed even where few are wanted. */
const DENSE_LIMIT = 256;
const OVERSAMPLING = 16;
const POWER_ITERATIONS = 10;

/**
 * Leading principal components of centred rows [n, d], at most `rank` of them; directions without variance are left out.
 *
 * Works on the smaller of X X^T / n and X^T X / n, so a d x d matrix never exists where n < d.
 */
export function principalComponents(
  centered: Matrix,
  rank = Math.min(centered.rows, centered.cols),
): PrincipalComponents {
  const { rows: n, cols: d } = centered;
  if (d <= n) {
    const { values, vectors } = leadingEigen(gram(centered.transpose()), rank);
    const count = significant(values, n);
    return {
      variances: values.slice(0, count).map((value) => value / n),
      directions: new Matrix(vectors.data.slice(0, count * d), count, d),
    };
  }
  return componentsFromGram(centered, gram(centered), rank);
}

/** The same from X X^T, where the caller has it already. */
export function componentsFromGram(centered: Matrix, products: Matrix, rank: number): PrincipalComponents {
  const { rows: n, cols: d } = centered;
  const { values, vectors } = leadingEigen(products, rank);
  const count = significant(values, n);
  const scaled = Matrix.zeros(count, n);
  for (let k = 0; k < count; k++) {
    const length = Math.sqrt(values[k]);
    scaled.row(k).set(vectors.row(k).map((value) => value / length));
  }
  const directions = scaled.multiply(centered);
  return {
    variances: values.slice(0, count).map((value) => value / n),
    directions: new Matrix(directions.data, count, d),
  };
}

/**
 * The `count` largest eigenvalues of a symmetric positive semi-definite matrix with their eigenvectors.
 *
 * Small matrices are decomposed whole; large ones by subspace iteration from a fixed seed with a Rayleigh-Ritz step.
 *
 * Source: Halko, Martinsson and Tropp, "Finding structure with randomness" (2011), algorithm 4.4, arXiv:0909.4061.
 */
export function leadingEigen(a: Matrix, count: number): SymmetricEigen {
  const n = a.rows;
  const wanted = Math.min(count, n);
  const width = wanted + OVERSAMPLING;
  if (n <= DENSE_LIMIT || width * 2 >= n) {
    const { values, vectors } = symmetricEigen(a);
    return {
      values: values.slice(0, wanted),
      vectors: new Matrix(vectors.data.slice(0, wanted * n), wanted, n),
    };
  }
  // Rows span the subspace; A is symmetric, so rows times A is A times columns.
  let basis = new Matrix(new RandomStream(1).normalArray(width * n), width, n);
  for (let pass = 0; pass < POWER_ITERATIONS; pass++) basis = orthonormalRows(basis.multiply(a));
  const reduced = symmetricEigen(basis.multiply(a).multiply(basis.transpose()));
  const rotation = new Matrix(reduced.vectors.data.slice(0, wanted * width), wanted, width);
  return { values: reduced.values.slice(0, wanted), vectors: rotation.multiply(basis) };
}

/** Rows made orthonormal by modified Gram-Schmidt, run twice; a row that depends on earlier ones becomes 0. */
export function orthonormalRows(rows: Matrix): Matrix {
  const result = new Matrix(rows.data.slice(), rows.rows, rows.cols);
  for (let i = 0; i < result.rows; i++) {
    const row = result.row(i);
    const before = Math.sqrt(dot(row, row));
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const other = result.row(j);
        const overlap = dot(row, other);
        for (let k = 0; k < row.length; k++) row[k] -= overlap * other[k];
      }
    }
    const length = Math.sqrt(dot(row, row));
    const scale = length > 1e-12 * before ? 1 / length : 0;
    for (let k = 0; k < row.length; k++) row[k] *= scale;
  }
  return result;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

/** How many eigenvalues stand clear of rounding. */
function significant(values: Float64Array, n: number): number {
  const floor = (values[0] ?? 0) * n * Number.EPSILON;
  let count = 0;
  while (count < values.length && values[count] > floor) count++;
  return count;
}
