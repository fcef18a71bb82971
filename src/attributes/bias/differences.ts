import type { RandomStream } from '../../core/random';
import { Matrix } from '../../linalg';
import { meanOfRows, selectRows } from '../../statistics/rows';

/** Pseudo-F of a one-way comparison of rows, with its permutation p-value; nulls and the reason where it is not defined. */
export interface PermutationTest {
  /** Between-class over within-class mean square, summed over coordinates; 1 where classes do not differ. */
  f: number | null;
  /** (1 + label permutations with as large an F) / (1 + replicates). */
  p: number | null;
  reason?: string;
}

/** H2a: whether the few samples of different subclasses differ. Heavy skew within classes makes spread and shape reject too often. */
export interface SubclassDifferences {
  /** In location: the subclass means. */
  location: PermutationTest;
  /** In spread: absolute deviations, as in Levene's test. */
  spread: PermutationTest;
  /** In shape: products of deviations in the leading components, that is covariances. */
  shape: PermutationTest;
  /** Share of each coordinate's variance between subclasses, [d], from the reference. */
  intraclassCorrelation: Float64Array;
}

/**
 * Whether rows of different classes differ in mean, by permuting labels: valid at any n and d, without a covariance to invert.
 *
 *     F = [sum_c n_c |mean_c - mean|^2 / (C - 1)] / [sum_c sum_i |z_i - mean_c|^2 / (N - C)]
 *
 * Source: Anderson, "A new method for non-parametric multivariate analysis of variance" (2001), doi:10.1111/j.1442-9993.2001.01070.pp.x.
 */
export function permutationTest(
  rows: Matrix,
  groups: readonly Int32Array[],
  replicates: number,
  random: RandomStream,
): PermutationTest {
  const members = Int32Array.from(groups.flatMap((group) => [...group]));
  if (groups.length < 2 || members.length <= groups.length) {
    return { f: null, p: null, reason: 'needs two classes, one of them with two samples' };
  }
  const sizes = groups.map((group) => group.length);
  const used = selectRows(rows, members);
  const mean = meanOfRows('biasReport', used);
  let total = 0;
  for (let i = 0; i < used.rows; i++) {
    const row = used.row(i);
    for (let j = 0; j < row.length; j++) {
      row[j] -= mean[j];
      total += row[j] ** 2;
    }
  }
  if (total === 0) return { f: null, p: null, reason: 'all rows are equal' };
  const identity = Int32Array.from(members.keys());
  const observed = betweenSquares(used, identity, sizes);
  let count = 1;
  for (let r = 0; r < replicates; r++) {
    // Rounding must not decide about ties with the observed arrangement.
    if (betweenSquares(used, random.permutation(used.rows), sizes) >= observed * (1 - 1e-12)) count++;
  }
  const within = total - observed;
  const f = within > 0 ? observed / (sizes.length - 1) / (within / (used.rows - sizes.length)) : null;
  return { f, p: count / (replicates + 1) };
}

/** sum_c n_c |mean_c|^2 of centred rows dealt to classes of the given sizes in the given order. */
function betweenSquares(rows: Matrix, order: Int32Array, sizes: readonly number[]): number {
  let squares = 0;
  let next = 0;
  const sum = new Float64Array(rows.cols);
  for (const size of sizes) {
    sum.fill(0);
    for (let i = 0; i < size; i++) {
      const row = rows.row(order[next++]);
      for (let j = 0; j < sum.length; j++) sum[j] += row[j];
    }
    for (let j = 0; j < sum.length; j++) squares += sum[j] ** 2 / size;
  }
  return squares;
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
