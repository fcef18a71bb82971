import * as tf from '@tensorflow/tfjs-core';
import {
  type ContextOption,
  type ContextTensors,
  contextShapeOf,
  contextSize,
  flatContext,
} from '../../core/context';
import { deserializeModule, type SerializedModule, serializeModule } from '../../core/module';
import { Bijector } from '../bijector';
import {
  type Conditioner,
  type ConditionerBuilder,
  checkReader,
  resolveConditioner,
} from '../networks/conditioner';

/** Options of a bijector of one column that may be conditioned. */
export interface ColumnHeadOptions {
  /** What it is conditioned on: a number of values, an event shape, or either by name. Default: nothing. */
  context?: ContextOption;
  /** From all values of the context, flat, to the numbers that say the distribution; needed where there is a context. */
  network?: Conditioner | ConditionerBuilder;
  /** Name in the weight tree. Default: the kind of layer. */
  name?: string;
}

/**
 * A bijector of one column that networks of other columns do not read as a number: a category, an angle.
 *
 * Its distribution is said by numbers of its own, plus those that a network makes of the context; its latent is standard normal under
 * that distribution. A subclass says what networks of other columns read in place of its values.
 *
 * @example
 * const kind: ColumnHead = new Categorical({ categories: 3 });
 * kind.featuresOf(tf.tensor2d([[1.5]])).print(); // [[0, 1, 0]]
 */
export abstract class ColumnHead extends Bijector {
  /** How many numbers stand for a value. */
  abstract readonly features: number;
  private readonly own: tf.Variable;
  private readonly network?: Conditioner;

  /** @param parameters how many numbers say the distribution; zeros say the even one */
  constructor(kind: string, { context, network }: ColumnHeadOptions, name: string, parameters: number) {
    super(name, [1]);
    this.own = this.addWeight('parameters', tf.zeros([parameters]));
    this.declareContext(contextShapeOf(kind, context));
    const { contextShape } = this;
    checkReader(kind, contextShape, network);
    if (contextShape === undefined || network === undefined) return;
    this.network = this.addChild(
      resolveConditioner(kind, network, [contextSize(contextShape)], [parameters]),
    );
  }

  /** What networks read of the column x [n, 1]: [n, features], differentiable where x varies continuously. */
  abstract featuresOf(x: tf.Tensor): tf.Tensor;

  /** The numbers that say the distribution, [n, parameters]. */
  protected parametersOf(n: number, context: ContextTensors | undefined): tf.Tensor {
    const own = tf.add(tf.zeros([n, 1]), this.own);
    if (this.network === undefined) return own;
    return tf.add(own, this.network.apply(flatContext(context) as tf.Tensor));
  }

  /** Starts the column's own numbers; with a network, what that says at the start is added. */
  protected start(parameters: tf.Tensor): void {
    this.own.assign(parameters);
  }

  /** Data-dependent initialization of the network. */
  protected initializeNetwork(context: ContextTensors | undefined): void {
    this.network?.initialize(flatContext(context) as tf.Tensor);
  }

  getConfig(): tf.serialization.ConfigDict {
    const { name, contextShape, network } = this;
    if (network === undefined) return { name };
    return { name, context: contextShape as never, network: serializeModule(network) as never };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    if (config.network === undefined) return new cls(config);
    const network = deserializeModule<Conditioner>(config.network as unknown as SerializedModule);
    return new cls({ ...config, network });
  }
}
