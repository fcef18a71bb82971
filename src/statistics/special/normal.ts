const LOG_SQRT_TWO_PI = 0.9189385332046728;

/** Ratio of two polynomials, coefficients from the constant up. */
function rational(x: number, numerator: readonly number[], denominator: readonly number[]): number {
  return horner(x, numerator) / horner(x, denominator);
}

function horner(x: number, coefficients: readonly number[]): number {
  let value = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) value = value * x + coefficients[i];
  return value;
}

const CENTRE_NUMERATOR = [
  18154.98125334356, 1067.6894854603709, 161.02823106855587, 2.2352520354606837, 0.06568233791820745,
];
const CENTRE_DENOMINATOR = [45507.78933502673, 10260.932208618979, 976.0985517377767, 47.202581904688245, 1];
const MIDDLE_NUMERATOR = [
  9842.714838383978, 11602.65143764735, 6848.190450536283, 2494.5375852903726, 597.2702763948002,
  93.50665613217785, 8.883149794388377, 0.39894151208813466, 1.0765576773720192e-8,
];
const MIDDLE_DENOMINATOR = [
  19685.429676859992, 38912.00328609327, 34900.95272114598, 18615.571640885097, 6485.558298266761,
  1519.3775994075547, 235.387901782625, 22.266688044328117, 1,
];
const TAIL_NUMERATOR = [
  2.9112874951168793e-5, 0.0014216191932278934, 0.022235277870649807, 0.12740116116024736, 0.215898534057957,
  0.023073441764940174,
];
const TAIL_DENOMINATOR = [
  7.297515550839662e-5, 0.0037823963320275824, 0.06598813786892856, 0.4682382124808651, 1.284260096144911, 1,
];
const CENTRE = 0.67448975;
const TAIL = Math.sqrt(32);

/** exp(-x^2 / 2), with the square split so that its rounding error does not grow with x. */
function gaussian(x: number): number {
  // Below the smallest number there is; an infinite x has no remainder to split.
  if (Math.abs(x) > 39) return 0;
  const coarse = Math.trunc(x * 16) / 16;
  return Math.exp(-0.5 * coarse * coarse) * Math.exp(-0.5 * (x - coarse) * (x + coarse));
}

/** Phi(-x) / exp(-x^2 / 2) for x > CENTRE. */
function scaledUpperTail(x: number): number {
  if (x <= TAIL) return rational(x, MIDDLE_NUMERATOR, MIDDLE_DENOMINATOR);
  const inverseSquare = 1 / (x * x);
  const correction = inverseSquare * rational(inverseSquare, TAIL_NUMERATOR, TAIL_DENOMINATOR);
  return (Math.exp(-LOG_SQRT_TWO_PI) - correction) / x;
}

/** Phi(x) - 1/2 for |x| <= CENTRE. */
function centre(x: number): number {
  return x * rational(x * x, CENTRE_NUMERATOR, CENTRE_DENOMINATOR);
}

/**
 * Standard normal distribution function Phi(x), full relative accuracy in the lower tail; 0 at -Infinity, 1 at Infinity, NaN for NaN, as
 * all distribution functions here.
 *
 * Source: Cody, "Rational Chebyshev approximations for the error function" (1969), doi:10.2307/2004390.
 */
export function normalCdf(x: number): number {
  if (Math.abs(x) <= CENTRE) return 0.5 + centre(x);
  const tail = gaussian(x) * scaledUpperTail(Math.abs(x));
  return x < 0 ? tail : 1 - tail;
}

/** Upper tail 1 - Phi(x), full relative accuracy for large x. */
export function normalSf(x: number): number {
  return normalCdf(-x);
}

/** ln Phi(x): finite wherever x^2 is. */
export function normalLogCdf(x: number): number {
  if (x < -CENTRE) return -0.5 * x * x + Math.log(scaledUpperTail(-x));
  if (x <= CENTRE) return Math.log(0.5 + centre(x));
  return Math.log1p(-normalCdf(-x));
}

/** Standard normal density exp(-x^2 / 2) / sqrt(2 pi). */
export function normalPdf(x: number): number {
  return Math.exp(-LOG_SQRT_TWO_PI) * gaussian(x);
}

const CENTRAL_QUANTILE_NUMERATOR = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987,
  67265.7709270087, 33430.57558358813, 2509.0809287301227,
];
const CENTRAL_QUANTILE_DENOMINATOR = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
  28729.085735721943, 5226.495278852854,
];
const OUTER_QUANTILE_NUMERATOR = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
  0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
];
const OUTER_QUANTILE_DENOMINATOR = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
];
const FAR_QUANTILE_NUMERATOR = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
];
const FAR_QUANTILE_DENOMINATOR = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
  1.8463183175100548e-5, 1.421511758316446e-7, 2.0442631033899397e-15,
];

/**
 * Standard normal quantile: the x with Phi(x) = p, -Infinity at 0 and Infinity at 1.
 *
 * Source: Wichura, "Algorithm AS 241" (1988), doi:10.2307/2347330, routine PPND16.
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  const centred = p - 0.5;
  if (Math.abs(centred) <= 0.425) {
    return (
      centred *
      rational(0.180625 - centred * centred, CENTRAL_QUANTILE_NUMERATOR, CENTRAL_QUANTILE_DENOMINATOR)
    );
  }
  const tail = Math.min(p, 1 - p);
  if (tail === 0) return centred < 0 ? -Infinity : Infinity;
  const r = Math.sqrt(-Math.log(tail));
  const distance =
    r <= 5
      ? rational(r - 1.6, OUTER_QUANTILE_NUMERATOR, OUTER_QUANTILE_DENOMINATOR)
      : rational(r - 5, FAR_QUANTILE_NUMERATOR, FAR_QUANTILE_DENOMINATOR);
  return centred < 0 ? -distance : distance;
}
