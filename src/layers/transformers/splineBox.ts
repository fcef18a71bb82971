import * as tf from '@tensorflow/tfjs-core';
import { anotherHandle } from '../../engine/handles';
import { record } from '../../engine/tape';
import { softClip } from '../scaleMaps';

/** How many numbers say where the box of a value lies. */
export const BOX_PARAMETERS = 4;

/** A line in x or in y from a box of each value to [-bound, bound], and back. */
interface Side {
  /** [n], where the box begins. */
  start: tf.Tensor;
  /** [n], log of its length in units of that of [-bound, bound]. */
  logLength: tf.Tensor;
}

/** Boxes of splines, one for each value, in place of [-bound, bound] twice. */
export interface SplineBox {
  x: Side;
  y: Side;
}

/**
 * Boxes from rows of parameters [n, left | bottom | width | height].
 *
 *     start = bound (raw - 1),   length = 2 bound exp(softClip(raw, limit))
 *
 * @param limit bound of the log of the length in units of the box that zeros stand for
 */
export function boxOf(parameters: tf.Tensor, bound: number, limit: number): SplineBox {
  const [left, bottom, width, height] = tf
    .split(parameters, BOX_PARAMETERS, 1)
    .map((column) => tf.reshape(column, [-1]));
  const side = (start: tf.Tensor, length: tf.Tensor): Side => ({
    start: tf.mul(tf.sub(start, 1), bound),
    logLength: softClip(length, limit),
  });
  return { x: side(left, width), y: side(bottom, height) };
}

/** Values of a box of their own in [-bound, bound]. */
export function intoUnits(values: tf.Tensor, { start, logLength }: Side, bound: number): tf.Tensor {
  return tf.sub(tf.mul(tf.sub(values, start), tf.exp(tf.neg(logLength))), bound);
}

/** Values of [-bound, bound] in a box of their own. */
export function outOfUnits(values: tf.Tensor, { start, logLength }: Side, bound: number): tf.Tensor {
  return tf.add(tf.mul(tf.add(values, bound), tf.exp(logLength)), start);
}

/** What rounding moved out of [-bound, bound] put back, with the gradient of a value inside. */
export function roundedInto(x: tf.Tensor, bound: number): tf.Tensor {
  const [inside] = record([x], () => ({
    results: [tf.clipByValue(x, -bound, bound)],
    needed: [],
    gradient: ([dy]) => [anotherHandle(dy)],
  }));
  return inside;
}
