import type { RandomStream } from '../../core/random';
import { effectSizes } from '../../statistics/normality/effectSizes';
import { nullEffects } from '../../statistics/normality/nullEffects';
import { describe } from '../../statistics/normality/sample';
import { energyDistance, POINT_ENERGY } from './energy';
import { drawMixtures, type SubclassRows } from './mixtures';
import type { View } from './views';

/** E|Z|: the W1 distance of a sample without any spread, a single point at 0. */
const POINT_W1 = Math.sqrt(2 / Math.PI);

/** How the distances of a mixture are measured: which numbers of which subclasses, how many, how often. */
export interface MixingPlan {
  views: readonly View[];
  /** Numbers of subclasses K, ascending. */
  counts: readonly number[];
  /** Rows per mixture, the same for every K. */
  n: number;
  /** Mixtures per K. */
  mixtures: number;
}

/** Mean energy distance beyond that of normal samples, one row per K and one entry per view, then the mean over views. */
export type ExcessTable = Float64Array[];

/** Means over the mixtures of one K. */
export interface MixtureMeans {
  /** Energy distance beyond that of n normal values. */
  energyExcess: number;
  /** W1 distance beyond that of n normal values, in standard deviations. It depends on n: a description. */
  w1Excess: number;
  /** Hyvarinen's, in nats, beyond that of n normal values. */
  negentropy: number;
  skewness: number;
  excessKurtosis: number;
}

/** The values of a view in one mixture. */
function gather(values: Float64Array, rows: Int32Array): Float64Array {
  const result = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) result[i] = values[rows[i]];
  return result;
}

function isConstant(values: Float64Array): boolean {
  return values.every((value) => value === values[0]);
}

/** Excess of every K and view for subclasses as given: observed, resampled or permuted. */
export function excessTable(plan: MixingPlan, groups: SubclassRows, random: RandomStream): ExcessTable {
  return plan.counts.map((count) =>
    excessRow(plan, drawMixtures(groups, count, plan.n, plan.mixtures, random), (view, rows) =>
      gather(view.values, rows),
    ),
  );
}

/**
 * The same for one K when every subclass is replaced by a normal one with its own mean and deviation.
 *
 * Any excess that is left comes from the means and variances of the subclasses, not from their shapes.
 */
export function controlRow(
  plan: MixingPlan,
  groups: SubclassRows,
  count: number,
  moments: SubclassMoments,
  random: RandomStream,
): Float64Array {
  const mixtures = drawMixtures(groups, count, plan.n, plan.mixtures, random);
  return excessRow(plan, mixtures, (_, rows, v) =>
    Float64Array.from(rows, (row) => {
      const c = moments.classOf[row];
      return moments.means[v][c] + moments.deviations[v][c] * random.normalNumber();
    }),
  );
}

function excessRow(
  { views, n }: MixingPlan,
  mixtures: readonly Int32Array[],
  valuesOf: (view: View, rows: Int32Array, v: number) => Float64Array,
): Float64Array {
  const row = new Float64Array(views.length + 1);
  const expected = nullEffects(n).energy.mean;
  views.forEach((view, v) => {
    let sum = 0;
    for (const mixture of mixtures) sum += energyDistance(valuesOf(view, mixture, v), null);
    row[v] = sum / mixtures.length - expected;
    row[views.length] += row[v] / views.length;
  });
  return row;
}

/** Mean and deviation of every view in every subclass, [view][subclass], and the subclass of every row. */
export interface SubclassMoments {
  means: Float64Array[];
  deviations: Float64Array[];
  classOf: Int32Array;
}

export function subclassMoments(
  views: readonly View[],
  groups: SubclassRows,
  classOf: Int32Array,
): SubclassMoments {
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const means = views.map(({ values }) => Float64Array.from(groups, (rows) => mean(gather(values, rows))));
  const deviations = views.map(({ values }, v) =>
    Float64Array.from(groups, (rows, c) => {
      const squares = gather(values, rows).map((value) => (value - means[v][c]) ** 2);
      return Math.sqrt((mean(squares) * rows.length) / Math.max(1, rows.length - 1));
    }),
  );
  return { means, deviations, classOf };
}

/** All measures of one view over the given mixtures, and how many of these had no spread at all. */
export function mixtureMeans(
  view: View,
  mixtures: readonly Int32Array[],
  n: number,
): { means: MixtureMeans; constant: number } {
  const expected = nullEffects(n);
  const means = { energyExcess: 0, w1Excess: 0, negentropy: 0, skewness: 0, excessKurtosis: 0 };
  let constant = 0;
  for (const mixture of mixtures) {
    const values = gather(view.values, mixture);
    if (isConstant(values)) {
      constant++;
      means.energyExcess += POINT_ENERGY / mixtures.length;
      means.w1Excess += POINT_W1 / mixtures.length;
      continue;
    }
    const sample = describe(values);
    const effects = effectSizes(sample);
    means.energyExcess += effects.energy / mixtures.length;
    means.w1Excess += effects.w1 / mixtures.length;
    means.negentropy += effects.negentropyHyvarinen / mixtures.length;
    means.skewness += sample.skewness / mixtures.length;
    means.excessKurtosis += sample.excessKurtosis / mixtures.length;
  }
  means.energyExcess -= expected.energy.mean;
  means.w1Excess -= expected.w1.mean;
  means.negentropy -= expected.negentropyHyvarinen.mean;
  return { means, constant };
}
