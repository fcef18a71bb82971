import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import { registerModule } from '../core/module';
import { checkOptions } from '../core/options';
import { checkEventShape } from '../core/shapes';
import { zeroLogDet } from '../core/tensors';
import { Bijector, type BijectorOptions, type Reversed, type Transformed } from './bijector';
import type { ReversePass } from './reversePass';

/** Options of {@link Squeeze}. */
export interface SqueezeOptions extends BijectorOptions {}

/**
 * Space to channels: every 2 x 2 patch becomes one position with four times the channels.
 *
 *     y[i, j, c * 4 + fy * 2 + fx] = x[2 i + fy, 2 j + fx, c],    logDet = 0
 *
 * Shapes: [n, h, w, c] -> [n, h/2, w/2, 4c]. The channel order is that of the published Glows
 * (it differs from tf.depthToSpace).
 *
 * @throws ConfigError where height or width is odd
 * @see Dinh et al., "Density estimation using Real NVP" (2016), section 3.6, arXiv:1605.08803
 * @example
 * const squeeze = new Squeeze({ inputShape: [28, 28, 1] });
 * squeeze.outputShape; // [14, 14, 4]
 */
export class Squeeze extends Bijector {
  static className = 'FlowSqueeze';

  constructor(options: SqueezeOptions) {
    if (new.target === Squeeze) checkOptions('Squeeze', options, { inputShape: true, name: true });
    checkEventShape('Squeeze', options.inputShape, [3]);
    const [height, width, channels] = options.inputShape;
    if (height % 2 !== 0 || width % 2 !== 0) {
      const hint = 'Pad or crop the images, or use fewer levels.';
      throw new ConfigError(complaint('Squeeze', 'an even height and width', options.inputShape, hint));
    }
    super(options.name ?? 'squeeze', options.inputShape, [height / 2, width / 2, channels * 4]);
  }

  protected computeForward(x: tf.Tensor): Transformed {
    const [height, width, channels] = this.inputShape;
    const patches = tf.reshape(x, [x.shape[0], height / 2, 2, width / 2, 2, channels]);
    const value = tf.reshape(tf.transpose(patches, [0, 1, 3, 5, 2, 4]), [x.shape[0], ...this.outputShape]);
    return { value, logDet: zeroLogDet(x.shape[0]) };
  }

  protected computeInverse(y: tf.Tensor): Transformed {
    return { value: this.patchesInPlace(y), logDet: zeroLogDet(y.shape[0]) };
  }

  /** Values move, and their gradients with them. */
  protected override computeReverse(output: Reversed, pass: ReversePass, name: string): Reversed {
    const value = pass.takeAnchor(name) ?? this.patchesInPlace(output.value);
    return { value, gradient: this.patchesInPlace(output.gradient) };
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, inputShape: [...this.inputShape] };
  }

  private patchesInPlace(y: tf.Tensor): tf.Tensor {
    const [height, width, channels] = this.inputShape;
    const patches = tf.reshape(y, [y.shape[0], height / 2, width / 2, channels, 2, 2]);
    return tf.reshape(tf.transpose(patches, [0, 1, 4, 2, 5, 3]), [y.shape[0], ...this.inputShape]);
  }
}

registerModule(Squeeze);
