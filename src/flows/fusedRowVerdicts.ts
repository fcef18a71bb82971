import * as tf from '@tensorflow/tfjs-core';
import { untaped } from '../core/tensors';
import { hasKernels, runKernel } from '../engine/kernels';

/** Largest float32. */
const LARGEST = 3.4028234663852886e38;

/** What the values of a row may be; each list has an entry for every column, or one for all. */
export interface ValueBounds {
  /** Least and largest value, both allowed. */
  low: readonly number[];
  high: readonly number[];
  /** Whether only whole numbers are. */
  whole: readonly boolean[];
}

/** Any finite number. */
export const FINITE: ValueBounds = { low: [-LARGEST], high: [LARGEST], whole: [false] };

/**
 * Rows whose values lie on a device, each as it is or NaN throughout: NaN where a value is NaN, infinite, or not within its bounds. So
 * nothing is read back, and no wrong row gives a number.
 *
 * Shapes: [n, ...] -> the same.
 */
export function onlyFitRows(x: tf.Tensor, bounds: ValueBounds): tf.Tensor {
  return spoilRows(x, x, bounds);
}

/** Rows [n, ...] as they are, or NaN throughout where those of `looked` [n, ...] are not within their bounds. */
export function spoilRows(x: tf.Tensor, looked: tf.Tensor, bounds: ValueBounds): tf.Tensor {
  return tf.tidy(() => {
    const verdicts = untaped(() => rowVerdicts(looked, bounds));
    return tf.add(x, tf.reshape(verdicts, [x.shape[0], ...x.shape.slice(1).map(() => 1)]));
  });
}

/**
 * 0 for rows within their bounds, NaN for others.
 *
 *     FlowRowVerdicts { x, bounds } -> [n]        bounds [3, columns or 1]: low, high, 1 where a number has to be whole
 */
export function rowVerdicts(x: tf.Tensor, { low, high, whole }: ValueBounds): tf.Tensor1D {
  return tf.tidy(() => {
    const finite = (values: readonly number[]) =>
      values.map((value) => Math.min(Math.max(value, -LARGEST), LARGEST));
    const bounds = tf.tensor2d([finite(low), finite(high), whole.map(Number)]);
    if (hasKernels('FlowRowVerdicts')) return runKernel('FlowRowVerdicts', { x, bounds })[0] as tf.Tensor1D;
    const rows = tf.reshape(x, [x.shape[0], -1, low.length]);
    const [least, largest, isWhole] = tf.unstack(bounds);
    const rounded = tf.where(tf.broadcastTo(tf.cast(isWhole, 'bool'), rows.shape), tf.floor(rows), rows);
    const off = tf.sub(rows, tf.minimum(tf.maximum(rounded, least), largest));
    const verdicts = tf.where(tf.equal(off, 0), tf.zerosLike(off), tf.fill(off.shape, Number.NaN));
    return tf.sum(verdicts, [1, 2]) as tf.Tensor1D;
  });
}
