import * as tf from '@tensorflow/tfjs-core';
import {
  type ContextOption,
  type ContextShape,
  type ContextTensors,
  contextShapeOf,
  contextTensors,
  isNamed,
  showContext,
} from '../../core/context';
import { ConfigError, complaint } from '../../core/errors';
import { registerModule } from '../../core/module';
import { checkOptions } from '../../core/options';
import { RandomStream } from '../../core/random';
import { checkChoice, checkEventShape, checkInteger, type Shape } from '../../core/shapes';
import { joinChannels } from '../../core/tensors';
import { ActNorm } from '../actnorm';
import { Conditioner } from './conditioner';
import { Convolution, type Padding, paddings } from './convolution';
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
  /**
   * What it is conditioned on, one part or several by name: vectors (a number of values, or [d]) steer the hidden channels, images
   * [h, w, k] of the input's height and width are read beside x. Default: nothing.
   */
  context?: ContextOption;
  /** Seed of the initial weights. Default: another one each time. */
  seed?: number;
  /** Name in the weight tree. Default 'network'. */
  name?: string;
}

/**
 * Glow's conditioner: 3x3 convolution, relu, 1x1 convolution, relu, zero-initialized 3x3 convolution.
 *
 *     y = zero3x3(relu(norm(conv1x1(relu(norm(conv3x3(x)))))))
 *     with a context:  h_1 = relu(norm(conv3x3([x, images])) + v W_1) * 2 sigmoid(v V_1),
 *                      h_2 = relu(norm(conv1x1(h_1)) + v W_2) * 2 sigmoid(v V_2),    y = zero3x3(h_2)
 *
 * Shapes: [n, h, w, c] -> [n, h, w, filters]. v [n, d] is all vectors of the context, one after the other as declared, and is the same
 * at every position; W and V are [d, hiddenChannels] and start at 0, where a vector changes nothing; images are [n, h, w, k].
 * It returns 0 at the start, so a coupling starts near the identity.
 *
 * @throws ConfigError for a bad configuration; ShapeError for an input or context of another shape
 * @see Kingma and Dhariwal, "Glow" (2018), section 4 and the published code, arXiv:1807.03039; gates by a vector as in van den Oord
 * et al., "Conditional Image Generation with PixelCNN Decoders" (2016), section 2.3, arXiv:1606.05328
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
  /** W and V of both hidden layers, where there is a vector. */
  private readonly steering: { shift: tf.Tensor2D; gate: tf.Tensor2D }[] = [];

  constructor(options: ConvolutionNetworkOptions) {
    if (new.target === ConvolutionNetwork)
      checkOptions('ConvolutionNetwork', options, {
        inputShape: true,
        filters: true,
        hiddenChannels: true,
        actnorm: 'boolean',
        padding: true,
        lastPadding: true,
        context: true,
        seed: true,
        name: true,
      });
    const { inputShape, filters, hiddenChannels = 512, actnorm = true, padding = 'zero' } = options;
    const { lastPadding = padding } = options;
    checkEventShape('ConvolutionNetwork', inputShape, [3]);
    checkInteger('ConvolutionNetwork', 'filters', filters);
    checkInteger('ConvolutionNetwork', 'hiddenChannels', hiddenChannels);
    checkChoice('ConvolutionNetwork', 'padding', padding, paddings);
    checkChoice('ConvolutionNetwork', 'lastPadding', lastPadding, paddings);
    const context = contextShapeOf('ConvolutionNetwork', options.context);
    const read = sizesOf(context, inputShape);
    const [height, width] = inputShape;
    super(options.name ?? 'network', inputShape, [height, width, filters]);
    this.declareContext(context);
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
    for (const name of read.vector === 0 ? [] : ['first', 'second']) {
      const weight = (kind: string) =>
        this.addWeight(`${name}${kind}`, tf.zeros([read.vector, hiddenChannels])) as unknown as tf.Tensor2D;
      this.steering.push({ shift: weight('Shift'), gate: weight('Gate') });
    }
    this.first = hidden('first', [height, width, inputShape[2] + read.image], 3);
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
    return this.contextShape === undefined && this.computesAs(ConvolutionNetwork) ? this.layers() : undefined;
  }

  protected compute(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const { input, vector } = withContext(x, context);
    if (vector === undefined && hasFusedConvolutions()) return fusedConvolutions(input, this.layers());
    return this.run(input, vector, (norm, hidden) => norm.forward(hidden).value);
  }

  protected override computeInitialize(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const { input, vector } = withContext(x, context);
    return this.run(input, vector, (norm, hidden) => norm.initialize(hidden));
  }

  getConfig(): tf.serialization.ConfigDict {
    const config = {
      name: this.name,
      inputShape: [...this.inputShape],
      filters: this.outputShape[2],
      ...this.options,
    };
    return this.contextShape === undefined ? config : { ...config, context: this.contextShape as never };
  }

  private layers(): FusedLayer[] {
    const hidden = [this.first, this.second].map((layer, i) => layer.fusedLayer(this.norms[i]?.fusedScale));
    return [...hidden, this.last.fusedLayer()];
  }

  private run(
    input: tf.Tensor,
    vector: tf.Tensor2D | undefined,
    normalize: (norm: ActNorm, hidden: tf.Tensor) => tf.Tensor,
  ): tf.Tensor {
    const hidden = [this.first, this.second].reduce((value, layer, i) => {
      const convolved = layer.apply(value);
      const normalized = this.options.actnorm ? normalize(this.norms[i], convolved) : convolved;
      return vector === undefined ? tf.relu(normalized) : this.steer(normalized, vector, i);
    }, input);
    return this.last.apply(hidden);
  }

  /** A hidden layer shifted and gated by a vector, every channel at all positions alike. */
  private steer(hidden: tf.Tensor, vector: tf.Tensor2D, layer: number): tf.Tensor {
    const { shift, gate } = this.steering[layer];
    const perChannel = (weights: tf.Tensor2D) =>
      tf.reshape(tf.matMul(vector, weights), [vector.shape[0], 1, 1, weights.shape[1]]);
    const factor = tf.mul(tf.sigmoid(perChannel(gate)), 2);
    return tf.mul(tf.relu(tf.add(hidden, perChannel(shift))), factor);
  }
}

/** Lengths of all vectors and channels of all images of a context. */
function sizesOf(
  context: ContextShape | undefined,
  [height, width]: Shape,
): { vector: number; image: number } {
  const sizes = { vector: 0, image: 0 };
  if (context === undefined) return sizes;
  for (const part of isNamed(context) ? Object.values(context) : [context]) {
    if (part.length === 1) sizes.vector += part[0];
    else if (part.length === 3 && part[0] === height && part[1] === width) sizes.image += part[2];
    else {
      const expected = `a context of vectors [d] and images [${height}, ${width}, k]`;
      throw new ConfigError(complaint('ConvolutionNetwork', expected, showContext(context)));
    }
  }
  return sizes;
}

/** What the first convolution reads, and what steers the hidden layers. */
function withContext(x: tf.Tensor, context?: ContextTensors): { input: tf.Tensor; vector?: tf.Tensor2D } {
  const parts = contextTensors(context);
  const images = parts.filter(({ rank }) => rank === 4);
  const vectors = parts.filter(({ rank }) => rank === 2) as tf.Tensor2D[];
  return {
    input: images.length === 0 ? x : joinChannels([x, ...images]),
    vector: vectors.length === 0 ? undefined : (joinChannels(vectors) as tf.Tensor2D),
  };
}

registerModule(ConvolutionNetwork);
