import { ConfigError, complaint } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { RandomStream, type Seed } from '../../core/random';
import { checkChoice, checkInteger } from '../../core/shapes';
import { Matrix } from '../../linalg';
import { type Covariance, LowRankCovariance } from '../../statistics/covariance';
import { sumOfSquares } from '../../statistics/ledoitWolf';
import { type Labeled, toLabeled } from '../labeled';
import type { LatentLevel } from '../layout';
import { calibrate, type NoveltyCalibration } from './calibrate';
import { fitMoments, type Moments } from './moments';
import { checkWithinWeight, Prior } from './prior';
import type { PriorCovarianceKind } from './within';
import { chooseWithinWeight } from './withinWeight';

/** Options of `fitPrior`. */
export interface FitPriorOptions {
  /** Form of the covariances. Default: 'full' up to 256 dimensions a block, 'lowRank' (plus diagonal) beyond. */
  covariance?: PriorCovarianceKind;
  /** Number of factors of the low-rank form. Default: 64, at most samples minus subclasses. */
  rank?: number;
  /**
   * 'perColumn': every column is divided by its own deviation within subclasses before anything is shrunk, so that units have no say.
   * 'common': all columns share one unit, as pixels do, so that a column that hardly varies in the base subclasses borrows the width of
   * the others. Default: 'perColumn'.
   */
  units?: 'perColumn' | 'common';
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
  units: true,
  layout: true,
  withinWeight: ['nu0', 'priorDegreesOfFreedom', 'degreesOfFreedom'],
  inflate: 'boolean',
  seed: true,
};

/**
 * The general class from samples of several subclasses, as a hierarchical normal fitted by empirical Bayes.
 *
 *     s_j = standard deviation of column j within the subclasses; columns are divided by it, so units have no say
 *     W  = Ledoit-Wolf covariance of the within-class residuals: their correlation is shrunk towards none
 *     T  = cov(class means) - W mean(1 / n_c), clipped, shrunk towards tr(T) / tr(W) W by the weight that normal means call for
 *     nu0: the weight of W that predicts left-out classes best, at most the degrees of freedom that W was estimated with
 *
 * In the low-rank form nu0 is chosen in the leading within-class components. Base subclasses are also left out to learn how far ordinary
 * ones lie apart (`Posterior.novelty`). `Prior.notes` tells what was chosen because the data left no other choice.
 * Shapes: z [n, d] in at least 2 subclasses. Low-rank: time n^2 d / 2 and memory for two copies of z, no d x d matrix.
 *
 * Source: Efron and Morris, "Stein's estimation rule and its competitors" (1973), doi:10.2307/2284155; Ledoit and Wolf (2004),
 * doi:10.1016/S0047-259X(03)00096-4; Chen, Wiesel, Eldar and Hero (2010), arXiv:0907.4698.
 *
 * @throws DataError for fewer than 2 subclasses, no subclass with 2 samples, constant data or values that are not finite; ConfigError
 * @example
 * const prior = fitPrior({ z: latents, subclass: labels });
 * const { mean, covariance, novelty } = prior.posterior(fiveSamplesOfANewSubclass);
 */
export function fitPrior(base: Labeled, options: FitPriorOptions = {}): Prior {
  const where = 'fitPrior';
  checkOptions(where, options, OPTIONS);
  const labeled = toLabeled(where, base, 2);
  const { groups, names } = labeled;
  const { inflate = true, seed = 0 } = options;
  checkValues(where, options);
  const moments = fitMoments(where, labeled, options);
  const { mean, means, blocks, freedom, scales, deviations, residuals } = moments;
  const weight = weightOf(where, moments, groups, options);
  const calibration = calibrate(deviations, residuals, groups, new RandomStream(seed));
  const subclasses = names.map((subclass, c) => ({ subclass, count: groups[c].length, mean: means[c] }));
  return new Prior(
    mean,
    blocks,
    weight ?? freedom,
    subclasses,
    inflate,
    calibration,
    notesOn(groups, scales.constant, weight, calibration),
  );
}

/** nu0 as it is given or chosen; null where it cannot be chosen. */
function weightOf(
  where: string,
  { parts }: Moments,
  groups: readonly Int32Array[],
  { covariance, seed = 0, withinWeight = 'leaveOneSubclassOut' }: FitPriorOptions,
): number | null {
  if (withinWeight !== 'leaveOneSubclassOut') return withinWeight;
  const components = parts.map(({ residuals, within }) => inComponents(residuals, within));
  const form = covariance === 'diagonal' ? 'diagonal' : 'full';
  return chooseWithinWeight(where, components, groups, form, seed);
}

/** What was chosen because the data left no other choice. */
function notesOn(
  groups: readonly Int32Array[],
  constant: readonly number[],
  weight: number | null,
  calibration: NoveltyCalibration | null,
): string[] {
  const notes: string[] = [];
  const largest = groups.reduce((most, rows) => Math.max(most, rows.length), 0);
  if (weight === null) {
    notes.push(
      `No subclass has 3 samples (at most ${largest}) to be left out, so W weighs as much as the degrees of freedom that it was estimated with.`,
    );
  }
  if (calibration === null) {
    notes.push(
      `Of ${groups.length} subclasses none can be left out to learn how far ordinary ones lie apart (4 can): no subclass is called novel.`,
    );
  }
  if (constant.length > 0) {
    const shown = constant.slice(0, 5).join(', ');
    const columns = constant.length > 5 ? `${shown} and ${constant.length - 5} others` : shown;
    notes.push(
      `Constant within every subclass: column ${columns}. They got the root mean square deviation of the others.`,
    );
  }
  return notes;
}

function checkValues(where: string, options: FitPriorOptions): void {
  const { covariance, rank, units, withinWeight } = options;
  if (covariance !== undefined) checkChoice(where, 'covariance', covariance, ['full', 'diagonal', 'lowRank']);
  if (units !== undefined) checkChoice(where, 'units', units, ['perColumn', 'common']);
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
