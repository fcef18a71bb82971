import * as tf from '@tensorflow/tfjs-core';
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
  const [n] = rows.shape;
  const values = rows.dataSync();
  const all = new Float32Array(n * width);
  for (let i = 0; i < n; i++) {
    for (const [place, value] of given) all[i * width + place] = value;
    for (let j = 0; j < places.length; j++) all[i * width + places[j]] = values[i * places.length + j];
  }
  return tf.tensor2d(all, [n, width]);
}
