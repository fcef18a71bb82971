import { checkOptions, type OptionNames } from '../../core/options';
import { RandomStream, type Seed } from '../../core/random';
import { checkInteger } from '../../core/shapes';
import { type LatentsInput, toLatents } from '../inputs';
import { energyP, energyStatistic } from './energyDistance';
import { type HenzeZirklerResult, henzeZirkler } from './henzeZirkler';
import { type MardiaResult, mardia } from './mardia';
import { type RoystonResult, royston } from './royston';
import { whiten } from './whitening';

/** Options of `multivariateNormality`. */
export interface MultivariateNormalityOptions {
  /** Normal samples drawn for the p-value of the energy test; 0 leaves it null. Default: 199. */
  monteCarlo?: number;
  /** Seed of those samples. Default: 0. */
  seed?: Seed;
}

const OPTIONS: OptionNames<MultivariateNormalityOptions> = { monteCarlo: true, seed: true };

/** What `multivariateNormality` found; a test that the sample does not allow says why. */
export interface MultivariateNormalityReport {
  n: number;
  /** Values per sample, p. */
  dimension: number;
  mardia: MardiaResult;
  henzeZirkler: HenzeZirklerResult;
  /** Energy statistic; its p-value is by Monte Carlo, null with `monteCarlo: 0`. */
  energy: { statistic: number; p: number | null };
  royston: RoystonResult;
}

/**
 * Whether rows come from one multivariate normal distribution of unknown mean and covariance: Mardia, Henze-Zirkler,
 * energy and Royston.
 *
 * All but Royston's H are affine-invariant. With many coordinates reduce first; never trust a nearly singular covariance.
 *
 * @param z [n, p] with n > p + 1
 * @throws DataError for too few samples, linearly dependent or constant columns, values that are not finite; ShapeError
 * Source: the single tests name theirs.
 * @example
 * const report = multivariateNormality(tf.randomNormal([100, 3], 0, 1, 'float32', 7), { seed: 1 });
 * report.henzeZirkler.p; // large for normal rows
 */
export function multivariateNormality(
  z: LatentsInput,
  options: MultivariateNormalityOptions = {},
): MultivariateNormalityReport {
  checkOptions('multivariateNormality', options, OPTIONS);
  const { monteCarlo = 199, seed = 0 } = options;
  checkInteger('multivariateNormality', 'monteCarlo', monteCarlo, 0);
  const rows = toLatents('multivariateNormality', z);
  const { rows: n, cols: dimension } = rows;
  const whitened = whiten('multivariateNormality', rows);
  const statistic = energyStatistic(whitened);
  const random = new RandomStream(seed);
  const p = monteCarlo === 0 ? null : energyP(statistic, n, dimension, monteCarlo, random);
  return {
    n,
    dimension,
    mardia: mardia(whitened),
    henzeZirkler: henzeZirkler(whitened),
    energy: { statistic, p },
    royston: royston(rows),
  };
}
