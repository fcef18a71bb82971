import type { VectorInput } from '../inputs';
import { kolmogorovDistance, normalProbabilities } from './empirical';
import {
  polynomial,
  printableTest,
  probability,
  type Sample,
  type StatisticalTest,
  toSample,
} from './sample';

/** Smallest n that the p-value was fitted for. */
const SMALLEST = 5;

/**
 * Lilliefors test: the Kolmogorov-Smirnov distance to the normal with the sample's own mean and deviation,
 * with the p-value that this fitting calls for.
 *
 *     D = sup_x |F_n(x) - Phi((x - mean) / sd)|
 *
 * @param x n >= 3 values; the p-value is null below n = 5
 * @throws DataError for fewer than 3 values, values that are not finite, or all equal
 * Source: Lilliefors (1967), doi:10.2307/2283970; p-value of Dallal and Wilkinson (1986), doi:10.2307/2684607,
 * above 0.1 Stephens' modified statistic (1974), doi:10.2307/2286009.
 * @example
 * const { statistic, p } = lilliefors([2.1, 3.4, 1.9, 2.8, 3.0, 2.2, 2.6]);
 */
export function lilliefors(x: VectorInput): StatisticalTest {
  return printableTest(lillieforsOf(toSample('lilliefors', x)));
}

export function lillieforsOf({ n, standardized }: Sample): StatisticalTest {
  const statistic = kolmogorovDistance(normalProbabilities(standardized));
  if (n < SMALLEST) return { statistic, p: null, reason: `the p-value needs n >= ${SMALLEST}` };
  return { statistic, p: probability(pValue(statistic, n)) };
}

function pValue(distance: number, n: number): number {
  const size = Math.min(n, 100);
  const scaled = distance * (n / size) ** 0.49;
  const root = Math.sqrt(size + 2.78019);
  const p = Math.exp(
    -7.01256 * (scaled * root) ** 2 +
      2.99587 * scaled * root -
      0.122119 +
      0.974598 / Math.sqrt(size) +
      1.67997 / size,
  );
  if (p <= 0.1) return p;
  const modified = (Math.sqrt(n) - 0.01 + 0.85 / Math.sqrt(n)) * distance;
  if (modified <= 0.302) return 1;
  if (modified <= 0.5) {
    return polynomial(modified, [2.76773, -19.828315, 80.709644, -138.55152, 81.218052]);
  }
  if (modified <= 0.9) {
    return polynomial(modified, [-4.901232, 40.662806, -97.490286, 94.029866, -32.355711]);
  }
  if (modified <= 1.31) {
    return polynomial(modified, [6.198765, -19.558097, 23.186922, -12.234627, 2.423045]);
  }
  return 0;
}
