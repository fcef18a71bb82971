import { ConfigError, complaint, DataError } from '../../core/errors';
import { checkInteger } from '../../core/shapes';
import type { LabeledLatents } from '../labeled';

/** How many subclasses are mixed, at how many samples, and what a reader should know of the choice. */
export interface MixtureSizes {
  /** Numbers of subclasses K, ascending. */
  counts: number[];
  /** Samples per mixture, the same for every K. */
  n: number;
  notes: string[];
}

const USUAL_COUNTS = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100];
const SMALLEST_N = 8;
const LARGEST_DEFAULT_N = 200;

/**
 * Numbers of subclasses and the common n: what was asked for, checked, and what was not, chosen so that the smallest subclass fills its
 * part and every subclass has one sample at least.
 */
export function chooseSizes(
  data: LabeledLatents,
  asked: { counts?: readonly number[]; n?: number },
): MixtureSizes {
  const subclasses = data.groups.length;
  const sizes = data.groups.map((rows) => rows.length);
  const smallest = sizes.reduce((least, size) => Math.min(least, size));
  const name = data.names[sizes.indexOf(smallest)];
  if (asked.n !== undefined) checkInteger('mixedNormality', 'n', asked.n, SMALLEST_N);
  const counts = asked.counts === undefined ? undefined : checkCounts(asked.counts, subclasses);
  const most = counts === undefined ? subclasses : counts[counts.length - 1];
  // Fewest subclasses that fill a mixture.
  const fewest = Math.ceil((asked.n ?? Math.max(SMALLEST_N, most)) / smallest);
  if (fewest > subclasses) {
    throw new DataError(
      complaint(
        'mixedNormality',
        `mixtures of ${asked.n ?? SMALLEST_N} samples in equal parts`,
        `${smallest} of subclass ${name}, the smallest of ${subclasses}`,
        `Take more samples of it, or leave it out${asked.n === undefined ? '' : ', or lower n'}.`,
      ),
    );
  }
  const chosen = counts ?? [fewest, ...USUAL_COUNTS.filter((k) => k > fewest && k < subclasses), subclasses];
  const unique = [...new Set(chosen)];
  const n = asked.n ?? Math.min(unique[0] * smallest, Math.max(LARGEST_DEFAULT_N, most));
  if (counts !== undefined) checkFit(counts, n, smallest, `${smallest} of subclass ${name}`);
  const notes: string[] = [];
  if (counts === undefined && fewest > 1) {
    const start =
      unique.length === 1
        ? `All ${subclasses} subclasses are mixed`
        : `Mixtures start at ${fewest} subclasses`;
    notes.push(`${start}, ${n} samples each: the smallest subclass, ${name}, has ${smallest}.`);
  }
  return { counts: unique, n, notes };
}

function checkCounts(given: readonly number[], subclasses: number): number[] {
  if (!Array.isArray(given)) {
    throw new ConfigError(complaint('mixedNormality', 'counts to be a list of numbers of subclasses', given));
  }
  if (given.length === 0) throw new ConfigError(complaint('mixedNormality', 'at least one count', 'none'));
  for (const count of given) {
    checkInteger('mixedNormality', 'counts', count);
    if (count > subclasses) {
      throw new ConfigError(complaint('mixedNormality', `counts up to the ${subclasses} subclasses`, count));
    }
  }
  return [...new Set(given)].sort((a, b) => a - b);
}

/** Whether the smallest subclass fills its part of mixtures of the fewest, and those of the most have a sample of each. */
function checkFit(counts: readonly number[], n: number, smallest: number, received: string): void {
  const needed = Math.ceil(Math.max(n, SMALLEST_N) / counts[0]);
  if (needed > smallest) {
    const expected = `${needed} samples of every subclass to mix ${counts[0]} at n = ${Math.max(n, SMALLEST_N)}`;
    const hint = 'Raise the smallest count, or leave that subclass out.';
    throw new DataError(complaint('mixedNormality', expected, received, hint));
  }
  const largest = counts[counts.length - 1];
  if (largest > n) {
    const hint = `Mixtures of ${counts[0]} subclasses have ${n} samples: leave small counts or large ones out.`;
    throw new ConfigError(complaint('mixedNormality', `counts up to n = ${n}`, largest, hint));
  }
}
