import { ConfigError, complaint } from '../../core/errors';
import { named } from '../../core/numbers';

/*
 * Masks of fully connected layers by which every output is kept from reading some inputs.
 */

type Sets = readonly (readonly boolean[])[];

/** Which inputs each output may read: a row of booleans, or of 0 and 1, per output. */
export type Adjacency = readonly (readonly (boolean | number)[])[];

/**
 * An adjacency of d values as booleans.
 *
 * @throws ConfigError unless it is d rows of d booleans, or of 0 and 1
 */
export function checkAdjacency(where: string, adjacency: Adjacency, d: number): boolean[][] {
  const expected = `adjacency to be ${d} rows of ${d} booleans`;
  if (!Array.isArray(adjacency)) throw new ConfigError(complaint(where, expected, named(adjacency)[0]));
  if (adjacency.length !== d) throw new ConfigError(complaint(where, expected, `${adjacency.length} rows`));
  return adjacency.map((row, i) => {
    const good =
      Array.isArray(row) &&
      row.length === d &&
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

/**
 * Masks of all layers, each [inputs, outputs] with 1 where a weight counts, such that output i depends on input j only where
 * `adjacency[i][j]` says so, and does wherever a path allows it.
 *
 * Every hidden unit stands for the set of inputs of some output, the sets taken in turn, and reads units whose sets lie within its own. For an
 * order this is what degrees of units say (Germain et al., 2015); it holds for any sets.
 *
 * @param hiddenUnits widths of the hidden layers
 * @param repeats outputs per row of the adjacency, side by side
 */
export function layerMasks(adjacency: Sets, hiddenUnits: readonly number[], repeats: number): Float32Array[] {
  const inputs = adjacency[0].length;
  const single = Array.from({ length: inputs }, (_, j) => Array.from({ length: inputs }, (_, k) => j === k));
  const sets = distinct(adjacency.filter((row) => row.some(Boolean)));
  let before: Sets = single;
  const masks = hiddenUnits.map((width) => {
    // Without any set nothing may be read: units that read nothing.
    const units = Array.from({ length: width }, (_, h) => sets[h % sets.length] ?? adjacency[0]);
    const mask = maskOf(before, units, 1);
    before = units;
    return mask;
  });
  return [...masks, maskOf(before, adjacency, repeats)];
}

function distinct(rows: Sets): Sets {
  return [...new Map(rows.map((row) => [row.join(), row])).values()];
}

/** 1 where the set of a unit before lies within that of a unit after. */
function maskOf(before: Sets, after: Sets, repeats: number): Float32Array {
  const columns = after.length * repeats;
  const mask = new Float32Array(before.length * columns);
  before.forEach((from, i) => {
    after.forEach((to, o) => {
      const within = from.every((reads, j) => !reads || to[j]) && from.some(Boolean);
      if (within) mask.fill(1, i * columns + o * repeats, i * columns + (o + 1) * repeats);
    });
  });
  return mask;
}
