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
