import * as tf from '@tensorflow/tfjs-core';
import { record } from '../../engine/tape';

/**
 * Columns of rows: result[., j] = x[., columns[j]]; -1 is a column of zeros. No column is taken twice.
 *
 * The gradient takes them back to their places, so no backend needs UnsortedSegmentSum.
 */
export function takeColumns(x: tf.Tensor, columns: readonly number[]): tf.Tensor {
  const [n, width] = x.shape;
  if (columns.length === width && columns.every((column, i) => column === i)) return x;
  const start = columns[0];
  if (start >= 0 && columns.every((column, i) => column === start + i)) {
    return tf.slice(x, [0, start], [n, columns.length]);
  }
  const [result] = record([x], () => {
    const places = columns.map((column) => (column < 0 ? width : column));
    const padded = columns.includes(-1) ? tf.concat([x, tf.zeros([n, 1])], 1) : x;
    return {
      results: [tf.gather(padded, tf.tensor1d(places, 'int32'), 1)],
      needed: [],
      gradient: ([dy]) => [takeColumns(dy, placesIn(columns, width))],
    };
  });
  return result;
}

/** Parts of rows put in their places: part i has the columns columns[i] of the result. */
export function joinColumns(parts: tf.Tensor[], columns: readonly (readonly number[])[]): tf.Tensor {
  const all = columns.flat();
  const joined = parts.length === 1 ? parts[0] : tf.concat(parts, 1);
  return takeColumns(joined, placesIn(all, all.length));
}

/** Where each of the columns 0 .. width - 1 stands in a list; -1 where it does not. */
function placesIn(columns: readonly number[], width: number): number[] {
  const places = Array.from({ length: width }, () => -1);
  columns.forEach((column, i) => {
    if (column >= 0) places[column] = i;
  });
  return places;
}
