import * as tf from '@tensorflow/tfjs-core';
import { type ContextTensors, partOf } from '../core/context';
import { ConfigError, complaint } from '../core/errors';
import { largest } from '../core/lists';
import { deserializeModule, registerModule, type SerializedModule, serializeModule } from '../core/module';
import { named } from '../core/numbers';
import { checkOptions } from '../core/options';
import { checkEventShape, checkInteger } from '../core/shapes';
import { sumPerExample } from '../core/tensors';
import { absorbPermutation } from './absorbPermutation';
import {
  Bijector,
  type BijectorOptions,
  type BothWays,
  type Conditioning,
  type Cost,
  type Transformed,
} from './bijector';
import { fusedSweep } from './fusedSweep';
import type { Measure } from './measures';
import { MaskedNetwork } from './networks/maskedNetwork';
import { type Adjacency, checkAdjacency, levelsOf, orderedAdjacency } from './networks/masks';
import { runSweep } from './networks/sweep';
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
  network: MaskedNetwork | ((adjacency: Adjacency, outputsPerValue: number) => MaskedNetwork);
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
 * Forward is one step. The inverse finds one group of values after another, as many as `steps` says: in one sweep, which computes every unit
 * of the network once, with the networks from here, and in as many passes of the network with others; `cost` says which. Turned round by
 * `Invert` it samples in one step and takes many for a density (inverse autoregressive flow). Reversible gradients keep its input and never
 * run its inverse.
 *
 * Shapes: [n, d]; context of the network [n, ...]. logDet in nats.
 *
 * @throws ConfigError for an order that is no permutation, passes outside of 2 .. d, an adjacency with circles, or a network of other shapes
 * @see Papamakarios et al., "Masked Autoregressive Flow" (2017), section 3, arXiv:1705.07057; Kingma et al. (2016), arXiv:1606.04934
 * @example
 * const layer = new MaskedAutoregressive({
 *   inputShape: [3],
 *   transformer: new RationalQuadraticSpline({ bins: 4 }),
 *   network: (adjacency, outputsPerValue) => new MaskedPerceptron({ adjacency, outputsPerValue, seed: 1 }),
 * });
 * layer.steps; // { forward: 1, inverse: 3 }
 */
export class MaskedAutoregressive extends Bijector {
  static className = 'FlowMaskedAutoregressive';
  readonly network: MaskedNetwork;
  private readonly transformer: Transformer;
  private readonly adjacency: boolean[][];

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
    levelsOf(where, adjacency);
    super(options.name ?? 'autoregressive', inputShape);
    this.transformer = transformer;
    this.adjacency = adjacency;
    const made = typeof network === 'function' ? network(adjacency, transformer.parameters) : network;
    const { parameters } = transformer;
    const fits = (network: MaskedNetwork) =>
      network.outputsPerValue === parameters && network.masksAs(adjacency);
    if (!(made instanceof MaskedNetwork) || !fits(made)) {
      const expected = `a masked network with this adjacency and ${parameters} outputs per value`;
      const received = made instanceof MaskedNetwork ? 'another' : named(made)[0];
      throw new ConfigError(complaint(where, expected, received));
    }
    this.network = this.addChild(made);
  }

  override get cost(): Cost {
    return { forward: 1, inverse: this.network.sweep === undefined ? this.steps.inverse : 1 };
  }

  override get steps(): Cost {
    return { forward: 1, inverse: largest(this.network.levels) + 1 };
  }

  /** A permutation before it goes along. */
  override absorb(before: Bijector): BothWays | undefined {
    return absorbPermutation(before, this);
  }

  protected computeForward(x: tf.Tensor, context?: ContextTensors): Transformed {
    return this.transformer.mapEvents(x, this.parametersOf(x, context), 0, false);
  }

  protected computeInverse(y: tf.Tensor, context?: ContextTensors): Transformed {
    const { network } = this;
    const sweep = network.sweep?.(y.shape[0], partOf(context, network.contextShape));
    if (sweep === undefined) return this.inverseByPasses(y, context);
    const fused = fusedSweep(sweep, y, this.transformer.fused);
    if (fused !== undefined) return fused;
    const { value, logDerivative } = runSweep(sweep, y, (part, parameters) =>
      this.transformer.inverse(part, this.transformer.perValue(part, parameters)),
    );
    return { value, logDet: sumPerExample(logDerivative) };
  }

  protected override computeConditioning(x: tf.Tensor, context?: ContextTensors): Conditioning<Measure> {
    const { transformer } = this;
    return transformer.conditioning(x, transformer.perValue(x, this.parametersOf(x, context)));
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
    const network = deserializeModule<MaskedNetwork>(config.network as unknown as SerializedModule);
    const transformer = deserializeTransformer(config.transformer as unknown as SerializedTransformer);
    return new cls({ ...config, network, transformer });
  }

  /** Group by group: each pass of the network makes one more of them right. */
  private inverseByPasses(y: tf.Tensor, context?: ContextTensors): Transformed {
    let x = tf.zerosLike(y);
    for (let level = 0; ; level++) {
      const found = this.transformer.mapEvents(y, this.parametersOf(x, context), 0, true);
      if (level === this.steps.inverse - 1) return found;
      // What is not known yet stays 0: masks keep it from being read, but an infinity would come through a mask as NaN.
      const known = tf.tensor1d(
        this.network.levels.map((own) => own <= level),
        'bool',
      );
      x = tf.where(tf.broadcastTo(known, y.shape), found.value, tf.zerosLike(y));
    }
  }

  private parametersOf(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    return this.network.apply(x, partOf(context, this.network.contextShape));
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
