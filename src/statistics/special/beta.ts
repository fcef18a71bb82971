import { logRatioExcess, stirlingError } from './gamma';
import { invertCdf } from './invert';

const PRECISION = 2 ** -53;

/** x^a y^b / B(a, b) with y = 1 - x given apart, so that neither end loses digits. */
function betaKernel(x: number, y: number, a: number, b: number): number {
  const total = a + b;
  const exponent =
    a * logRatioExcess(x, a / total) +
    b * logRatioExcess(y, b / total) +
    stirlingError(total) -
    stirlingError(a) -
    stirlingError(b);
  return Math.sqrt((a * b) / (2 * Math.PI * total)) * Math.exp(exponent);
}

/** I_x(a, b) / kernel by Lentz's continued fraction; converges fast for x < (a + 1) / (a + b + 2). */
function betaFraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; ; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    const factor = d * c;
    value *= factor;
    if (Math.abs(factor - 1) <= 2 * PRECISION) return value / a;
  }
}

/**
 * Regularized incomplete beta function and its complement, I_x(a, b) + I_y(b, a) = 1 for y = 1 - x.
 *
 * I_x(a, b) = 1 / B(a, b) int_0^x t^(a-1) (1-t)^(b-1) dt for a, b > 0.
 * Source: NIST Digital Library of Mathematical Functions, 8.17.22.
 */
export function incompleteBeta(x: number, y: number, a: number, b: number): { lower: number; upper: number } {
  if (Number.isNaN(x) || Number.isNaN(y)) return { lower: Number.NaN, upper: Number.NaN };
  if (!(x > 0)) return { lower: 0, upper: 1 };
  if (!(y > 0)) return { lower: 1, upper: 0 };
  const kernel = betaKernel(x, y, a, b);
  if (x < (a + 1) / (a + b + 2)) {
    const lower = Math.min(1, kernel * betaFraction(x, a, b));
    return { lower, upper: 1 - lower };
  }
  const upper = Math.min(1, kernel * betaFraction(y, b, a));
  return { lower: 1 - upper, upper };
}

function fTails(x: number, df1: number, df2: number): { lower: number; upper: number } {
  if (x <= 0) return { lower: 0, upper: 1 };
  if (df1 * x === Infinity) return { lower: 1, upper: 0 };
  const total = df1 * x + df2;
  return incompleteBeta((df1 * x) / total, df2 / total, df1 / 2, df2 / 2);
}

/** F distribution function with `df1` and `df2` > 0 degrees of freedom. */
export function fCdf(x: number, df1: number, df2: number): number {
  return fTails(x, df1, df2).lower;
}

/** Upper tail of the F distribution. */
export function fSf(x: number, df1: number, df2: number): number {
  return fTails(x, df1, df2).upper;
}

function fInverse(lower: number, upper: number, df1: number, df2: number): number {
  return invertCdf(lower, upper, 1, (x) => {
    const total = df1 * x + df2;
    // d cdf / d ln x: with u = df1 x / total, du / d ln x = u (1 - u).
    return {
      ...fTails(x, df1, df2),
      logSlope: betaKernel((df1 * x) / total, df2 / total, df1 / 2, df2 / 2),
    };
  });
}

/** F quantile: the x with cdf(x) = p. */
export function fQuantile(p: number, df1: number, df2: number): number {
  return fInverse(p, 1 - p, df1, df2);
}

/** Student's t distribution function with `df` > 0 degrees of freedom. */
export function studentTCdf(x: number, df: number): number {
  // The square of a t variable is F with (1, df) degrees of freedom.
  const { lower, upper } = fTails(x * x, 1, df);
  return x < 0 ? upper / 2 : 0.5 + lower / 2;
}

/** Upper tail of Student's t distribution. */
export function studentTSf(x: number, df: number): number {
  return studentTCdf(-x, df);
}

/** Student's t quantile: the x with cdf(x) = p. */
export function studentTQuantile(p: number, df: number): number {
  const inside = Math.abs(1 - 2 * p);
  const distance = Math.sqrt(fInverse(inside, 2 * Math.min(p, 1 - p), 1, df));
  return p < 0.5 ? -distance : distance;
}
