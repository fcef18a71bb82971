import * as tf from '@tensorflow/tfjs-core';
import type { RandomStream } from '../../core/random';
import { untaped } from '../../core/tensors';
import { lowerInverse, Matrix } from '../../linalg';
import { type AddWeight, type Hold, type LinearForm, orthogonalForm } from './linearForm';
import { squareOf } from './luForm';

/**
 * Q = H_k ... H_2 H_1 of reflections H = I - 2 u u^T, u = v / |v|, all in one: Q = I - U^T L^-1 U, where the rows of U are the u and
 * L = I/2 + what lies of U U^T below its diagonal. A v of zeros reflects nothing.
 *
 * @see Joffrain et al., "Accumulating Householder transformations, revisited" (2006), doi:10.1145/1141885.1141886 (the UT transform)
 */
export function householderForm(
  size: number,
  reflections: number,
  random: RandomStream,
  addWeight: AddWeight,
  hold: Hold,
): LinearForm {
  const vectors = addWeight('vectors', startingVectors(size, reflections, random)) as unknown as tf.Tensor2D;
  const identity = hold(squareOf(size, (i, j) => Number(i === j)));
  const halves = hold(squareOf(reflections, (i, j) => (i === j ? 0.5 : 0)));
  const below = hold(squareOf(reflections, (i, j) => Number(i > j)));
  const matrix = (): tf.Tensor2D => {
    const units = normalized(vectors);
    const overlaps = tf.mul(tf.matMul(units, units, false, true), below);
    const joined = tf.matMul(lowerInverse(tf.add(halves, overlaps)), units);
    return tf.sub(identity, tf.matMul(units, joined, true));
  };
  return orthogonalForm(matrix);
}

/** Pairs of equal vectors: two reflections of one vector undo each other, so that an even number starts as the identity. */
function startingVectors(size: number, count: number, random: RandomStream): tf.Tensor2D {
  const rows: Float64Array[] = [];
  while (rows.length < count) {
    const vector = random.normalArray(size);
    rows.push(vector, vector);
  }
  const { data } = Matrix.fromRows(rows.slice(0, count));
  return tf.tensor2d(Float32Array.from(data), [count, size]);
}

/** Rows of length 1, by way of their largest entries: squares would leave float32. */
function normalized(vectors: tf.Tensor2D): tf.Tensor2D {
  // A factor that u does not depend on, so it needs no gradient.
  const largest = untaped(() => {
    const most = tf.max(tf.abs(vectors), 1, true);
    return tf.where(tf.greater(most, 0), most, tf.onesLike(most));
  });
  const scaled = tf.div(vectors, largest);
  // At least 1, but for a row of zeros.
  const squares = tf.maximum(tf.sum(tf.square(scaled), 1, true), 0.5);
  return tf.div(scaled, tf.sqrt(squares));
}
