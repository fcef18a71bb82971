import * as tf from '@tensorflow/tfjs-core';
import { type ElementwiseResult, Transformer } from './transformer';

/**
 * A shift for each value.
 *
 *     y = x + shift,   log dy/dx = 0
 *
 * Shapes: x [..., d], parameters [..., d, 1].
 *
 * @see Dinh et al., "NICE" (2014), section 3.2, arXiv:1410.8516
 * @example
 * new AdditiveTransformer().forward(tf.tensor2d([[3]]), tf.tensor3d([[[1]]])).value.print(); // [[4]]
 */
export class AdditiveTransformer extends Transformer {
  static className = 'FlowAdditiveTransformer';
  readonly parameters = 1;

  forward(x: tf.Tensor, parameters: tf.Tensor): ElementwiseResult {
    return { value: tf.add(x, tf.reshape(parameters, x.shape)), logDerivative: tf.zerosLike(x) };
  }

  inverse(y: tf.Tensor, parameters: tf.Tensor): ElementwiseResult {
    return { value: tf.sub(y, tf.reshape(parameters, y.shape)), logDerivative: tf.zerosLike(y) };
  }

  getConfig(): tf.serialization.ConfigDict {
    return {};
  }
}

tf.serialization.registerClass(AdditiveTransformer);
