import * as tf from '@tensorflow/tfjs-core';

/**
 * [d, d] of zeros and ones: a row times it has, at every place, the sum of what stands 'from' the start to there, 'before' it, or
 * 'after' it. Sums along a row without tf.cumsum, which is wrong on webgpu for some lengths.
 */
export function triangle(d: number, which: 'from' | 'before' | 'after'): tf.Tensor2D {
  const counts = {
    from: (row: number, column: number) => row <= column,
    before: (row: number, column: number) => row < column,
    after: (row: number, column: number) => row > column,
  }[which];
  const values = Float32Array.from({ length: d * d }, (_, at) => Number(counts(Math.floor(at / d), at % d)));
  return tf.tensor2d(values, [d, d]);
}
