import type { RandomStream } from '../../core/random';
import type { Matrix } from '../../linalg';
import { type Covariance, dot } from '../../statistics/covariance';

/** Whether the deviations of small samples cancel over classes better, or worse, than independent ones do. */
export interface Complementarity {
  /**
   * K |mean_c b_c|^2 / mean_c |b_c|^2 over K classes in the metric of W: 1 for independent samples, below for deviations that cancel,
   * above for a bias that classes share.
   */
  ratio: number;
  /** Mean cosine between the deviations of two classes: 0 for independent samples. */
  cosine: number;
  /** Where independent sampling leaves `ratio` and `cosine`, at the level asked for. */
  independent: { ratio: [number, number]; cosine: [number, number] };
  /** Share of independent draws with as large a ratio: small means a shared bias. */
  pShared: number;
  /** Share of independent draws with as small a ratio: small means genuine complementarity. */
  pComplementary: number;
}

/**
 * Tests the deviations b_c = mean of few - mean of reference, one row per class.
 *
 * The null is simulated: every class draws its number of samples from its own residuals, independently of the others.
 *
 * @param residuals deviations of reference samples from their class mean, [n, d]
 * @param groups rows of `residuals` of every class, in the order of `biases`
 * @param counts number of few samples of every class
 */
export function complementarityOf(
  biases: readonly Float64Array[],
  within: Covariance,
  residuals: Matrix,
  groups: readonly Int32Array[],
  counts: readonly number[],
  replicates: number,
  level: number,
  random: RandomStream,
): Complementarity {
  const observed = agreement(biases, within);
  const ratios = new Float64Array(replicates);
  const cosines = new Float64Array(replicates);
  for (let r = 0; r < replicates; r++) {
    const drawn = groups.map((rows, c) => meanOfDraws(residuals, rows, counts[c], random));
    const result = agreement(drawn, within);
    ratios[r] = result.ratio;
    cosines[r] = result.cosine;
  }
  const share = (test: (ratio: number) => boolean) => (1 + ratios.filter(test).length) / (1 + replicates);
  return {
    ...observed,
    independent: { ratio: central(ratios, level), cosine: central(cosines, level) },
    pShared: share((ratio) => ratio >= observed.ratio),
    pComplementary: share((ratio) => ratio <= observed.ratio),
  };
}

/** Ratio and mean cosine from the inner products b_c^T W^-1 b_c'. */
function agreement(biases: readonly Float64Array[], within: Covariance): { ratio: number; cosine: number } {
  const K = biases.length;
  const solved = biases.map((bias) => within.solve(bias));
  const lengths = biases.map((bias, c) => dot(bias, solved[c]));
  const sum = lengths.reduce((total, length) => total + length, 0);
  let cross = 0;
  let cosine = 0;
  for (let c = 0; c < K; c++) {
    for (let other = 0; other < c; other++) {
      const product = dot(biases[c], solved[other]);
      cross += 2 * product;
      cosine += product / Math.sqrt(lengths[c] * lengths[other]) / ((K * (K - 1)) / 2);
    }
  }
  return { ratio: (sum + cross) / sum, cosine };
}

function meanOfDraws(residuals: Matrix, rows: Int32Array, count: number, random: RandomStream): Float64Array {
  const mean = new Float64Array(residuals.cols);
  for (let i = 0; i < count; i++) {
    const row = residuals.row(rows[random.integer(rows.length)]);
    for (let j = 0; j < mean.length; j++) mean[j] += row[j] / count;
  }
  return mean;
}

/** The central `level` of the values. */
function central(values: Float64Array, level: number): [number, number] {
  const sorted = values.slice().sort();
  const tail = Math.floor(((1 - level) / 2) * sorted.length);
  return [sorted[tail], sorted[sorted.length - 1 - tail]];
}
