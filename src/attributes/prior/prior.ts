import { ConfigError, complaint } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { Matrix } from '../../linalg';
import { BlockCovariance, type Covariance, FullCovariance } from '../../statistics/covariance';
import { type LatentsInput, toLatents, toVector, type VectorInput } from '../../statistics/inputs';
import { meanOfRows, subtractFromRows } from '../../statistics/rows';
import { betweenFromCovariance, functionOf, rescale, shrinkOffset } from './between';
import { checkDimension } from './checks';
import { logDensities, Posterior } from './posterior';
import {
  type ClassStatistics,
  type PriorBlock,
  readPrior,
  type SerializedPrior,
  serializePrior,
} from './serialize';

/** Above this tau squared the general mean misleads more than it helps, so the posterior keeps the sample mean. */
const NOVEL_MEAN = 2;

/** Options of `Prior.posterior`. */
export interface PosteriorOptions {
  /** Whether a subclass that looks unlike the others widens the prior. Default: as the prior was fitted. */
  inflate?: boolean;
}

const POSTERIOR_OPTIONS: OptionNames<PosteriorOptions> = { inflate: true };

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

  constructor(
    /** General mean M, [d]. */
    readonly general: Float64Array,
    /** Blocks of coordinates in order; one block unless a layout was given. */
    readonly blocks: readonly PriorBlock[],
    /** Weight nu0 of W against the scatter of few samples. */
    readonly degreesOfFreedom: number,
    /** The subclasses it was fitted on; empty for `Prior.of`. */
    readonly classes: readonly ClassStatistics[],
    /** Whether `posterior` inflates by default. */
    readonly inflate: boolean,
  ) {
    this.within = joinBlocks(blocks.map((block) => block.within));
  }

  /**
   * A prior from covariances that are known.
   *
   * @param general M, [d]
   * @param within W, [d, d]
   * @param between T, [d, d]
   * @param degreesOfFreedom nu0 > 0
   * @throws ShapeError, DataError (not positive definite), ConfigError
   * @example
   * const prior = Prior.of([0], [[1]], [[1]], 10);
   * prior.posterior([[1], [3]], { inflate: false }).mean; // [4 / 3]
   */
  static of(
    general: VectorInput,
    within: LatentsInput,
    between: LatentsInput,
    degreesOfFreedom: number,
  ): Prior {
    const mean = toVector('Prior.of', general);
    const covariance = new FullCovariance(toLatents('Prior.of (within)', within));
    const means = new FullCovariance(toLatents('Prior.of (between)', between));
    checkDimension('Prior.of (within)', covariance.matrix, mean.length);
    checkDimension('Prior.of (between)', means.matrix, mean.length);
    checkDegreesOfFreedom('Prior.of', degreesOfFreedom);
    const block = { within: covariance, between: betweenFromCovariance(means, covariance) };
    return new Prior(mean, [block], degreesOfFreedom, [], true);
  }

  /** Number d of dimensions. */
  get dimension(): number {
    return this.general.length;
  }

  /** T, the covariance of the subclass means. */
  get between(): Covariance {
    return joinBlocks(
      this.blocks.map(({ within, between }) => functionOf(between, within, (ratio) => ratio)),
    );
  }

  /** W + T, the covariance of a sample of any subclass around M. */
  get total(): Covariance {
    return joinBlocks(
      this.blocks.map(({ within, between }) => functionOf(between, within, (ratio) => 1 + ratio)),
    );
  }

  /**
   * What few samples say about their subclass, given the general class.
   *
   *     m = M + T (T + W/n)^-1 (mean - M),   V = (T^-1 + n W^-1)^-1,   Sigma = (nu0 W + scatter) / (nu0 + n - 1)
   *
   * With inflation W is first widened by lambda and T by tau squared (see `NoveltyInflation`), as a subclass that the flow never saw does
   * not look like those it was trained on; and where tau squared > 2, m is the plain sample mean and V = W/n.
   *
   * Shapes: [n, d], n >= 1. Source: Gelman et al., Bayesian Data Analysis (2013), sections 3.5 and 5.4.
   *
   * @throws ShapeError where d differs; DataError for no samples or values that are not finite
   * @example
   * const { mean, covariance } = prior.posterior(fewLatents);
   */
  posterior(few: LatentsInput, options: PosteriorOptions = {}): Posterior {
    const where = 'Prior.posterior';
    checkOptions(where, options, POSTERIOR_OPTIONS);
    const { inflate = this.inflate } = options;
    const samples = toLatents(where, few);
    checkDimension(where, samples, this.dimension);
    const n = samples.rows;
    const sampleMean = meanOfRows(where, samples);
    const residuals = subtractFromRows(samples, sampleMean);
    const offset = sampleMean.map((value, j) => value - this.general[j]);

    const lambda = inflate && n > 1 ? this.widthOf(residuals) : 1;
    let blocks = this.blocks.map(({ within, between }) => ({
      within: within.scaled(lambda),
      between: rescale(between, lambda, 1),
    }));
    const distance = forBlocks(blocks, offset, n).distance / this.dimension;
    const tauSquared = inflate ? Math.max(1, distance) : 1;
    blocks = blocks.map(({ within, between }) => ({ within, between: rescale(between, 1, tauSquared) }));

    const usesSampleMean = tauSquared > NOVEL_MEAN;
    const { shrunk } = forBlocks(blocks, offset, n);
    const mean = usesSampleMean ? sampleMean : shrunk.map((value, j) => value + this.general[j]);
    const meanCovariance = joinBlocks(
      blocks.map(({ within, between }) =>
        usesSampleMean
          ? within.scaled(1 / n)
          : functionOf(between, within, (ratio) => ratio / (1 + n * ratio)),
      ),
    );
    const weight = this.degreesOfFreedom + n - 1;
    const scatter = new Matrix(
      residuals.data.map((value) => value / Math.sqrt(weight)),
      n,
      this.dimension,
    );
    const within = joinBlocks(blocks.map((block) => block.within));
    const shrunkWithin = within.scaled(this.degreesOfFreedom / weight);
    const covariance = n === 1 ? shrunkWithin : shrunkWithin.plusScatter(scatter);
    return new Posterior(
      mean,
      meanCovariance,
      covariance,
      weight,
      samples,
      sampleMean,
      { lambda, tauSquared },
      usesSampleMean,
      this.within,
      this.degreesOfFreedom,
    );
  }

  /**
   * log N(z; M, W + T): log-density of samples of a subclass that is not known, in nats.
   *
   * Shapes: [k, d] -> [k]. Throws ShapeError, DataError.
   */
  logProb(z: LatentsInput): Float64Array {
    return logDensities('Prior.logProb', z, this.general, this.total);
  }

  /** Plain JSON, read back by `Prior.fromJSON` without loss. */
  toJSON(): SerializedPrior {
    return serializePrior(this);
  }

  /** @throws FormatError unless the JSON is a prior of a version that this library reads */
  static fromJSON(json: SerializedPrior): Prior {
    const { general, blocks, degreesOfFreedom, classes, inflate } = readPrior(json);
    checkDegreesOfFreedom('Prior.fromJSON', degreesOfFreedom);
    return new Prior(general, blocks, degreesOfFreedom, classes, inflate);
  }

  /** lambda = max(1, tr(W^-1 S) / d) with S the covariance of the few samples. */
  private widthOf(residuals: Matrix): number {
    let sum = 0;
    for (let i = 0; i < residuals.rows; i++) sum += this.within.mahalanobis(residuals.row(i));
    return Math.max(1, sum / ((residuals.rows - 1) * this.dimension));
  }
}

/** Throws a ConfigError unless nu0 is positive and finite. */
export function checkDegreesOfFreedom(where: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value))) {
    throw new ConfigError(complaint(where, 'positive prior degrees of freedom', value));
  }
}

function joinBlocks(parts: readonly Covariance[]): Covariance {
  return parts.length === 1 ? parts[0] : new BlockCovariance(parts);
}

/** `shrinkOffset` block by block. */
function forBlocks(
  blocks: readonly PriorBlock[],
  offset: Float64Array,
  n: number,
): { shrunk: Float64Array; distance: number } {
  const shrunk = new Float64Array(offset.length);
  let distance = 0;
  let first = 0;
  for (const { within, between } of blocks) {
    const part = shrinkOffset(between, within, offset.slice(first, first + within.dimension), n);
    shrunk.set(part.shrunk, first);
    distance += part.distance;
    first += within.dimension;
  }
  return { shrunk, distance };
}
