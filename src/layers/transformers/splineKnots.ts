import * as tf from '@tensorflow/tfjs-core';
import { firstChannels, untaped } from '../../core/tensors';
import { softClip } from '../scaleMaps';

/** What a spline does outside of its box. */
export type SplineTails = 'linear' | 'circular' | 'none';

/** How sizes of pieces and derivatives are kept from 0. */
export type SplineLimits = 'minimum' | 'softclip';

/** What says how parameters become knots. */
export interface KnotSettings {
  bins: number;
  bound: number;
  tails: SplineTails;
  minimum: number;
  limits: SplineLimits;
}

/** Derivatives at knots beyond one for each piece, by tails: K + this many are learned. */
export const DERIVATIVES: Record<SplineTails, number> = { linear: -1, circular: 0, none: 1 };

/** Pieces of all values in one direction, each [n, K]. */
interface Axis {
  start: tf.Tensor;
  size: tf.Tensor;
}

/** All that the parameters say. */
export interface Knots {
  x: Axis;
  y: Axis;
  /** Derivatives at the left and at the right end of every piece. */
  left: tf.Tensor;
  right: tf.Tensor;
}

/** The piece of each value, each [n]. */
export interface Piece {
  x: tf.Tensor;
  width: tf.Tensor;
  y: tf.Tensor;
  height: tf.Tensor;
  left: tf.Tensor;
  right: tf.Tensor;
}

/** The knots that rows of parameters stand for, [n, widths | heights | derivatives]. */
export function knotsOf(parameters: tf.Tensor, settings: KnotSettings): Knots {
  const { bins, tails } = settings;
  const [widths, heights, slopes] = tf.split(parameters, [bins, bins, bins + DERIVATIVES[tails]], 1);
  const derivatives = derivativesOf(slopes, settings);
  const end = () => tf.ones([parameters.shape[0], 1]);
  const known: Record<SplineTails, () => tf.Tensor> = {
    linear: () => tf.concat([end(), derivatives, end()], 1),
    circular: () => tf.concat([derivatives, firstChannels(derivatives, 1)], 1),
    none: () => derivatives,
  };
  const all = known[tails]();
  return {
    x: axisOf(widths, settings),
    y: axisOf(heights, settings),
    left: firstChannels(all, bins),
    right: withoutFirst(all),
  };
}

/** The piece that each value lies in, found by comparison: no gather, which some backends cannot differentiate. */
export function pieceAt(at: tf.Tensor, starts: tf.Tensor, { x, y, left, right }: Knots): Piece {
  const chosen = untaped(() => {
    const reached = tf.cast(tf.greaterEqual(tf.expandDims(at, 1), starts), 'float32');
    return tf.sub(reached, tf.concat([withoutFirst(reached), tf.zeros([starts.shape[0], 1])], 1));
  });
  const choose = (values: tf.Tensor) => tf.sum(tf.mul(chosen, values), 1);
  return {
    x: choose(x.start),
    width: choose(x.size),
    y: choose(y.start),
    height: choose(y.size),
    left: choose(left),
    right: choose(right),
  };
}

/** Positive slopes, 1 for raw zeros. */
function derivativesOf(raw: tf.Tensor, { limits, minimum }: KnotSettings): tf.Tensor {
  if (limits === 'softclip') return tf.exp(softClip(raw, -Math.log(minimum)));
  // softplus of this is 1 - minimum.
  const one = Math.log(Math.expm1(1 - minimum));
  return tf.add(tf.softplus(tf.add(raw, one)), minimum);
}

/** The last piece ends at the bound itself, whatever the sum of the others rounds to. */
function axisOf(raw: tf.Tensor, settings: KnotSettings): Axis {
  const { bins, bound } = settings;
  // A product instead of tf.cumsum, which is wrong on webgpu for some lengths.
  const before = tf.matMul(sharesOf(raw, settings) as tf.Tensor2D, strictlyUpper(bins));
  const start = tf.sub(tf.mul(before, 2 * bound), bound);
  const last = tf.fill([start.shape[0], 1], bound);
  return { start, size: tf.sub(tf.concat([withoutFirst(start), last], 1), start) };
}

/** Shares of the pieces in the side of the box: positive, with sum 1. */
function sharesOf(raw: tf.Tensor, { bins, limits, minimum }: KnotSettings): tf.Tensor {
  if (limits === 'softclip') return tf.softmax(softClip(raw, -Math.log(minimum) / 2));
  return tf.add(tf.mul(tf.softmax(raw), 1 - bins * minimum), minimum);
}

/** [n, n], 1 above the diagonal: a row times it has the sums of what stands before each place. */
function strictlyUpper(n: number): tf.Tensor2D {
  const values = Float32Array.from({ length: n * n }, (_, at) => Number(Math.floor(at / n) < at % n));
  return tf.tensor2d(values, [n, n]);
}

function withoutFirst(x: tf.Tensor): tf.Tensor {
  return tf.slice(x, [0, 1], [-1, -1]);
}
