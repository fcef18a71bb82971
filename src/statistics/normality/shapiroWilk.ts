import type { VectorInput } from '../inputs';
import { normalQuantile, normalSf } from '../special';
import {
  polynomial,
  printableTest,
  probability,
  type Sample,
  type StatisticalTest,
  toSample,
} from './sample';

/** Largest n that Royston fitted the p-value for. */
const LARGEST = 5000;

/**
 * Shapiro-Wilk test of normality: how well the sorted values follow normal scores. Small W speaks against normality.
 *
 *     W = (sum_i a_i x_(i))^2 / sum_i (x_i - mean)^2
 *
 * @param x n >= 3 values; the p-value holds up to n = 5000, above it is null
 * @throws DataError for fewer than 3 values, values that are not finite, or all equal
 * Source: Royston, "Algorithm AS R94" (1995), doi:10.2307/2986146.
 * @example
 * const { statistic, p } = shapiroWilk([2.1, 3.4, 1.9, 2.8, 3.0, 2.2, 2.6]);
 */
export function shapiroWilk(x: VectorInput): StatisticalTest {
  return printableTest(shapiroWilkOf(toSample('shapiroWilk', x)));
}

export function shapiroWilkOf(sample: Sample): StatisticalTest {
  const { n, standardized } = sample;
  const weights = weightsFor(n);
  // 1 - W is formed as a product, since W itself is often within 1e-3 of 1.
  let dot = 0;
  let squares = 0;
  let weightSquares = 0;
  for (let i = 0; i < n; i++) {
    dot += weights[i] * standardized[i];
    squares += standardized[i] ** 2;
    weightSquares += weights[i] ** 2;
  }
  const norm = Math.sqrt(weightSquares * squares);
  const complement = Math.max(0, ((norm - dot) * (norm + dot)) / (weightSquares * squares));
  const statistic = 1 - complement;
  if (n > LARGEST) {
    const reason = `the p-value was fitted for n <= ${LARGEST}; draw a subsample or use replicates`;
    return { statistic, p: null, reason };
  }
  if (n === 3) {
    const p = (6 / Math.PI) * (Math.asin(Math.sqrt(statistic)) - Math.asin(Math.sqrt(0.75)));
    return { statistic, p: probability(p) };
  }
  return { statistic, p: normalSf(shapiroWilkScore(complement, n)) };
}

/** 1 - W as a standard normal score, large where normality fails; 4 <= n. */
export function shapiroWilkScore(complement: number, n: number): number {
  const y = Math.log(complement);
  if (n <= 11) {
    // Above y for every attainable W: even at n = 4, W cannot fall below 0.6.
    const bound = -2.273 + 0.459 * n;
    const mean = polynomial(n, [0.544, -0.39978, 0.025054, -6.714e-4]);
    const deviation = Math.exp(polynomial(n, [1.3822, -0.77857, 0.062767, -0.0020322]));
    return (-Math.log(bound - y) - mean) / deviation;
  }
  const logN = Math.log(n);
  const mean = polynomial(logN, [-1.5861, -0.31082, -0.083751, 0.0038915]);
  const deviation = Math.exp(polynomial(logN, [-0.4803, -0.082676, 0.0030302]));
  return (y - mean) / deviation;
}

let cached: Float64Array = new Float64Array(0);

/** Royston's approximation of the weights a_1 .. a_n, antisymmetric; the last n is remembered. */
function weightsFor(n: number): Float64Array {
  if (cached.length === n) return cached;
  const weights = new Float64Array(n);
  const half = Math.floor(n / 2);
  const scores = Float64Array.from({ length: half }, (_, i) => normalQuantile((i + 0.625) / (n + 0.25)));
  const total = 2 * scores.reduce((sum, score) => sum + score * score, 0);
  const outer: number[] = [];
  if (n === 3) {
    outer.push(Math.SQRT1_2);
  } else {
    const u = 1 / Math.sqrt(n);
    const norm = Math.sqrt(total);
    outer.push(polynomial(u, [0, 0.221157, -0.147981, -2.07119, 4.434685, -2.706056]) - scores[0] / norm);
    if (n > 5) {
      outer.push(polynomial(u, [0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633]) - scores[1] / norm);
    }
  }
  let left = total;
  let share = 1;
  outer.forEach((weight, i) => {
    left -= 2 * scores[i] ** 2;
    share -= 2 * weight ** 2;
  });
  const factor = Math.sqrt(left / share);
  for (let i = 0; i < half; i++) {
    const weight = i < outer.length ? outer[i] : -scores[i] / factor;
    weights[i] = -weight;
    weights[n - 1 - i] = weight;
  }
  cached = weights;
  return weights;
}
