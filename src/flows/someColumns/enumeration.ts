import type { RandomStream } from '../../core/random';
import type { Column } from '../../layers/supports/columns';
import { DRAWS, hasNoise } from './averaged';
import { repeatedRow } from './columnPoints';
import type { WeightedRows } from './importance';
import type { PointDensity } from './pointDensity';
import { effectiveSize, normalized } from './points';

/** More combinations of categories are sampled. */
const MOST = 4096;

/** All combinations of categories, with what they say of what is given. */
export interface Enumeration extends WeightedRows {
  /** Draws of noise that it is the mean over; 1 where it is exact. */
  draws: number;
}

/**
 * The categories that are not given, where nothing else is left open: they can be summed over.
 *
 * @param given places of the columns that are
 * @returns places and numbers of categories of the others; undefined where there is more than categories, or too many of them
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
  const combinations = sizes.reduce((product, size) => product * size, 1);
  return combinations > MOST ? undefined : { places, sizes };
}

/** The density of each combination of categories beside what is given. */
export async function enumerated(
  density: PointDensity,
  given: ReadonlyMap<number, number>,
  { places, sizes }: { places: readonly number[]; sizes: readonly number[] },
  random: RandomStream,
): Promise<Enumeration> {
  const d = density.columns.length;
  const combinations = sizes.reduce((product, size) => product * size, 1);
  const noise = hasNoise([...given.keys()].map((place) => density.columns[place]));
  const draws = noise ? DRAWS : 1;
  const noisy = repeatedRow(density.columns, given, draws, random);
  const rows = new Float64Array(draws * combinations * d);
  for (let i = 0; i < draws * combinations; i++) {
    let rest = i % combinations;
    const draw = (i - rest) / combinations;
    rows.set(noisy.subarray(draw * d, (draw + 1) * d), i * d);
    places.forEach((place, j) => {
      rows[i * d + place] = (rest % sizes[j]) + 0.5;
      rest = Math.floor(rest / sizes[j]);
    });
  }
  const { weights, logSum } = normalized(await density.logDensity(rows));
  const ofDraws = Float64Array.from({ length: draws }, (_, draw) =>
    weights.subarray(draw * combinations, (draw + 1) * combinations).reduce((sum, weight) => sum + weight, 0),
  );
  const effectiveSampleSize = draws === 1 ? Number.POSITIVE_INFINITY : effectiveSize(ofDraws);
  return { rows, weights, logMass: logSum - Math.log(draws), effectiveSampleSize, draws };
}
