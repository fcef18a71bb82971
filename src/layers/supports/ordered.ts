import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../../core/errors';
import { registerModule } from '../../core/module';
import { checkOptions } from '../../core/options';
import { checkEventShape } from '../../core/shapes';
import { splitChannels, sumPerExample, untaped } from '../../core/tensors';
import { Bijector, type BijectorOptions, type Transformed } from '../bijector';
import { LEAST_POSITIVE } from './elementwiseSupport';
import { logOneMinusExpOfMinus } from './nearZero';
import { triangle } from './triangle';

/** Options of {@link Ordered}. */
export interface OrderedOptions extends BijectorOptions {}

/**
 * Values that increase along an event, as the first of them and the distances between neighbours.
 *
 *     u_1 = x_1,  u_i = log(e^(d_i) - 1),  d_i = x_i - x_(i-1),   logDet = -sum_(i > 1) log(1 - e^(-d_i))
 *
 * Shapes: [n, d], d >= 2. logDet in nats; -Infinity where a value does not exceed the one before it.
 *
 * @throws ConfigError for another inputShape, or one value
 * @see Stan Reference Manual, "Constraint Transforms: Ordered vector" (2024), https://mc-stan.org/docs/reference-manual/transforms.html
 *   (with the logarithm in place of the softplus)
 * @example
 * const times = new Ordered({ inputShape: [2] });
 * times.forward(tf.tensor2d([[1, 1 + Math.LN2]])).value.print(); // [[1, 0]]
 */
export class Ordered extends Bijector {
  static className = 'FlowOrdered';

  constructor(options: OrderedOptions) {
    if (new.target === Ordered) checkOptions('Ordered', options, { inputShape: true, name: true });
    checkEventShape('Ordered', options.inputShape, [1]);
    if (options.inputShape[0] < 2) throw new ConfigError(complaint('Ordered', 'two values or more', 'one'));
    super(options.name ?? 'ordered', options.inputShape);
  }

  protected computeForward(x: tf.Tensor): Transformed {
    const [n, d] = x.shape;
    const [first] = splitChannels(x, 1);
    const distances = tf.sub(tf.slice(x, [0, 1], [n, d - 1]), tf.slice(x, [0, 0], [n, d - 1]));
    const increases = untaped(() => tf.greaterEqual(distances, LEAST_POSITIVE));
    const inside = tf.where(increases, distances, tf.onesLike(distances));
    const logs = logOneMinusExpOfMinus(inside);
    const off = tf.fill(logs.shape, Number.NEGATIVE_INFINITY);
    return {
      value: tf.concat([first, tf.add(inside, logs)], 1),
      logDet: sumPerExample(tf.where(increases, tf.neg(logs), off)),
    };
  }

  protected computeInverse(u: tf.Tensor): Transformed {
    const [first, rest] = splitChannels(u, 1);
    const steps = tf.concat([first, tf.softplus(rest)], 1);
    const logDet = tf.neg(sumPerExample(tf.softplus(tf.neg(rest)))) as tf.Tensor1D;
    // A product instead of tf.cumsum, which is wrong on webgpu for some lengths.
    return { value: tf.matMul(steps as tf.Tensor2D, triangle(this.inputShape[0], 'from')), logDet };
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, inputShape: [...this.inputShape] };
  }
}

registerModule(Ordered);
