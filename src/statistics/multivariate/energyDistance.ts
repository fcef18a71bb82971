import type { RandomStream } from '../../core/random';
import { Matrix } from '../../linalg';
import { dot } from '../covariance';
import { logGamma } from '../special';
import { squaredDistance, whiten } from './whitening';

/**
 * Energy statistic of multivariate normality from whitened rows y, [n, p], rescaled to covariance I with divisor n - 1.
 *
 *     E = n (2/n sum_i E|y_i - Z| - E|Z - Z'| - 1/n^2 sum_ij |y_i - y_j|),   Z, Z' standard normal
 *
 * Source: Szekely and Rizzo, "A new test for multivariate normality" (2005), doi:10.1016/j.jmva.2003.12.002.
 */
export function energyStatistic(whitened: Matrix): number {
  const { rows: n, cols: p } = whitened;
  const rescale = (n - 1) / n;
  const atOrigin = Math.SQRT2 * Math.exp(logGamma((p + 1) / 2) - logGamma(p / 2));
  let singles = 0;
  let pairs = 0;
  for (let i = 0; i < n; i++) {
    const row = whitened.row(i);
    singles += meanDistance((rescale * dot(row, row)) / 2, p, atOrigin);
    for (let j = 0; j < i; j++) pairs += 2 * Math.sqrt(squaredDistance(row, whitened.row(j)));
  }
  return 2 * singles - n * Math.SQRT2 * atOrigin - (Math.sqrt(rescale) * pairs) / n;
}

/**
 * Share of normal samples of the same size whose statistic is at least as large: (1 + count) / (1 + replicates).
 */
export function energyP(
  statistic: number,
  n: number,
  p: number,
  replicates: number,
  random: RandomStream,
): number {
  let count = 0;
  for (let r = 0; r < replicates; r++) {
    const drawn = whiten('multivariateNormality', new Matrix(random.normalArray(n * p), n, p));
    if (energyStatistic(drawn) >= statistic) count++;
  }
  return (1 + count) / (1 + replicates);
}

/**
 * E|a + Z| in p dimensions, with lambda = |a|^2 / 2: a Poisson(lambda) mixture of mean lengths of p + 2k dimensions.
 *
 * Summed outwards from the largest weight, so it neither overflows nor cancels.
 */
function meanDistance(lambda: number, p: number, atOrigin: number): number {
  if (lambda === 0) return atOrigin;
  const peak = Math.floor(lambda);
  const weight = Math.exp(peak * Math.log(lambda) - lambda - logGamma(peak + 1));
  const length = Math.SQRT2 * Math.exp(logGamma((p + 1) / 2 + peak) - logGamma(p / 2 + peak));
  let sum = weight * length;
  let term = sum;
  for (let k = peak; term > sum * 1e-17; k++) {
    term *= (lambda / (k + 1)) * (((p + 1) / 2 + k) / (p / 2 + k));
    sum += term;
  }
  term = weight * length;
  for (let k = peak; k > 0 && term > sum * 1e-17; k--) {
    term *= (k / lambda) * ((p / 2 + k - 1) / ((p + 1) / 2 + k - 1));
    sum += term;
  }
  return sum;
}
