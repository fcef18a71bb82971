import type * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../core/context';
import { deserializeModule, registerModule, type SerializedModule, serializeModule } from '../core/module';
import { checkOptions } from '../core/options';
import { Bijector, type Cost, type Transformed } from './bijector';

/** Options of {@link Invert}. */
export interface InvertOptions {
  /** The bijector to turn round; it is owned from here on. */
  bijector: Bijector;
  /** Name in the weight tree. Default 'invert'. */
  name?: string;
}

/**
 * A bijector turned round: its forward is the other's inverse.
 *
 *     z = f^-1(x),    logDet = log |det d f^-1 / dx|
 *
 * Shapes: the other's output to the other's input. logDet in nats.
 *
 * @see Rezende and Mohamed (2015), section 3, arXiv:1505.05770
 * @example
 * const unsqueeze = new Invert({ bijector: new Squeeze({ inputShape: [4, 4, 1] }) });
 * unsqueeze.outputShape; // [4, 4, 1]
 */
export class Invert extends Bijector {
  static className = 'FlowInvert';
  readonly bijector: Bijector;

  constructor(options: InvertOptions) {
    if (new.target === Invert) checkOptions('Invert', options, { bijector: true, name: true });
    super(options.name ?? 'invert', options.bijector.outputShape, options.bijector.inputShape, 'different');
    this.bijector = this.addChild(options.bijector);
  }

  override get cost(): Cost {
    return turned(this.bijector.cost);
  }

  override get steps(): Cost {
    return turned(this.bijector.steps);
  }

  protected computeForward(x: tf.Tensor, context?: ContextTensors): Transformed {
    return this.bijector.inverse(x, context);
  }

  protected computeInverse(y: tf.Tensor, context?: ContextTensors): Transformed {
    return this.bijector.forward(y, context);
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, bijector: serializeModule(this.bijector) as never };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const bijector = deserializeModule<Bijector>(config.bijector as unknown as SerializedModule);
    return new cls({ ...config, bijector });
  }
}

function turned({ forward, inverse }: Cost): Cost {
  return { forward: inverse, inverse: forward };
}

registerModule(Invert);
