import * as tf from '@tensorflow/tfjs-core';
import { untaped } from '../../core/tensors';
import type { Conditioning } from '../bijector';
import { findInverse } from './findInverse';
import { type ElementwiseResult, implicitInverse, Transformer } from './transformer';

/**
 * A transformer of which the forward map alone is known; the inverse is found number by number.
 *
 *     x with f(x; p) = y: a bracket that grows until it holds y, halved, then Newton's method,   dx/dy = 1 / f',   dx/dp = -(df/dp) / f'
 *
 * A subclass writes `forward`, whose value must increase from -Infinity to Infinity in x. What the map does not reach, the inverse
 * answers with a large number: `account` tells by how much f misses y (`inverseResidual`).
 *
 * Shapes: x [..., d], parameters [..., d, p].
 *
 * @see Huang et al., "Neural Autoregressive Flows" (2018), section 3.1, arXiv:1804.00779, for maps that want this
 * @example
 * class CubicTransformer extends MonotoneTransformer {
 *   static className = 'MyCubicTransformer';
 *   readonly parameters = 1;
 *   forward(x: tf.Tensor, parameters: tf.Tensor) {
 *     const bend = tf.square(tf.reshape(parameters, x.shape));
 *     const value = tf.add(x, tf.mul(bend, tf.mul(x, tf.square(x))));
 *     return { value, logDerivative: tf.log1p(tf.mul(bend, tf.mul(3, tf.square(x)))) };
 *   }
 *   getConfig() {
 *     return {};
 *   }
 * }
 * new CubicTransformer().inverse(tf.tensor2d([[10]]), tf.tensor3d([[[1]]])).value.print(); // [[2]]
 */
export abstract class MonotoneTransformer extends Transformer {
  inverse(y: tf.Tensor, parameters: tf.Tensor): ElementwiseResult {
    const found = untaped(() => findInverse((x) => this.forward(x, parameters), y));
    const stepped = implicitInverse(y, found, this.forward(found, parameters));
    // Its gradients without the step itself, which may leave the bracket where f is flat.
    const x = tf.add(
      stepped,
      untaped(() => tf.sub(found, stepped)),
    );
    const logDerivative = tf.neg(this.forward(x, parameters).logDerivative);
    const finite = untaped(() => tf.isFinite(y));
    return {
      value: tf.where(finite, x, y),
      logDerivative: tf.where(finite, logDerivative, tf.zerosLike(y)),
    };
  }

  override conditioning(x: tf.Tensor, parameters: tf.Tensor): Conditioning<number | tf.Scalar> {
    const y = this.forward(x, parameters).value;
    const back = this.forward(this.inverse(y, parameters).value, parameters).value;
    return { ...super.conditioning(x, parameters), inverseResidual: tf.max(tf.abs(tf.sub(back, y))) };
  }
}
