import type { RandomStream } from '../core/random';
import { euclideanNorm } from './euclideanNorm';
import { Matrix } from './matrix';

/**
 * A random rotation: the orthogonal factor of a Gaussian matrix, uniform over the orthogonal group (Haar measure).
 *
 * Source: Mezzadri, "How to generate random matrices from the classical compact groups" (2007), arXiv:math-ph/0609050.
 * Modified Gram-Schmidt, run twice per column, keeps it orthogonal to rounding in float64.
 */
export function randomRotation(n: number, random: RandomStream): Matrix {
  const columns = Array.from({ length: n }, () => random.normalArray(n));
  for (let k = 0; k < n; k++) {
    const column = columns[k];
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < k; j++) {
        const other = columns[j];
        let dot = 0;
        for (let i = 0; i < n; i++) dot += column[i] * other[i];
        for (let i = 0; i < n; i++) column[i] -= dot * other[i];
      }
    }
    const norm = euclideanNorm(column);
    for (let i = 0; i < n; i++) column[i] /= norm;
  }
  return Matrix.fromRows(columns).transpose();
}
