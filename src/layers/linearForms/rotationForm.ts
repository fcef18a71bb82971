import * as tf from '@tensorflow/tfjs-core';
import { capabilities } from '../../engine/capabilities';
import { inverseMatrix, inverseWithoutPivots } from '../../linalg';
import { type AddWeight, type Hold, type LinearForm, orthogonalForm } from './linearForm';
import { squareOf } from './luForm';

/**
 * The Cayley transform of a skew matrix A = S - S^T, S what lies of the weight below its diagonal:
 *
 *     Q = (I - A) (I + A)^-1 = 2 (I + A)^-1 - I
 *
 * Every rotation without half-turns is one. I + A is inverted in float64 on the host, and by ops where a read waits for the device.
 *
 * @see Cayley, "Sur quelques propriétés des déterminants gauches" (1846), doi:10.1515/crll.1846.32.119
 */
export function rotationForm(size: number, addWeight: AddWeight, hold: Hold): LinearForm {
  const skew = addWeight('skew', tf.zeros([size, size]));
  const identity = hold(squareOf(size, (i, j) => Number(i === j)));
  const strictlyBelow = hold(squareOf(size, (i, j) => Number(i > j)));
  const matrix = (): tf.Tensor2D => {
    const below = tf.mul(skew, strictlyBelow) as tf.Tensor2D;
    const shifted: tf.Tensor2D = tf.add(identity, tf.sub(below, tf.transpose(below)));
    const inverse = capabilities().readsAtOnce ? inverseMatrix(shifted) : inverseWithoutPivots(shifted);
    return tf.sub(tf.mul(inverse, 2), identity);
  };
  return orthogonalForm(matrix);
}
