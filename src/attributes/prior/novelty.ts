import { gram, Matrix } from '../../linalg';
import { dot } from '../../statistics/covariance';
import { fSf } from '../../statistics/special';
import type { SubclassName } from '../labeled';
import type { NoveltyCalibration } from './calibrate';
import { componentsOf, inverseProduct, type MeanSpread, meanSpread } from './meanSpread';

/** A subclass is taken for novel, and the prior widened, where chance does this in fewer than 5 of 100 ordinary subclasses. */
export const SIGNIFICANT = 0.05;

/** What the prior remembers of one subclass it was fitted on. */
export interface SubclassStatistics {
  subclass: SubclassName;
  /** Number of samples. */
  count: number;
  /** Their mean, [d]. */
  mean: Float64Array;
}

/** How much wider than the prior a new subclass looks; 1 and 1 where it looks like the others. */
export interface NoveltyInflation {
  /** Factor on W: how much more the few samples scatter than those of base subclasses that were left out; 1 unless chance does so in fewer than 5 %. */
  lambda: number;
  /** Factor on T: how much farther the sample mean lies from M than those of base subclasses that were left out; 1 unless `novel`. */
  tauSquared: number;
}

/** Whether the mean of a new subclass lies farther from the general mean than those of ordinary subclasses do. */
export interface Novelty {
  /**
   * Probability that a subclass like those of the prior has a sample mean at least so far from M, from base subclasses that were left
   * out; null where there are fewer than 4 of them.
   */
  p: number | null;
  /** Whether p < .05: the prior's mean and T say little about this subclass. */
  novel: boolean;
}

/** The verdict on few samples. */
export interface NoveltyJudgement {
  inflation: NoveltyInflation;
  novelty: Novelty;
}

/** Judges few samples against the base subclasses of a prior, by what these look like when they are left out. */
export class NoveltyJudge {
  /** Deviations of the class means from M in units of the within-class deviations, [C, d]. */
  private readonly deviations: Matrix;
  private readonly spread: MeanSpread;

  /** @param scales within-class standard deviations, [d] */
  constructor(
    private readonly mean: Float64Array,
    private readonly scales: Float64Array,
    subclasses: readonly SubclassStatistics[],
    private readonly calibration: NoveltyCalibration,
  ) {
    this.deviations = Matrix.zeros(subclasses.length, mean.length);
    subclasses.forEach((subclass, c) => {
      this.deviations.row(c).set(this.standardized(subclass.mean));
    });
    const samplingError = subclasses.reduce((sum, { count }) => sum + 1 / count, 0) / subclasses.length;
    this.spread = meanSpread(gram(this.deviations), mean.length, samplingError);
  }

  /** @param residuals the samples minus their mean, [n, d] */
  judge(sampleMean: Float64Array, residuals: Matrix): NoveltyJudgement {
    const lambda = this.scatterOf(residuals);
    const offset = this.standardized(sampleMean);
    const inner = Float64Array.from({ length: this.deviations.rows }, (_, c) =>
      dot(this.deviations.row(c), offset),
    );
    const components = componentsOf(this.spread, inner);
    const error = lambda / residuals.rows;
    const { mean, freedom } = this.lawAt(error);
    const square = inverseProduct(this.spread, error, dot(offset, offset), components, components);
    const ratio = square / (mean * offset.length);
    const p = fSf(ratio, freedom, freedom * (this.calibration.subclasses - 1));
    const novel = p < SIGNIFICANT;
    return {
      inflation: { lambda, tauSquared: novel ? Math.max(1, ratio) : 1 },
      novelty: { p, novel },
    };
  }

  private standardized(point: Float64Array): Float64Array {
    return point.map((value, j) => (value - this.mean[j]) / this.scales[j]);
  }

  private scatterOf(residuals: Matrix): number {
    const { rows: n, cols: d } = residuals;
    if (n === 1) return 1;
    const { mean, variance, directions, freedom } = this.calibration.scatter;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const row = residuals.row(i);
      for (let j = 0; j < d; j++) squares += (row[j] / this.scales[j]) ** 2;
    }
    const ratio = squares / ((n - 1) * d * mean);
    const chance = 2 / ((n - 1) * directions);
    const p = fSf(ratio, 2 / (chance + variance * (1 + chance)), freedom);
    return p < SIGNIFICANT ? Math.max(1, ratio) : 1;
  }

  /** The law of distances of means with the error u W, between the errors that it was worked out at. */
  private lawAt(u: number): { mean: number; freedom: number } {
    const { error, mean, freedom } = this.calibration.distance;
    const next = error.findIndex((value) => value >= u);
    if (next <= 0) {
      const end = next < 0 ? error.length - 1 : 0;
      return { mean: mean[end], freedom: freedom[end] };
    }
    const weight = (u - error[next - 1]) / (error[next] - error[next - 1]);
    const between = (values: readonly number[]) => (1 - weight) * values[next - 1] + weight * values[next];
    return { mean: between(mean), freedom: between(freedom) };
  }
}
