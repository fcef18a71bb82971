import type { Matrix } from '../../linalg';
import { dot } from '../covariance';
import { normalSf } from '../special';
import { squaredDistance } from './whitening';

/** Henze-Zirkler statistic and its lognormal p-value. */
export interface HenzeZirklerResult {
  statistic: number;
  p: number;
}

/**
 * Henze-Zirkler test from whitened rows y, [n, p]: weighted distance between empirical and normal characteristic functions.
 *
 *     HZ = 1/n sum_ij exp(-b^2/2 |y_i - y_j|^2) - 2 (1 + b^2)^(-p/2) sum_i exp(-b^2 |y_i|^2 / (2 (1 + b^2))) + n (1 + 2 b^2)^(-p/2)
 *     b = (n (2p + 1) / 4)^(1/(p+4)) / sqrt(2)
 *
 * Source: Henze and Zirkler, "A class of invariant consistent tests for multivariate normality" (1990), doi:10.1080/03610929008830400.
 */
export function henzeZirkler(whitened: Matrix): HenzeZirklerResult {
  const { rows: n, cols: p } = whitened;
  const b2 = ((n * (2 * p + 1)) / 4) ** (2 / (p + 4)) / 2;
  let pairs = n;
  let singles = 0;
  for (let i = 0; i < n; i++) {
    const row = whitened.row(i);
    singles += Math.exp((-b2 * dot(row, row)) / (2 * (1 + b2)));
    for (let j = 0; j < i; j++) pairs += 2 * Math.exp((-b2 / 2) * squaredDistance(row, whitened.row(j)));
  }
  const statistic = pairs / n - 2 * (1 + b2) ** (-p / 2) * singles + n * (1 + 2 * b2) ** (-p / 2);
  const { mean, variance } = nullMoments(b2, p);
  const logMean = Math.log(mean) - 0.5 * Math.log1p(variance / mean ** 2);
  const logDeviation = Math.sqrt(Math.log1p(variance / mean ** 2));
  return { statistic, p: normalSf((Math.log(statistic) - logMean) / logDeviation) };
}

/** Mean and variance of HZ under normality (theorem 3.2). */
function nullMoments(b2: number, p: number): { mean: number; variance: number } {
  const b4 = b2 * b2;
  const b8 = b4 * b4;
  const a = 1 + 2 * b2;
  const w = (1 + b2) * (1 + 3 * b2);
  const mean = 1 - a ** (-p / 2) * (1 + (p * b2) / a + (p * (p + 2) * b4) / (2 * a * a));
  const variance =
    2 * (1 + 4 * b2) ** (-p / 2) +
    2 * a ** -p * (1 + (2 * p * b4) / a ** 2 + (3 * p * (p + 2) * b8) / (4 * a ** 4)) -
    4 * w ** (-p / 2) * (1 + (3 * p * b4) / (2 * w) + (p * (p + 2) * b8) / (2 * w * w));
  return { mean, variance };
}
