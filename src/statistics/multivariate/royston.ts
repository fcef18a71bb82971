import type { Matrix } from '../../linalg';
import { dot } from '../covariance';
import { toSample } from '../normality/sample';
import { shapiroWilkOf, shapiroWilkScore } from '../normality/shapiroWilk';
import { chiSquaredSf, normalCdf, normalQuantile } from '../special';

/** Royston's H, or nulls and the reason where it is not defined. */
export interface RoystonResult {
  statistic: number | null;
  p: number | null;
  /** Degrees of freedom after allowing for correlation between the columns. */
  equivalentDegrees: number | null;
  reason?: string;
}

/**
 * Royston's H: Shapiro-Wilk scores of all columns combined, with equivalent degrees of freedom for their correlation.
 *
 * Every column is scored by Shapiro-Wilk (some programs switch to Shapiro-Francia for heavy tails, and give other numbers).
 *
 * @param z rows as they are, [n, p], 4 <= n <= 5000, p >= 2
 * Sources: Royston, "Some techniques for assessing multivariate normality based on the Shapiro-Wilk W" (1983), doi:10.2307/2347291;
 * scores as in Algorithm AS R94 (1995).
 */
export function royston(z: Matrix): RoystonResult {
  const { rows: n, cols: p } = z;
  const none = (reason: string) => ({ statistic: null, p: null, equivalentDegrees: null, reason });
  if (p < 2) return none('one column has no correlation to allow for; use shapiroWilk');
  if (n < 4 || n > 5000) return none('the scores were fitted for 4 <= n <= 5000');
  let sum = 0;
  const columns: Float64Array[] = [];
  for (let j = 0; j < p; j++) {
    const sample = toSample('multivariateNormality', z.column(j));
    const complement = 1 - (shapiroWilkOf(sample).statistic as number);
    const score = shapiroWilkScore(complement, n);
    // Scores of finite samples stay below 21, so the tail does not underflow.
    sum += normalQuantile(normalCdf(-score) / 2) ** 2;
    columns.push(z.column(j).map((value) => (value - sample.mean) / sample.standardDeviation));
  }
  const equivalentDegrees = p / (1 + (p - 1) * meanDependence(columns, n));
  const statistic = (equivalentDegrees * sum) / p;
  return { statistic, p: chiSquaredSf(statistic, equivalentDegrees), equivalentDegrees };
}

/** Mean over pairs of columns of Royston's transform of their correlation. */
function meanDependence(columns: Float64Array[], n: number): number {
  const exponent = 5;
  const u = 0.715;
  const logN = Math.log(n);
  const v = 0.21364 + 0.015124 * logN ** 2 - 0.0018034 * logN ** 3;
  let sum = 0;
  let pairs = 0;
  for (let i = 0; i < columns.length; i++) {
    for (let j = 0; j < i; j++) {
      const r = Math.min(1, Math.max(-1, dot(columns[i], columns[j]) / (n - 1)));
      sum += r ** exponent * (1 - (u * (1 - r) ** u) / v);
      pairs++;
    }
  }
  return sum / pairs;
}
