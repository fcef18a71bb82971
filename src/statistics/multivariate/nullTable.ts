import type { Work } from '../../core/longWork';
import { RandomStream, type Seed } from '../../core/random';
import { Matrix } from '../../linalg';
import { normalQuantile } from '../special';
import { bandwidthOf } from './henzeZirkler';
import { type Invariants, invariantsOf } from './invariants';
import { whiten } from './whitening';

/** The invariant statistics of normal samples of one n and p, each in ascending order. */
export type NullTable = Record<keyof Invariants, Float64Array>;

const STATISTICS: readonly (keyof Invariants)[] = ['skewness', 'kurtosis', 'henzeZirkler', 'energy'];

/** Samples are simulated at their own size up to this one, or to this many per dimension. */
const LARGEST_SIMULATED = 200;
const SAMPLES_PER_DIMENSION = 8;

const tables = new Map<string, NullTable>();

/**
 * What the statistics are for normal samples: since no affine map changes them, one table serves every normal distribution. Tables
 * are kept, so further samples of the same n and p cost nothing.
 *
 * Larger samples are not simulated at their size, for the laws have settled by then but for terms of order 1/n: they are simulated at
 * m = max(200, 8p) and m/2 and carried on to n. Skewness goes by its exact mean, kurtosis by its exact mean and deviation and, as it
 * becomes normal like n^-1/2, that share of the way to normal quantiles; the other two by mean and deviation that are straight lines in 1/n.
 *
 * Yields the normal samples drawn. Source of the moments: Mardia, "Applications of some measures of multivariate skewness and kurtosis" (1974).
 */
export function* nullTable(n: number, p: number, replicates: number, seed: Seed): Work<NullTable> {
  const key = `${n} ${p} ${replicates} ${typeof seed} ${seed}`;
  const known = tables.get(key);
  if (known !== undefined) return known;
  const random = new RandomStream(seed);
  const size = Math.min(n, Math.max(LARGEST_SIMULATED, SAMPLES_PER_DIMENSION * p));
  const bandwidth = bandwidthOf(n, p);
  const half = Math.round(size / 2);
  const smaller = size < n ? yield* simulate(half, p, bandwidth, replicates, random, () => 0) : null;
  const table = yield* simulate(size, p, bandwidth, replicates, random);
  if (smaller !== null) carry(table, smaller, { n, size, half, p });
  tables.set(key, table);
  return table;
}

/** (1 + entries as large) / (1 + entries): the p-value of a statistic that is large where normality fails. */
export function shareAbove(sorted: Float64Array, value: number): number {
  return (1 + sorted.length - firstAtLeast(sorted, value)) / (1 + sorted.length);
}

/** Twice the smaller of the shares as large and as small. */
export function shareBeyond(sorted: Float64Array, value: number): number {
  const below = (1 + firstAtLeast(sorted, value)) / (1 + sorted.length);
  return Math.min(1, 2 * Math.min(below, shareAbove(sorted, value)));
}

function* simulate(
  n: number,
  p: number,
  bandwidth: number,
  replicates: number,
  random: RandomStream,
  done = (drawn: number) => drawn,
): Work<NullTable> {
  const empty = () => new Float64Array(replicates);
  const table: NullTable = { skewness: empty(), kurtosis: empty(), henzeZirkler: empty(), energy: empty() };
  for (let r = 0; r < replicates; r++) {
    const whitened = whiten('multivariateNormality', new Matrix(random.normalArray(n * p), n, p));
    const found = invariantsOf(whitened, bandwidth);
    let step = found.next();
    while (!step.done) {
      yield done(r);
      step = found.next();
    }
    for (const name of STATISTICS) table[name][r] = step.value[name];
  }
  for (const name of STATISTICS) table[name].sort();
  return table;
}

/** Carries a table of samples of one size on to samples of n. */
function carry(
  table: NullTable,
  smaller: NullTable,
  { n, size, half, p }: { n: number; size: number; half: number; p: number },
): void {
  const growth = skewnessMean(n, p) / skewnessMean(size, p);
  table.skewness.forEach((value, i) => {
    table.skewness[i] = value * growth;
  });

  const from = kurtosisMoments(size, p);
  const to = kurtosisMoments(n, p);
  const kept = Math.sqrt(size / n);
  table.kurtosis.forEach((value, i) => {
    const normal = normalQuantile((i + 0.5) / table.kurtosis.length);
    const score = (kept * (value - from.mean)) / from.deviation + (1 - kept) * normal;
    table.kurtosis[i] = to.mean + to.deviation * score;
  });

  // A straight line in 1/n through both sizes, at n.
  const along = (1 / n - 1 / size) / (1 / half - 1 / size);
  for (const name of ['henzeZirkler', 'energy'] as const) {
    const near = momentsOf(table[name]);
    const far = momentsOf(smaller[name]);
    const mean = near.mean + along * (far.mean - near.mean);
    const deviation = near.deviation + along * (far.deviation - near.deviation);
    table[name].forEach((value, i) => {
      table[name][i] = mean + (deviation / near.deviation) * (value - near.mean);
    });
  }
}

/** E b1 of normal samples. */
function skewnessMean(n: number, p: number): number {
  return (p * (p + 2) * ((n + 1) * (p + 1) - 6)) / ((n + 1) * (n + 3));
}

/** Exact mean and standard deviation of b2 of normal samples. */
function kurtosisMoments(n: number, p: number): { mean: number; deviation: number } {
  const variance =
    (8 * p * (p + 2) * (n - 3) * (n - p - 1) * (n - p + 1)) / ((n + 1) ** 2 * (n + 3) * (n + 5));
  return { mean: (p * (p + 2) * (n - 1)) / (n + 1), deviation: Math.sqrt(variance) };
}

function momentsOf(values: Float64Array): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / values.length) };
}

/** Position of the first entry that is not below the value. */
function firstAtLeast(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
