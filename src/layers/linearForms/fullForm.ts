import * as tf from '@tensorflow/tfjs-core';
import { DataError } from '../../core/errors';
import { capabilities } from '../../engine/capabilities';
import { readAtOnce } from '../../engine/reads';
import { inverseGradient, inverseMatrix, invertible, logAbsDet, Matrix, toDevice } from '../../linalg';
import type { MatrixOfWeights } from '../fusedScaledLinear';
import type { AddWeight, LinearForm } from './linearForm';

/** A matrix that is trained itself; its log-determinant is computed each step, in float64 where values can be read on the host. */
export function fullForm(initial: Matrix, addWeight: AddWeight): LinearForm {
  const kernel = addWeight('kernel', toDevice(initial)) as unknown as tf.Tensor2D;
  const { rows, cols } = initial;
  const onHost = () => new Matrix(Float64Array.from(readAtOnce('conditioning', kernel)), rows, cols);
  const ofWeights: MatrixOfWeights = {
    weights: [kernel],
    compute() {
      const { logAbsDet, needed, inverse } = invertible(kernel, onHost);
      return {
        matrix: kernel,
        logDet: finite(logAbsDet),
        needed,
        gradient: (ofMatrix, ofLogDet, kept) => [plusOfLogDet(ofMatrix, ofLogDet, () => inverse(kept))],
      };
    },
  };
  const inverseOfWeights: MatrixOfWeights = {
    weights: [kernel],
    compute() {
      const { logAbsDet, needed, inverse } = invertible(kernel, onHost);
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
    inverse: (matrix) => inverseMatrix(matrix, onHost),
    logDetTerms: (matrix) => [finite(logAbsDet(matrix, onHost))],
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
