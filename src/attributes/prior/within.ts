import { complaint, DataError } from '../../core/errors';
import { componentsFromGram, gram, Matrix, principalComponents } from '../../linalg';
import {
  type Covariance,
  DiagonalCovariance,
  FullCovariance,
  LowRankCovariance,
} from '../../statistics/covariance';
import { shrinkageOf, shrinkScatter, sumOfSquares } from '../../statistics/ledoitWolf';

/** Form of the covariances of a prior. */
export type PriorCovarianceKind = 'full' | 'diagonal' | 'lowRank';

/**
 * Shrunk covariance of within-class residuals in the form asked for.
 *
 * Ledoit and Wolf's estimate divides by the number of rows; `degreesOfFreedom` (rows minus classes) makes it unbiased for residuals of
 * small classes. The low-rank form keeps the leading principal components and all variances of the full estimate.
 */
export function estimateWithin(
  where: string,
  residuals: Matrix,
  degreesOfFreedom: number,
  kind: PriorCovarianceKind,
  rank: number,
): Covariance {
  if (residuals.data.every((value) => value === 0)) {
    throw new DataError(complaint(where, 'samples that differ within their subclass', 'none that do'));
  }
  const correction = residuals.rows / degreesOfFreedom;
  if (kind === 'diagonal') return new DiagonalCovariance(shrunkVariances(residuals)).scaled(correction);
  if (kind === 'full') {
    const scatter = gram(residuals.transpose());
    const shrinkage = shrinkageOf(where, residuals, sumOfSquares(scatter.data));
    return new FullCovariance(shrinkScatter(scatter, residuals.rows, shrinkage)).scaled(correction);
  }
  return lowRankWithin(where, residuals, rank).scaled(correction);
}

function lowRankWithin(where: string, residuals: Matrix, rank: number): LowRankCovariance {
  const { rows: n, cols: d } = residuals;
  const wide = d > n;
  const products = gram(wide ? residuals : residuals.transpose());
  const shrinkage = shrinkageOf(where, residuals, sumOfSquares(products.data));
  const { variances, directions } = wide
    ? componentsFromGram(residuals, products, rank)
    : principalComponents(residuals, rank);
  const noise = columnVariances(residuals);
  const target = noise.reduce((sum, value) => sum + value, 0) / d;
  const factors = Matrix.zeros(directions.rows, d);
  for (let k = 0; k < directions.rows; k++) {
    const direction = directions.row(k);
    const factor = factors.row(k);
    for (let j = 0; j < d; j++) {
      factor[j] = Math.sqrt((1 - shrinkage) * variances[k]) * direction[j];
      noise[j] -= variances[k] * direction[j] * direction[j];
    }
  }
  // What the components leave of a coordinate's variance may round to 0; a thousandth of the mean keeps the inverse bounded.
  const least = 1e-3 * target;
  for (let j = 0; j < d; j++) {
    noise[j] = Math.max(least, (1 - shrinkage) * noise[j] + shrinkage * target);
  }
  return new LowRankCovariance(noise, factors);
}

/**
 * Variances shrunk towards their mean, by Ledoit and Wolf's rule restricted to diagonal matrices:
 * a = min(1, sum_j var(s_j) / sum_j (s_j - mean)^2), var(s_j) = (mean of fourth powers - s_j^2) / n.
 */
export function shrunkVariances(residuals: Matrix): Float64Array {
  const { rows: n, cols: d } = residuals;
  const variances = columnVariances(residuals);
  const mean = variances.reduce((sum, value) => sum + value, 0) / d;
  let fourth = 0;
  for (let i = 0; i < residuals.data.length; i++) fourth += residuals.data[i] ** 4 / n;
  const squares = sumOfSquares(variances);
  const spread = squares - d * mean * mean;
  const weight = spread > 0 ? Math.max(0, Math.min(1, (fourth - squares) / n / spread)) : 0;
  return variances.map((value) => (1 - weight) * value + weight * mean);
}

function columnVariances(residuals: Matrix): Float64Array {
  const result = new Float64Array(residuals.cols);
  for (let i = 0; i < residuals.rows; i++) {
    const row = residuals.row(i);
    for (let j = 0; j < result.length; j++) result[j] += row[j] * row[j];
  }
  return result.map((value) => value / residuals.rows);
}
