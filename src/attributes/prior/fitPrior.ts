import { ConfigError, complaint, DataError } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import type { Seed } from '../../core/random';
import { checkChoice, checkInteger } from '../../core/shapes';
import { Matrix } from '../../linalg';
import { type Covariance, LowRankCovariance, sliceColumns } from '../../statistics/covariance';
import { sumOfSquares } from '../../statistics/ledoitWolf';
import { meanOfRows } from '../../statistics/rows';
import { type Labeled, type LabeledLatents, toLabeled } from '../labeled';
import { checkLayout, type LatentLevel } from '../layout';
import { estimateBetween } from './between';
import { checkWithinWeight, Prior } from './prior';
import { estimateWithin, type PriorCovarianceKind } from './within';
import { chooseWithinWeight } from './withinWeight';

/** Up to this many dimensions the covariance is a full matrix by default. */
const FULL_LIMIT = 256;

/** Options of `fitPrior`. */
export interface FitPriorOptions {
  /** Form of the covariances. Default: 'full' up to 256 dimensions a block, 'lowRank' (plus diagonal) beyond. */
  covariance?: PriorCovarianceKind;
  /** Number of factors of the low-rank form. Default: 64, at most samples minus subclasses. */
  rank?: number;
  /** Levels of a multi-scale flow: each gets covariances of its own, independent of the others. Default: one block. */
  layout?: readonly LatentLevel[];
  /** Weight nu0 of the pooled covariance W against the scatter of few samples, or how to find it. Default: 'leaveOneSubclassOut'. */
  withinWeight?: number | 'leaveOneSubclassOut';
  /** Whether `posterior` widens the prior for subclasses that look novel. Default: true. */
  inflate?: boolean;
  /** Seed of the splits that choose nu0. Default: 0. */
  seed?: Seed;
}

const OPTIONS: OptionNames<FitPriorOptions> = {
  covariance: true,
  rank: true,
  layout: true,
  withinWeight: ['nu0', 'priorDegreesOfFreedom', 'degreesOfFreedom'],
  inflate: 'boolean',
  seed: true,
};

/**
 * The general class from samples of several subclasses, as a hierarchical normal fitted by empirical Bayes.
 *
 *     W  = Ledoit-Wolf covariance of the within-class residuals
 *     T  = cov(class means) - W mean(1 / n_c), clipped, shrunk by d / (d + C - 1) towards tr(T) / tr(W) W
 *     nu0: the weight of W that predicts left-out classes best
 *
 * In the low-rank form nu0 is chosen in the leading within-class components.
 * Shapes: z [n, d] in at least 2 subclasses. Low-rank: time n^2 d / 2 and memory for two copies of z, no d x d matrix.
 *
 * Source: Efron and Morris, "Stein's estimation rule and its competitors" (1973), doi:10.2307/2284155; Ledoit and Wolf (2004),
 * doi:10.1016/S0047-259X(03)00096-4.
 *
 * @throws DataError for fewer than 2 subclasses, no subclass with 2 samples, constant data or values that are not finite; ConfigError
 * @example
 * const prior = fitPrior({ z: latents, subclass: labels });
 * const { mean, covariance, degreesOfFreedom } = prior.posterior(fiveSamplesOfANewSubclass);
 */
export function fitPrior(base: Labeled, options: FitPriorOptions = {}): Prior {
  const where = 'fitPrior';
  checkOptions(where, options, OPTIONS);
  const labeled = toLabeled(where, base, 2);
  const { z, groups, names } = labeled;
  const { inflate = true, seed = 0, rank = 64, withinWeight = 'leaveOneSubclassOut' } = options;
  checkValues(where, options);
  const freedom = z.rows - groups.length;
  if (freedom < 1) {
    throw new DataError(
      complaint(where, 'a subclass with at least 2 samples', `${z.rows} subclasses of one sample each`),
    );
  }
  const layout =
    options.layout === undefined
      ? [{ level: 0, offset: 0, size: z.cols }]
      : checkLayout(where, options.layout, z.cols);
  const means = groups.map((rows) => meanOfRows(where, z, rows));
  const mean = meanOfRows(where, Matrix.fromRows(means));
  const deviations = Matrix.fromRows(means.map((one) => one.map((value, j) => value - mean[j])));
  const samplingError = groups.reduce((sum, rows) => sum + 1 / rows.length, 0) / groups.length;
  const residuals = withinResiduals(labeled, means);
  const usedRank = Math.min(rank, freedom);
  const kindOf = (size: number) => options.covariance ?? (size <= FULL_LIMIT ? 'full' : 'lowRank');

  const parts = layout.map(({ offset, size }) => sliceColumns(residuals, offset, size));
  const blocks = layout.map(({ offset, size }, i) => {
    const within = estimateWithin(where, parts[i], freedom, kindOf(size), usedRank);
    return {
      within,
      between: estimateBetween(sliceColumns(deviations, offset, size), within, samplingError),
    };
  });
  const weight =
    withinWeight === 'leaveOneSubclassOut'
      ? chooseWithinWeight(
          where,
          parts.map((part, i) => inComponents(part, blocks[i].within)),
          groups,
          options.covariance === 'diagonal' ? 'diagonal' : 'full',
          seed,
        )
      : withinWeight;
  const subclasses = names.map((subclass, c) => ({ subclass, count: groups[c].length, mean: means[c] }));
  return new Prior(mean, blocks, weight, subclasses, inflate);
}

function checkValues(where: string, options: FitPriorOptions): void {
  const { covariance, rank, withinWeight } = options;
  if (covariance !== undefined) checkChoice(where, 'covariance', covariance, ['full', 'diagonal', 'lowRank']);
  if (rank !== undefined) checkInteger(where, 'rank', rank);
  if (typeof withinWeight === 'number') checkWithinWeight(where, withinWeight);
  else if (withinWeight !== undefined && withinWeight !== 'leaveOneSubclassOut') {
    throw new ConfigError(
      complaint(where, "withinWeight to be a number or 'leaveOneSubclassOut'", withinWeight),
    );
  }
}

/** Rows in the leading within-class components where the covariance is low-rank, else as they are. */
function inComponents(rows: Matrix, within: Covariance): Matrix {
  if (!(within instanceof LowRankCovariance)) return rows;
  const directions = Array.from({ length: within.factors.rows }, (_, k) => within.factors.row(k))
    .map((factor) => ({ factor, length: Math.sqrt(sumOfSquares(factor)) }))
    .filter(({ length }) => length > 0)
    .map(({ factor, length }) => factor.map((value) => value / length));
  return directions.length === 0 ? rows : rows.multiply(Matrix.fromRows(directions).transpose());
}

/** Every row minus the mean of its subclass, [n, d]. */
export function withinResiduals({ z, subclass }: LabeledLatents, means: readonly Float64Array[]): Matrix {
  const result = Matrix.zeros(z.rows, z.cols);
  for (let i = 0; i < z.rows; i++) {
    const source = z.row(i);
    const target = result.row(i);
    const mean = means[subclass[i]];
    for (let j = 0; j < target.length; j++) target[j] = source[j] - mean[j];
  }
  return result;
}
