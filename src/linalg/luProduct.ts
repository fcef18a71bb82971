import { Matrix } from './matrix';

/** Factors of P L U; what lies on the other side of a factor's diagonal is not looked at. */
export interface LuFactors {
  /** Row k of L U is row `rows[k]` of the product. */
  rows: Int32Array;
  /** Entries below the diagonal; the diagonal is ones. */
  lower: ArrayLike<number>;
  /** Entries on and above the diagonal. */
  upper: Float64Array;
}

/** P L U in float64. */
export function luProduct({ rows, lower, upper }: LuFactors): Matrix {
  const n = rows.length;
  const result = Matrix.zeros(n, n);
  const { data } = result;
  for (let i = 0; i < n; i++) {
    const to = rows[i] * n;
    for (let j = i; j < n; j++) data[to + j] = upper[i * n + j];
    for (let k = 0; k < i; k++) {
      const weight = lower[i * n + k];
      for (let j = k; j < n; j++) data[to + j] += weight * upper[k * n + j];
    }
  }
  return result;
}

/**
 * Gradients in L (below the diagonal) and U (on and above it) from that in M = P L U; the rest is zeros.
 *
 *     dL = (P' dM) U',    dU = L' (P' dM)
 */
export function luProductGradient(
  { rows, lower, upper }: LuFactors,
  gradient: ArrayLike<number>,
): { lower: Float32Array; upper: Float32Array } {
  const n = rows.length;
  const dLower = new Float32Array(n * n);
  const dUpper = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const from = rows[i] * n;
    for (let k = 0; k < i; k++) {
      const weight = lower[i * n + k];
      let sum = 0;
      for (let j = k; j < n; j++) {
        const given = gradient[from + j];
        sum += given * upper[k * n + j];
        dUpper[k * n + j] += weight * given;
      }
      dLower[i * n + k] = sum;
    }
    for (let j = i; j < n; j++) dUpper[i * n + j] += gradient[from + j];
  }
  return { lower: dLower, upper: Float32Array.from(dUpper) };
}
