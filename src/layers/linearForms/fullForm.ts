import * as tf from '@tensorflow/tfjs-core';
import { DataError } from '../../core/errors';
import { capabilities } from '../../engine/capabilities';
import { inverseGradient, inverseMatrix, invertible, logAbsDet, type Matrix, toDevice } from '../../linalg';
import type { MatrixOfWeights } from '../fusedScaledLinear';
import { type AddWeight, type HostMatrix, type LinearForm, matrixNow, squareMatrix } from './linearForm';

/** A matrix that is trained itself; its log-determinant is computed each step, in float64 where values can be read on the host. */
export function fullForm(initial: Matrix, addWeight: AddWeight): LinearForm {
  const kernel = addWeight('kernel', toDevice(initial)) as unknown as tf.Tensor2D;
  const onHost: HostMatrix = { of: () => [kernel], matrix: ([values]) => squareMatrix(values) };
  const now = () => matrixNow(onHost);
  const ofWeights: MatrixOfWeights = {
    weights: [kernel],
    compute() {
      const { logAbsDet, needed, inverse } = invertible(kernel, now);
      let known: tf.Tensor2D | undefined;
      return {
        matrix: kernel,
        logDet: finite(logAbsDet),
        needed,
        inverse() {
          known = inverse(needed);
          return known;
        },
        gradient: (ofMatrix, ofLogDet, kept) => [
          plusOfLogDet(ofMatrix, ofLogDet, () => known ?? inverse(kept)),
        ],
      };
    },
  };
  const inverseOfWeights: MatrixOfWeights = {
    weights: [kernel],
    compute() {
      const { logAbsDet, needed, inverse } = invertible(kernel, now);
      const matrix = inverse(needed);
      return {
        matrix,
        logDet: logAbsDet,
        needed: [matrix],
        gradient: (ofInverse, ofLogDet, [kept]) => {
          const value = kept as tf.Tensor2D;
          return [plusOfLogDet(inverseGradient(value, ofInverse), ofLogDet, () => value)];
        },
      };
    },
  };
  return {
    matrix: () => kernel,
    onHost,
    ofWeights: () => ofWeights,
    inverseOfWeights: () => inverseOfWeights,
    inverse: (matrix) => inverseMatrix(matrix, now),
    logDetTerms: (matrix) => [finite(logAbsDet(matrix, now))],
  };
}

/** The gradient in a matrix W with that by its log|det| added, which is W^-T. */
function plusOfLogDet(
  ofMatrix: tf.Tensor2D,
  ofLogDet: tf.Scalar | undefined,
  inverse: () => tf.Tensor2D,
): tf.Tensor2D {
  if (ofLogDet === undefined) return ofMatrix;
  return tf.add(ofMatrix, tf.mul(tf.transpose(inverse()), ofLogDet));
}

/** log|det|, where it was just computed on the host. @throws DataError where it is that of a singular matrix */
function finite(logDet: tf.Scalar): tf.Scalar {
  if (capabilities().readsAtOnce && logDet.dataSync()[0] === Number.NEGATIVE_INFINITY) {
    throw new DataError('The matrix is singular.');
  }
  return logDet;
}
