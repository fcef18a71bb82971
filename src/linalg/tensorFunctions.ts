import * as tf from '@tensorflow/tfjs-core';
import { complaint, ShapeError } from '../core/errors';
import { record } from '../engine/tape';
import { invertible } from './invertible';
import type { Matrix } from './matrix';

function checkSquare(where: string, { rank, shape }: tf.Tensor): void {
  if (rank !== 2 || shape[0] !== shape[1]) {
    throw new ShapeError(complaint(where, 'a square matrix [n, n]', shape));
  }
}

/**
 * log |det A| of a small square matrix; differentiable. In float64 on the host, and in float32 where a read waits for a device.
 *
 * d log|det A| / dA = A^-T. Shapes: [n, n] -> []. Natural log; -Infinity for a singular matrix.
 *
 * @param values gives A on the host, where it can be had without waiting for the device. Default: reads the tensor back.
 * @throws ShapeError for anything but a square matrix
 * @example
 * const logDet = logAbsDet(tf.tensor2d([[2, 0], [0, 3]])); // log 6
 */
export function logAbsDet(matrix: tf.Tensor2D, values?: () => Matrix): tf.Scalar {
  checkSquare('logAbsDet', matrix);
  const [logDet] = record([matrix], () => {
    const { logAbsDet: result, inverse, needed } = invertible(matrix, values);
    return {
      results: [result],
      needed,
      gradient: ([dy], kept) => [tf.mul(dy, tf.transpose(inverse(kept)))],
    };
  });
  return logDet as tf.Scalar;
}

/**
 * A^-1 of a small square matrix; differentiable. In float64 on the host, and in float32 where a read waits for a device.
 *
 * For Y = A^-1: dA = -Y^T dY Y^T. Shapes: [n, n] -> [n, n].
 *
 * @param values gives A on the host, where it can be had without waiting for the device. Default: reads the tensor back.
 * @throws ShapeError for anything but a square matrix; DataError for a singular one, and where the inverse leaves float32 (where no value
 * can be read at once there is no error: the inverse then has entries that are not finite)
 * @example
 * const inverse = inverseMatrix(tf.tensor2d([[2, 0], [0, 4]])); // [[0.5, 0], [0, 0.25]]
 */
export function inverseMatrix(matrix: tf.Tensor2D, values?: () => Matrix): tf.Tensor2D {
  checkSquare('inverseMatrix', matrix);
  const [result] = record([matrix], () => {
    const { inverse, needed } = invertible(matrix, values);
    const value = inverse(needed);
    return {
      results: [value],
      needed: [value],
      gradient: ([dy], [y]) => [inverseGradient(y as tf.Tensor2D, dy as tf.Tensor2D)],
    };
  });
  return result as tf.Tensor2D;
}

/** Gradient in A of Y = A^-1: dA = -Y^T dY Y^T. */
export function inverseGradient(inverse: tf.Tensor2D, dy: tf.Tensor2D): tf.Tensor2D {
  return tf.neg(tf.matMul(tf.matMul(inverse, dy, true), inverse, false, true));
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
