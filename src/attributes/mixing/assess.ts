import { bandAround, type Resampled, slopeOf, trendOf } from './bands';
import type { MixtureMeans } from './mixingCurve';
import {
  combine,
  type EstimatedBand,
  judge,
  type MixingStatements,
  type MixingTrend,
  type Verdict,
} from './verdict';

/** One K of a curve. */
export interface MixingPoint extends MixtureMeans {
  /** K, the number of subclasses mixed. */
  subclasses: number;
  /** Band of `excess`. */
  low: number;
  high: number;
  /** Excess when every subclass is replaced by a normal one of its mean and deviation. */
  control: number;
}

/** Hypothesis 1 for one view, or for the mean over views. */
export interface MixingReport {
  /** Whether the mixture of all subclasses is near normal: the verdict of the statement of that name. */
  nearNormal: Verdict;
  /** Hypothesis 1 as a whole: mixing brings the attribute nearer to normal, and near. */
  mixingHelps: Verdict;
  curve: MixingPoint[];
  trend: MixingTrend | null;
  /** Excess of the fewest subclasses minus excess of the most. */
  gain: EstimatedBand;
  /** Control minus excess, at the most subclasses. */
  advantage: EstimatedBand;
  statements: MixingStatements;
}

/** Everything measured, for all views; the column after the last view is the mean over views. */
export interface Evidence {
  counts: readonly number[];
  /** Excess of normal subclasses, one row per K. */
  controls: readonly Float64Array[];
  resampled: Resampled;
  /** Slopes under permuted labels, one row per permutation. */
  slopes: readonly Float64Array[];
  epsilon: number;
  level: number;
  trainingLatents: boolean;
}

/** Curve, bands, statements and verdict of one column of the evidence. */
export function assess(evidence: Evidence, points: readonly MixtureMeans[], column: number): MixingReport {
  const { counts, controls, resampled, slopes, epsilon, level, trainingLatents } = evidence;
  const last = counts.length - 1;
  const curve = points.map((point, k) => {
    const replicates = resampled.tables.map((table) => table[k][column]);
    const { low, high } = bandAround(point.excess, replicates, level);
    return { subclasses: counts[k], ...point, low, high, control: controls[k][column] };
  });
  const gain = bandAround(
    points[0].excess - points[last].excess,
    resampled.tables.map((table) => table[0][column] - table[last][column]),
    level,
  );
  const advantage = bandAround(
    controls[last][column] - points[last].excess,
    resampled.tables.map((table, b) => resampled.controls[b][column] - table[last][column]),
    level,
  );
  const trend = trendOf(
    slopeOf(
      points.map((point) => point.excess),
      counts,
    ),
    slopes.map((row) => row[column]),
  );
  const end = { value: points[last].excess, low: curve[last].low, high: curve[last].high };
  const statements = judge(trend, gain, end, advantage, epsilon, 1 - level, trainingLatents);
  return {
    nearNormal: statements.nearNormal.verdict,
    mixingHelps: combine(statements),
    curve,
    trend,
    gain,
    advantage,
    statements,
  };
}
