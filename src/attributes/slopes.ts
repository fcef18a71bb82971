import { RandomStream, type Seed } from '../core/random';
import type { Matrix } from '../linalg';
import { dot } from '../statistics/covariance';
import type { LabeledLatents } from './labeled';

/** Regression of z on the contrast within one stratum; weight 0 where the contrast does not vary. */
export interface Slope {
  rows: Int32Array;
  delta: Float64Array;
  /** Sum of squared deviations of the contrast; n_pos n_neg / (n_pos + n_neg) for two groups. */
  weight: number;
  positiveCount: number;
  negativeCount: number;
}

/** The regression in the given rows, without those that are left out of the contrast. */
export function slopeOf(z: Matrix, contrast: Float64Array, all: Int32Array): Slope {
  const rows = all.filter((i) => !Number.isNaN(contrast[i]));
  const delta = new Float64Array(z.cols);
  const center = rows.reduce((sum, i) => sum + contrast[i], 0) / rows.length;
  const differs = rows.some((i) => contrast[i] !== contrast[rows[0]]);
  let weight = 0;
  let positiveCount = 0;
  for (const i of differs ? rows : []) {
    const deviation = contrast[i] - center;
    const row = z.row(i);
    for (let j = 0; j < delta.length; j++) delta[j] += deviation * row[j];
    weight += deviation * deviation;
    if (deviation > 0) positiveCount++;
  }
  if (weight > 0) for (let j = 0; j < delta.length; j++) delta[j] /= weight;
  return { rows, delta, weight, positiveCount, negativeCount: rows.length - positiveCount };
}

/** Mean of the slopes by their weights. */
export function weightedMean(parts: readonly Slope[]): Float64Array {
  const total = parts.reduce((sum, part) => sum + part.weight, 0);
  const mean = new Float64Array(parts[0].delta.length);
  for (const { delta, weight } of parts) {
    for (let j = 0; j < mean.length; j++) mean[j] += (weight / total) * delta[j];
  }
  return mean;
}

/** sqrt(s_j^2 / sum of weights) with s_j^2 pooled over the strata around their own regression lines. */
export function standardError(
  z: Matrix,
  contrast: Float64Array,
  parts: readonly Slope[],
  scale: number,
): Float64Array | null {
  const freedom = parts.reduce((sum, part) => sum + part.rows.length - 2, 0);
  if (freedom < 1) return null;
  const squares = new Float64Array(z.cols);
  for (const { rows, delta } of parts) {
    const center = rows.reduce((sum, i) => sum + contrast[i], 0) / rows.length;
    const mean = new Float64Array(z.cols);
    for (const i of rows) {
      const row = z.row(i);
      for (let j = 0; j < mean.length; j++) mean[j] += row[j] / rows.length;
    }
    for (const i of rows) {
      const row = z.row(i);
      for (let j = 0; j < mean.length; j++) {
        squares[j] += (row[j] - mean[j] - (contrast[i] - center) * delta[j]) ** 2;
      }
    }
  }
  const weight = parts.reduce((sum, part) => sum + part.weight, 0);
  return squares.map((value) => Math.abs(scale) * Math.sqrt(value / freedom / weight));
}

/** rho with its reason where there is none. */
export function directionConsistency(
  data: LabeledLatents,
  contrast: Float64Array,
  parts: readonly Slope[],
  replicates: number,
  seed: Seed,
): { consistency: number | null; consistencyReason: string | null } {
  const used = parts.filter((part) => part.weight > 0);
  const missing = (consistencyReason: string) => ({ consistency: null, consistencyReason });
  if (used.length < 2) return missing('fewer than 2 subclasses have samples on both sides');
  const sum = new Float64Array(data.z.cols);
  let squares = 0;
  for (const { delta } of used) {
    squares += dot(delta, delta);
    for (let j = 0; j < sum.length; j++) sum[j] += delta[j];
  }
  const across = (dot(sum, sum) - squares) / (used.length * (used.length - 1));
  const random = new RandomStream(seed);
  let within = 0;
  let count = 0;
  for (let split = 0; split < replicates; split++) {
    for (const { rows } of used) {
      const [first, second] = halves(rows, contrast, random).map((half) => slopeOf(data.z, contrast, half));
      if (first.weight === 0 || second.weight === 0) continue;
      within += dot(first.delta, second.delta);
      count++;
    }
  }
  if (count === 0) return missing('no subclass has 2 samples on both sides, so none can be split');
  if (within <= 0) return missing('the direction does not stand out from noise within the subclasses');
  return { consistency: across / (within / count), consistencyReason: null };
}

/** Two random halves with the upper and the lower contrasts shared out evenly. */
function halves(rows: Int32Array, contrast: Float64Array, random: RandomStream): [Int32Array, Int32Array] {
  const order = random.permutation(rows.length);
  const shuffled = Array.from(order, (k) => rows[k]).sort((a, b) => contrast[a] - contrast[b]);
  const first: number[] = [];
  const second: number[] = [];
  let flip = false;
  shuffled.forEach((row, k) => {
    if (k % 2 === 0) flip = random.uniformNumber() < 0.5;
    ((k % 2 === 0) === flip ? first : second).push(row);
  });
  return [Int32Array.from(first), Int32Array.from(second)];
}

/** Within-stratum standard deviation of the attribute over its change per unit of contrast. */
export function deviationInSteps(
  values: Float64Array,
  contrast: Float64Array,
  parts: readonly Slope[],
): number {
  let product = 0;
  let squares = 0;
  let weight = 0;
  let freedom = 0;
  for (const { rows, weight: own } of parts) {
    const center = rows.reduce((sum, i) => sum + contrast[i], 0) / rows.length;
    const mean = rows.reduce((sum, i) => sum + values[i], 0) / rows.length;
    for (const i of rows) {
      product += (values[i] - mean) * (contrast[i] - center);
      squares += (values[i] - mean) ** 2;
    }
    weight += own;
    freedom += rows.length - 1;
  }
  return Math.sqrt(squares / freedom) / Math.abs(product / weight);
}
