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
 * Covariance of within-class residuals in the form asked for, shrunk towards a multiple of the identity; the diagonal form is not shrunk.
 *
 * Ledoit and Wolf's estimate divides by the number of rows; `degreesOfFreedom` (rows minus classes) makes it unbiased for residuals of
 * small classes. The low-rank form keeps the leading principal components and all variances of the full estimate.
 *
 * @param constant columns that never vary; they get the variance 1
 */
export function estimateWithin(
  where: string,
  residuals: Matrix,
  degreesOfFreedom: number,
  kind: PriorCovarianceKind,
  rank: number,
  constant: readonly number[] = [],
): Covariance {
  if (residuals.data.every((value) => value === 0)) {
    throw new DataError(complaint(where, 'samples that differ within their subclass', 'none that do'));
  }
  const correction = residuals.rows / degreesOfFreedom;
  const variances = columnVariances(residuals);
  for (const j of constant) variances[j] = 1 / correction;
  if (kind === 'diagonal') return new DiagonalCovariance(variances).scaled(correction);
  if (kind === 'full') {
    const scatter = gram(residuals.transpose());
    const shrinkage = weightOf(where, residuals, degreesOfFreedom, scatter);
    for (const j of constant) scatter.data[j * (scatter.cols + 1)] = degreesOfFreedom;
    return new FullCovariance(shrinkScatter(scatter, residuals.rows, shrinkage)).scaled(correction);
  }
  return lowRankWithin(where, residuals, degreesOfFreedom, variances, rank).scaled(correction);
}

/**
 * Weight of the identity; all of it for a single deviation, which Ledoit and Wolf's estimate would leave as it is, and singular, as it has no
 * error to estimate.
 */
function weightOf(where: string, residuals: Matrix, degreesOfFreedom: number, products: Matrix): number {
  return degreesOfFreedom < 2 ? 1 : shrinkageOf(where, residuals, sumOfSquares(products.data));
}

function lowRankWithin(
  where: string,
  residuals: Matrix,
  degreesOfFreedom: number,
  noise: Float64Array,
  rank: number,
): LowRankCovariance {
  const { rows: n, cols: d } = residuals;
  const wide = d > n;
  const products = gram(wide ? residuals : residuals.transpose());
  const shrinkage = weightOf(where, residuals, degreesOfFreedom, products);
  const { variances, directions } = wide
    ? componentsFromGram(residuals, products, rank)
    : principalComponents(residuals, rank);
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

function columnVariances(residuals: Matrix): Float64Array {
  const result = new Float64Array(residuals.cols);
  for (let i = 0; i < residuals.rows; i++) {
    const row = residuals.row(i);
    for (let j = 0; j < result.length; j++) result[j] += row[j] * row[j];
  }
  return result.map((value) => value / residuals.rows);
}
