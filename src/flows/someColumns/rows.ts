import * as tf from '@tensorflow/tfjs-core';
import { inEveryRow } from '../../core/tensors';
import { Table } from '../../data';
import type { Column } from '../../layers/supports/columns';
import { type Events, readEvents } from '../events';
import { rowsOfTable } from '../tableRows';

/** Rows [n, k] of some columns on the device, from a table by their names. */
export function readRows(where: string, columns: readonly Column[], x: Events): tf.Tensor {
  return readEvents(where, x instanceof Table ? rowsOfTable(where, columns, x) : x, [columns.length]);
}

/** Rows [n, d] of all columns: these at their places, the others as one given row has them, or 0. */
export function placeRows(
  rows: tf.Tensor,
  places: readonly number[],
  width: number,
  given: ReadonlyMap<number, number> = new Map(),
): tf.Tensor {
  const constants = [...given];
  const sources = Int32Array.from({ length: width }, () => places.length);
  places.forEach((place, j) => {
    sources[place] = j;
  });
  constants.forEach(([place], j) => {
    sources[place] = places.length + 1 + j;
  });
  return tf.tidy(() => {
    const others = inEveryRow(tf.tensor1d([0, ...constants.map(([, value]) => value)]), rows.shape[0]);
    return tf.gather(tf.concat([rows, others], 1), tf.tensor1d(sources, 'int32'), 1);
  });
}
