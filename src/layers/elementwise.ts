import * as tf from '@tensorflow/tfjs-core';
import {
  type ContextOption,
  type ContextTensors,
  contextShapeOf,
  contextSize,
  flatContext,
} from '../core/context';
import { deserializeModule, registerModule, type SerializedModule, serializeModule } from '../core/module';
import { checkOptions } from '../core/options';
import { checkEventShape, sizeOf } from '../core/shapes';
import { inEveryRow } from '../core/tensors';
import { Bijector, type BijectorOptions, type Conditioning, type Transformed } from './bijector';
import type { Measure } from './measures';
import {
  type Conditioner,
  type ConditionerBuilder,
  checkReader,
  resolveConditioner,
} from './networks/conditioner';
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
  /** What the parameters depend on: a number of values, an event shape, or either by name. Default: nothing, they are weights. */
  context?: ContextOption;
  /** Reads the parameters of all values in the context, which it gets as one vector. Needed with a context, and only there. */
  network?: Conditioner | ConditionerBuilder;
}

/**
 * Every value of an event under a map of its own, without looking at the others: it bends each marginal by itself.
 *
 *     y_i = f(x_i; p_i),   p = weights  or  network(context),   logDet = sum_i log f'(x_i; p_i)
 *
 * With a context it is the conditional flow of one dimension, which has no parts to couple.
 *
 * Shapes: [n, d] or [n, h, w, c]; the context [n, ...shape] goes to the network as [n, all its values], parts by name after one another
 * as they are declared, and comes back as p numbers for each value, one value after another. logDet in nats. Weights start as zeros.
 *
 * @throws ConfigError for another event shape, no transformer, a network of other shapes, or a context without network
 * @see Durkan et al., "Neural Spline Flows" (2019), section 3.1, arXiv:1906.04032
 * @example
 * const bend = new Elementwise({ inputShape: [2], transformer: new RationalQuadraticSpline({ bins: 4 }) });
 * bend.forward(tf.tensor2d([[0.5, 1]])).value.print(); // [[0.5, 1]]
 * const conditional = new Elementwise({
 *   inputShape: [1],
 *   transformer: new RationalQuadraticSpline({ bins: 4 }),
 *   context: 3,
 *   network: ([c], [units]) => new MultilayerPerceptron({ inputShape: [c], units, seed: 1 }),
 * });
 */
export class Elementwise extends Bijector {
  static className = 'FlowElementwise';
  readonly transformer: Transformer;
  readonly network?: Conditioner;
  /**
   * One set of numbers for each value, [values, p], where no network reads them.
   * @internal
   */
  readonly parameters?: tf.Variable;

  constructor(options: ElementwiseOptions) {
    const where = 'Elementwise';
    if (new.target === Elementwise) {
      checkOptions(where, options, {
        inputShape: true,
        name: true,
        transformer: true,
        context: true,
        network: true,
      });
    }
    const { inputShape, transformer, network } = options;
    checkEventShape(where, inputShape, [1, 3]);
    checkTransformer(where, transformer);
    const context = contextShapeOf(where, options.context);
    checkReader(where, context, network);
    super(options.name ?? 'elementwise', inputShape);
    this.transformer = transformer;
    this.declareContext(context);
    const shape = [sizeOf(inputShape), transformer.parameters];
    if (network === undefined) this.parameters = this.addWeight('parameters', tf.zeros(shape));
    else
      this.network = this.addChild(
        resolveConditioner(where, network, [contextSize(context)], [sizeOf(shape)]),
      );
  }

  protected computeForward(x: tf.Tensor, context?: ContextTensors): Transformed {
    return this.map(x, this.parametersOf(x, context), false);
  }

  protected computeInverse(y: tf.Tensor, context?: ContextTensors): Transformed {
    return this.map(y, this.parametersOf(y, context), true);
  }

  protected override computeInitialize(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    this.network?.initialize(flatContext(context) as tf.Tensor);
    return this.computeForward(x, context).value;
  }

  protected override computeConditioning(x: tf.Tensor, context?: ContextTensors): Conditioning<Measure> {
    const { transformer } = this;
    const rows = tf.reshape(x, [x.shape[0], -1]);
    return transformer.conditioning(rows, transformer.perValue(rows, this.parametersOf(x, context)));
  }

  getConfig(): tf.serialization.ConfigDict {
    const { name, transformer, network, contextShape } = this;
    const config = {
      name,
      inputShape: [...this.inputShape],
      transformer: serializeTransformer(transformer) as never,
    };
    if (network === undefined) return config;
    return { ...config, context: contextShape as never, network: serializeModule(network) as never };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const transformer = deserializeTransformer(config.transformer as unknown as SerializedTransformer);
    if (config.network === undefined) return new cls({ ...config, transformer });
    const network = deserializeModule<Conditioner>(config.network as unknown as SerializedModule);
    return new cls({ ...config, transformer, network });
  }

  /** [n, values * p] */
  private parametersOf(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    return this.parameters === undefined
      ? (this.network as Conditioner).apply(flatContext(context) as tf.Tensor)
      : inEveryRow(this.parameters, x.shape[0]);
  }

  private map(x: tf.Tensor, parameters: tf.Tensor, inverse: boolean): Transformed {
    if (x.rank === 2) return this.transformer.mapEvents(x, parameters, 0, inverse);
    const rows = tf.reshape(x, [x.shape[0], -1]);
    const { value, logDet } = this.transformer.mapEvents(rows, parameters, 0, inverse);
    return { value: tf.reshape(value, x.shape), logDet };
  }
}

registerModule(Elementwise);
