import * as tf from '@tensorflow/tfjs-core';
import type { Column } from '../../layers/supports/columns';

/** Draws of the noise of whole numbers that a density of theirs is the mean over. */
const DRAWS = 32;

/** log of the mean density over draws of noise, where columns of whole numbers get some: [n]. */
export function averagedOverNoise(columns: readonly Column[], draw: () => tf.Tensor1D): tf.Tensor1D {
  if (!columns.some(({ support }) => support.kind === 'integer')) return draw();
  return tf.tidy(() => {
    const draws = Array.from({ length: DRAWS }, draw);
    const highest = tf.max(tf.stack(draws), 0);
    // -Infinity less itself is no number.
    const shift = tf.maximum(highest, -3e38);
    const sum = tf.addN(draws.map((values) => tf.exp(tf.sub(values, shift))));
    return tf.add(shift, tf.log(tf.div(sum, DRAWS))) as tf.Tensor1D;
  });
}
