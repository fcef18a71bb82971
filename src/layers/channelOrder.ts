import * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../engine/kernels';
import { record } from '../engine/tape';

/** Channels in another order, and back. */
export class ChannelOrder {
  /** Where each channel of the old order stands in the new one. */
  readonly inverse: Int32Array;

  /** @param order where each channel of the new order stands in the old one: a permutation of 0 .. c - 1 */
  constructor(readonly order: Int32Array) {
    this.inverse = new Int32Array(order.length);
    for (let j = 0; j < order.length; j++) this.inverse[order[j]] = j;
  }

  /** y[..., j] = x[..., order[j]] */
  apply(x: tf.Tensor): tf.Tensor {
    return permuteChannels(x, this.order, this.inverse);
  }

  /** This order, then another, as one. */
  followedBy(next: ChannelOrder): ChannelOrder {
    return new ChannelOrder(next.order.map((place) => this.order[place]));
  }

  /** x[..., order[j]] = y[..., j] */
  undo(y: tf.Tensor): tf.Tensor {
    return permuteChannels(y, this.inverse, this.order);
  }
}

/**
 * Channels in a new order: result[..., j] = x[..., order[j]].
 *
 * The gradient is the gather by the inverse order, so no backend needs UnsortedSegmentSum.
 */
function permuteChannels(x: tf.Tensor, order: Int32Array, inverse: Int32Array): tf.Tensor {
  const fused = hasKernels('FlowOrderChannels') && x.dtype === 'float32';
  const [result] = record([x], () => ({
    results: fused
      ? runKernel('FlowOrderChannels', { x }, { order })
      : [tf.gather(x, tf.tensor1d(order, 'int32'), x.rank - 1)],
    needed: [],
    gradient: ([dy]) => [permuteChannels(dy, inverse, order)],
  }));
  return result;
}
