import { invertCdf } from './invert';

const LOG_SQRT_TWO_PI = 0.9189385332046728;
/** Coefficients of 1/x, 1/x^3, ... in Stirling's series. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];
const PRECISION = 2 ** -53;

/**
 * What Stirling's formula leaves out of ln Gamma(x), x > 0: delta(x) = ln Gamma(x) - (x - 1/2) ln x + x - ln sqrt(2 pi).
 *
 * Small x climb to the asymptotic series by delta(x) = delta(x + 1) + (x + 1/2) ln(1 + 1/x) - 1.
 */
export function stirlingError(x: number): number {
  let climbed = 0;
  let at = x;
  while (at < 10) {
    climbed += (at + 0.5) * Math.log1p(1 / at) - 1;
    at++;
  }
  let series = 0;
  for (let k = STIRLING.length - 1; k >= 0; k--) series = series / (at * at) + STIRLING[k];
  return climbed + series / at;
}

/** ln Gamma(x) for x > 0. */
export function logGamma(x: number): number {
  if (x === Infinity) return Infinity;
  return (x - 0.5) * Math.log(x) - x + LOG_SQRT_TWO_PI + stirlingError(x);
}

/**
 * ln(x / mean) - (x / mean - 1), without cancellation near x = mean.
 *
 * Densities written with it keep their accuracy for large shape parameters.
 * Source: Loader, "Fast and accurate computation of binomial probabilities" (2000).
 */
export function logRatioExcess(x: number, mean: number): number {
  const excess = (x - mean) / mean;
  return (Math.abs(excess) < 0.5 ? Math.log1p(excess) : Math.log(x / mean)) - excess;
}

/** x^a exp(-x) / Gamma(a). */
function gammaKernel(a: number, x: number): number {
  return Math.sqrt(a) * Math.exp(a * logRatioExcess(x, a) - stirlingError(a) - LOG_SQRT_TWO_PI);
}

/** P(a, x) / kernel by the power series; converges fast for x < a + 1. */
function lowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; term > sum * PRECISION; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

/** Q(a, x) / kernel by Lentz's continued fraction; converges fast for x > a + 1. */
function upperFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = Infinity;
  let d = 1 / b;
  let value = d;
  for (let i = 1; ; i++) {
    const numerator = -i * (i - a);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    const factor = c * d;
    value *= factor;
    if (Math.abs(factor - 1) <= 2 * PRECISION) return value;
  }
}

/**
 * Both regularized incomplete gamma functions, P(a, x) + Q(a, x) = 1, each to full relative accuracy where it is small.
 *
 * P(a, x) = 1 / Gamma(a) int_0^x t^(a-1) exp(-t) dt for a > 0, x >= 0.
 * Source: NIST Digital Library of Mathematical Functions, 8.7.1 and 8.9.2.
 */
export function incompleteGamma(a: number, x: number): { lower: number; upper: number } {
  if (Number.isNaN(x)) return { lower: Number.NaN, upper: Number.NaN };
  if (!(x > 0)) return { lower: 0, upper: 1 };
  if (x === Infinity) return { lower: 1, upper: 0 };
  const kernel = gammaKernel(a, x);
  if (kernel === 0) return x < a ? { lower: 0, upper: 1 } : { lower: 1, upper: 0 };
  if (x < a + 1) {
    const lower = Math.min(1, kernel * lowerSeries(a, x));
    return { lower, upper: 1 - lower };
  }
  const upper = Math.min(1, kernel * upperFraction(a, x));
  return { lower: 1 - upper, upper };
}

/** Chi-squared distribution function with `df` > 0 degrees of freedom. */
export function chiSquaredCdf(x: number, df: number): number {
  return incompleteGamma(df / 2, x / 2).lower;
}

/** Upper tail of the chi-squared distribution with `df` > 0 degrees of freedom. */
export function chiSquaredSf(x: number, df: number): number {
  return incompleteGamma(df / 2, x / 2).upper;
}

/** Chi-squared quantile: the x with cdf(x) = p. */
export function chiSquaredQuantile(p: number, df: number): number {
  return invertCdf(p, 1 - p, df, (x) => ({
    ...incompleteGamma(df / 2, x / 2),
    logSlope: gammaKernel(df / 2, x / 2),
  }));
}
