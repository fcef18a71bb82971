import type { Matrix } from '../../linalg';
import { dot } from '../covariance';
import { chiSquaredSf, normalSf } from '../special';

/** Mardia's multivariate skewness and kurtosis with their tests. */
export interface MardiaResult {
  /** b1 = mean over pairs of (y_i . y_j)^3; 0 for a normal distribution. */
  skewness: number;
  /** b2 = mean of |y_i|^4; p (p + 2) for a normal distribution. */
  kurtosis: number;
  /** n b1 / 6, chi-squared with p (p + 1) (p + 2) / 6 degrees of freedom. */
  skewnessStatistic: number;
  skewnessP: number;
  /** The same, corrected for small n: what to use below n = 100 or so. */
  skewnessStatisticSmallSample: number;
  skewnessPSmallSample: number;
  /** (b2 - p (p + 2)) / sqrt(8 p (p + 2) / n), standard normal. */
  kurtosisStatistic: number;
  kurtosisP: number;
}

/**
 * Mardia's tests from whitened rows y, [n, p].
 *
 * Sources: Mardia, "Measures of multivariate skewness and kurtosis" (1970), doi:10.1093/biomet/57.3.519;
 * small-sample factor: Mardia, "Applications of some measures of multivariate skewness and kurtosis" (1974).
 */
export function mardia(whitened: Matrix): MardiaResult {
  const { rows: n, cols: p } = whitened;
  let cubes = 0;
  let fourths = 0;
  for (let i = 0; i < n; i++) {
    const row = whitened.row(i);
    const own = dot(row, row);
    cubes += own ** 3;
    fourths += own ** 2;
    for (let j = 0; j < i; j++) cubes += 2 * dot(row, whitened.row(j)) ** 3;
  }
  const skewness = cubes / (n * n);
  const kurtosis = fourths / n;
  const df = (p * (p + 1) * (p + 2)) / 6;
  const factor = ((p + 1) * (n + 1) * (n + 3)) / (n * ((n + 1) * (p + 1) - 6));
  const skewnessStatistic = (n * skewness) / 6;
  const skewnessStatisticSmallSample = skewnessStatistic * factor;
  const kurtosisStatistic = (kurtosis - p * (p + 2)) / Math.sqrt((8 * p * (p + 2)) / n);
  return {
    skewness,
    kurtosis,
    skewnessStatistic,
    skewnessP: chiSquaredSf(skewnessStatistic, df),
    skewnessStatisticSmallSample,
    skewnessPSmallSample: chiSquaredSf(skewnessStatisticSmallSample, df),
    kurtosisStatistic,
    kurtosisP: 2 * normalSf(Math.abs(kurtosisStatistic)),
  };
}
