import { Matrix } from '../../linalg';
import { meanOfRows } from '../../statistics/rows';
import type { PermutationTest } from './permutation';

/**
 * H2a: whether the few samples of different subclasses differ. With fewer than 8 samples a subclass, spread and shape do not tell subclasses
 * that differ from heavy tails that all have.
 */
export interface SubclassDifferences {
  /** In location: the subclass means. */
  location: PermutationTest;
  /** In spread: absolute deviations, as in Levene's test, whose mean is taken off every permuted subclass anew. */
  spread: PermutationTest;
  /** In shape: products of deviations in the leading components, that is covariances, in the same way. */
  shape: PermutationTest;
  /** Share of each coordinate's variance between subclasses, [d], from the reference. */
  intraclassCorrelation: Float64Array;
}

/** All products of two coordinates of a row, e_a e_b with a <= b, [n, k (k + 1) / 2]: rows whose mean is a covariance. */
export function pairProducts(rows: Matrix): Matrix {
  const k = rows.cols;
  const result = Matrix.zeros(rows.rows, (k * (k + 1)) / 2);
  for (let i = 0; i < rows.rows; i++) {
    const row = rows.row(i);
    let next = 0;
    for (let a = 0; a < k; a++) {
      for (let b = a; b < k; b++) result.row(i)[next++] = row[a] * row[b];
    }
  }
  return result;
}

/**
 * Share of every coordinate's variance that lies between class means, [d]: 0 where classes do not differ, 1 where they do nothing else.
 *
 *     ICC_j = T_jj / (T_jj + W_jj),  T_jj = (MSB_j - MSW_j) / n_0 clipped at 0
 *
 * Source: Shrout and Fleiss (1979), doi:10.1037/0033-2909.86.2.420, form (1, 1).
 */
export function intraclassCorrelations(z: Matrix, groups: readonly Int32Array[]): Float64Array {
  const N = z.rows;
  const C = groups.length;
  const means = groups.map((rows) => meanOfRows('biasReport', z, rows));
  const grand = meanOfRows('biasReport', z);
  const usualSize = (N - groups.reduce((sum, rows) => sum + rows.length ** 2, 0) / N) / (C - 1);
  return grand.map((center, j) => {
    let between = 0;
    let within = 0;
    groups.forEach((rows, c) => {
      between += rows.length * (means[c][j] - center) ** 2;
      for (const row of rows) within += (z.at(row, j) - means[c][j]) ** 2;
    });
    between /= C - 1;
    within /= N - C;
    const effect = Math.max(0, (between - within) / usualSize);
    return effect + within > 0 ? effect / (effect + within) : 0;
  });
}
