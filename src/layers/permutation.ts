import type * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import { registerModule } from '../core/module';
import { checkOptions } from '../core/options';
import { RandomStream } from '../core/random';
import { checkEventShape } from '../core/shapes';
import { zeroLogDet } from '../core/tensors';
import { Bijector, type BijectorOptions, type Reversed, type Transformed } from './bijector';
import { ChannelOrder } from './channelOrder';
import type { ReversePass } from './reversePass';

/** Options of {@link Permutation}. */
export interface PermutationOptions extends BijectorOptions {
  /** 'reverse', 'shuffle' (drawn once, then fixed and saved), or the order itself. Default 'reverse'. */
  order?: 'reverse' | 'shuffle' | readonly number[];
  /** Seed of 'shuffle'. Default: another one each time. */
  seed?: number;
}

/**
 * A fixed order of the channels.
 *
 *     y[..., j] = x[..., order[j]],    logDet = 0
 *
 * Shapes: [n, h, w, c] or [n, d].
 *
 * @throws ConfigError where `order` is not a permutation of 0 .. c - 1
 * @see Dinh et al., "NICE" (2014), section 3.3, arXiv:1410.8516
 * @example
 * const reverse = new Permutation({ inputShape: [3] });
 * reverse.forward(tf.tensor2d([[1, 2, 3]])).value.print(); // [[3, 2, 1]]
 */
export class Permutation extends Bijector {
  static className = 'FlowPermutation';
  /**
   * What it does to the channels; layers behind it take it over.
   * @internal
   */
  readonly channelOrder: ChannelOrder;

  constructor(options: PermutationOptions) {
    if (new.target === Permutation)
      checkOptions('Permutation', options, { inputShape: true, name: true, order: true, seed: true });
    checkEventShape('Permutation', options.inputShape, [1, 3]);
    super(options.name ?? 'permutation', options.inputShape);
    const channels = options.inputShape[options.inputShape.length - 1];
    this.channelOrder = new ChannelOrder(resolveOrder(options.order ?? 'reverse', channels, options.seed));
  }

  protected computeForward(x: tf.Tensor): Transformed {
    return { value: this.channelOrder.apply(x), logDet: zeroLogDet(x.shape[0]) };
  }

  protected computeInverse(y: tf.Tensor): Transformed {
    return { value: this.channelOrder.undo(y), logDet: zeroLogDet(y.shape[0]) };
  }

  /** Values move, and their gradients with them. */
  protected override computeReverse(output: Reversed, pass: ReversePass, name: string): Reversed {
    const value = pass.takeAnchor(name) ?? this.channelOrder.undo(output.value);
    return { value, gradient: this.channelOrder.undo(output.gradient) };
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, inputShape: [...this.inputShape], order: [...this.channelOrder.order] };
  }
}

function resolveOrder(order: PermutationOptions['order'], channels: number, seed?: number): Int32Array {
  if (order === 'reverse') return Int32Array.from({ length: channels }, (_, i) => channels - 1 - i);
  if (order === 'shuffle') return new RandomStream(seed).permutation(channels);
  const given = Array.isArray(order) ? (order as number[]) : [];
  const isPermutation =
    given.length === channels && [...given].sort((a, b) => a - b).every((entry, i) => entry === i);
  if (!isPermutation) {
    throw new ConfigError(
      complaint('Permutation', `order 'reverse', 'shuffle' or a permutation of 0 .. ${channels - 1}`, order),
    );
  }
  return Int32Array.from(given);
}

registerModule(Permutation);
