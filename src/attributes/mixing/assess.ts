import { bandAround, type Resampled, slopeOf, trendOf } from './bands';
import type { MixtureMeans } from './mixingCurve';
import {
  combine,
  type DistanceFromNormal,
  type EstimatedBand,
  judge,
  type MixingStatements,
  type MixingTrend,
  type Verdict,
  type ViewEvidence,
} from './verdict';

/** One K of a curve. */
export interface MixingPoint extends Omit<MixtureMeans, 'energyExcess'> {
  /** K, the number of subclasses mixed. */
  subclasses: number;
  /** Root of the energy distance beyond that of n normal values, negative where there is less of it. */
  excess: number;
  /** Band of `excess`: what other subclasses of the same kind could have given. */
  low: number;
  high: number;
  /** Excess when every subclass is replaced by a normal one of its mean and deviation. */
  control: number;
}

/** Hypothesis 1 for one view, or for all. */
export interface MixingReport {
  /** Whether the mixture of all subclasses is near normal: the verdict of the statement of that name. */
  nearNormal: Verdict;
  /** Hypothesis 1 as a whole: mixing brings the attribute nearer to normal, and near. */
  mixingHelps: Verdict;
  /** Of the mixture of all subclasses, from all their samples; of several views that of the farthest. */
  distance: DistanceFromNormal;
  curve: MixingPoint[];
  trend: MixingTrend | null;
  /** Energy excess of the fewest subclasses minus that of the most. */
  gain: EstimatedBand;
  /** Energy excess of the control minus that of the mixtures, at the most subclasses. */
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

/** Curve, bands, statements and verdicts of one column of the evidence. */
export function assess(
  evidence: Evidence,
  points: readonly MixtureMeans[],
  views: readonly ViewEvidence[],
  column: number,
): MixingReport {
  const { counts, controls, resampled, slopes, epsilon, level, trainingLatents } = evidence;
  const last = counts.length - 1;
  const curve = points.map(({ energyExcess, ...point }, k) => {
    const replicates = resampled.tables.map((table) => table[k][column]);
    const { low, high } = bandAround(energyExcess, replicates, level);
    return {
      subclasses: counts[k],
      excess: signedRoot(energyExcess),
      low: signedRoot(low),
      high: signedRoot(high),
      control: signedRoot(controls[k][column]),
      ...point,
    };
  });
  const gain = bandAround(
    points[0].energyExcess - points[last].energyExcess,
    resampled.tables.map((table) => table[0][column] - table[last][column]),
    level,
  );
  const advantage = bandAround(
    controls[last][column] - points[last].energyExcess,
    resampled.tables.map((table, b) => resampled.controls[b][column] - table[last][column]),
    level,
  );
  const slope = slopeOf(
    points.map((point) => point.energyExcess),
    counts,
  );
  const trend = trendOf(
    slope,
    slopes.map((row) => row[column]),
  );
  const statements = judge({ trend, gain, views, advantage, epsilon, level, trainingLatents });
  return {
    nearNormal: statements.nearNormal.verdict,
    mixingHelps: combine(statements),
    distance: farthest(views),
    curve,
    trend,
    gain,
    advantage,
    statements,
  };
}

/** The distance of the view that is farthest from normal. */
function farthest(views: readonly ViewEvidence[]): DistanceFromNormal {
  return views
    .map(({ distance }) => distance)
    .reduce((most, other) => (other.value > most.value ? other : most));
}

function signedRoot(value: number): number {
  return Math.sign(value) * Math.sqrt(Math.abs(value));
}
