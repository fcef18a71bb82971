import type { VectorInput } from '../inputs';
import { chiSquaredSf } from '../special';
import { printableTest, type Sample, type StatisticalTest, toSample } from './sample';

/** Smallest n at which the transformation of the skewness is defined. */
const SMALLEST = 8;

/**
 * D'Agostino's K^2 test of normality: skewness and kurtosis, each as a normal score.
 *
 *     K^2 = Z(skewness)^2 + Z(kurtosis)^2, chi-squared with 2 degrees of freedom
 *
 * Beyond .05 the p-value is too small: at .01 it rejects 2 % of normal samples of 20 to 50 and 1.6 % of 100, at .001 0.5 %.
 * `normality` with `replicates` has a p-value that holds there.
 *
 * @param x n >= 8 values; below, statistic and p-value are null
 * @throws DataError for fewer than 3 values, values that are not finite, or all equal
 * Source: D'Agostino, Belanger and D'Agostino, "A suggestion for using powerful and informative tests of normality" (1990),
 * doi:10.2307/2684359; kurtosis by Anscombe and Glynn (1983), doi:10.1093/biomet/70.1.227.
 * @example
 * const { statistic, p } = dagostinoK2([2.1, 3.4, 1.9, 2.8, 3.0, 2.2, 2.6, 2.9]);
 */
export function dagostinoK2(x: VectorInput): StatisticalTest {
  return printableTest(dagostinoK2Of(toSample('dagostinoK2', x)));
}

export function dagostinoK2Of({ n, skewness, excessKurtosis }: Sample): StatisticalTest {
  if (n < SMALLEST) return { statistic: null, p: null, reason: `the test needs n >= ${SMALLEST}` };
  const statistic = skewnessScore(skewness, n) ** 2 + kurtosisScore(excessKurtosis, n) ** 2;
  return { statistic, p: chiSquaredSf(statistic, 2) };
}

function skewnessScore(skewness: number, n: number): number {
  const y = skewness * Math.sqrt(((n + 1) * (n + 3)) / (6 * (n - 2)));
  const beta2 = (3 * (n * n + 27 * n - 70) * (n + 1) * (n + 3)) / ((n - 2) * (n + 5) * (n + 7) * (n + 9));
  const w2 = Math.sqrt(2 * (beta2 - 1)) - 1;
  return Math.asinh(y * Math.sqrt((w2 - 1) / 2)) / Math.sqrt(0.5 * Math.log(w2));
}

function kurtosisScore(excessKurtosis: number, n: number): number {
  const mean = -6 / (n + 1);
  const variance = (24 * n * (n - 2) * (n - 3)) / ((n + 1) ** 2 * (n + 3) * (n + 5));
  const x = (excessKurtosis - mean) / Math.sqrt(variance);
  const skew =
    ((6 * (n * n - 5 * n + 2)) / ((n + 7) * (n + 9))) *
    Math.sqrt((6 * (n + 3) * (n + 5)) / (n * (n - 2) * (n - 3)));
  const a = 6 + (8 / skew) * (2 / skew + Math.sqrt(1 + 4 / (skew * skew)));
  const ratio = (1 - 2 / a) / (1 + x * Math.sqrt(2 / (a - 4)));
  return (1 - 2 / (9 * a) - Math.cbrt(ratio)) / Math.sqrt(2 / (9 * a));
}
