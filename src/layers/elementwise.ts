import * as tf from '@tensorflow/tfjs-core';
import { registerModule } from '../core/module';
import { checkOptions } from '../core/options';
import { checkEventShape, sizeOf } from '../core/shapes';
import { sumPerExample } from '../core/tensors';
import { Bijector, type BijectorOptions, type Transformed } from './bijector';
import {
  checkTransformer,
  deserializeTransformer,
  type SerializedTransformer,
  serializeTransformer,
  type Transformer,
} from './transformers/transformer';

/** Options of {@link Elementwise}. */
export interface ElementwiseOptions extends BijectorOptions {
  /** The map of single numbers; its parameters are learned for each value apart. */
  transformer: Transformer;
}

/**
 * Every value of an event under a map of its own, learned without looking at the others: it bends each marginal by itself.
 *
 *     y_i = f(x_i; p_i),   logDet = sum_i log f'(x_i; p_i)
 *
 * Shapes: [n, d] or [n, h, w, c]. logDet in nats. It starts as the identity.
 *
 * @throws ConfigError for another event shape, or no transformer
 * @see Durkan et al., "Neural Spline Flows" (2019), section 3.1, arXiv:1906.04032
 * @example
 * const bend = new Elementwise({ inputShape: [2], transformer: new RationalQuadraticSpline({ bins: 4 }) });
 * bend.forward(tf.tensor2d([[0.5, 1]])).value.print(); // [[0.5, 1]]
 */
export class Elementwise extends Bijector {
  static className = 'FlowElementwise';
  private readonly transformer: Transformer;
  private readonly parameters: tf.Variable;

  constructor(options: ElementwiseOptions) {
    if (new.target === Elementwise) {
      checkOptions('Elementwise', options, { inputShape: true, name: true, transformer: true });
    }
    const { inputShape, transformer } = options;
    checkEventShape('Elementwise', inputShape, [1, 3]);
    checkTransformer('Elementwise', transformer);
    super(options.name ?? 'elementwise', inputShape);
    this.transformer = transformer;
    this.parameters = this.addWeight('parameters', tf.zeros([sizeOf(inputShape), transformer.parameters]));
  }

  protected computeForward(x: tf.Tensor): Transformed {
    return this.pass(x, 'forward');
  }

  protected computeInverse(y: tf.Tensor): Transformed {
    return this.pass(y, 'inverse');
  }

  getConfig(): tf.serialization.ConfigDict {
    const transformer = serializeTransformer(this.transformer) as never;
    return { name: this.name, inputShape: [...this.inputShape], transformer };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const transformer = deserializeTransformer(config.transformer as unknown as SerializedTransformer);
    return new cls({ ...config, transformer });
  }

  private pass(x: tf.Tensor, direction: 'forward' | 'inverse'): Transformed {
    const rows = tf.reshape(x, [x.shape[0], -1]);
    const parameters = tf.tile(tf.expandDims(this.parameters, 0), [x.shape[0], 1, 1]);
    const { value, logDerivative } = this.transformer[direction](rows, parameters);
    return { value: tf.reshape(value, x.shape), logDet: sumPerExample(logDerivative) };
  }
}

registerModule(Elementwise);
