import type { VectorInput } from '../inputs';
import { printableTest, type Sample, type StatisticalTest, toSample } from './sample';

/**
 * Jarque-Bera test of normality. Its p-value is asymptotic and far too large below n = 2000 or so: use `replicates` there.
 *
 *     JB = n/6 (skewness^2 + excessKurtosis^2 / 4), chi-squared with 2 degrees of freedom
 *
 * @param x n >= 3 values
 * @throws DataError for fewer than 3 values, values that are not finite, or all equal
 * Source: Jarque and Bera, "A test for normality of observations and regression residuals" (1987), doi:10.2307/1403192.
 * @example
 * const { statistic, p } = jarqueBera([2.1, 3.4, 1.9, 2.8, 3.0, 2.2, 2.6, 2.9]);
 */
export function jarqueBera(x: VectorInput): StatisticalTest {
  return printableTest(jarqueBeraOf(toSample('jarqueBera', x)));
}

export function jarqueBeraOf({ n, skewness, excessKurtosis }: Sample): StatisticalTest {
  const statistic = (n / 6) * (skewness ** 2 + excessKurtosis ** 2 / 4);
  return { statistic, p: Math.exp(-statistic / 2) };
}
