import { ConfigError, complaint, FormatError } from '../../core/errors';
import { levelsOf } from '../../layers/networks/masks';

/** Which values every unit of a masked network depends on: a row of booleans for each. */
export type UnitSets = boolean[][];

/** What masks say about a network. */
export interface MaskedStructure {
  /** Which values the outputs of each value depend on. */
  adjacency: UnitSets;
  /** For each hidden layer, a set for each unit. */
  hidden: UnitSets[];
}

/**
 * Which values the units of each layer depend on, by the masks [outputs, inputs] of all layers up to there; inputs behind the values are
 * context, which everything may read.
 *
 * @throws FormatError for masks by which values depend on themselves
 */
export function structureOf(masks: readonly boolean[][][], features: number): MaskedStructure {
  let before: UnitSets = Array.from({ length: features }, (_, i) =>
    Array.from({ length: features }, (_, j) => i === j),
  );
  const layers = masks.map((mask) => {
    before = mask.map((row) =>
      unionOf(
        before.filter((_, i) => row[i]),
        features,
      ),
    );
    return before;
  });
  const outputs = layers[layers.length - 1];
  const perValue = outputs.length / features;
  const adjacency = Array.from({ length: features }, (_, i) =>
    unionOf(outputs.slice(i * perValue, (i + 1) * perValue), features),
  );
  checkOrder(adjacency);
  return { adjacency, hidden: layers.slice(0, -1) };
}

function unionOf(sets: UnitSets, features: number): boolean[] {
  const union = new Array<boolean>(features).fill(false);
  for (const set of sets) {
    set.forEach((member, j) => {
      if (member) union[j] = true;
    });
  }
  return union;
}

function checkOrder(adjacency: UnitSets): void {
  try {
    levelsOf('importCheckpoint', adjacency);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new FormatError(
      complaint('importCheckpoint', 'masks by which every value depends on those before it', 'others'),
    );
  }
}
