import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { untaped } from '../../core/tensors';
import { roundedInto } from './splineBox';
import {
  checkTransformer,
  deserializeTransformer,
  type ElementwiseResult,
  type SerializedTransformer,
  serializeTransformer,
  Transformer,
} from './transformer';

/** Options of {@link HalfTurn}. */
export interface HalfTurnOptions {
  /** The map after the turn, of [-bound, bound] to itself. */
  transformer: Transformer;
  /** Half the length of the circle [-bound, bound). Default pi. */
  bound?: number;
}

const names: OptionNames<HalfTurnOptions> = { transformer: true, bound: true };

/**
 * Half a turn of a circle, then another map of it: layer by layer the ends of a spline, whose slope is fixed, come to lie elsewhere.
 *
 *     y = f((x mod 2 bound) - bound; p),   log dy/dx = log f'
 *
 * The network that steers a layer reads x as it was before the turn. Values beyond one turn are brought into it, and come back there.
 * Shapes and parameters are those of the transformer; zeros are half a turn where they are its identity.
 *
 * @throws ConfigError for no transformer, or a bound that is not positive
 * @see Rezende et al., "Normalizing Flows on Tori and Spheres" (2020), section 2.2, arXiv:2002.02428; the shift as in zuko's circular flows
 * @example
 * const turned = new HalfTurn({ transformer: new RationalQuadraticSpline({ bins: 4, bound: Math.PI }) });
 * turned.forward(tf.tensor2d([[1]]), tf.zeros([1, 1, 11])).value.print(); // [[1 - pi]]
 */
export class HalfTurn extends Transformer {
  static className = 'FlowHalfTurn';
  readonly transformer: Transformer;
  readonly bound: number;

  constructor(options: HalfTurnOptions) {
    super();
    checkOptions('HalfTurn', options, names);
    const { transformer, bound = Math.PI } = options;
    checkTransformer('HalfTurn', transformer);
    if (!(Number.isFinite(bound) && bound > 0)) {
      throw new ConfigError(complaint('HalfTurn', 'a positive bound', bound));
    }
    this.transformer = transformer;
    this.bound = bound;
  }

  get parameters(): number {
    return this.transformer.parameters;
  }

  forward(x: tf.Tensor, parameters: tf.Tensor): ElementwiseResult {
    return this.transformer.forward(this.turned(x), parameters);
  }

  inverse(y: tf.Tensor, parameters: tf.Tensor): ElementwiseResult {
    const { value, logDerivative } = this.transformer.inverse(y, parameters);
    return { value: this.turned(value), logDerivative };
  }

  getConfig(): tf.serialization.ConfigDict {
    return { transformer: serializeTransformer(this.transformer) as never, bound: this.bound };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const transformer = deserializeTransformer(config.transformer as unknown as SerializedTransformer);
    return new cls({ ...config, transformer });
  }

  /** Its own inverse on the circle. */
  private turned(x: tf.Tensor): tf.Tensor {
    const { bound } = this;
    const turns = untaped(() => tf.mul(tf.floor(tf.div(x, 2 * bound)), 2 * bound));
    return roundedInto(tf.sub(tf.sub(x, turns), bound), bound);
  }
}

tf.serialization.registerClass(HalfTurn);
