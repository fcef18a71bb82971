import { logGamma } from '../special';

/**
 * E|a + Z| in p dimensions, with lambda = |a|^2 / 2: a Poisson(lambda) mixture of mean lengths of p + 2k dimensions.
 *
 * Summed outwards from the largest weight, so it neither overflows nor cancels.
 */
export function meanDistanceToNormal(lambda: number, p: number): number {
  if (lambda === 0) return Math.SQRT2 * Math.exp(logGamma((p + 1) / 2) - logGamma(p / 2));
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
