import * as tf from '@tensorflow/tfjs-core';
import { type Column, groupsOf } from '../layers/supports/columns';
import { takeColumns } from '../layers/supports/takeColumns';
import { MOST_WHOLE, SHARES_OFF } from './columnValues';
import { onlyFitRows, spoilRows, type ValueBounds } from './fusedRowVerdicts';

/** The least float32 above 0 that every device holds. */
const LEAST = 2 ** -126;

/*
 * What `columnValues` looks at on the host, where the values lie on a device.
 */

/** Rows of columns, NaN throughout where they are no events. */
export function onlyColumnRows(x: tf.Tensor, columns: readonly Column[]): tf.Tensor {
  return tf.tidy(() => {
    const bounds = columns.map(boundsOf);
    const within: ValueBounds = {
      low: bounds.map(({ low = Number.NEGATIVE_INFINITY }) => low),
      high: bounds.map(({ high = Number.POSITIVE_INFINITY }) => high),
      whole: bounds.map(({ whole = false }) => whole),
    };
    let rows = onlyFitRows(x, within);
    for (const group of groupsOf(columns, 'ordered')) {
      const steps = tf.sub(takeColumns(x, group.slice(1)), takeColumns(x, group.slice(0, -1)));
      rows = spoilRows(rows, steps, { low: [LEAST], high: [Number.POSITIVE_INFINITY], whole: [false] });
    }
    for (const group of groupsOf(columns, 'simplex')) {
      const rest = tf.sub(tf.sum(takeColumns(x, group), 1, true), 1);
      rows = spoilRows(rows, rest, { low: [-SHARES_OFF], high: [SHARES_OFF], whole: [false] });
    }
    return rows;
  });
}

/** What a value of this column may be; ends that are not reached are those of the next float32. */
function boundsOf({ support }: Column): { low?: number; high?: number; whole?: boolean } {
  switch (support.kind) {
    case 'bounded': {
      const { low, high, epsilon } = support;
      if (epsilon !== undefined) return { low, high };
      return {
        low: low === undefined ? low : nextTo(low, 1),
        high: high === undefined ? high : nextTo(high, -1),
      };
    }
    case 'integer':
      return { low: support.low ?? -MOST_WHOLE, high: support.high ?? MOST_WHOLE, whole: true };
    case 'categorical':
      return { low: 0, high: support.categories - 1, whole: true };
    case 'circular':
      return support.wrap ? {} : { low: support.low, high: support.high };
    case 'simplex':
      return { low: LEAST };
    default:
      return {};
  }
}

/** The float32 beside this one, above or below; of 0 the first that devices tell from it. */
function nextTo(value: number, direction: 1 | -1): number {
  const float = Float32Array.of(value);
  if (float[0] === 0) return direction * LEAST;
  new Int32Array(float.buffer)[0] += float[0] > 0 ? direction : -direction;
  return float[0];
}
