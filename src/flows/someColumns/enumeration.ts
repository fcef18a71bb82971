import type { RandomStream } from '../../core/random';
import type { Column } from '../../layers/supports/columns';
import { repeatedRow } from './columnPoints';
import type { WeightedRows } from './importance';
import type { PointDensity } from './pointDensity';
import { effectiveSize, normalized } from './points';

/** More combinations of categories are sampled. */
const MOST = 4096;

/**
 * All combinations of the categories that are not given, where nothing else is left open: sums over them are exact.
 *
 * @param given places of the columns that are
 * @returns places and numbers of categories of the others; undefined where there is more than categories, or whole numbers are given
 */
export function categoriesLeft(
  columns: readonly Column[],
  given: readonly number[],
): { places: number[]; sizes: number[] } | undefined {
  const places = columns.map((_, place) => place).filter((place) => !given.includes(place));
  const sizes = places.map((place) => {
    const { support } = columns[place];
    return support.kind === 'categorical' ? support.categories : Number.POSITIVE_INFINITY;
  });
  const noisy = given.some((place) => columns[place].support.kind === 'integer');
  const combinations = sizes.reduce((product, size) => product * size, 1);
  return noisy || combinations > MOST ? undefined : { places, sizes };
}

/** The density of each combination of categories beside what is given. */
export async function enumerated(
  density: PointDensity,
  given: ReadonlyMap<number, number>,
  { places, sizes }: { places: readonly number[]; sizes: readonly number[] },
  random: RandomStream,
): Promise<WeightedRows> {
  const d = density.columns.length;
  const count = sizes.reduce((product, size) => product * size, 1);
  const rows = repeatedRow(density.columns, given, count, random);
  for (let i = 0; i < count; i++) {
    let rest = i;
    places.forEach((place, j) => {
      rows[i * d + place] = (rest % sizes[j]) + 0.5;
      rest = Math.floor(rest / sizes[j]);
    });
  }
  const { weights, logSum } = normalized(await density.logDensity(rows));
  return { rows, weights, logMass: logSum, effectiveSampleSize: effectiveSize(weights) };
}
