import type { VectorInput } from '../inputs';
import { normalLogCdf } from '../special';
import { printableTest, probability, type Sample, type StatisticalTest, toSample } from './sample';

/** Smallest n that the p-value was fitted for. */
const SMALLEST = 8;

/**
 * Anderson-Darling test of normality with fitted mean and deviation; weighs the tails.
 *
 *     A^2 = -n - 1/n sum_i (2i - 1) [ln Phi(z_(i)) + ln Phi(-z_(n+1-i))]
 *
 * The statistic is A^2 itself; the p-value uses A^2 (1 + 0.75/n + 2.25/n^2).
 *
 * @param x n >= 3 values; the p-value is null below n = 8 and stops falling at 3.7e-24
 * @throws DataError for fewer than 3 values, values that are not finite, or all equal
 * Source: D'Agostino and Stephens, Goodness-of-Fit Techniques (1986), table 4.9.
 * @example
 * const { statistic, p } = andersonDarling([2.1, 3.4, 1.9, 2.8, 3.0, 2.2, 2.6, 2.9]);
 */
export function andersonDarling(x: VectorInput): StatisticalTest {
  return printableTest(andersonDarlingOf(toSample('andersonDarling', x)));
}

export function andersonDarlingOf({ n, standardized }: Sample): StatisticalTest {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += (2 * i + 1) * (normalLogCdf(standardized[i]) + normalLogCdf(-standardized[n - 1 - i]));
  }
  const statistic = -n - sum / n;
  if (n < SMALLEST) return { statistic, p: null, reason: `the p-value needs n >= ${SMALLEST}` };
  return { statistic, p: probability(pValue(statistic * (1 + 0.75 / n + 2.25 / (n * n)))) };
}

function pValue(a: number): number {
  if (a < 0.2) return 1 - Math.exp(-13.436 + 101.14 * a - 223.73 * a * a);
  if (a < 0.34) return 1 - Math.exp(-8.318 + 42.796 * a - 59.938 * a * a);
  if (a < 0.6) return Math.exp(0.9177 - 4.279 * a - 1.38 * a * a);
  if (a < 10) return Math.exp(1.2937 - 5.709 * a + 0.0186 * a * a);
  return 3.7e-24;
}
