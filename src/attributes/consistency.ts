import type { Matrix } from '../linalg';
import { dot } from '../statistics/covariance';
import { forResiduals, type Slope } from './slopes';

/** How much of an attribute's direction the subclasses share. */
export interface DirectionConsistency {
  /**
   * rho: mean inner product of the directions of two subclasses over the mean squared length of one, free of noise.
   * 1 = the same direction everywhere, 0 = unrelated. Null where it cannot be estimated, see `consistencyReason`.
   */
  consistency: number | null;
  /** Standard error of rho, by leaving every subclass out in turn; null below 3 subclasses. */
  consistencyError: number | null;
  /** Why `consistency` or its error is null. */
  consistencyReason: string | null;
}

/** A squared length must lie this many standard errors above 0 before anything is divided by it. */
const ERRORS_ABOVE_ZERO = 2;

/**
 * Whether subclasses share a direction.
 *
 *     rho = mean_{c != c'} <delta_c, delta_c'> / mean_c L_c,   L_c = |delta_c|^2 - noise of |delta_c|^2
 *
 * The inner product of two subclasses has no bias, as their noise is independent; L_c has none either. Where the mean of L_c is not two of
 * its standard errors above 0, subclasses have no direction that could be shared, and rho of noise over noise would be anything: there
 * rho is null. Its error is the jackknife's, over subclasses.
 *
 * Source of the jackknife: Efron and Stein (1981), doi:10.1214/aos/1176345462.
 *
 * @param parts the regression of every subclass that has a direction
 */
export function directionConsistency(
  z: Matrix,
  contrast: Float64Array,
  parts: readonly Slope[],
): DirectionConsistency {
  const missing = (consistencyReason: string) => ({
    consistency: null,
    consistencyError: null,
    consistencyReason,
  });
  if (parts.length < 2) return missing('fewer than 2 subclasses have samples on both sides');
  const used: { delta: Float64Array; length: number }[] = [];
  for (const part of parts) {
    const length = squaredLength(z, contrast, part);
    if (length !== null) used.push({ delta: part.delta, length });
  }
  const C = used.length;
  if (C < 2)
    return missing('fewer than 2 subclasses have 2 samples on both sides, so that noise could be told');
  const lengths = used.reduce((sum, { length }) => sum + length, 0);
  const squares = used.reduce((sum, { length }) => sum + (length - lengths / C) ** 2, 0);
  const lengthsError = Math.sqrt((squares * C) / (C - 1));
  if (!(lengths > ERRORS_ABOVE_ZERO * lengthsError)) {
    return missing('the direction does not stand out from noise within the subclasses');
  }
  const sum = new Float64Array(z.cols);
  for (const { delta } of used) for (let j = 0; j < sum.length; j++) sum[j] += delta[j];
  const products = used.map(({ delta }) => dot(delta, sum) - dot(delta, delta));
  const product = products.reduce((total, value) => total + value, 0);
  const consistency = product / (C - 1) / lengths;
  if (C < 3) {
    const consistencyReason = 'the error of consistency needs 3 subclasses with 2 samples on both sides';
    return { consistency, consistencyError: null, consistencyReason };
  }
  const leftOut = used.map(({ length }, c) => (product - 2 * products[c]) / (C - 2) / (lengths - length));
  const center = leftOut.reduce((total, value) => total + value, 0) / C;
  const spread = leftOut.reduce((total, value) => total + (value - center) ** 2, 0);
  return { consistency, consistencyError: Math.sqrt(((C - 1) / C) * spread), consistencyReason: null };
}

/**
 * |delta|^2 less what noise adds to it, for one subclass; null where residuals leave the noise unknown, as with one sample on a side.
 *
 *     L = |delta|^2 - sum_i (e_i / sum e^2)^2 |r_i|^2 / (1 - h_i),   h_i = 1/n + e_i^2 / sum e^2
 *
 * Without bias for two groups of unequal spread, and for slopes with residuals of one spread.
 * Source: MacKinnon and White (1985), doi:10.1016/0304-4076(85)90158-7, form HC2.
 */
function squaredLength(z: Matrix, contrast: Float64Array, part: Slope): number | null {
  const { rows, delta, weight } = part;
  let noise: number | null = 0;
  forResiduals(z, contrast, part, (residual, deviation) => {
    const free = 1 - 1 / rows.length - deviation ** 2 / weight;
    // A sample that the regression passes through whatever it is, but for rounding, says nothing of the noise.
    if (noise === null || free < 1e-9) noise = null;
    else noise += ((deviation / weight) ** 2 * dot(residual, residual)) / free;
  });
  return noise === null ? null : dot(delta, delta) - noise;
}
