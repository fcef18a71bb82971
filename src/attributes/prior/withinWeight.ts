import { largest } from '../../core/lists';
import { RandomStream, type Seed } from '../../core/random';
import { type Matrix, solveLower } from '../../linalg';
import type { FullCovariance } from '../../statistics/covariance';
import { selectRows } from '../../statistics/rows';
import { heldOutLogDensity } from './heldOutDensity';
import { estimateWithin } from './within';

/** 1, 2, 4, ... 4096: from "each class its own covariance" to "one covariance for all". */
const CANDIDATES = Array.from({ length: 13 }, (_, k) => 2 ** k);
const FEW = 5;
const SPLITS = 4;
const MAXIMUM_CLASSES = 24;
/** Fewest samples of a class that is left out: two for a scatter, one to score. */
const FEWEST = 3;

/**
 * The weight nu0 of the pooled covariance W in (nu0 W + scatter) / (nu0 + n - 1) that predicts left-out classes best.
 *
 * Each class in turn plays the new one: W comes from the others, a few of its samples give the scatter, the rest is scored by the normal
 * log-likelihood around the class mean. W never weighs more than the degrees of freedom that it was estimated with.
 *
 * @param blocks within-class residuals of every block, [N, size]
 * @returns null where no class can be left out
 */
export function chooseWithinWeight(
  where: string,
  blocks: readonly Matrix[],
  groups: readonly Int32Array[],
  form: 'full' | 'diagonal',
  seed: Seed,
): number | null {
  const usable = Array.from(groups.keys()).filter((c) => groups[c].length >= FEWEST);
  const order = new RandomStream(seed).permutation(usable.length);
  const leftOut = Array.from(order.subarray(0, MAXIMUM_CLASSES), (i) => usable[i]);
  const rows = groups.reduce((sum, group) => sum + group.length, 0);
  const freedom = rows - groups.length;
  const candidates = [...CANDIDATES.filter((candidate) => candidate < freedom), freedom];
  const total = new Float64Array(candidates.length);
  let scored = 0;
  for (const residuals of blocks) {
    const random = new RandomStream(seed);
    for (const c of leftOut) {
      const left = rows - groups[c].length - (groups.length - 1);
      if (left < 1) continue;
      const others = groups.flatMap((group, k) => (k === c ? [] : Array.from(group)));
      const whitened = whiten(where, residuals, others, groups[c], left, form);
      if (whitened === null) continue;
      scoreClass(whitened, candidates, form, random, total);
      scored++;
    }
  }
  return scored === 0 ? null : candidates[total.indexOf(largest(total))];
}

/** Residuals of the left-out class in coordinates where the others' W is the identity; null where the others do not vary in all. */
function whiten(
  where: string,
  residuals: Matrix,
  others: number[],
  own: Int32Array,
  freedom: number,
  form: 'full' | 'diagonal',
): Matrix | null {
  const remaining = selectRows(residuals, others);
  const varies = new Uint8Array(residuals.cols);
  for (let i = 0; i < remaining.data.length; i++) if (remaining.data[i] !== 0) varies[i % residuals.cols] = 1;
  const constant = Array.from(varies.keys()).filter((j) => varies[j] === 0);
  if (constant.length === residuals.cols) return null;
  const within = estimateWithin(where, remaining, freedom, form, 0, constant);
  // Residuals of n samples are shorter than their distances from the true mean.
  const length = Math.sqrt(own.length / (own.length - 1));
  const rows = selectRows(residuals, own);
  const deviations = within.diagonal().map(Math.sqrt);
  for (let i = 0; i < rows.rows; i++) {
    const row = rows.row(i);
    if (form === 'full') row.set(solveLower((within as FullCovariance).lower, row));
    else for (let j = 0; j < row.length; j++) row[j] /= deviations[j];
    for (let j = 0; j < row.length; j++) row[j] *= length;
  }
  return rows;
}

/** Adds up what the candidates say of samples of the left-out class, a few of which they know. */
function scoreClass(
  whitened: Matrix,
  candidates: readonly number[],
  form: 'full' | 'diagonal',
  random: RandomStream,
  total: Float64Array,
): void {
  const n = whitened.rows;
  const few = Math.min(FEW, Math.max(2, Math.floor(n / 2)));
  for (let split = 0; split < SPLITS; split++) {
    const order = random.permutation(n);
    const chosen = selectRows(whitened, order.subarray(0, few));
    const logDensity = heldOutLogDensity(chosen, selectRows(whitened, order.subarray(few)), form);
    candidates.forEach((candidate, k) => {
      total[k] += logDensity(candidate);
    });
  }
}
