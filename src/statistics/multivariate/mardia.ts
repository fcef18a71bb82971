import { chiSquaredSf, normalSf } from '../special';
import type { Invariants } from './invariants';
import { type NullTable, shareAbove, shareBeyond } from './nullTable';

/** Mardia's multivariate skewness and kurtosis with their tests. */
export interface MardiaResult {
  /** b1 = mean over pairs of (y_i . y_j)^3; 0 for a normal distribution. */
  skewness: number;
  /** b2 = mean of |y_i|^4; p (p + 2) for a normal distribution. */
  kurtosis: number;
  /** Share of normal samples of the same n and p with as large a skewness; null with `replicates: 0`. */
  skewnessP: number | null;
  /** Twice the smaller share of normal samples with as large, or as small, a kurtosis; null with `replicates: 0`. */
  kurtosisP: number | null;
  /** The statistics and p-values that other programs give; where n is few for p, they reject too seldom or far too often. */
  asymptotic: MardiaAsymptotics;
}

/** Textbook forms of Mardia's tests, which hold in the limit of many samples. */
export interface MardiaAsymptotics {
  /** n b1 / 6, chi-squared with p (p + 1) (p + 2) / 6 degrees of freedom. */
  skewnessStatistic: number;
  skewnessP: number;
  /** The same, times the factor that makes its mean right. */
  skewnessStatisticSmallSample: number;
  skewnessPSmallSample: number;
  /** (b2 - p (p + 2)) / sqrt(8 p (p + 2) / n), standard normal. */
  kurtosisStatistic: number;
  kurtosisP: number;
}

/**
 * Mardia's tests of n rows of p values.
 *
 * Sources: Mardia, "Measures of multivariate skewness and kurtosis" (1970), doi:10.1093/biomet/57.3.519;
 * small-sample factor: Mardia, "Applications of some measures of multivariate skewness and kurtosis" (1974).
 */
export function mardia(
  { skewness, kurtosis }: Invariants,
  n: number,
  p: number,
  table: NullTable | null,
): MardiaResult {
  const df = (p * (p + 1) * (p + 2)) / 6;
  const factor = ((p + 1) * (n + 1) * (n + 3)) / (n * ((n + 1) * (p + 1) - 6));
  const skewnessStatistic = (n * skewness) / 6;
  const skewnessStatisticSmallSample = skewnessStatistic * factor;
  const kurtosisStatistic = (kurtosis - p * (p + 2)) / Math.sqrt((8 * p * (p + 2)) / n);
  return {
    skewness,
    kurtosis,
    skewnessP: table && shareAbove(table.skewness, skewness),
    kurtosisP: table && shareBeyond(table.kurtosis, kurtosis),
    asymptotic: {
      skewnessStatistic,
      skewnessP: chiSquaredSf(skewnessStatistic, df),
      skewnessStatisticSmallSample,
      skewnessPSmallSample: chiSquaredSf(skewnessStatisticSmallSample, df),
      kurtosisStatistic,
      kurtosisP: 2 * normalSf(Math.abs(kurtosisStatistic)),
    },
  };
}
