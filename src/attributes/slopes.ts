import type { Matrix } from '../linalg';

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

/** Visits every row's deviation from the regression line, a buffer that is reused, with the deviation of its contrast. */
export function forResiduals(
  z: Matrix,
  contrast: Float64Array,
  { rows, delta }: Slope,
  visit: (residual: Float64Array, deviation: number) => void,
): void {
  const center = rows.reduce((sum, i) => sum + contrast[i], 0) / rows.length;
  const mean = new Float64Array(z.cols);
  for (const i of rows) {
    const row = z.row(i);
    for (let j = 0; j < mean.length; j++) mean[j] += row[j] / rows.length;
  }
  const residual = new Float64Array(z.cols);
  for (const i of rows) {
    const row = z.row(i);
    const deviation = contrast[i] - center;
    for (let j = 0; j < residual.length; j++) residual[j] = row[j] - mean[j] - deviation * delta[j];
    visit(residual, deviation);
  }
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
  for (const part of parts) {
    forResiduals(z, contrast, part, (residual) => {
      for (let j = 0; j < squares.length; j++) squares[j] += residual[j] ** 2;
    });
  }
  const weight = parts.reduce((sum, part) => sum + part.weight, 0);
  return squares.map((value) => Math.abs(scale) * Math.sqrt(value / freedom / weight));
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
