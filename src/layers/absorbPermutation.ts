import * as tf from '@tensorflow/tfjs-core';
import { isOwn } from '../core/overriding';
import { Bijector, type BothWays } from './bijector';
import type { ChannelOrder } from './channelOrder';
import { Permutation } from './permutation';
import type { Transformed } from './transformed';

/** The order that a layer brings its channels into, where that is all it does: the layer behind it can take it over. */
export function orderOf(before: Bijector): ChannelOrder | undefined {
  const isOrder = before instanceof Permutation && !before.disposed && hasPassesOf(before, Permutation);
  return isOrder ? before.channelOrder : undefined;
}

/**
 * A permutation and the layer behind it as one map, which spares the log-determinant of the first. Undefined where the layer before is none.
 *
 * @param inOrder the layer's way forward of values that it brings into an order itself; `layer.forward` where absent
 */
export function absorbPermutation(
  before: Bijector,
  layer: Bijector,
  inOrder?: (x: tf.Tensor, order: ChannelOrder) => Transformed,
): BothWays | undefined {
  const order = orderOf(before);
  if (order === undefined) return undefined;
  return {
    contextShape: layer.contextShape,
    forward: (x, context) =>
      tf.tidy(() => ({ ...(inOrder?.(x, order) ?? layer.forward(order.apply(x), context)) })),
    inverse: (y, context) =>
      tf.tidy(() => {
        const { value, logDet } = layer.inverse(y, context);
        return { value: order.undo(value), logDet };
      }),
  };
}

/** Whether both passes of a layer, and other hooks, are those of its class, and none of a subclass. */
export function hasPassesOf(layer: Bijector, owner: { prototype: object }, ...others: string[]): boolean {
  const own = isOwn(layer, owner, 'computeForward', 'computeInverse', ...others);
  return own && isOwn(layer, Bijector, 'forward', 'inverse');
}
