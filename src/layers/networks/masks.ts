import { ConfigError, complaint } from '../../core/errors';
import { named } from '../../core/numbers';

/*
 * Masks of fully connected layers by which every output is kept from reading some values. Every unit stands for a set of values that it
 * may depend on, and reads units whose sets lie within its own.
 */

/** Sets of values: a row of booleans for each. */
export type Sets = readonly (readonly boolean[])[];

/** Which values the outputs of each value may read: a row of booleans, or of 0 and 1, for each. */
export type Adjacency = readonly (readonly (boolean | number)[])[];

/**
 * An adjacency of d values as booleans.
 *
 * @throws ConfigError unless it is d rows of d booleans, or of 0 and 1
 */
export function checkAdjacency(where: string, adjacency: Adjacency, d: number): boolean[][] {
  return checkSets(where, 'adjacency', adjacency, d, d);
}

/**
 * An option of rows of booleans, or of 0 and 1, as booleans.
 *
 * @throws ConfigError for anything else, or other numbers of them
 */
export function checkSets(
  where: string,
  option: string,
  given: Adjacency,
  rows: number,
  columns: number,
): boolean[][] {
  const expected = `${option} to be ${rows} rows of ${columns} booleans`;
  if (!Array.isArray(given)) throw new ConfigError(complaint(where, expected, named(given)[0]));
  if (given.length !== rows) throw new ConfigError(complaint(where, expected, `${given.length} rows`));
  return given.map((row, i) => {
    const good =
      Array.isArray(row) &&
      row.length === columns &&
      row.every((entry) => entry === 0 || entry === 1 || typeof entry === 'boolean');
    if (good) return row.map(Boolean);
    throw new ConfigError(
      complaint(where, expected, `${Array.isArray(row) ? JSON.stringify(row) : named(row)[0]} as row ${i}`),
    );
  });
}

/** For each value the number of passes after which it is known, from 0: those that read nothing come first. */
export function levelsOf(where: string, adjacency: Sets): number[] {
  const levels = new Array<number>(adjacency.length).fill(-1);
  for (let found = 0, level = 0; found < levels.length; level++) {
    const ready = adjacency.flatMap((row, i) =>
      levels[i] < 0 && row.every((reads, j) => !reads || (levels[j] >= 0 && levels[j] < level)) ? [i] : [],
    );
    if (ready.length === 0) {
      const rest = levels.flatMap((known, i) => (known < 0 ? [i] : []));
      throw new ConfigError(
        complaint(where, 'an adjacency without circles', `one among the values ${rest.join(', ')}`),
      );
    }
    for (const i of ready) levels[i] = level;
    found += ready.length;
  }
  return levels;
}

/** Who reads whom where every value reads those of earlier groups, `order` being cut into `passes` groups. */
export function orderedAdjacency(order: readonly number[], passes: number): boolean[][] {
  const size = Math.ceil(order.length / passes);
  const groups = new Array<number>(order.length);
  order.forEach((value, place) => {
    groups[value] = Math.floor(place / size);
  });
  return groups.map((group) => groups.map((other) => other < group));
}

/** The number of steps after which all members of each set are known. */
export function levelsOfSets(sets: Sets, levels: readonly number[]): number[] {
  return sets.map((set) =>
    set.reduce((most, member, j) => (member ? Math.max(most, levels[j] + 1) : most), 0),
  );
}

/**
 * What the hidden units of a layer stand for: each for the values that the outputs of some value read, shared out evenly, those that are
 * known first in front. For an order this is what degrees of units say (Germain et al., 2015); it holds for any adjacency.
 *
 * @param levels for each value the step in which it is known
 * @param withEmpty whether some units stand for no value, as they have a context to read
 */
export function spreadSets(
  adjacency: Sets,
  levels: readonly number[],
  width: number,
  withEmpty: boolean,
): Sets {
  const different = [...new Map(adjacency.map((row) => [row.join(), row])).values()];
  const useful = different.filter((row) => withEmpty || row.some(Boolean));
  // Where no output reads a value, units are constants.
  const sets = useful.length > 0 ? useful : different;
  const known = new Map(sets.map((set) => [set, levelsOfSets([set], levels)[0]]));
  const sorted = [...sets].sort((a, b) => (known.get(a) as number) - (known.get(b) as number));
  return Array.from({ length: width }, (_, h) => sorted[Math.floor((h * sorted.length) / width)]);
}

/** The set of each value alone, `repeats` times, then `others` empty ones: what the first layer of a network reads. */
export function inputSets(d: number, repeats: number, others: number): Sets {
  const single = Array.from({ length: d * repeats }, (_, i) =>
    Array.from({ length: d }, (_, j) => j === Math.floor(i / repeats)),
  );
  const empty = new Array<boolean>(d).fill(false);
  return [...single, ...new Array<boolean[]>(others).fill(empty)];
}

/** Every set `repeats` times. */
export function repeated(sets: Sets, repeats: number): Sets {
  return sets.flatMap((set) => new Array<readonly boolean[]>(repeats).fill(set));
}

/**
 * Mask of a layer, [inputs, outputs], with 1 where the set of the input lies within that of the output: so no output of a network depends
 * on a value outside of its set, and it does on those within wherever a path allows it.
 */
export function maskOf(inputs: Sets, outputs: Sets): Float32Array {
  const mask = new Float32Array(inputs.length * outputs.length);
  inputs.forEach((from, i) => {
    outputs.forEach((to, o) => {
      if (from.every((member, j) => !member || to[j])) mask[i * outputs.length + o] = 1;
    });
  });
  return mask;
}
