import { normalSf } from '../special';

/** Henze-Zirkler test: weighted distance between empirical and normal characteristic functions. */
export interface HenzeZirklerResult {
  statistic: number;
  /** Share of normal samples of the same n and p with as large a statistic; null with `replicates: 0`. */
  p: number | null;
  /** Of the lognormal law with the limiting moments, as other programs give it; far too small where n is few for p. */
  asymptoticP: number;
}

/** b^2 of the Henze-Zirkler statistic: b = (n (2p + 1) / 4)^(1/(p+4)) / sqrt(2). */
export function bandwidthOf(n: number, p: number): number {
  return ((n * (2 * p + 1)) / 4) ** (2 / (p + 4)) / 2;
}

/**
 * Upper tail of the lognormal law that HZ has in the limit of many samples.
 *
 * Source: Henze and Zirkler, "A class of invariant consistent tests for multivariate normality" (1990), theorem 3.2,
 * doi:10.1080/03610929008830400.
 */
export function henzeZirklerLimitP(statistic: number, n: number, p: number): number {
  const b2 = bandwidthOf(n, p);
  const b4 = b2 * b2;
  const b8 = b4 * b4;
  const a = 1 + 2 * b2;
  const w = (1 + b2) * (1 + 3 * b2);
  const mean = 1 - a ** (-p / 2) * (1 + (p * b2) / a + (p * (p + 2) * b4) / (2 * a * a));
  const variance =
    2 * (1 + 4 * b2) ** (-p / 2) +
    2 * a ** -p * (1 + (2 * p * b4) / a ** 2 + (3 * p * (p + 2) * b8) / (4 * a ** 4)) -
    4 * w ** (-p / 2) * (1 + (3 * p * b4) / (2 * w) + (p * (p + 2) * b8) / (2 * w * w));
  const logMean = Math.log(mean) - 0.5 * Math.log1p(variance / mean ** 2);
  const logDeviation = Math.sqrt(Math.log1p(variance / mean ** 2));
  return normalSf((Math.log(statistic) - logMean) / logDeviation);
}
