import { ConfigError, complaint, DataError, NotLearnableError } from '../../core/errors';
import { named } from '../../core/numbers';
import { checkOptions, type OptionNames } from '../../core/options';
import { figure, pFigure, printable } from '../../core/printable';
import { checkChoice } from '../../core/shapes';
import type { Matrix } from '../../linalg';
import { Covariance, dot } from '../../statistics/covariance';
import { type LatentsInput, toLatents, toVector, type VectorInput } from '../../statistics/inputs';
import { fCdf, fSf } from '../../statistics/special';
import { type DirectionInput, toDirection } from '../manipulate';
import type { Verdict } from '../mixing';
import { checkDimension } from '../prior/checks';
import { type NearNormality, nearNormalityAlong } from './gate';
import { contains, type Strengths, without } from './intervals';
import { type NormalSummary, priorRange, type RangeKind } from './priorRange';

/** What a strength is: shown by the few samples, vouched for by the other subclasses, or neither. */
export type StrengthStatus = 'own' | 'transferable' | 'outside';

/** Normal law of a subclass and, where known, the samples and the prior behind it; a `Posterior` is one. */
export interface SubclassSummary extends NormalSummary {
  /** The few samples, [n, d]. */
  samples?: Matrix;
  /** Covariance of the prior, independent of the few samples. */
  priorCovariance?: Covariance;
  /** Weight nu0 of that covariance, its degrees of freedom. */
  withinWeight?: number;
  /** The prior itself. */
  prior?: { readonly within: Covariance };
}

/** Options of `learnableRange`. */
export interface LearnableRangeOptions {
  /** Probability that a further sample lies in the region. Default: 0.95. */
  level?: number;
  /**
   * 'marginal': the t interval along the direction, exact for any number of samples. 'ellipsoid': the joint F region.
   * 'typical': its shell between both tails, as in many dimensions a sample near the mean is unusual too. Default: 'marginal'.
   */
  kind?: RangeKind;
  /** The subclass's own samples, [n, d]. Default: those of the posterior. */
  own?: LatentsInput;
  /** Consistency rho of the direction across subclasses, which you vouch for. Default: the one of the direction with its error, where `zDelta` found it. */
  consistency?: number | null;
  /** Least rho, less its standard error, at which other subclasses vouch for the direction. Default: 0.5. */
  minimumConsistency?: number;
  /**
   * Report of `mixedNormality` made `along` this direction, or several reports of which one is: whether the mixture of subclasses is near
   * normal. Unless it supports that, nothing is transferable.
   */
  mixing?: NearNormality | readonly NearNormality[];
  /** Takes the mixture for near normal without a report, on your word. Default: false. */
  assumeNearNormal?: boolean;
}

/** Names of the options of `learnableRange`. */
export const rangeOptions: OptionNames<LearnableRangeOptions> = {
  level: true,
  kind: true,
  own: true,
  consistency: true,
  minimumConsistency: true,
  mixing: true,
  assumeNearNormal: 'boolean',
};

/**
 * Whether the few samples spread along the direction as subclasses do on average.
 *
 * The p-value takes the samples for normal, and all subclasses to have one and the same variance. Where subclasses differ in spread by
 * themselves, an ordinary one is told from the average too often: a small p does not make it unlike the others.
 */
export interface VarianceRatio {
  /** Own variance over the variance within subclasses, pooled over those of the prior, along the direction. */
  f: number;
  /** Two-sided p of F with n - 1 and nu0 degrees of freedom, of normal samples of the pooled variance. */
  p: number;
}

/**
 * Strengths that may be applied to one latent along one direction; made by `learnableRange`.
 *
 * @example
 * const range: LearnableRange = learnableRange(prior.posterior(few), few[0], zDelta(base));
 * range.status(0.1); // 'own' | 'transferable' | 'outside'
 */
export class LearnableRange {
  constructor(
    readonly kind: RangeKind,
    readonly level: number,
    /** Strengths that stay in the region of the prior and the samples together; two intervals where a shell is crossed. */
    readonly prior: readonly Strengths[],
    /** Strengths between the extremes of the own samples; null without samples. A new sample falls there with probability (n - 1) / (n + 1). */
    readonly own: Strengths | null,
    /** Strengths in `prior` but not in `own`, where the other subclasses vouch for the direction; else empty. */
    readonly transferable: readonly Strengths[],
    /** Why nothing is transferable; null where something may be. */
    readonly refusal: string | null,
    /** Null without at least 2 own samples and a prior that is independent of them. */
    readonly varianceRatio: VarianceRatio | null,
  ) {}

  /** From the smallest to the largest strength of `prior`; null where there is none. */
  get range(): Strengths | null {
    if (this.prior.length === 0) return null;
    return [this.prior[0][0], this.prior[this.prior.length - 1][1]];
  }

  /**
   * Whether a strength was shown by the samples, is vouched for by other subclasses, or neither.
   *
   * @example
   * learnableRange(prior.posterior(few), few[0], zDelta(labeled)).status(0); // 'own'
   */
  status(strength: number): StrengthStatus {
    if (typeof strength !== 'number') {
      throw new ConfigError(complaint('LearnableRange.status', 'a number', strength));
    }
    if (this.own !== null && contains([this.own], strength)) return 'own';
    return contains(this.transferable, strength) ? 'transferable' : 'outside';
  }

  /**
   * Throws a NotLearnableError that says why where `strength` is neither own nor transferable.
   *
   * @example
   * learnableRange(prior.posterior(few), few[0], zDelta(labeled)).check('my slider', 0);
   */
  check(where: string, strength: number): void {
    if (this.status(strength) !== 'outside') return;
    const own = this.own === null ? 'no own range' : `own range ${show(this.own)}`;
    const prior = this.range === null ? 'no range of the prior' : `range of the prior ${show(this.range)}`;
    const reason =
      this.refusal !== null && contains(this.prior, strength)
        ? `Not transferable: ${this.refusal}.`
        : 'Neither the samples nor the prior reach so far.';
    throw new NotLearnableError(
      complaint(where, `a learnable strength (${own}, ${prior})`, strength, reason),
    );
  }

  /**
   * The learnable strength that is farthest on the side of `limit`, and not beyond it; 0 where none is. Above 0 by default: towards the
   * attribute. A negative limit, `-Infinity` too, looks backwards.
   *
   * @example
   * const strength = learnableRange(prior.posterior(few), few[0], zDelta(labeled)).largest(2);
   */
  largest(limit = Number.POSITIVE_INFINITY): number {
    if (typeof limit !== 'number' || Number.isNaN(limit))
      throw new ConfigError(complaint('LearnableRange.largest', 'a number', limit));
    const parts = [...(this.own === null ? [] : [this.own]), ...this.transferable];
    let best = 0;
    for (const [low, high] of parts) {
      const farthest = limit > 0 ? Math.min(high, limit) : Math.max(low, limit);
      const reached = farthest >= low && farthest <= high;
      if (reached && farthest * Math.sign(limit) > best * Math.sign(limit)) best = farthest;
    }
    return best;
  }
}

/**
 * How far a latent may be moved along a direction and still be backed by few samples of its subclass and a prior.
 *
 *     marginal:   |u^T (z + s delta - m)| <= t(nu, (1 + level) / 2) sqrt(1 + 1/n) sigma_u,   u = delta / |delta|
 *     ellipsoid:  e(s) = (z + s delta - m)^T Sigma^-1 (...) <= d nu (n + 1) / (n (nu - d + 1)) F(d, nu - d + 1; level)
 *     typical:    e(s) between the (1 - level) / 2 and (1 + level) / 2 quantiles of that law
 *
 * Strengths within the extremes of the own samples are 'own'. The rest of the prior's range is 'transferable' only where the direction is
 * the same in other subclasses (rho less its error >= 0.5) and the mixed attribute is near normal; what is left is 'outside' and refused.
 * The chi-squared limit in place of F covers far too little with few degrees of freedom, so it serves known covariances only.
 *
 * Shapes: z [d], delta [d].
 *
 * Source: Hahn, Meeker and Escobar, Statistical Intervals (2017), section 4.8, and Johnson and Wichern, Applied Multivariate
 * Statistical Analysis (2007), section 5.4 (prediction ellipsoids).
 *
 * @throws ConfigError (level, kind, too few degrees of freedom for a joint region), ShapeError, DataError
 * @example
 * const range = learnableRange(prior.posterior(few), few[0], zDelta(base), { mixing: mixedNormality(base, { along: zDelta(base) }) });
 * range.status(1.5); // 'own' | 'transferable' | 'outside'
 */
export function learnableRange(
  summary: SubclassSummary,
  z: VectorInput,
  delta: DirectionInput,
  options: LearnableRangeOptions = {},
): LearnableRange {
  checkOptions('learnableRange', options, rangeOptions);
  return rangeOf('learnableRange', summary, z, delta, options);
}

/**
 * The same on behalf of `where`, whose options may be more.
 *
 * @param learned the direction as the other subclasses have it, of which consistency and mixing were measured
 */
export function rangeOf(
  where: string,
  summary: SubclassSummary,
  z: VectorInput,
  delta: DirectionInput,
  options: LearnableRangeOptions,
  learned: DirectionInput = delta,
): LearnableRange {
  const { level = 0.95, kind = 'marginal' } = options;
  checkChoice(where, 'kind', kind, ['marginal', 'ellipsoid', 'typical']);
  if (!(Number.isFinite(level) && level > 0 && level < 1)) {
    throw new ConfigError(complaint(where, 'a level in (0, 1)', level));
  }
  if (!(summary?.covariance instanceof Covariance)) {
    const hint = 'Make one from its few samples: prior.posterior(few).';
    throw new DataError(
      complaint(where, 'what is known of the subclass, a posterior', named(summary)[0], hint),
    );
  }
  const mean = toVector(`${where} (mean)`, summary.mean);
  const d = mean.length;
  const point = toVector(where, z, d);
  const direction = toDirection(where, delta, d);
  const offset = point.map((value, j) => value - mean[j]);
  const prior = priorRange(where, summary, offset, direction, kind, level);

  const samples = options.own === undefined ? summary.samples : toLatents(where, options.own);
  if (samples !== undefined) checkDimension(where, samples, d);
  const own = samples === undefined ? null : ownRange(samples, point, direction);
  const refusal = whyNotTransferable(where, learned, d, options);
  return new LearnableRange(
    kind,
    level,
    prior,
    own,
    refusal === null ? without(prior, own) : [],
    refusal,
    samples === undefined ? null : varianceRatioOf(samples, summary, direction),
  );
}

function ownRange(samples: Matrix, z: Float64Array, direction: Float64Array): Strengths {
  const squaredLength = dot(direction, direction);
  const position = dot(direction, z);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < samples.rows; i++) {
    const strength = (dot(direction, samples.row(i)) - position) / squaredLength;
    low = Math.min(low, strength);
    high = Math.max(high, strength);
  }
  return [low, high];
}

function whyNotTransferable(
  where: string,
  learned: DirectionInput,
  dimension: number,
  options: LearnableRangeOptions,
): string | null {
  const { minimumConsistency = 0.5 } = options;
  const verdict = verdictOf(where, learned, dimension, options);
  if (!Number.isFinite(minimumConsistency)) {
    throw new ConfigError(complaint(where, 'a finite minimumConsistency', minimumConsistency));
  }
  const known: Omit<Exclude<DirectionInput, VectorInput>, 'delta'> = options.consistency === undefined &&
  typeof learned === 'object' &&
  'delta' in learned
    ? learned
    : { consistency: options.consistency };
  // A consistency that you state yourself has no error.
  const { consistency, consistencyError = 0 } = known;
  if (typeof consistency !== 'number') {
    const why = known.consistencyReason ?? 'no consistency, which zDelta gives';
    return `it is not known whether other subclasses share the direction: ${why}`;
  }
  if (!(consistency >= minimumConsistency)) {
    return `the direction differs between subclasses (consistency ${consistency.toFixed(2)} < ${minimumConsistency})`;
  }
  if (consistencyError === null) {
    return `two subclasses are too few to tell whether others share the direction (consistency ${consistency.toFixed(2)} of unknown error)`;
  }
  if (!(consistency - consistencyError >= minimumConsistency)) {
    return `subclasses may differ in the direction (consistency ${consistency.toFixed(2)} less its standard error ${consistencyError.toFixed(2)} < ${minimumConsistency})`;
  }
  if (verdict === undefined) {
    return 'it is not known whether the mixed attribute is near normal (mixing, from mixedNormality along the direction)';
  }
  return verdict === 'supported' ? null : `that the mixed attribute is near normal is ${verdict}`;
}

function verdictOf(
  where: string,
  learned: DirectionInput,
  dimension: number,
  { mixing, assumeNearNormal = false }: LearnableRangeOptions,
): Verdict | undefined {
  checkChoice(where, 'assumeNearNormal', assumeNearNormal, [true, false]);
  if (mixing === undefined) return assumeNearNormal ? 'supported' : undefined;
  if (assumeNearNormal) {
    const hint = 'A report says it, or you do.';
    throw new ConfigError(complaint(where, 'mixing or assumeNearNormal', 'both', hint));
  }
  return nearNormalityAlong(where, mixing, toDirection(where, learned, dimension));
}

function varianceRatioOf(
  samples: Matrix,
  { priorCovariance, withinWeight }: SubclassSummary,
  direction: Float64Array,
): VarianceRatio | null {
  if (samples.rows < 2 || priorCovariance === undefined || withinWeight === undefined) return null;
  const positions = Array.from({ length: samples.rows }, (_, i) => dot(direction, samples.row(i)));
  const mean = positions.reduce((sum, value) => sum + value, 0) / positions.length;
  const freedom = positions.length - 1;
  const variance = positions.reduce((sum, value) => sum + (value - mean) ** 2, 0) / freedom;
  const f = variance / priorCovariance.variance(direction);
  const lower = fCdf(f, freedom, withinWeight);
  const upper = fSf(f, freedom, withinWeight);
  return { f, p: Math.min(1, 2 * Math.min(lower, upper)) };
}

function show([low, high]: Strengths): string {
  return `${low.toPrecision(4)} .. ${high.toPrecision(4)}`;
}

printable(LearnableRange.prototype, (range) => {
  const { kind, level, prior, own, transferable, refusal, varianceRatio } = range;
  const shown = (intervals: readonly Strengths[]) => intervals.map(show).join(', ') || 'none';
  const lines = [
    `Learnable strengths (${kind}, level ${level}): own ${shown(own === null ? [] : [own])}, transferable ${shown(transferable)}`,
    `  prior ${shown(prior)}${refusal === null ? '' : `; not transferable: ${refusal}`}`,
  ];
  if (varianceRatio === null) return lines;
  const { f, p } = varianceRatio;
  return [
    ...lines,
    `  own variance along it ${figure(f)} times the pooled one (${pFigure(p)}, if all subclasses were normal and spread alike)`,
  ];
});
