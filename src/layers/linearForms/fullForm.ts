import * as tf from '@tensorflow/tfjs-core';
import { DataError } from '../../core/errors';
import { capabilities } from '../../engine/capabilities';
import { inverse, inverseMatrix, logAbsDet, Matrix, slogdet, toDevice } from '../../linalg';
import type { MatrixOfWeights } from '../fusedScaledLinear';
import { type AddWeight, inverted, type LinearForm } from './linearForm';

/** A matrix that is trained itself; its log-determinant is computed in float64 on the host, each step. */
export function fullForm(initial: Matrix, addWeight: AddWeight): LinearForm {
  const kernel = addWeight('kernel', toDevice(initial)) as unknown as tf.Tensor2D;
  const { rows, cols } = initial;
  const onHost = () => new Matrix(Float64Array.from(kernel.dataSync()), rows, cols);
  const compute = () => {
    const values = onHost();
    const gradient = (ofMatrix: tf.Tensor2D, ofLogDet: tf.Scalar | undefined) => {
      if (ofLogDet === undefined) return [ofMatrix];
      return [tf.add(ofMatrix, tf.mul(toDevice(inverse(values).transpose()), ofLogDet))];
    };
    const logDet = finite(tf.scalar(slogdet(values).logAbsDet));
    return { matrix: kernel, logDet, needed: [], gradient };
  };
  const ofWeights: MatrixOfWeights = { weights: [kernel], compute };
  const where = () => (capabilities().readsAtOnce ? ofWeights : undefined);
  return {
    matrix: () => kernel,
    onHost,
    ofWeights: where,
    inverseOfWeights: () => where() && inverted(ofWeights, onHost),
    inverse: (matrix) => inverseMatrix(matrix, onHost),
    logDetTerms: (matrix) => [finite(logAbsDet(matrix))],
  };
}

/** log|det| as it was just computed on the host. @throws DataError where it is that of a singular matrix */
function finite(logDet: tf.Scalar): tf.Scalar {
  if (capabilities().readsAtOnce && logDet.dataSync()[0] === Number.NEGATIVE_INFINITY) {
    throw new DataError('The matrix is singular.');
  }
  return logDet;
}
