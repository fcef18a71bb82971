import * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../core/context';
import { deserializeModule, registerModule, type SerializedModule, serializeModule } from '../core/module';
import { checkOptions } from '../core/options';
import { checkEventShape, type Shape } from '../core/shapes';
import { firstChannels, splitChannels } from '../core/tensors';
import { Bijector, type BijectorOptions, type Conditioning, type Transformed } from './bijector';
import { halfOf } from './coupling';
import { standardize } from './fusedStandardize';
import type { Measure } from './measures';
import { type Conditioner, type ConditionerBuilder, resolveConditioner } from './networks/conditioner';
import { Convolution } from './networks/convolution';
import { MultilayerPerceptron } from './networks/multilayerPerceptron';

/** Options of {@link Split}. */
export interface SplitOptions extends BijectorOptions {
  /**
   * Network that reads the half that stays, and a context where it declares one, and returns [mean | logScale] of the half that
   * leaves.
   * Default: a zero-initialized 3x3 convolution (images) or linear map (vectors).
   */
  network?: Conditioner | ConditionerBuilder;
}

/**
 * The conditional prior of the half that leaves at the end of a level: it is standardized given the half that stays.
 *
 *     [z1 | z2] = x,  [mean | logScale] = network(z1),  eps = (z2 - mean) * exp(-logScale),  y = [z1 | eps],
 *     logDet = -sum(logScale)
 *
 * log p(z2 | z1) of the published Glows is log N(eps; 0, I) + logDet. A MultiScale then takes eps out.
 * Shapes: [n, h, w, c] or [n, d], c even. logDet in nats.
 *
 * @throws ConfigError for odd channels or a network of other shapes
 * @see Dinh et al., "Real NVP" (2016), section 3.6, arXiv:1605.08803; the prior as published with Glow (2018), arXiv:1807.03039
 * @example
 * const split = new Split({ inputShape: [8, 8, 12] });
 * const { value } = split.forward(tf.ones([1, 8, 8, 12])); // channels 6 .. 11 are eps
 */
export class Split extends Bijector {
  static className = 'FlowSplit';
  readonly network: Conditioner;
  private readonly half: number;

  constructor(options: SplitOptions) {
    if (new.target === Split) checkOptions('Split', options, { inputShape: true, name: true, network: true });
    const { inputShape, network = zeroNetwork } = options;
    checkEventShape('Split', inputShape, [1, 3]);
    super(options.name ?? 'split', inputShape);
    this.half = halfOf('Split', inputShape[inputShape.length - 1], 'Squeeze images first.');
    const input: Shape = [...inputShape.slice(0, -1), this.half];
    this.network = this.addChild(resolveConditioner('Split', network, input, inputShape));
  }

  protected computeForward(x: tf.Tensor, context?: ContextTensors): Transformed {
    const stays = firstChannels(x, this.half);
    return this.standardize(x, this.network.apply(stays, context));
  }

  protected override computeInitialize(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const stays = firstChannels(x, this.half);
    return this.standardize(x, this.network.initialize(stays, context)).value;
  }

  protected computeInverse(y: tf.Tensor, context?: ContextTensors): Transformed {
    const stays = firstChannels(y, this.half);
    return standardize(y, this.network.apply(stays, context), { kept: this.half, inverse: true });
  }

  protected override computeConditioning(x: tf.Tensor, context?: ContextTensors): Conditioning<Measure> {
    const stays = firstChannels(x, this.half);
    const [, logScale] = splitChannels(this.network.apply(stays, context), this.half);
    return { smallestScale: tf.exp(tf.neg(tf.max(logScale))) };
  }

  /** The half that leaves, standardized by what the network says of it. */
  private standardize(x: tf.Tensor, parameters: tf.Tensor): Transformed {
    return standardize(x, parameters, { kept: this.half, inverse: false });
  }

  getConfig(): tf.serialization.ConfigDict {
    return {
      name: this.name,
      inputShape: [...this.inputShape],
      network: serializeModule(this.network) as never,
    };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const network = deserializeModule<Conditioner>(config.network as unknown as SerializedModule);
    return new cls({ ...config, network });
  }
}

function zeroNetwork(input: Shape, output: Shape): Conditioner {
  return input.length === 3
    ? new Convolution({ inputShape: input, filters: output[2], initial: 'zero', name: 'network' })
    : new MultilayerPerceptron({ inputShape: input, units: output[0], hiddenUnits: [] });
}

registerModule(Split);
