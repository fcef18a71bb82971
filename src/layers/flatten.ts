import * as tf from '@tensorflow/tfjs-core';
import { registerModule } from '../core/module';
import { checkOptions } from '../core/options';
import { sizeOf } from '../core/shapes';
import { zeroLogDet } from '../core/tensors';
import { Bijector, type BijectorOptions, type Transformed } from './bijector';

/** Options of {@link Flatten}. */
export interface FlattenOptions extends BijectorOptions {}

/**
 * An event as one vector, row-major.
 *
 *     y = reshape(x, [n, size]),    logDet = 0
 *
 * Shapes: [n, ...inputShape] -> [n, size].
 *
 * @see Dinh et al., "Density estimation using Real NVP" (2016), section 3.6, arXiv:1605.08803
 * @example
 * new Flatten({ inputShape: [4, 4, 3] }).outputShape; // [48]
 */
export class Flatten extends Bijector {
  static className = 'FlowFlatten';

  constructor(options: FlattenOptions) {
    if (new.target === Flatten) checkOptions('Flatten', options, { inputShape: true, name: true });
    super(options.name ?? 'flatten', options.inputShape, [sizeOf(options.inputShape)]);
  }

  protected computeForward(x: tf.Tensor): Transformed {
    return { value: tf.reshape(x, [x.shape[0], ...this.outputShape]), logDet: zeroLogDet(x.shape[0]) };
  }

  protected computeInverse(y: tf.Tensor): Transformed {
    return { value: tf.reshape(y, [y.shape[0], ...this.inputShape]), logDet: zeroLogDet(y.shape[0]) };
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, inputShape: [...this.inputShape] };
  }
}

registerModule(Flatten);
