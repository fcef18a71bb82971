import { Matrix } from '../../linalg';
import { stirlingError } from '../special';

/** Above this n d^2 the two one-sided events practically exclude each other (their overlap is below 1e-10 of p). */
const FAR = 4;
/** Largest n for which the matrix power is affordable; the series errs by less than 3e-7 of p above it. */
const LARGEST_EXACT = 2000;

/**
 * P(D_n >= d) for the two-sided Kolmogorov-Smirnov distance of n values from their own continuous distribution.
 *
 * Source: Simard and L'Ecuyer, "Computing the two-sided Kolmogorov-Smirnov distribution" (2011), doi:10.18637/jss.v039.i11.
 */
export function kolmogorovSf(d: number, n: number): number {
  if (n * d <= 0.5) return 1;
  if (d >= 1) return 0;
  if (d >= 0.5 || n * d * d >= FAR) return Math.min(1, 2 * oneSidedSf(d, n));
  return 1 - (n <= LARGEST_EXACT ? exactCdf(d, n) : seriesCdf(d, n));
}

/**
 * P(D_n^+ >= d) = d sum_j C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j), j <= n (1 - d).
 *
 * Every term is written relative to its Stirling approximation, so tails of 1e-300 keep their digits.
 * Source: Birnbaum and Tingey (1951), doi:10.1214/aoms/1177729550.
 */
function oneSidedSf(d: number, n: number): number {
  let sum = Math.exp(n * Math.log1p(-d));
  for (let j = 1; j < n * (1 - d) && j < n; j++) {
    const rest = n - j;
    const exponent =
      j * Math.log1p((d * n) / j) +
      rest * Math.log1p((-d * n) / rest) +
      stirlingError(n) -
      stirlingError(j) -
      stirlingError(rest);
    sum += (d / (d + j / n)) * Math.sqrt(n / (2 * Math.PI * j * rest)) * Math.exp(exponent);
  }
  return sum;
}

/**
 * P(D_n <= d) = n!/n^n [H^n]_kk, a matrix of size 2 ceil(n d) - 1.
 *
 * H is divided by e, which keeps all powers below 1 and turns n! / n^n into Stirling's factor.
 * Source: Marsaglia, Tsang and Wang, "Evaluating Kolmogorov's distribution" (2003), doi:10.18637/jss.v008.i18.
 */
function exactCdf(d: number, n: number): number {
  const k = Math.ceil(n * d);
  const size = 2 * k - 1;
  const h = k - n * d;
  const inverseFactorial = [1];
  for (let i = 1; i <= size; i++) inverseFactorial.push(inverseFactorial[i - 1] / i);
  const step = Matrix.zeros(size, size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= Math.min(i + 1, size - 1); j++) {
      let entry = 1;
      if (j === 0) entry -= h ** (i + 1);
      if (i === size - 1) entry -= h ** (size - j);
      if (i === size - 1 && j === 0 && 2 * h > 1) entry += (2 * h - 1) ** size;
      step.data[i * size + j] = (entry * inverseFactorial[i - j + 1]) / Math.E;
    }
  }
  const power = matrixPower(step, n);
  return power.at(k - 1, k - 1) * Math.sqrt(2 * Math.PI * n) * Math.exp(stirlingError(n));
}

function matrixPower(base: Matrix, exponent: number): Matrix {
  if (exponent === 1) return base;
  const half = matrixPower(base, Math.floor(exponent / 2));
  const square = half.multiply(half);
  return exponent % 2 === 0 ? square : square.multiply(base);
}

/**
 * P(D_n <= d) = K0(z) + K1(z)/n^(1/2) + K2(z)/n + K3(z)/n^(3/2) + O(n^-2), z = sqrt(n) d, in its fast form for small z.
 *
 * Source: Pelz and Good (1976), doi:10.1111/j.2517-6161.1976.tb01579.x.
 */
function seriesCdf(d: number, n: number): number {
  const root = Math.sqrt(n);
  const z = root * d;
  const z2 = z * z;
  const z4 = z2 * z2;
  const z6 = z4 * z2;
  const pi2 = Math.PI ** 2;
  let k0 = 0;
  let k1 = 0;
  let k2 = 0;
  let k3 = 0;
  for (let m = 1; m < 4 * z + 8; m += 2) {
    const a = (pi2 * m * m) / 4;
    const weight = Math.exp(-a / (2 * z2));
    k0 += weight;
    k1 += weight * (a - z2);
    k2 += weight * (6 * z6 + 2 * z4 + a * (2 * z4 - 5 * z2) + a * a * (1 - 2 * z2));
    k3 +=
      weight *
      (-30 * z6 -
        90 * z4 * z4 +
        a * (135 * z4 - 96 * z6) +
        a * a * (212 * z4 - 60 * z2) +
        a * a * a * (5 - 30 * z2));
  }
  let even2 = 0;
  let even3 = 0;
  for (let m = 1; m < 2 * z + 4; m++) {
    const a = pi2 * m * m;
    const weight = Math.exp(-a / (2 * z2));
    even2 += weight * a;
    even3 += weight * a * (3 * z2 - a);
  }
  const value =
    k0 / z +
    k1 / (6 * z4 * root) +
    (k2 / (72 * z6 * z) - even2 / (36 * z2 * z)) / n +
    (k3 / (6480 * z6 * z4) + even3 / (216 * z6)) / (n * root);
  return Math.sqrt(2 * Math.PI) * value;
}
