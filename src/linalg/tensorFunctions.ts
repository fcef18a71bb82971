import * as tf from '@tensorflow/tfjs-core';
import { complaint, ShapeError } from '../core/errors';
import * as host from './lu';
import { Matrix } from './matrix';

function toHost(where: string, matrix: tf.Tensor): Matrix {
  if (matrix.rank !== 2 || matrix.shape[0] !== matrix.shape[1]) {
    throw new ShapeError(complaint(where, 'a square matrix [n, n]', matrix.shape));
  }
  return new Matrix(Float64Array.from(matrix.dataSync()), matrix.shape[0], matrix.shape[0]);
}

function toDevice(matrix: Matrix): tf.Tensor2D {
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
 * @throws ShapeError for anything but a square matrix; DataError for a singular one
 * @example
 * const inverse = inverseMatrix(tf.tensor2d([[2, 0], [0, 4]])); // [[0.5, 0], [0, 0.25]]
 */
export function inverseMatrix(matrix: tf.Tensor2D, values?: () => Matrix): tf.Tensor2D {
  const operation = tf.customGrad((a) => {
    const onHost = host.inverse(values?.() ?? toHost('inverseMatrix', a as tf.Tensor));
    return {
      value: toDevice(onHost),
      gradFunc: (dy: tf.Tensor) => {
        const transposed = toDevice(onHost.transpose());
        return tf.neg(tf.matMul(tf.matMul(transposed, dy as tf.Tensor2D), transposed));
      },
    };
  });
  return operation(matrix) as tf.Tensor2D;
}
