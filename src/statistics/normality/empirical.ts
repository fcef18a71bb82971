import { normalCdf } from '../special';

/** Phi at every sorted, standardized value. */
export function normalProbabilities(standardized: ArrayLike<number>): Float64Array {
  return Float64Array.from(standardized, normalCdf);
}

/** Kolmogorov distance sup |F_n - F| from the probabilities F(x_(i)) of sorted values. */
export function kolmogorovDistance(probabilities: ArrayLike<number>): number {
  const n = probabilities.length;
  let distance = 0;
  for (let i = 0; i < n; i++) {
    distance = Math.max(distance, (i + 1) / n - probabilities[i], probabilities[i] - i / n);
  }
  return distance;
}

/** Cramer-von Mises distance n int (F_n - F)^2 dF from the probabilities F(x_(i)) of sorted values. */
export function cramerVonMisesStatistic(probabilities: ArrayLike<number>): number {
  const n = probabilities.length;
  let statistic = 1 / (12 * n);
  for (let i = 0; i < n; i++) statistic += (probabilities[i] - (2 * i + 1) / (2 * n)) ** 2;
  return statistic;
}
