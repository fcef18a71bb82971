import { DataError } from '../core/errors';
import { Matrix } from './matrix';

/** P A = L U with unit lower triangular L, packed: L below the diagonal, U on and above it. */
export interface LuDecomposition {
  packed: Matrix;
  /** Row i of P A is row `pivots[i]` of A. */
  pivots: Int32Array;
  /** Determinant of P: 1 or -1. */
  pivotSign: number;
}

/**
 * LU decomposition with partial pivoting in float64.
 *
 * Source: Golub and Van Loan, Matrix Computations (2013), section 3.4.
 */
export function luDecompose(a: Matrix): LuDecomposition {
  const n = a.rows;
  const lu = Float64Array.from(a.data);
  const pivots = Int32Array.from({ length: n }, (_, i) => i);
  let pivotSign = 1;
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(lu[i * n + k]) > Math.abs(lu[best * n + k])) best = i;
    if (best !== k) {
      for (let j = 0; j < n; j++) {
        const held = lu[k * n + j];
        lu[k * n + j] = lu[best * n + j];
        lu[best * n + j] = held;
      }
      const row = pivots[k];
      pivots[k] = pivots[best];
      pivots[best] = row;
      pivotSign = -pivotSign;
    }
    const pivot = lu[k * n + k];
    if (pivot === 0) continue;
    for (let i = k + 1; i < n; i++) {
      const factor = lu[i * n + k] / pivot;
      lu[i * n + k] = factor;
      if (factor === 0) continue;
      for (let j = k + 1; j < n; j++) lu[i * n + j] -= factor * lu[k * n + j];
    }
  }
  return { packed: new Matrix(lu, n, n), pivots, pivotSign };
}

/** Sign and natural log of the absolute determinant; a singular matrix gives sign 0 and -Infinity. */
export function slogdet(a: Matrix): { sign: number; logAbsDet: number } {
  const { packed, pivotSign } = luDecompose(a);
  let sign = pivotSign;
  let logAbsDet = 0;
  for (let i = 0; i < packed.rows; i++) {
    const diagonal = packed.at(i, i);
    sign *= Math.sign(diagonal);
    logAbsDet += Math.log(Math.abs(diagonal));
  }
  return { sign, logAbsDet };
}

/** X with A X = B. Throws a DataError where A is singular. */
export function solve(a: Matrix, b: Matrix): Matrix {
  const { packed, pivots } = luDecompose(a);
  const n = a.rows;
  const columns = b.cols;
  const lu = packed.data;
  const x = new Float64Array(n * columns);
  for (let i = 0; i < n; i++) {
    if (lu[i * n + i] === 0) {
      throw new DataError(
        `solve: the ${n} x ${n} matrix is singular (pivot ${i} is 0), so it has no inverse.`,
      );
    }
    for (let j = 0; j < columns; j++) x[i * columns + j] = b.data[pivots[i] * columns + j];
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) {
      const factor = lu[i * n + k];
      if (factor === 0) continue;
      for (let j = 0; j < columns; j++) x[i * columns + j] -= factor * x[k * columns + j];
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) {
      const factor = lu[i * n + k];
      if (factor === 0) continue;
      for (let j = 0; j < columns; j++) x[i * columns + j] -= factor * x[k * columns + j];
    }
    const pivot = lu[i * n + i];
    for (let j = 0; j < columns; j++) x[i * columns + j] /= pivot;
  }
  return new Matrix(x, n, columns);
}

/** A^-1 in float64. Throws a DataError where A is singular. */
export function inverse(a: Matrix): Matrix {
  return solve(a, Matrix.identity(a.rows));
}
