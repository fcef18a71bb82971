import * as tf from '@tensorflow/tfjs-core';
import { type ContextTensors, partOf } from '../core/context';
import { ConfigError, complaint } from '../core/errors';
import { deserializeModule, registerModule, type SerializedModule, serializeModule } from '../core/module';
import { named } from '../core/numbers';
import { checkOptions } from '../core/options';
import { checkEventShape, checkInteger } from '../core/shapes';
import { sumPerExample } from '../core/tensors';
import { Bijector, type BijectorOptions, type Cost, type Transformed } from './bijector';
import { MaskedPerceptron } from './networks/maskedPerceptron';
import { type Adjacency, checkAdjacency, levelsOf, orderedAdjacency } from './networks/masks';
import {
  checkTransformer,
  deserializeTransformer,
  type SerializedTransformer,
  serializeTransformer,
  type Transformer,
} from './transformers/transformer';

/** Options of {@link MaskedAutoregressive}. */
export interface MaskedAutoregressiveOptions extends BijectorOptions {
  /** The map of each value, steered by what the network reads in the values before it. */
  transformer: Transformer;
  /** Builds the network from who may read whom and the number of parameters per value; or the network itself, from a file. */
  network: MaskedPerceptron | ((adjacency: Adjacency, outputsPerValue: number) => MaskedPerceptron);
  /** The values in the order in which they are generated. Default: as they stand. */
  order?: readonly number[];
  /** Groups that are generated one after another, 2 (as a coupling does) to d. Default: d. */
  passes?: number;
  /** Who reads whom, in place of `order` and `passes`: d rows of d booleans without circles. */
  adjacency?: Adjacency;
}

/**
 * A masked autoregressive layer: every value is mapped by parameters that a network reads in the values before it.
 *
 *     y_i = f(x_i; p_i(x_{<i})),   logDet = sum_i log f'(x_i; p_i)
 *
 * Forward takes one pass of the network, the inverse one for each group of values; `cost` says so. Turned round by `Invert` it samples
 * in one pass and takes many for a density (inverse autoregressive flow).
 *
 * Shapes: [n, d]; context of the network [n, ...]. logDet in nats.
 *
 * @throws ConfigError for an order that is no permutation, passes outside of 2 .. d, an adjacency with circles, or a network of other shapes
 * @see Papamakarios et al., "Masked Autoregressive Flow" (2017), section 3, arXiv:1705.07057; Kingma et al. (2016), arXiv:1606.04934
 * @example
 * const layer = new MaskedAutoregressive({
 *   inputShape: [3],
 *   transformer: new RationalQuadraticSpline({ bins: 4 }),
 *   network: (adjacency, outputsPerValue) => new MaskedPerceptron({ inputShape: [3], adjacency, outputsPerValue, seed: 1 }),
 * });
 * layer.cost; // { forward: 1, inverse: 3 }
 */
export class MaskedAutoregressive extends Bijector {
  static className = 'FlowMaskedAutoregressive';
  readonly network: MaskedPerceptron;
  private readonly transformer: Transformer;
  private readonly adjacency: boolean[][];
  /** The group of every value. */
  private readonly levels: number[];

  constructor(options: MaskedAutoregressiveOptions) {
    const where = 'MaskedAutoregressive';
    if (new.target === MaskedAutoregressive) {
      checkOptions(where, options, {
        inputShape: true,
        name: true,
        transformer: true,
        network: true,
        order: true,
        passes: true,
        adjacency: true,
      });
    }
    const { inputShape, transformer, network } = options;
    checkEventShape(where, inputShape, [1]);
    checkTransformer(where, transformer);
    const adjacency = adjacencyOf(where, options);
    const levels = levelsOf(where, adjacency);
    super(options.name ?? 'autoregressive', inputShape);
    this.transformer = transformer;
    this.adjacency = adjacency;
    this.levels = levels;
    const made = typeof network === 'function' ? network(adjacency, transformer.parameters) : network;
    const outputs = inputShape[0] * transformer.parameters;
    if (!(made instanceof MaskedPerceptron) || made.outputShape[0] !== outputs || !made.masksAs(adjacency)) {
      const expected = `a MaskedPerceptron with this adjacency and ${transformer.parameters} outputs per value`;
      const received = made instanceof MaskedPerceptron ? 'another' : named(made)[0];
      throw new ConfigError(complaint(where, expected, received));
    }
    this.network = this.addChild(made);
  }

  override get cost(): Cost {
    return { forward: 1, inverse: Math.max(...this.levels) + 1 };
  }

  protected computeForward(x: tf.Tensor, context?: ContextTensors): Transformed {
    const { value, logDerivative } = this.transformer.forward(x, this.parametersOf(x, context));
    return { value, logDet: sumPerExample(logDerivative) };
  }

  /** Group by group: each pass of the network makes one more of them right. */
  protected computeInverse(y: tf.Tensor, context?: ContextTensors): Transformed {
    let x = tf.zerosLike(y);
    for (let level = 0; ; level++) {
      const { value, logDerivative } = this.transformer.inverse(y, this.parametersOf(x, context));
      if (level === this.cost.inverse - 1) return { value, logDet: sumPerExample(logDerivative) };
      // What is not known yet stays 0: masks keep it from being read, but an infinity would come through a mask as NaN.
      const known = tf.tensor1d(
        this.levels.map((own) => own <= level),
        'bool',
      );
      x = tf.where(tf.broadcastTo(known, y.shape), value, tf.zerosLike(y));
    }
  }

  getConfig(): tf.serialization.ConfigDict {
    return {
      name: this.name,
      inputShape: [...this.inputShape],
      adjacency: this.adjacency.map((row) => row.map(Number)),
      transformer: serializeTransformer(this.transformer) as never,
      network: serializeModule(this.network) as never,
    };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const network = deserializeModule<MaskedPerceptron>(config.network as unknown as SerializedModule);
    const transformer = deserializeTransformer(config.transformer as unknown as SerializedTransformer);
    return new cls({ ...config, network, transformer });
  }

  private parametersOf(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const parameters = this.network.apply(x, partOf(context, this.network.contextShape));
    return tf.reshape(parameters, [...x.shape, this.transformer.parameters]);
  }
}

function adjacencyOf(where: string, options: MaskedAutoregressiveOptions): boolean[][] {
  const { adjacency, order, passes } = options;
  const d = options.inputShape[0];
  if (adjacency !== undefined) {
    if (order === undefined && passes === undefined) return checkAdjacency(where, adjacency, d);
    throw new ConfigError(complaint(where, 'adjacency, or order and passes', 'both'));
  }
  const places = order ?? Array.from({ length: d }, (_, i) => i);
  if (
    !Array.isArray(places) ||
    [...places].sort((a, b) => a - b).some((value, i) => value !== i) ||
    places.length !== d
  ) {
    throw new ConfigError(complaint(where, `an order of the values 0 .. ${d - 1}`, order));
  }
  if (passes !== undefined) checkInteger(where, 'passes', passes, Math.min(2, d));
  if (passes !== undefined && passes > d)
    throw new ConfigError(complaint(where, `passes of at most ${d}`, passes));
  return orderedAdjacency(places, passes ?? d);
}

registerModule(MaskedAutoregressive);
