import { inTurns, type Work, type WorkOptions } from '../../core/longWork';
import { checkOptions, type OptionNames } from '../../core/options';
import { figure, pFigure, printable } from '../../core/printable';
import type { Seed } from '../../core/random';
import { checkInteger } from '../../core/shapes';
import { type LatentsInput, toLatents } from '../inputs';
import { bandwidthOf, type HenzeZirklerResult, henzeZirklerLimitP } from './henzeZirkler';
import { type Invariants, invariantsOf } from './invariants';
import { type MardiaResult, mardia } from './mardia';
import { type NullTable, nullTable, shareAbove } from './nullTable';
import { type RoystonResult, royston } from './royston';
import { whiten } from './whitening';

/** Options of `multivariateNormality`; the parts of its progress are normal samples drawn. */
export interface MultivariateNormalityOptions extends WorkOptions {
  /**
   * Normal samples drawn for the p-values, and kept for further samples of the same n and p; 0 leaves p-values null. Default: 1999, and
   * up to 9999 below 140 samples, where they cost less.
   */
  replicates?: number;
  /** Seed of those samples. Default: 0. */
  seed?: Seed;
}

const OPTIONS: OptionNames<MultivariateNormalityOptions> = {
  replicates: ['monteCarlo'],
  seed: true,
  onProgress: true,
  signal: true,
};

/** What `multivariateNormality` found; a test that the sample does not allow says why. */
export interface MultivariateNormalityReport {
  n: number;
  /** Values per sample, p. */
  dimension: number;
  /** Normal samples behind the p-values; with 0, those of Mardia, Henze-Zirkler and energy are null. */
  replicates: number;
  mardia: MardiaResult;
  henzeZirkler: HenzeZirklerResult;
  /** n times the energy distance from the normal with the sample's mean and covariance. */
  energy: { statistic: number; p: number | null };
  royston: RoystonResult;
}

/**
 * Whether rows come from one multivariate normal distribution of unknown mean and covariance: Mardia, Henze-Zirkler,
 * energy and Royston.
 *
 *     p = (1 + normal samples of the same n and p with as large a statistic) / (1 + replicates)
 *
 * for all but Royston's H, whose p-value is a fitted formula. These statistics are affine-invariant, so the normal samples serve every
 * sample of that size. Time: n^2 / 2 pairs for the sample, and min(n, 200 or 8p)^2 / 2 for each replicate. With many coordinates reduce
 * first; never trust a nearly singular covariance.
 *
 * @param z [n, p] with n > p + 1
 * @throws DataError for too few samples, linearly dependent or constant columns, values that are not finite; ShapeError; ConfigError; the
 * signal's reason
 * Source: the single tests name theirs.
 * @example
 * const report = await multivariateNormality(tf.randomNormal([100, 3], 0, 1, 'float32', 7), { seed: 1 });
 * report.henzeZirkler.p; // large for normal rows
 */
export async function multivariateNormality(
  z: LatentsInput,
  options: MultivariateNormalityOptions = {},
): Promise<MultivariateNormalityReport> {
  checkOptions('multivariateNormality', options, OPTIONS);
  const rows = toLatents('multivariateNormality', z);
  const { rows: n, cols: p } = rows;
  const { replicates = usualReplicates(n), seed = 0 } = options;
  checkInteger('multivariateNormality', 'replicates', replicates, 0);
  const whitened = whiten('multivariateNormality', rows);
  const h = royston(rows);
  const work = function* (): Work<[Invariants, NullTable | null]> {
    const found = yield* invariantsOf(whitened, bandwidthOf(n, p));
    return [found, replicates === 0 ? null : yield* nullTable(n, p, replicates, seed)];
  };
  const [found, table] = await inTurns(work(), replicates, options);
  const report: MultivariateNormalityReport = {
    n,
    dimension: p,
    replicates,
    mardia: mardia(found, n, p, table),
    henzeZirkler: {
      statistic: found.henzeZirkler,
      p: table && shareAbove(table.henzeZirkler, found.henzeZirkler),
      asymptoticP: henzeZirklerLimitP(found.henzeZirkler, n, p),
    },
    energy: { statistic: found.energy, p: table && shareAbove(table.energy, found.energy) },
    royston: h,
  };
  return printable(report, lines);
}

/** As many as some 2e7 pairs of samples allow, within bounds. */
function usualReplicates(n: number): number {
  return Math.min(9999, Math.max(1999, Math.round(4e7 / (n * n))));
}

function lines(report: MultivariateNormalityReport): string[] {
  const { n, dimension, replicates, mardia: m, henzeZirkler, energy, royston: h } = report;
  return [
    `Multivariate normality of ${n} samples of ${dimension} values (p-values from ${replicates} normal samples)`,
    `  Mardia skewness ${figure(m.skewness)}, ${pFigure(m.skewnessP)}; kurtosis ${figure(m.kurtosis)}, ${pFigure(m.kurtosisP)}`,
    `  Henze-Zirkler ${figure(henzeZirkler.statistic)}, ${pFigure(henzeZirkler.p)}; energy ${figure(energy.statistic)}, ${pFigure(energy.p)}`,
    `  Royston H ${figure(h.statistic)}, ${pFigure(h.p)}${h.reason === undefined ? '' : ` (${h.reason})`}`,
  ];
}
