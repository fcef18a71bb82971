import { complaint, DataError } from '../../core/errors';
import { Matrix } from '../../linalg';
import { type Covariance, sliceColumns } from '../../statistics/covariance';
import { meanOfRows, subtractFromRows } from '../../statistics/rows';
import type { LabeledLatents } from '../labeled';
import { checkLayout, type LatentLevel } from '../layout';
import { estimateBetween, stretch } from './between';
import { type PriorBlock, withinOf } from './blocks';
import { divideColumns, type WithinScales, withinScales } from './scales';
import { estimateWithin, type PriorCovarianceKind } from './within';

/** Up to this many dimensions the covariance is a full matrix by default. */
const FULL_LIMIT = 256;

/** Forms of W and T, as `fitPrior` takes them. */
export interface MomentOptions {
  covariance?: PriorCovarianceKind;
  rank?: number;
  units?: 'perColumn' | 'common';
  layout?: readonly LatentLevel[];
}

/** M, W and T of several subclasses, and what they were made of. */
export interface Moments {
  /** M, [d]. */
  mean: Float64Array;
  /** Mean of every subclass, [C][d]. */
  means: Float64Array[];
  /** W and T in the units of the data. */
  blocks: PriorBlock[];
  /** Samples less subclasses: the degrees of freedom behind W. */
  freedom: number;
  scales: WithinScales;
  /** Means of the subclasses minus M, in units of the within-class deviations, [C, d]. */
  deviations: Matrix;
  /** Samples minus the means of their subclasses, in the same units, [N, d]. */
  residuals: Matrix;
  /** The columns of `residuals` that belong to each block, and W in these units. */
  parts: { residuals: Matrix; within: Covariance }[];
}

/**
 * Fits M, W and T of the hierarchical normal and nothing else; `fitPrior` adds what judges a new subclass.
 *
 * @throws DataError where no subclass has 2 samples or none varies
 */
export function fitMoments(where: string, labeled: LabeledLatents, options: MomentOptions = {}): Moments {
  const { z, groups } = labeled;
  const freedom = z.rows - groups.length;
  if (freedom < 1) {
    throw new DataError(
      complaint(where, 'a subclass with at least 2 samples', `${z.rows} subclasses of one sample each`),
    );
  }
  const means = groups.map((rows) => meanOfRows(where, z, rows));
  const mean = meanOfRows(where, Matrix.fromRows(means));
  const residuals = withinResiduals(labeled, means);
  const scales = withinScales(where, z, residuals, freedom, options.units === 'common');
  divideColumns(residuals, scales.deviations);
  const deviations = divideColumns(subtractFromRows(Matrix.fromRows(means), mean), scales.deviations);

  const { covariance, rank = 64 } = options;
  const layout =
    options.layout === undefined
      ? [{ level: 0, offset: 0, size: z.cols }]
      : checkLayout(where, options.layout, z.cols);
  const samplingError = groups.reduce((sum, rows) => sum + 1 / rows.length, 0) / groups.length;
  const blocks: PriorBlock[] = [];
  const parts = layout.map(({ offset, size }) => {
    const kind = covariance ?? (size <= FULL_LIMIT ? 'full' : 'lowRank');
    const part = sliceColumns(residuals, offset, size);
    const constant = scales.constant.filter((j) => j >= offset && j < offset + size).map((j) => j - offset);
    const within = estimateWithin(where, part, freedom, kind, Math.min(rank, freedom), constant);
    const between = estimateBetween(sliceColumns(deviations, offset, size), within, samplingError);
    const factors = scales.deviations.subarray(offset, offset + size);
    blocks.push({ within: within.stretched(factors), between: stretch(between, factors) });
    return { residuals: part, within };
  });
  return { mean, means, blocks, freedom, scales, deviations, residuals, parts };
}

/** The general mean M, [d], and the pooled covariance W within subclasses. */
export interface MeanAndWithin {
  mean: Float64Array;
  within: Covariance;
}

/** M and W alone. */
export function meanAndWithin(where: string, labeled: LabeledLatents): MeanAndWithin {
  const { mean, blocks } = fitMoments(where, labeled);
  return { mean, within: withinOf(blocks) };
}

/** Every row minus the mean of its subclass, [n, d]. */
function withinResiduals({ z, subclass }: LabeledLatents, means: readonly Float64Array[]): Matrix {
  const result = Matrix.zeros(z.rows, z.cols);
  for (let i = 0; i < z.rows; i++) {
    const source = z.row(i);
    const target = result.row(i);
    const mean = means[subclass[i]];
    for (let j = 0; j < target.length; j++) target[j] = source[j] - mean[j];
  }
  return result;
}
