import { ConfigError, complaint } from '../../core/errors';
import { type Covariance, dot } from '../../statistics/covariance';
import { chiSquaredQuantile, fQuantile, normalQuantile, studentTQuantile } from '../../statistics/special';
import { quadraticInterval, type Strengths, without } from './intervals';

/** Which region of latent space a moved sample must stay in. */
export type RangeKind = 'marginal' | 'ellipsoid' | 'typical';

/** Normal law of a subclass as far as few samples and a prior tell; a `Posterior` is one. */
export interface NormalSummary {
  /** [d] */
  mean: Float64Array;
  covariance: Covariance;
  /** Degrees of freedom behind the covariance; Infinity where it is known. */
  degreesOfFreedom: number;
  /** Samples behind the mean; Infinity where it is known. */
  count: number;
  /** Whether the covariance was shrunk, so that a joint region's F law holds only with many degrees of freedom. Default: false. */
  shrunk?: boolean;
}

/** Least degrees of freedom per dimension for a joint region of a shrunk covariance: below, it covered anything from .9 to 0 of .95. */
const JOINT_FREEDOM = 4;

/** The strengths s for which z + s delta stays in the region that holds a further sample with probability `level`. */
export function priorRange(
  where: string,
  summary: NormalSummary,
  offset: Float64Array,
  delta: Float64Array,
  kind: RangeKind,
  level: number,
): Strengths[] {
  if (kind === 'marginal') return [marginalRange(summary, offset, delta, level)];
  const solved = summary.covariance.solve(delta);
  const a = dot(delta, solved);
  const b = dot(offset, solved);
  const e = summary.covariance.mahalanobis(offset);
  const within = (limit: number) => quadraticInterval(a, b, e, limit);
  if (kind === 'ellipsoid') {
    const range = within(predictionLimit(where, summary, level));
    return range === null ? [] : [range];
  }
  const outer = within(predictionLimit(where, summary, (1 + level) / 2));
  const inner = within(predictionLimit(where, summary, (1 - level) / 2));
  return outer === null ? [] : without([outer], inner);
}

/** [(-q sigma - p) / |delta|, (q sigma - p) / |delta|] with q the t quantile times sqrt(1 + 1/n). */
function marginalRange(
  { covariance, degreesOfFreedom, count }: NormalSummary,
  offset: Float64Array,
  delta: Float64Array,
  level: number,
): Strengths {
  const tail = (1 + level) / 2;
  const quantile = Number.isFinite(degreesOfFreedom)
    ? studentTQuantile(tail, degreesOfFreedom)
    : normalQuantile(tail);
  const squaredLength = dot(delta, delta);
  const reach = quantile * Math.sqrt((1 + 1 / count) * covariance.variance(delta));
  const position = dot(delta, offset);
  return [(-reach - position) / squaredLength, (reach - position) / squaredLength];
}

/** Hotelling's limit of the squared Mahalanobis distance of a further sample. */
function predictionLimit(
  where: string,
  { covariance, degreesOfFreedom: nu, count: n, shrunk = false }: NormalSummary,
  probability: number,
): number {
  const d = covariance.dimension;
  const least = shrunk ? JOINT_FREEDOM * d : d;
  const meanFactor = 1 + 1 / n;
  if (!Number.isFinite(nu)) return meanFactor * chiSquaredQuantile(probability, d);
  const rest = nu - d + 1;
  if (nu < least || rest <= 0) {
    throw new ConfigError(
      complaint(
        where,
        `at least ${least} degrees of freedom for a joint region in ${d} dimensions`,
        `${nu}`,
        "Use kind: 'marginal', which holds at any number.",
      ),
    );
  }
  return ((d * nu * meanFactor) / rest) * fQuantile(probability, d, rest);
}
