import type { RandomStream } from '../../core/random';
import type { SubclassRows } from './mixtures';

/** How the samples of a mixture come about: rows per subclass, and how alike those of one are. */
export interface MixtureDesign {
  /** Rows of every subclass, ascending. */
  sizes: readonly number[];
  /**
   * Angle whose squared sine is the intraclass correlation, rounded up to steps of 1/40 of a right angle: subclass means have
   * deviation sin(angle), samples around them cos(angle).
   */
  steps: number;
}

const STEPS = 40;

/**
 * The same subclasses with at most `limit` rows in all, the largest cut at random to one size; at least one row of each stays.
 */
export function limitRows(groups: SubclassRows, limit: number, random: RandomStream): SubclassRows {
  const sizes = groups.map((rows) => rows.length);
  const total = (size: number) => sizes.reduce((sum, own) => sum + Math.min(own, size), 0);
  let size = sizes.reduce((most, own) => Math.max(most, own), 0);
  if (total(size) <= limit) return groups;
  let low = 1;
  while (size - low > 1) {
    const middle = Math.floor((low + size) / 2);
    if (total(middle) <= limit) low = middle;
    else size = middle;
  }
  return groups.map((rows) => {
    if (rows.length <= low) return rows;
    const order = random.permutation(rows.length);
    return Int32Array.from({ length: low }, (_, i) => rows[order[i]]);
  });
}

/** Deviations of subclass means and of samples around them, squares summing to 1. */
export function deviationsOf({ steps }: MixtureDesign): { between: number; within: number } {
  const angle = ((steps / STEPS) * Math.PI) / 2;
  return { between: Math.sin(angle), within: Math.cos(angle) };
}

/** Weight of every row, subclass after subclass, that gives the subclasses equal parts; null where they are of one size. */
export function equalWeights(sizes: readonly number[]): Float64Array | null {
  if (sizes.every((size) => size === sizes[0])) return null;
  return Float64Array.from(sizes.flatMap((size) => new Array<number>(size).fill(1 / (sizes.length * size))));
}

/** Design of a view's samples, with the intraclass correlation of an analysis of variance. */
export function designOf(values: Float64Array, groups: SubclassRows): MixtureDesign {
  const sizes = groups.map((rows) => rows.length).sort((a, b) => a - b);
  const correlation = intraclassCorrelation(values, groups);
  const angle = Math.asin(Math.sqrt(correlation)) / (Math.PI / 2);
  return { sizes, steps: Math.max(0, Math.ceil(STEPS * angle - 1e-9)) };
}

/**
 * Share of the variance that lies between subclasses, less what their finite samples add, in [0, 1].
 *
 *     (MSB - MSW) / (MSB + (m - 1) MSW),   m = (N - sum_c n_c^2 / N) / (C - 1)
 *
 * Source: Searle, Casella and McCulloch, Variance Components (1992), section 3.6. Single rows each in a subclass are independent: 0.
 */
function intraclassCorrelation(values: Float64Array, groups: SubclassRows): number {
  const count = groups.length;
  const total = groups.reduce((sum, rows) => sum + rows.length, 0);
  if (total === count) return 0;
  const means = groups.map((rows) => rows.reduce((sum, row) => sum + values[row], 0) / rows.length);
  const overall = groups.reduce((sum, rows, c) => sum + (rows.length * means[c]) / total, 0);
  let between = 0;
  let within = 0;
  groups.forEach((rows, c) => {
    between += rows.length * (means[c] - overall) ** 2;
    for (const row of rows) within += (values[row] - means[c]) ** 2;
  });
  const squares = groups.reduce((sum, rows) => sum + rows.length ** 2, 0);
  const size = (total - squares / total) / (count - 1);
  between /= count - 1;
  within /= total - count;
  const correlation = (between - within) / (between + (size - 1) * within);
  return Math.min(1, Math.max(0, correlation));
}
