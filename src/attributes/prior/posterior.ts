import { RandomStream, type Seed } from '../../core/random';
import { checkInteger } from '../../core/shapes';
import { Matrix } from '../../linalg';
import type { Covariance } from '../../statistics/covariance';
import { type LatentsInput, toLatents } from '../../statistics/inputs';
import { checkDimension } from './checks';

/** How much wider than the prior a new subclass looks; 1 and 1 where it looks like the others. */
export interface NoveltyInflation {
  /** Factor on W: max(1, tr(W^-1 S) / d) with S the covariance of the few samples. */
  lambda: number;
  /** Factor on T: max(1, squared distance of the sample mean from the general mean, per dimension, in units of its expectation). */
  tauSquared: number;
}

/**
 * What is known of one subclass after few samples of it; made by `Prior.posterior`.
 *
 * @example
 * const posterior: Posterior = prior.posterior(fewLatents);
 * posterior.degreesOfFreedom;
 */
export class Posterior {
  /** Covariance of a further sample, Sigma + V: uncertainty of the mean included. */
  readonly predictive: Covariance;

  constructor(
    /** Posterior mean m of the subclass, [d]; the sample mean where `usesSampleMean`. */
    readonly mean: Float64Array,
    /** Covariance V of that mean. */
    readonly meanCovariance: Covariance,
    /** Covariance Sigma of the samples around their mean. */
    readonly covariance: Covariance,
    /** Degrees of freedom behind `covariance`: nu0 + n - 1. */
    readonly degreesOfFreedom: number,
    /** The few samples, [n, d]. */
    readonly samples: Matrix,
    /** Their plain mean, [d]. */
    readonly sampleMean: Float64Array,
    readonly inflation: NoveltyInflation,
    /** Whether the subclass looked so novel (tauSquared > 2) that the prior's mean was not used. */
    readonly usesSampleMean: boolean,
    /** W of the prior, not widened: independent of the few samples. */
    readonly priorCovariance: Covariance,
    /** Degrees of freedom nu0 behind it. */
    readonly priorDegreesOfFreedom: number,
  ) {
    this.predictive = covariance.plus(meanCovariance);
  }

  /** Number n of samples behind the mean. */
  get count(): number {
    return this.samples.rows;
  }

  /** Number d of dimensions. */
  get dimension(): number {
    return this.mean.length;
  }

  /**
   * log N(z; m, Sigma + V): predictive log-density of further samples of the subclass, in nats.
   *
   * Shapes: [k, d] -> [k]. Throws ShapeError, DataError.
   *
   * @example
   * const nats = prior.posterior(few).logProb(latents); // [n]
   */
  logProb(z: LatentsInput): Float64Array {
    return logDensities('Posterior.logProb', z, this.mean, this.predictive);
  }

  /**
   * Draws from N(m, Sigma + V), [count, d].
   *
   * Such draws are plausible under the model, which is not the same as keeping the subclass: in the latents of an unconditional flow a
   * subclass is no ellipsoid. `augment` stays near the samples for that reason.
   *
   * @example
   * prior.posterior(few).sample(3, 1).rows; // 3
   */
  sample(count: number, seed: Seed): Matrix {
    checkInteger('Posterior.sample', 'count', count);
    const random = new RandomStream(seed);
    const result = Matrix.zeros(count, this.dimension);
    for (let i = 0; i < count; i++) {
      const row = this.predictive.draw(random);
      result.row(i).set(row.map((value, j) => value + this.mean[j]));
    }
    return result;
  }
}

/** log N(z; mean, covariance) of every row. */
export function logDensities(
  where: string,
  z: LatentsInput,
  mean: Float64Array,
  covariance: Covariance,
): Float64Array {
  const rows = toLatents(where, z);
  checkDimension(where, rows, mean.length);
  return Float64Array.from({ length: rows.rows }, (_, i) =>
    covariance.logDensity(rows.row(i).map((value, j) => value - mean[j])),
  );
}
