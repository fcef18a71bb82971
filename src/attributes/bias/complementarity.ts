import type { RandomStream } from '../../core/random';
import type { Matrix } from '../../linalg';
import { type Covariance, dot } from '../../statistics/covariance';

/** Whether the deviations of small samples cancel over subclasses better, or worse, than independent ones do. */
export interface Complementarity {
  /**
   * K |mean_c b_c|^2 / mean_c |b_c|^2 over K subclasses in the metric of W: 1 for independent samples, below for deviations that cancel,
   * above for a bias that subclasses share.
   */
  ratio: number;
  /** Mean cosine between the deviations of two subclasses: 0 for independent samples. */
  cosine: number;
  /** Where independent sampling leaves `ratio` and `cosine`, at the level asked for. */
  independent: { ratio: [number, number]; cosine: [number, number] };
  /** Share of independent draws with as large a ratio: small means a shared bias. */
  pShared: number;
  /** Share of independent draws with as small a ratio: small means genuine complementarity. */
  pComplementary: number;
}

/** The few samples of one subclass and its reference samples, as rows of one matrix. */
export interface Dealt {
  few: Int32Array;
  reference: Int32Array;
}

/**
 * Tests the deviations b_c = mean of few - mean of reference, one per subclass.
 *
 * Under independent sampling any samples of a subclass could have been the few ones: all are dealt again, subclass by subclass. That makes
 * p exact whatever the law of the samples, the subclasses' covariances and sizes, as long as W does not tell few from reference.
 *
 * @param within W of few and reference together
 */
export function complementarityOf(
  z: Matrix,
  subclasses: readonly Dealt[],
  within: Covariance,
  replicates: number,
  level: number,
  random: RandomStream,
): Complementarity {
  const pools = subclasses.map(({ few, reference }) => Int32Array.from([...few, ...reference]));
  const totals = pools.map((rows) => sumOf(z, rows));
  /** Agreement of the deviations when the first rows of every pool are the few. */
  const dealt = () =>
    agreement(
      pools.map((rows, c) => {
        const [count, others] = [subclasses[c].few.length, subclasses[c].reference.length];
        const sum = sumOf(z, rows.subarray(0, count));
        return sum.map((value, j) => value / count - (totals[c][j] - value) / others);
      }),
      within,
    );
  const observed = dealt();
  const ratios = new Float64Array(replicates);
  const cosines = new Float64Array(replicates);
  for (let r = 0; r < replicates; r++) {
    pools.forEach((rows, c) => {
      drawToFront(rows, subclasses[c].few.length, random);
    });
    const { ratio, cosine } = dealt();
    ratios[r] = ratio;
    cosines[r] = cosine;
  }
  // Rounding must not decide about ties with the observed deal.
  const [low, high] = [observed.ratio * (1 - 1e-12), observed.ratio * (1 + 1e-12)];
  const share = (test: (ratio: number) => boolean) => (1 + ratios.filter(test).length) / (1 + replicates);
  return {
    ...observed,
    independent: { ratio: central(ratios, level), cosine: central(cosines, level) },
    pShared: share((ratio) => ratio >= low),
    pComplementary: share((ratio) => ratio <= high),
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
      // A deviation of 0, as rounded values may have, points nowhere.
      if (product !== 0) cosine += product / Math.sqrt(lengths[c] * lengths[other]) / ((K * (K - 1)) / 2);
    }
  }
  // No deviations at all neither agree nor cancel.
  return { ratio: sum > 0 ? (sum + cross) / sum : 1, cosine };
}

/** Moves as many random rows to the front, all sets of them being equally likely. */
function drawToFront(rows: Int32Array, count: number, random: RandomStream): void {
  for (let k = 0; k < count; k++) {
    const other = k + random.integer(rows.length - k);
    [rows[k], rows[other]] = [rows[other], rows[k]];
  }
}

function sumOf(z: Matrix, rows: Int32Array): Float64Array {
  const sum = new Float64Array(z.cols);
  for (const i of rows) {
    const row = z.row(i);
    for (let j = 0; j < sum.length; j++) sum[j] += row[j];
  }
  return sum;
}

/** The central `level` of the values. */
function central(values: Float64Array, level: number): [number, number] {
  const sorted = values.slice().sort();
  const tail = Math.floor(((1 - level) / 2) * sorted.length);
  return [sorted[tail], sorted[sorted.length - 1 - tail]];
}
