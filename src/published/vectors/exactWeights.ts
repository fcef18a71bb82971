import { parseJsonObject } from '../../core/json';
import { map, type Values } from '../arrays';
import type { Weights } from '../rule';

/*
 * Some weights go through a function on their way into another library's names: offsets, logarithms, roots. In float32 they come back but
 * for their last bits, so files of this library keep them in their metadata as well, as they were, under `weights`.
 */

/** Of the weights that were written those that come back as `read`, but for rounding, by name. */
export function roundedWeights(written: Weights, read: Weights): Record<string, number[]> {
  const rounded = [...read].flatMap(([name, back]) => {
    const values = [...written.get(name)!.data];
    const restored = keptOr(back, values).data;
    return restored.some((value, at) => value !== back.data[at]) ? [[name, values]] : [];
  });
  return Object.fromEntries(rounded);
}

/** The weights of a file as it keeps them besides, wherever its tensors still say the same up to rounding. */
export function withKeptWeights(weights: Weights, text: string | undefined): Weights {
  if (text === undefined) return weights;
  const kept = parseJsonObject('importCheckpoint', "the metadata's weights", text);
  return new Map([...weights].map(([name, read]) => [name, keptOr(read, kept[name])]));
}

/** Of the largest value: two roundings in float32 of numbers about as large, and of a logarithm or a root. */
const ROUNDING = 1e-6;

/** What no name of the library holds, masked weights for one, stays as it was read. */
function keptOr(read: Values, kept: unknown): Values {
  if (!Array.isArray(kept) || kept.length !== read.data.length) return read;
  const furthest = ROUNDING * read.data.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  return map(read, (value, i) => (Math.abs(value - kept[i]) <= furthest ? kept[i] : value));
}
