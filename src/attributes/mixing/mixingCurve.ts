import type { RandomStream } from '../../core/random';
import { effectSizes, wasserstein1 } from '../../statistics/normality/effectSizes';
import { nullEffects } from '../../statistics/normality/nullEffects';
import { describe } from '../../statistics/normality/sample';
import { type ClassRows, drawMixtures } from './mixtures';
import type { View } from './views';

/** E|Z|: the W1 distance of a standardized sample without any spread, a single point at 0. */
const POINT_DISTANCE = Math.sqrt(2 / Math.PI);

/** How the distances of a mixture are measured: which numbers of which classes, how many, how often. */
export interface MixingPlan {
  views: readonly View[];
  /** Numbers of classes K, ascending. */
  counts: readonly number[];
  /** Rows per mixture, the same for every K. */
  n: number;
  /** Mixtures per K. */
  mixtures: number;
}

/** Mean W1 excess over the normal null, one row per K and one entry per view, then the mean over views. */
export type ExcessTable = Float64Array[];

/** Means over the mixtures of one K. */
export interface MixtureMeans {
  excess: number;
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

function distance(values: Float64Array): number {
  return isConstant(values) ? POINT_DISTANCE : wasserstein1(describe(values).standardized);
}

/** W1 excess of every K and view for classes as given: observed, resampled or permuted. */
export function excessTable(plan: MixingPlan, groups: ClassRows, random: RandomStream): ExcessTable {
  return plan.counts.map((count) =>
    excessRow(plan, drawMixtures(groups, count, plan.n, plan.mixtures, random), (view, rows) =>
      gather(view.values, rows),
    ),
  );
}

/**
 * The same for one K when every class is replaced by a normal one with its own mean and deviation.
 *
 * Any excess that is left comes from the class means and variances, not from the shapes of the classes.
 */
export function controlRow(
  plan: MixingPlan,
  groups: ClassRows,
  count: number,
  moments: ClassMoments,
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
  const expected = nullEffects(n).w1.mean;
  views.forEach((view, v) => {
    let sum = 0;
    for (const mixture of mixtures) sum += distance(valuesOf(view, mixture, v));
    row[v] = sum / mixtures.length - expected;
    row[views.length] += row[v] / views.length;
  });
  return row;
}

/** Mean and deviation of every view in every class, [view][class], and the class of every row. */
export interface ClassMoments {
  means: Float64Array[];
  deviations: Float64Array[];
  classOf: Int32Array;
}

export function classMoments(views: readonly View[], groups: ClassRows, classOf: Int32Array): ClassMoments {
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
  const means: MixtureMeans = { excess: 0, negentropy: 0, skewness: 0, excessKurtosis: 0 };
  let constant = 0;
  for (const mixture of mixtures) {
    const values = gather(view.values, mixture);
    if (isConstant(values)) {
      constant++;
      means.excess += POINT_DISTANCE / mixtures.length;
      continue;
    }
    const sample = describe(values);
    const effects = effectSizes(sample);
    means.excess += effects.w1 / mixtures.length;
    means.negentropy += effects.negentropyHyvarinen / mixtures.length;
    means.skewness += sample.skewness / mixtures.length;
    means.excessKurtosis += sample.excessKurtosis / mixtures.length;
  }
  means.excess -= expected.w1.mean;
  means.negentropy -= expected.negentropyHyvarinen.mean;
  return { means, constant };
}
