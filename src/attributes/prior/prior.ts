import { ConfigError, complaint } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { figure, pFigure, printable, someOf } from '../../core/printable';
import { RandomStream, type Seed } from '../../core/random';
import { recognizable } from '../../core/recognizable';
import { checkInteger } from '../../core/shapes';
import { Matrix } from '../../linalg';
import { type Covariance, FullCovariance } from '../../statistics/covariance';
import { type LatentsInput, toLatents, toVector, type VectorInput } from '../../statistics/inputs';
import { meanOfRows, subtractFromRows } from '../../statistics/rows';
import { betweenFromCovariance } from './between';
import { functionOfBlocks, inflate, judgeByKnown, type PriorBlock, shrinkToMean, withinOf } from './blocks';
import type { NoveltyCalibration } from './calibrate';
import { checkDimension, type SamplesInput, toSamples } from './checks';
import {
  type Novelty,
  type NoveltyInflation,
  NoveltyJudge,
  type NoveltyJudgement,
  type SubclassStatistics,
} from './novelty';
import { readPrior, type SerializedPrior, serializePrior } from './serialize';

/** Above this tau squared the general mean misleads more than it helps, so the posterior keeps the sample mean. */
const NOVEL_MEAN = 2;

/** Options of `Prior.posterior`. */
export interface PosteriorOptions {
  /** Whether a subclass that looks unlike the others widens the prior. Default: as the prior was fitted. */
  inflate?: boolean;
}

const POSTERIOR_OPTIONS: OptionNames<PosteriorOptions> = { inflate: 'boolean' };

/**
 * The general class as a hierarchical normal: subclass means mu_c ~ N(M, T), samples z | c ~ N(mu_c, Sigma_c) with E Sigma_c = W.
 *
 * Made by `fitPrior`, or by `Prior.of` from covariances that are known.
 *
 * @example
 * const prior: Prior = fitPrior(labeled);
 * const { mean } = prior.posterior(fewLatents);
 */
export class Prior {
  /** E Sigma_c = W, the covariance within a subclass. */
  readonly within: Covariance;
  private readonly judge?: NoveltyJudge;

  constructor(
    /** Mean M of the subclass means, [d]. */
    readonly mean: Float64Array,
    /** Blocks of coordinates in order; one block unless a layout was given. */
    readonly blocks: readonly PriorBlock[],
    /** Weight nu0 of W against the scatter of few samples: the degrees of freedom that W stands for. */
    readonly withinWeight: number,
    /** The subclasses it was fitted on; empty for `Prior.of`. */
    readonly subclasses: readonly SubclassStatistics[],
    /** Whether `posterior` inflates by default. */
    readonly inflate: boolean,
    /**
     * What base subclasses look like when they are left out, the null law of `Posterior.novelty`; 'known' where T and W are taken for
     * known (`Prior.of`, files of version 1), null where there are too few subclasses to leave any out.
     */
    readonly calibration: NoveltyCalibration | 'known' | null,
    /** What was chosen in the fit because the data left no other choice. */
    readonly notes: readonly string[],
  ) {
    this.within = withinOf(blocks);
    if (calibration !== null && calibration !== 'known') {
      const scales = this.within.diagonal().map(Math.sqrt);
      this.judge = new NoveltyJudge(mean, scales, subclasses, calibration);
    }
  }

  /**
   * A prior from covariances that are known.
   *
   * @param mean M, [d]
   * @param within W, [d, d]
   * @param between T, [d, d]
   * @param withinWeight nu0 > 0
   * @throws ShapeError, DataError (not positive definite), ConfigError
   * @example
   * const prior = Prior.of([0], [[1]], [[1]], 10);
   * prior.posterior([[1], [3]], { inflate: false }).mean; // [4 / 3]
   */
  static of(mean: VectorInput, within: LatentsInput, between: LatentsInput, withinWeight: number): Prior {
    const general = toVector('Prior.of', mean);
    const covariance = new FullCovariance(toLatents('Prior.of (within)', within));
    const means = new FullCovariance(toLatents('Prior.of (between)', between));
    checkDimension('Prior.of (within)', covariance.matrix, general.length);
    checkDimension('Prior.of (between)', means.matrix, general.length);
    checkWithinWeight('Prior.of', withinWeight);
    const block = { within: covariance, between: betweenFromCovariance(means, covariance) };
    return new Prior(general, [block], withinWeight, [], true, 'known', []);
  }

  /** Number d of dimensions. */
  get dimension(): number {
    return this.mean.length;
  }

  /** T, the covariance of the subclass means. */
  get between(): Covariance {
    return functionOfBlocks(this.blocks, (ratio) => ratio);
  }

  /** W + T, the covariance of a sample of any subclass around M. */
  get total(): Covariance {
    return functionOfBlocks(this.blocks, (ratio) => 1 + ratio);
  }

  /**
   * What few samples say about their subclass, given the general class.
   *
   *     m = M + T (T + W/n)^-1 (mean - M),   V = (T^-1 + n W^-1)^-1,   Sigma = (nu0 W + scatter) / (nu0 + n - 1)
   *
   * With inflation W is first widened by lambda where the samples scatter more than those of base subclasses do, and T by tau squared
   * where the subclass is `novel`; where tau squared > 2, m is the plain sample mean and V = W/n.
   *
   * Shapes: [n, d], n >= 1, also as `{ z }`, or a flat list where d = 1. Source: Gelman et al., Bayesian Data Analysis (2013), sections 3.5 and 5.4.
   *
   * @throws ShapeError where d differs; DataError for no samples or values that are not finite
   * @example
   * const { mean, covariance } = prior.posterior(fewLatents);
   */
  posterior(few: SamplesInput, options: PosteriorOptions = {}): Posterior {
    const where = 'Prior.posterior';
    checkOptions(where, options, POSTERIOR_OPTIONS);
    const { inflate: widen = this.inflate } = options;
    const samples = toSamples(where, few, this.dimension);
    const n = samples.rows;
    const sampleMean = meanOfRows(where, samples);
    const residuals = subtractFromRows(samples, sampleMean);
    const offset = sampleMean.map((value, j) => value - this.mean[j]);

    const { inflation, novelty } = this.judgement(sampleMean, offset, residuals);
    const used = widen ? inflation : { lambda: 1, tauSquared: 1 };
    const blocks = inflate(this.blocks, used);
    const usesSampleMean = used.tauSquared > NOVEL_MEAN;
    const { shrunk } = shrinkToMean(blocks, offset, n);
    const mean = usesSampleMean ? sampleMean : shrunk.map((value, j) => value + this.mean[j]);
    const within = withinOf(blocks);
    const meanCovariance = usesSampleMean
      ? within.scaled(1 / n)
      : functionOfBlocks(blocks, (ratio) => ratio / (1 + n * ratio));
    const weight = this.withinWeight + n - 1;
    const scatter = new Matrix(
      residuals.data.map((value) => value / Math.sqrt(weight)),
      n,
      this.dimension,
    );
    const shrunkWithin = within.scaled(this.withinWeight / weight);
    const covariance = n === 1 ? shrunkWithin : shrunkWithin.plusScatter(scatter);
    return new Posterior(
      mean,
      meanCovariance,
      covariance,
      weight,
      samples,
      sampleMean,
      used,
      novelty,
      usesSampleMean,
      this,
    );
  }

  /**
   * log N(z; M, W + T): log-density of samples of a subclass that is not known, in nats.
   *
   * Shapes: [k, d] -> [k]. Throws ShapeError, DataError.
   */
  logProb(z: SamplesInput): Float64Array {
    return logDensities('Prior.logProb', z, this.mean, this.total);
  }

  /** Plain JSON, read back by `Prior.fromJSON` without loss. */
  toJSON(): SerializedPrior {
    return serializePrior(this);
  }

  /** @throws FormatError unless the JSON is a prior of a version that this library reads */
  static fromJSON(json: SerializedPrior): Prior {
    const { mean, blocks, withinWeight, subclasses, inflate, calibration, notes } = readPrior(json);
    checkWithinWeight('Prior.fromJSON', withinWeight);
    return new Prior(mean, blocks, withinWeight, subclasses, inflate, calibration, notes);
  }

  private judgement(sampleMean: Float64Array, offset: Float64Array, residuals: Matrix): NoveltyJudgement {
    if (this.judge !== undefined) return this.judge.judge(sampleMean, residuals);
    if (this.calibration === 'known') return judgeByKnown(this.blocks, offset, residuals);
    return { inflation: { lambda: 1, tauSquared: 1 }, novelty: { p: null, novel: false } };
  }
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
    /** How much wider than the prior it looks; 1 and 1 with `inflate: false`. */
    readonly inflation: NoveltyInflation,
    /** Whether its mean lies farther out than those of ordinary subclasses. */
    readonly novelty: Novelty,
    /** Whether the subclass looked so novel (tauSquared above 2) that the prior's mean was not used. */
    readonly usesSampleMean: boolean,
    /** The prior that it was made by. */
    readonly prior: Prior,
  ) {
    this.predictive = covariance.plus(meanCovariance);
  }

  /** Number n of samples behind the mean. */
  get count(): number {
    return this.samples.rows;
  }

  /** W of the prior, not widened: independent of the few samples. */
  get priorCovariance(): Covariance {
    return this.prior.within;
  }

  /** Whether W is an estimate that was shrunk, not a covariance that is known. */
  get shrunk(): boolean {
    return this.prior.calibration !== 'known';
  }

  /** Weight nu0 of W against their scatter. */
  get withinWeight(): number {
    return this.prior.withinWeight;
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
  logProb(z: SamplesInput): Float64Array {
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
  sample(count: number, seed: Seed = 0): Matrix {
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

recognizable(Prior, 'Prior');
recognizable(Posterior, 'Posterior');

/** Throws a ConfigError unless nu0 is positive and finite. */
export function checkWithinWeight(where: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value))) {
    throw new ConfigError(complaint(where, 'a positive withinWeight', value));
  }
}

/** log N(z; mean, covariance) of every row. */
export function logDensities(
  where: string,
  z: SamplesInput,
  mean: Float64Array,
  covariance: Covariance,
): Float64Array {
  const rows = toSamples(where, z, mean.length);
  return Float64Array.from({ length: rows.rows }, (_, i) =>
    covariance.logDensity(rows.row(i).map((value, j) => value - mean[j])),
  );
}

printable(Prior.prototype, (prior) => {
  const { subclasses, dimension, within, blocks, withinWeight, notes } = prior;
  const form = blocks.length > 1 ? `${blocks.length} blocks of ${blocks[0].within.kind}` : within.kind;
  const samples = subclasses.reduce((sum, { count }) => sum + count, 0);
  const source =
    subclasses.length === 0 ? 'given covariances' : `${subclasses.length} subclasses, ${samples} samples`;
  return [
    `Prior of ${dimension} dimensions from ${source}, ${form} covariances`,
    `  mean ${someOf(prior.mean)}`,
    `  a mean varies ${figure(Math.sqrt(prior.between.trace / within.trace))} times as much between subclasses as samples do within`,
    `  withinWeight ${figure(withinWeight)}: the pooled covariance counts as so many degrees of freedom`,
    ...notes.map((note) => `  ${note}`),
  ];
});

printable(Posterior.prototype, (posterior) => {
  const { count, dimension, mean, inflation, novelty, usesSampleMean, degreesOfFreedom } = posterior;
  const verdict = novelty.novel
    ? 'novel: its mean lies farther out than those of ordinary subclasses'
    : 'not unlike the others';
  return [
    `Posterior of a subclass from ${count} samples of ${dimension} dimensions: ${verdict} (${pFigure(novelty.p)})`,
    `  mean ${someOf(mean)}${usesSampleMean ? ', the plain sample mean' : ''}`,
    `  covariance with ${figure(degreesOfFreedom)} degrees of freedom, lambda ${figure(inflation.lambda)}, tau squared ${figure(inflation.tauSquared)}`,
  ];
});
