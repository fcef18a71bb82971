import * as tf from '@tensorflow/tfjs-core';
import { inverseMatrix } from '../../linalg';
import { type AddWeight, type Hold, type LinearForm, orthogonalForm } from './linearForm';
import { squareOf } from './luForm';

/**
 * The Cayley transform of a skew matrix A = S - S^T, S what lies of the weight below its diagonal:
 *
 *     Q = (I - A) (I + A)^-1 = 2 (I + A)^-1 - I
 *
 * Every rotation without half-turns is one.
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
    return tf.sub(tf.mul(inverseMatrix(shifted), 2), identity);
  };
  return orthogonalForm(matrix);
}
