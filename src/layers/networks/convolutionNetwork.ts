import * as tf from '@tensorflow/tfjs-core';
import { registerModule } from '../../core/module';
import { RandomStream } from '../../core/random';
import { checkEventShape, checkInteger, type Shape } from '../../core/shapes';
import { ActNorm } from '../actnorm';
import { Conditioner } from './conditioner';
import { Convolution, type Padding } from './convolution';
import { type FusedLayer, fusedConvolutions, hasFusedConvolutions } from './fusedConvolutions';

/** Options of {@link ConvolutionNetwork}. */
export interface ConvolutionNetworkOptions {
  /** [h, w, c] */
  inputShape: Shape;
  /** Output channels. */
  filters: number;
  /** Width of the two hidden layers. Default 512, as published. */
  hiddenChannels?: number;
  /** Actnorm after each hidden convolution (openai, chaiyujin); otherwise a bias (rosinality). Default true. */
  actnorm?: boolean;
  /** Padding of the first 3x3 convolution. Default 'zero'. */
  padding?: Padding;
  /** Padding of the last 3x3 convolution. Default: as `padding`. */
  lastPadding?: Padding;
  /** Seed of the initial weights. Default: another one each time. */
  seed?: number;
  /** Name in the weight tree. Default 'network'. */
  name?: string;
}

/**
 * Glow's conditioner: 3x3 convolution, relu, 1x1 convolution, relu, zero-initialized 3x3 convolution.
 *
 *     y = zero3x3(relu(norm(conv1x1(relu(norm(conv3x3(x)))))))
 *
 * Shapes: [n, h, w, c] -> [n, h, w, filters]. It returns 0 at the start, so a coupling starts near the identity.
 *
 * @throws ConfigError for a bad configuration
 * @see Kingma and Dhariwal, "Glow" (2018), section 4 and the published code, arXiv:1807.03039
 * @example
 * const network = new ConvolutionNetwork({ inputShape: [8, 8, 6], filters: 12, hiddenChannels: 64, seed: 1 });
 * network.parameterCount;
 */
export class ConvolutionNetwork extends Conditioner {
  static className = 'FlowConvolutionNetwork';
  private readonly options: Required<Pick<ConvolutionNetworkOptions, 'hiddenChannels' | 'actnorm'>> & {
    padding: Padding;
    lastPadding: Padding;
  };
  private readonly first: Convolution;
  private readonly second: Convolution;
  private readonly last: Convolution;
  private readonly norms: ActNorm[] = [];

  constructor(options: ConvolutionNetworkOptions) {
    const { inputShape, filters, hiddenChannels = 512, actnorm = true, padding = 'zero' } = options;
    const { lastPadding = padding } = options;
    checkEventShape('ConvolutionNetwork', inputShape, [3]);
    checkInteger('ConvolutionNetwork', 'hiddenChannels', hiddenChannels);
    const [height, width] = inputShape;
    super(options.name ?? 'network', inputShape, [height, width, filters]);
    this.options = { hiddenChannels, actnorm, padding, lastPadding };
    const random = new RandomStream(options.seed);
    const hiddenShape = [height, width, hiddenChannels];
    const hidden = (name: string, shape: Shape, kernelSize: number) => {
      const layer = this.addChild(
        new Convolution({
          inputShape: shape,
          filters: hiddenChannels,
          kernelSize,
          padding: kernelSize === 1 ? 'zero' : padding,
          bias: !actnorm,
          seed: random.childSeed(),
          name,
        }),
      );
      if (actnorm) {
        this.norms.push(this.addChild(new ActNorm({ inputShape: hiddenShape, name: `${name}Norm` })));
      }
      return layer;
    };
    this.first = hidden('first', inputShape, 3);
    this.second = hidden('second', hiddenShape, 1);
    this.last = this.addChild(
      new Convolution({
        inputShape: hiddenShape,
        filters,
        padding: lastPadding,
        initial: 'zero',
        name: 'last',
      }),
    );
  }

  override get fusedLayers(): FusedLayer[] | undefined {
    return this.computesAs(ConvolutionNetwork) ? this.layers() : undefined;
  }

  protected compute(x: tf.Tensor): tf.Tensor {
    if (hasFusedConvolutions()) return fusedConvolutions(x, this.layers());
    return this.run(x, (norm, hidden) => norm.forward(hidden).value);
  }

  protected override computeInitialize(x: tf.Tensor): tf.Tensor {
    return this.run(x, (norm, hidden) => norm.initialize(hidden));
  }

  getConfig(): tf.serialization.ConfigDict {
    return {
      name: this.name,
      inputShape: [...this.inputShape],
      filters: this.outputShape[2],
      ...this.options,
    };
  }

  private layers(): FusedLayer[] {
    const hidden = [this.first, this.second].map((layer, i) => layer.fusedLayer(this.norms[i]?.fusedScale));
    return [...hidden, this.last.fusedLayer()];
  }

  private run(x: tf.Tensor, normalize: (norm: ActNorm, hidden: tf.Tensor) => tf.Tensor): tf.Tensor {
    const hiddenLayers = [this.first, this.second];
    const hidden = hiddenLayers.reduce((value, layer, i) => {
      const convolved = layer.apply(value);
      return tf.relu(this.options.actnorm ? normalize(this.norms[i], convolved) : convolved);
    }, x);
    return this.last.apply(hidden);
  }
}

registerModule(ConvolutionNetwork);
