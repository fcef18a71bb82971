import type { RandomStream } from '../../core/random';
import {
  controlRow,
  type ExcessTable,
  excessTable,
  type MixingPlan,
  type SubclassMoments,
} from './mixingCurve';
import { permuteSubclasses, resampleSubclasses, type SubclassRows } from './mixtures';
import type { EstimatedBand, MixingTrend } from './verdict';

/** Excesses of resampled subclasses, and their controls at the largest K. */
export interface Resampled {
  tables: ExcessTable[];
  controls: Float64Array[];
}

/** Two-level bootstrap: what other subclasses of the same kind, and other samples of them, could have given. */
export function resampleTables(
  plan: MixingPlan,
  groups: SubclassRows,
  moments: SubclassMoments,
  replicates: number,
  random: RandomStream,
): Resampled {
  const last = plan.counts[plan.counts.length - 1];
  const tables: ExcessTable[] = [];
  const controls: Float64Array[] = [];
  for (let b = 0; b < replicates; b++) {
    const resampled = resampleSubclasses(groups, random);
    tables.push(excessTable(plan, resampled, random));
    controls.push(controlRow(plan, resampled, last, moments, random));
  }
  return { tables, controls };
}

/**
 * Band around an estimate from the spread of its bootstrap replicates about their own mean.
 *
 * The replicates' level is not used: repeated rows and subclasses make every resampled mixture less normal than a fresh one.
 */
export function bandAround(value: number, replicates: readonly number[], level: number): EstimatedBand {
  const sorted = Float64Array.from(replicates).sort();
  const mean = sorted.reduce((sum, entry) => sum + entry, 0) / sorted.length;
  const tail = (1 - level) / 2;
  return {
    value,
    low: value + quantile(sorted, tail) - mean,
    high: value + quantile(sorted, 1 - tail) - mean,
  };
}

/** Quantile of sorted values, linear between order statistics. */
function quantile(sorted: Float64Array, p: number): number {
  const at = p * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/** Slope of the excesses on ln K by least squares. */
export function slopeOf(excesses: readonly number[], counts: readonly number[]): number {
  const x = counts.map(Math.log);
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  let cross = 0;
  let square = 0;
  x.forEach((value, k) => {
    cross += (value - mean) * excesses[k];
    square += (value - mean) ** 2;
  });
  return cross / square;
}

/** Slopes of every column when labels mean nothing: rows dealt to the subclasses at random. */
export function permutedSlopes(
  plan: MixingPlan,
  groups: SubclassRows,
  replicates: number,
  random: RandomStream,
): Float64Array[] {
  return Array.from({ length: replicates }, () => {
    const table = excessTable(plan, permuteSubclasses(groups, random), random);
    return table[0].map((_, column) =>
      slopeOf(
        table.map((row) => row[column]),
        plan.counts,
      ),
    );
  });
}

export function trendOf(slope: number, permuted: readonly number[]): MixingTrend | null {
  if (permuted.length === 0) return null;
  const share = (test: (other: number) => boolean) =>
    (1 + permuted.filter(test).length) / (1 + permuted.length);
  return { slope, p: share((other) => other <= slope), pRising: share((other) => other >= slope) };
}
