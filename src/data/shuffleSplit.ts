import { ConfigError, complaint } from '../core/errors';
import { named } from '../core/numbers';
import type { RandomStream } from '../core/random';
import { checkInteger } from '../core/shapes';

/**
 * Splits the numbers 0 .. count - 1 at random into disjoint sets of the given sizes; what is left over is in none.
 *
 * `gatherRows` takes the rows. The same stream position gives the same split on every machine.
 *
 * @throws ConfigError where the sizes exceed the count
 * @example
 * const [train, test] = shuffleSplit(1797, [1500, 297], new RandomStream(1)); // Int32Array(1500), Int32Array(297)
 */
export function shuffleSplit(count: number, sizes: readonly number[], random: RandomStream): Int32Array[] {
  checkInteger('shuffleSplit', 'count', count);
  if (!Array.isArray(sizes))
    throw new ConfigError(complaint('shuffleSplit', 'a list of sizes', named(sizes)[0]));
  if (typeof random?.permutation !== 'function') {
    const hint = 'Give new RandomStream(seed).';
    throw new ConfigError(
      complaint('shuffleSplit', 'a RandomStream as the third argument', named(random)[0], hint),
    );
  }
  for (const size of sizes) checkInteger('shuffleSplit', 'sizes', size, 0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total > count) {
    throw new ConfigError(complaint('shuffleSplit', `sizes that sum to at most ${count}`, `${total}`));
  }
  const order = random.permutation(count);
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return order.slice(start - size, start);
  });
}
