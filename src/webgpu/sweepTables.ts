import type { TensorInfo } from '@tensorflow/tfjs-core';
import { append, largest } from '../core/lists';
import { type SweepAttributes, sortByLevel } from '../layers/fusedSweep';
import type { Range } from './backend';
import type { Gpu } from './gpu';
import { NOWHERE } from './layerTable';

/** What the program knows of a layer: places of its tensors in the joined ones, of tables in the tables, of results in the records. */
export const FIELDS = [
  'units',
  'kernel',
  'offset',
  'offsetPerRow',
  'gate',
  'order',
  'begins',
  'sourceOrder',
  'sourceKnown',
  'source',
  'result',
  'read',
  'skip',
] as const;
type Layer = Record<(typeof FIELDS)[number], number>;

/** Tables of a sweep as the program reads them, and floats of a row's record. */
export function tablesOf(
  tensors: readonly TensorInfo[],
  places: readonly number[],
  { levels, layers }: SweepAttributes,
) {
  const count = largest(levels) + 1;
  const values = sortByLevel(levels, count);
  const tables = new Array<number>(layers.length * FIELDS.length).fill(0);
  const add = (table: readonly number[]) => {
    const at = tables.length;
    append(tables, table);
    return at;
  };
  // Values and their log-derivatives come first.
  let floats = 2 * levels.length;
  const take = (number: number) => {
    floats += number;
    return floats - number;
  };
  let before = { order: add(values.order), known: add(values.begins), source: 0 };
  let next = 0;
  const results: number[] = [];
  layers.forEach(({ levels: ofUnits, gated, skip }, i) => {
    const sorted = sortByLevel(ofUnits, count);
    const units = ofUnits.length;
    const [kernel, offset] = [next++, next++];
    const order = add(sorted.order);
    const begins = add(sorted.begins);
    const result = take(units);
    const activated = layers[i + 1]?.activated === true;
    const layer: Layer = {
      units,
      kernel: places[kernel],
      offset: places[offset],
      offsetPerRow: Number(tensors[offset].shape.length > 1),
      gate: gated ? places[next++] : NOWHERE,
      order,
      begins,
      sourceOrder: before.order,
      sourceKnown: before.known,
      source: before.source,
      result,
      read: activated ? take(units) : NOWHERE,
      skip: skip === undefined ? NOWHERE : results[skip],
    };
    results.push(result);
    for (const [k, field] of FIELDS.entries()) tables[i * FIELDS.length + k] = layer[field];
    // Units of this level are known to the next layer, values are not.
    before = { order, known: begins + 1, source: activated ? layer.read : result };
  });
  return { words: Uint32Array.from(tables), floats, levels: count };
}

/** Tables on the GPU, by the levels of the units that they are of. */
const written = new WeakMap<object, { gpu: Gpu; words: Uint32Array; range: Range }>();

export function rangeOfTables(gpu: Gpu, owner: object, words: Uint32Array<ArrayBuffer>): Range {
  const known = written.get(owner);
  if (
    known?.gpu === gpu &&
    known.words.length === words.length &&
    words.every((word, i) => word === known.words[i])
  ) {
    return known.range;
  }
  const range = gpu.constant(words);
  written.set(owner, { gpu, words, range });
  return range;
}
