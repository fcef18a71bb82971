import { complaint, NonFiniteError, ShapeError } from '../core/errors';
import { euclideanNorm } from './euclideanNorm';
import { Matrix } from './matrix';

/** A = sum over k of values[k] v_k v_k^T. */
export interface SymmetricEigen {
  /** Eigenvalues, largest first. */
  values: Float64Array;
  /** Row k is the eigenvector of values[k], of length 1. */
  vectors: Matrix;
}

const MAXIMUM_SWEEPS = 60;

/**
 * All eigenvalues and eigenvectors of a symmetric matrix, in float64: Householder tridiagonalization, then implicit QL.
 *
 * Cost about 6 n^3; meant for a few hundred dimensions. Reads the lower triangle only.
 *
 * Source: Golub and Van Loan, Matrix Computations (2013), sections 8.3.1 and 8.3.3.
 *
 * @throws ShapeError unless square; NonFiniteError where the iteration does not converge (values that are not finite)
 */
export function symmetricEigen(a: Matrix): SymmetricEigen {
  const n = a.rows;
  if (a.cols !== n) {
    throw new ShapeError(complaint('symmetricEigen', 'a square matrix', `${a.rows} x ${a.cols}`));
  }
  const { diagonal, offDiagonal, rotation } = tridiagonalize(a);
  diagonalize(diagonal, offDiagonal, rotation);
  const order = Array.from(diagonal.keys()).sort((i, j) => diagonal[j] - diagonal[i]);
  const vectors = Matrix.zeros(n, n);
  order.forEach((source, k) => {
    vectors.row(k).set(rotation.row(source));
  });
  return { values: Float64Array.from(order, (k) => diagonal[k]), vectors };
}

/** f(A) = sum f(values[k]) v_k v_k^T, a matrix square root for one. */
export function spectralMap({ values, vectors }: SymmetricEigen, f: (value: number) => number): Matrix {
  const n = vectors.cols;
  const result = Matrix.zeros(n, n);
  for (let k = 0; k < values.length; k++) {
    const weight = f(values[k]);
    const vector = vectors.row(k);
    for (let i = 0; i < n; i++) {
      const factor = weight * vector[i];
      const target = result.row(i);
      for (let j = 0; j < n; j++) target[j] += factor * vector[j];
    }
  }
  return result;
}

/** Q^T A Q tridiagonal by Householder reflections; `rotation` is Q^T, its rows become the eigenvectors. */
function tridiagonalize(a: Matrix): { diagonal: Float64Array; offDiagonal: Float64Array; rotation: Matrix } {
  const n = a.rows;
  const work = Matrix.zeros(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      work.data[i * n + j] = a.data[i * n + j];
      work.data[j * n + i] = a.data[i * n + j];
    }
  }
  const offDiagonal = new Float64Array(n);
  const reflectors: { first: number; vector: Float64Array; factor: number }[] = [];
  for (let k = 0; k < n - 2; k++) {
    const first = k + 1;
    const vector = Float64Array.from(work.row(k).subarray(first));
    const length = euclideanNorm(vector);
    const head = vector[0];
    const target = head > 0 ? -length : length;
    offDiagonal[k] = length === 0 ? 0 : target;
    if (length === 0 || length === Math.abs(head)) {
      offDiagonal[k] = head;
      continue;
    }
    vector[0] -= target;
    const factor = 1 / (target * (target - head));
    reflectTwice(work, first, vector, factor);
    reflectors.push({ first, vector, factor });
  }
  if (n > 1) offDiagonal[n - 2] = work.at(n - 1, n - 2);
  const diagonal = Float64Array.from({ length: n }, (_, i) => work.at(i, i));
  return { diagonal, offDiagonal, rotation: accumulate(reflectors, n).transpose() };
}

/** A <- H A H on the rows and columns from `first`, H = I - factor v v^T. */
function reflectTwice(work: Matrix, first: number, vector: Float64Array, factor: number): void {
  const size = vector.length;
  const product = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const row = work.row(first + i).subarray(first);
    let sum = 0;
    for (let j = 0; j < size; j++) sum += row[j] * vector[j];
    product[i] = factor * sum;
  }
  let overlap = 0;
  for (let i = 0; i < size; i++) overlap += product[i] * vector[i];
  for (let i = 0; i < size; i++) product[i] -= 0.5 * factor * overlap * vector[i];
  for (let i = 0; i < size; i++) {
    const row = work.row(first + i).subarray(first);
    const v = vector[i];
    const p = product[i];
    for (let j = 0; j < size; j++) row[j] -= v * product[j] + p * vector[j];
  }
}

/** Q = H_0 H_1 ... as a matrix. */
function accumulate(
  reflectors: { first: number; vector: Float64Array; factor: number }[],
  n: number,
): Matrix {
  const q = Matrix.identity(n);
  for (const { first, vector, factor } of reflectors.reverse()) {
    const sums = new Float64Array(n);
    vector.forEach((v, i) => {
      const row = q.row(first + i);
      for (let j = first; j < n; j++) sums[j] += v * row[j];
    });
    vector.forEach((v, i) => {
      const row = q.row(first + i);
      for (let j = first; j < n; j++) row[j] -= factor * v * sums[j];
    });
  }
  return q;
}

/** Implicit QL with Wilkinson's shift on a tridiagonal matrix, in place; the rotations mix the rows of `rotation`. */
function diagonalize(diagonal: Float64Array, offDiagonal: Float64Array, rotation: Matrix): void {
  const n = diagonal.length;
  for (let low = 0; low < n; low++) {
    for (let sweep = 0; ; sweep++) {
      let high = low;
      while (high < n - 1) {
        const scale = Math.abs(diagonal[high]) + Math.abs(diagonal[high + 1]);
        if (Math.abs(offDiagonal[high]) <= Number.EPSILON * scale) break;
        high++;
      }
      if (high === low) break;
      if (sweep === MAXIMUM_SWEEPS) {
        throw new NonFiniteError(
          complaint(
            'symmetricEigen',
            `convergence within ${MAXIMUM_SWEEPS} sweeps`,
            'none',
            'Are all values finite?',
          ),
        );
      }
      qlSweep(diagonal, offDiagonal, rotation, low, high);
    }
  }
}

function qlSweep(
  diagonal: Float64Array,
  offDiagonal: Float64Array,
  rotation: Matrix,
  low: number,
  high: number,
): void {
  const half = (diagonal[low + 1] - diagonal[low]) / (2 * offDiagonal[low]);
  const root = Math.hypot(half, 1);
  let g = diagonal[high] - diagonal[low] + offDiagonal[low] / (half + (half >= 0 ? root : -root));
  let sine = 1;
  let cosine = 1;
  let shift = 0;
  for (let i = high - 1; i >= low; i--) {
    const f = sine * offDiagonal[i];
    const b = cosine * offDiagonal[i];
    const r = Math.hypot(f, g);
    offDiagonal[i + 1] = r;
    if (r === 0) {
      diagonal[i + 1] -= shift;
      offDiagonal[high] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    const d = diagonal[i + 1] - shift;
    const t = (diagonal[i] - d) * sine + 2 * cosine * b;
    shift = sine * t;
    diagonal[i + 1] = d + shift;
    g = cosine * t - b;
    rotateRows(rotation, i, cosine, sine);
  }
  diagonal[low] -= shift;
  offDiagonal[low] = g;
  offDiagonal[high] = 0;
}

function rotateRows(rotation: Matrix, i: number, cosine: number, sine: number): void {
  const upper = rotation.row(i);
  const lower = rotation.row(i + 1);
  for (let k = 0; k < upper.length; k++) {
    const u = upper[k];
    const v = lower[k];
    lower[k] = sine * u + cosine * v;
    upper[k] = cosine * u - sine * v;
  }
}
