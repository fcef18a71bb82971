import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../../core/errors';
import { registerModule } from '../../core/module';
import { checkOptions } from '../../core/options';
import { checkEventShape } from '../../core/shapes';
import { firstChannels, sumPerExample, untaped } from '../../core/tensors';
import { Bijector, type BijectorOptions, type Transformed } from '../bijector';
import { LEAST_POSITIVE } from './elementwiseSupport';
import { triangle } from './triangle';

/** Options of {@link Simplex}. */
export interface SimplexOptions extends BijectorOptions {}

/**
 * Shares of a whole, K positive values that sum to 1, as K - 1 numbers: each share of what the shares before it left over.
 *
 *     u_k = log x_k - log(sum_(j > k) x_j) + log(K - k),  k < K,    logDet = -sum_k log x_k
 *
 * The density is that of the first K - 1 shares (of any K - 1: it is the same). Equal shares are zeros.
 *
 * Shapes: [n, K] to [n, K - 1], K >= 2. logDet in nats; -Infinity for an event with a share that is not positive. Whether shares sum to 1 is
 * for the flow of vectors to look at.
 *
 * @throws ConfigError for another inputShape, or one value
 * @see Stan Reference Manual, "Constraint Transforms: Unit simplex" (2024), https://mc-stan.org/docs/reference-manual/transforms.html
 * @example
 * const votes = new Simplex({ inputShape: [3] });
 * votes.inverse(tf.tensor2d([[0, 0]])).value.print(); // [[0.3333333, 0.3333333, 0.3333333]]
 */
export class Simplex extends Bijector {
  static className = 'FlowSimplex';

  constructor(options: SimplexOptions) {
    if (new.target === Simplex) checkOptions('Simplex', options, { inputShape: true, name: true });
    const { inputShape, name = 'simplex' } = options;
    checkEventShape('Simplex', inputShape, [1]);
    if (inputShape[0] < 2) throw new ConfigError(complaint('Simplex', 'two values or more', 'one'));
    super(name, inputShape, [inputShape[0] - 1], 'different');
  }

  protected computeForward(x: tf.Tensor): Transformed {
    const [count] = this.inputShape;
    const positive = untaped(() => tf.greaterEqual(x, LEAST_POSITIVE));
    const shares = tf.where(positive, x, tf.fill(x.shape, 1 / count));
    const logs = tf.log(shares);
    // Sums of what is left, not 1 less what is taken, which would cancel.
    const left = tf.matMul(shares as tf.Tensor2D, triangle(count, 'after'));
    const free = (values: tf.Tensor) => firstChannels(values, count - 1);
    const off = tf.fill(x.shape, Number.NEGATIVE_INFINITY);
    return {
      value: tf.add(tf.sub(free(logs), tf.log(free(left))), this.evenStart()),
      logDet: sumPerExample(tf.where(positive, tf.neg(logs), off)),
    };
  }

  protected computeInverse(u: tf.Tensor): Transformed {
    const [count] = this.inputShape;
    const logits = tf.sub(u, this.evenStart());
    const logTaken = tf.neg(tf.softplus(tf.neg(logits)));
    const logKept = tf.neg(tf.softplus(logits));
    const none = tf.zeros([u.shape[0], 1]);
    // Of the last share all that is left is taken.
    const left = tf.matMul(tf.concat([logKept, none], 1) as tf.Tensor2D, triangle(count, 'before'));
    const logs = tf.add(left, tf.concat([logTaken, none], 1));
    const value = tf.exp(logs);
    const moved = untaped(() => tf.sub(tf.maximum(value, LEAST_POSITIVE), value));
    return { value: tf.add(value, moved), logDet: sumPerExample(logs) };
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, inputShape: [...this.inputShape] };
  }

  /** log(K - k), by which equal shares are zeros. */
  private evenStart(): tf.Tensor {
    const [count] = this.inputShape;
    return tf.tensor1d(Array.from({ length: count - 1 }, (_, i) => Math.log(count - 1 - i)));
  }
}

registerModule(Simplex);
