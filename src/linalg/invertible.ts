import * as tf from '@tensorflow/tfjs-core';
import { DataError } from '../core/errors';
import { capabilities } from '../engine/capabilities';
import { hasKernels, runKernel } from '../engine/kernels';
import * as host from './lu';
import { Matrix } from './matrix';

/** The matrix in float32. */
export function toDevice(matrix: Matrix): tf.Tensor2D {
  return tf.tensor2d(Float32Array.from(matrix.data), [matrix.rows, matrix.cols]);
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

/** A square matrix off the tape, ready to be inverted. */
export interface Invertible {
  logAbsDet: tf.Scalar;
  /** What the inverse is computed of, other than the matrix. */
  needed: tf.Tensor[];
  /** @throws DataError where there is none and values are on the host */
  inverse(needed: tf.Tensor[]): tf.Tensor2D;
}

/**
 * Ways to log|det A| and A^-1: in float64 on the host where values are read at once, else by kernels, else by ops.
 *
 *     FlowLuFactors { matrix } -> permutation [n, n], factors [n, n], logDet []
 *     FlowLuInverse { permutation, factors } -> inverse [n, n]
 *
 * A is P L U, with L below the diagonal of the factors and U on and above it; logDet is -Infinity where A is singular.
 *
 * @param values gives A on the host. Default: reads the tensor back.
 */
export function invertible(matrix: tf.Tensor2D, values?: () => Matrix): Invertible {
  if (capabilities().readsAtOnce) {
    const [n] = matrix.shape;
    const onHost = values?.() ?? new Matrix(Float64Array.from(matrix.dataSync()), n, n);
    const logAbsDet = tf.scalar(host.slogdet(onHost).logAbsDet);
    return { logAbsDet, needed: [], inverse: () => toDevice(deviceInverse(onHost)) };
  }
  if (hasLuInverse() && hasKernels('FlowLuFactors')) {
    const [permutation, factors, logAbsDet] = runKernel('FlowLuFactors', { matrix });
    return {
      logAbsDet: logAbsDet as tf.Scalar,
      needed: [permutation, factors],
      inverse: ([order, both]) => luInverse(order, both),
    };
  }
  const { logAbsDet, inverse: value } = eliminated(matrix);
  return { logAbsDet, needed: [value], inverse: ([kept]) => kept as tf.Tensor2D };
}

/** Whether the active backend has `luInverse`. */
export function hasLuInverse(): boolean {
  return hasKernels('FlowLuInverse');
}

/** (P L U)^-1, with L below the diagonal of the factors and U on and above it. */
export function luInverse(permutation: tf.Tensor, factors: tf.Tensor): tf.Tensor2D {
  return runKernel('FlowLuInverse', { permutation, factors })[0] as tf.Tensor2D;
}

/**
 * Gauss-Jordan elimination with partial pivoting by ordinary ops, without reading any value: [A, I] becomes [P, P A^-1].
 *
 * Source: Golub and Van Loan, Matrix Computations (2013), section 3.4.
 */
function eliminated(a: tf.Tensor2D): { logAbsDet: tf.Scalar; inverse: tf.Tensor2D } {
  const [n] = a.shape;
  const places = tf.range(0, n);
  let rows: tf.Tensor2D = tf.concat([a, tf.eye(n)], 1);
  let free: tf.Tensor2D = tf.ones([n, 1]);
  const pivots: tf.Tensor[] = [];
  const order: tf.Tensor[] = [];
  for (let k = 0; k < n; k++) {
    const column = tf.slice(rows, [0, k], [n, 1]);
    const magnitudes = tf.where(tf.greater(free, 0), tf.abs(column), tf.fill([n, 1], -1));
    const chosen = tf.reshape(
      tf.cast(tf.equal(places, tf.cast(tf.argMax(magnitudes, 0), 'float32')), 'float32'),
      [n, 1],
    );
    const row = tf.matMul(chosen, rows, true);
    const pivot = tf.slice(row, [0, k], [1, 1]);
    // Of a singular matrix the logarithm below makes what is left NaN.
    const divided = tf.div(row, tf.where(tf.equal(pivot, 0), tf.onesLike(pivot), pivot)) as tf.Tensor2D;
    const others = tf.sub(1, chosen) as tf.Tensor2D;
    const factors = tf.sub(chosen, tf.mul(column, others)) as tf.Tensor2D;
    rows = tf.add(tf.mul(rows, others), tf.matMul(factors, divided));
    free = tf.mul(free, others);
    pivots.push(pivot);
    order.push(chosen);
  }
  const logAbsDet = tf.sum(tf.log(tf.abs(tf.concat(pivots, 1)))) as tf.Scalar;
  const inverse = tf.matMul(tf.concat(order, 1), tf.slice(rows, [0, n], [n, n]), true) as tf.Tensor2D;
  return { logAbsDet, inverse: tf.add(inverse, tf.mul(logAbsDet, 0)) };
}
