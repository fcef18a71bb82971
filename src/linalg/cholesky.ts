import { complaint, DataError, ShapeError } from '../core/errors';
import { Matrix } from './matrix';

/**
 * The lower triangular L with A = L L^T of a symmetric positive definite matrix, in float64. Reads the lower triangle only.
 *
 * Source: Golub and Van Loan, Matrix Computations (2013), section 4.2.
 *
 * @throws ShapeError unless square; DataError unless positive definite
 */
export function cholesky(a: Matrix): Matrix {
  const n = a.rows;
  if (a.cols !== n) throw new ShapeError(complaint('cholesky', 'a square matrix', `${a.rows} x ${a.cols}`));
  const lower = Matrix.zeros(n, n);
  for (let i = 0; i < n; i++) {
    const row = lower.row(i);
    for (let j = 0; j <= i; j++) {
      const other = lower.row(j);
      let rest = a.data[i * n + j];
      for (let k = 0; k < j; k++) rest -= row[k] * other[k];
      if (i !== j) row[j] = rest / other[j];
      else if (rest > 0 && Number.isFinite(rest)) row[j] = Math.sqrt(rest);
      else {
        throw new DataError(
          complaint(
            'cholesky',
            'a positive definite matrix',
            `pivot ${rest} in row ${i}`,
            'Shrink it first.',
          ),
        );
      }
    }
  }
  return lower;
}

/** x with L x = b for lower triangular L, [n]. */
export function solveLower(lower: Matrix, b: ArrayLike<number>): Float64Array {
  const n = lower.rows;
  const x = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const row = lower.row(i);
    let rest = b[i];
    for (let k = 0; k < i; k++) rest -= row[k] * x[k];
    x[i] = rest / row[i];
  }
  return x;
}

/** x with L^T x = b for lower triangular L, [n]. */
export function solveLowerTransposed(lower: Matrix, b: ArrayLike<number>): Float64Array {
  const n = lower.rows;
  const x = Float64Array.from(b);
  for (let i = n - 1; i >= 0; i--) {
    const row = lower.row(i);
    x[i] /= row[i];
    for (let k = 0; k < i; k++) x[k] -= row[k] * x[i];
  }
  return x;
}

/** log det A = 2 sum log L_ii from A's Cholesky factor; natural log. */
export function choleskyLogDet(lower: Matrix): number {
  let sum = 0;
  for (let i = 0; i < lower.rows; i++) sum += Math.log(lower.at(i, i));
  return 2 * sum;
}
