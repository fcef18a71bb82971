import type { VectorInput } from '../inputs';
import { cramerVonMisesStatistic, normalProbabilities } from './empirical';
import { printableTest, probability, type Sample, type StatisticalTest, toSample } from './sample';

/** Smallest n that the p-value was fitted for. */
const SMALLEST = 8;

/**
 * Cramer-von Mises test of normality with fitted mean and deviation.
 *
 *     W^2 = 1/(12n) + sum_i (Phi(z_(i)) - (2i - 1)/(2n))^2
 *
 * The statistic is W^2 itself; the p-value uses W^2 (1 + 0.5/n).
 *
 * @param x n >= 3 values; the p-value is null below n = 8 and stops falling at 7.37e-10
 * @throws DataError for fewer than 3 values, values that are not finite, or all equal
 * Source: D'Agostino and Stephens, Goodness-of-Fit Techniques (1986), table 4.9.
 * @example
 * const { statistic, p } = cramerVonMises([2.1, 3.4, 1.9, 2.8, 3.0, 2.2, 2.6, 2.9]);
 */
export function cramerVonMises(x: VectorInput): StatisticalTest {
  return printableTest(cramerVonMisesOf(toSample('cramerVonMises', x)));
}

export function cramerVonMisesOf({ n, standardized }: Sample): StatisticalTest {
  const statistic = cramerVonMisesStatistic(normalProbabilities(standardized));
  if (n < SMALLEST) return { statistic, p: null, reason: `the p-value needs n >= ${SMALLEST}` };
  return { statistic, p: probability(pValue(statistic * (1 + 0.5 / n))) };
}

function pValue(w: number): number {
  if (w < 0.0275) return 1 - Math.exp(-13.953 + 775.5 * w - 12542.61 * w * w);
  if (w < 0.051) return 1 - Math.exp(-5.903 + 179.546 * w - 1515.29 * w * w);
  if (w < 0.092) return Math.exp(0.886 - 31.62 * w + 10.897 * w * w);
  if (w < 1.1) return Math.exp(1.111 - 34.242 * w + 12.832 * w * w);
  return 7.37e-10;
}
