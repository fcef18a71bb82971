import * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError, ShapeError } from '../core/errors';
import * as host from './lu';
import { Matrix } from './matrix';

function toHost(where: string, matrix: tf.Tensor): Matrix {
  if (matrix.rank !== 2 || matrix.shape[0] !== matrix.shape[1]) {
    throw new ShapeError(complaint(where, 'a square matrix [n, n]', matrix.shape));
  }
  return new Matrix(Float64Array.from(matrix.dataSync()), matrix.shape[0], matrix.shape[0]);
}

/** The matrix in float32. */
export function toDevice(matrix: Matrix): tf.Tensor2D {
  return tf.tensor2d(Float32Array.from(matrix.data), [matrix.rows, matrix.cols]);
}

/**
 * log |det A| of a small square matrix, computed in float64 on the host; differentiable.
 *
 * d log|det A| / dA = A^-T. Shapes: [n, n] -> []. Natural log; -Infinity for a singular matrix.
 *
 * @throws ShapeError for anything but a square matrix
 * @example
 * const logDet = logAbsDet(tf.tensor2d([[2, 0], [0, 3]])); // log 6
 */
export function logAbsDet(matrix: tf.Tensor2D): tf.Scalar {
  const operation = tf.customGrad((a) => {
    const onHost = toHost('logAbsDet', a as tf.Tensor);
    return {
      value: tf.scalar(host.slogdet(onHost).logAbsDet),
      gradFunc: (dy: tf.Tensor) => tf.mul(dy, toDevice(host.inverse(onHost).transpose())),
    };
  });
  return operation(matrix) as tf.Scalar;
}

/**
 * A^-1 of a small square matrix, computed in float64 on the host; differentiable.
 *
 * For Y = A^-1: dA = -Y^T dY Y^T. Shapes: [n, n] -> [n, n].
 *
 * @param values gives A on the host, where it can be had without waiting for the device. Default: reads the tensor back.
 * @throws ShapeError for anything but a square matrix; DataError for a singular one, and where the inverse leaves float32
 * @example
 * const inverse = inverseMatrix(tf.tensor2d([[2, 0], [0, 4]])); // [[0.5, 0], [0, 0.25]]
 */
export function inverseMatrix(matrix: tf.Tensor2D, values?: () => Matrix): tf.Tensor2D {
  const operation = tf.customGrad((a) => {
    const onHost = deviceInverse(values?.() ?? toHost('inverseMatrix', a as tf.Tensor));
    return {
      value: toDevice(onHost),
      gradFunc: (dy: tf.Tensor) => inverseGradient(onHost, dy as tf.Tensor2D),
    };
  });
  return operation(matrix) as tf.Tensor2D;
}

/** A^-1 in float64, if float32 can hold it. @throws DataError where it cannot, or there is none */
export function deviceInverse(a: Matrix): Matrix {
  const result = host.inverse(a);
  // What came in as NaN goes through, as in every op.
  if (a.data.every(Number.isFinite) && !result.data.every((entry) => Number.isFinite(Math.fround(entry)))) {
    throw new DataError(`inverse: that of the ${a.rows} x ${a.rows} matrix has entries beyond float32.`);
  }
  return result;
}

/** Gradient in A of Y = A^-1: dA = -Y^T dY Y^T. */
export function inverseGradient(inverse: Matrix, dy: tf.Tensor2D): tf.Tensor2D {
  const transposed = toDevice(inverse.transpose());
  return tf.neg(tf.matMul(tf.matMul(transposed, dy), transposed));
}

/**
 * L^-1 of lower triangular matrices by ordinary ops, without reading any value; differentiable.
 *
 * Inverts the diagonal blocks of size 1, then joins neighbours to blocks of 2, 4, ... by
 * [[A, 0], [C, B]]^-1 = [[A^-1, 0], [-B^-1 C A^-1, B^-1]], all blocks of a size at once. As stable as substitution, in float32.
 *
 * Shapes: [..., n, n] -> [..., n, n].
 */
export function lowerInverse<T extends tf.Tensor>(lower: T): T {
  const n = lower.shape[lower.rank - 1];
  const mask = (inside: (row: number, column: number) => boolean) =>
    tf.tensor2d(
      Float32Array.from({ length: n * n }, (_, at) => Number(inside(Math.floor(at / n), at % n))),
      [n, n],
    );
  return tf.tidy(() => {
    const identity = mask((row, column) => row === column);
    const diagonal = tf.sum(tf.mul(lower, identity), lower.rank - 2, true);
    let inverse: tf.Tensor = tf.div(identity, diagonal);
    for (let size = 1; size < n; size *= 2) {
      const block = (index: number) => Math.floor(index / size);
      const joints = mask((row, column) => block(row) % 2 === 1 && block(column) === block(row) - 1);
      const joined = tf.matMul(inverse, tf.matMul(tf.mul(lower, joints), inverse));
      inverse = tf.sub(inverse, joined);
    }
    return inverse as T;
  });
}

/**
 * A^-1 by ordinary ops, without reading any value and without exchanging rows; differentiable. Gauss-Jordan elimination, stable for
 * matrices whose symmetric part is positive definite, as I plus a skew one has: no pivot there is below that part's least eigenvalue.
 *
 * Shapes: [n, n] -> [n, n].
 *
 * Source: Golub and Van Loan, Matrix Computations (2013), section 4.4.2.
 */
export function inverseWithoutPivots(matrix: tf.Tensor2D): tf.Tensor2D {
  const operation = tf.customGrad((a, save) => {
    const value = eliminated(a as tf.Tensor2D);
    (save as tf.GradSaveFunc)([value]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const transposed = tf.transpose(saved[0]) as tf.Tensor2D;
      return tf.neg(tf.matMul(tf.matMul(transposed, dy as tf.Tensor2D), transposed));
    };
    return { value, gradFunc };
  });
  return operation(matrix) as tf.Tensor2D;
}

/** The right half of [A, I] once A has become I. */
function eliminated(a: tf.Tensor2D): tf.Tensor2D {
  const [n] = a.shape;
  const identity = tf.eye(n);
  let rows: tf.Tensor2D = tf.concat([a, identity], 1);
  for (let k = 0; k < n; k++) {
    const row = tf.slice(rows, [k, 0], [1, 2 * n]);
    const pivoted = tf.div(row, tf.slice(rows, [k, k], [1, 1]));
    const others = tf.sub(tf.slice(rows, [0, k], [n, 1]), tf.slice(identity, [0, k], [n, 1]));
    rows = tf.sub(rows, tf.matMul(others, pivoted));
  }
  return tf.slice(rows, [0, n], [n, n]);
}
