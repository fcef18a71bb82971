import * as tf from '@tensorflow/tfjs-core';
import { registerModule } from '../../core/module';
import { checkOptions } from '../../core/options';
import { RandomStream } from '../../core/random';
import { checkChoice, checkEventShape, checkInteger, type Shape } from '../../core/shapes';
import { linearChannels } from '../../core/tensors';
import { Conditioner } from './conditioner';
import { type FusedLayer, fusedConvolutions, hasFusedConvolutions } from './fusedConvolutions';

/** How a 3x3 convolution sees the outside of the image. */
export type Padding = 'zero' | 'one' | 'edge';

export const paddings: readonly Padding[] = ['zero', 'one', 'edge'];

/** Options of {@link Convolution}. */
export interface ConvolutionOptions {
  /** [h, w, c] */
  inputShape: Shape;
  /** Output channels. */
  filters: number;
  /** Side of the square kernel, odd. Default 3. */
  kernelSize?: number;
  /**
   * 'zero'; 'one': every channel is 1 outside the image (rosinality); 'edge': zeros plus an indicator channel that is 1
   * outside (openai). Default 'zero'.
   */
  padding?: Padding;
  /** 'normal' draws N(0, 0.05^2) weights; 'zero' starts at 0 and scales its output by exp(3 logScale). Default 'normal'. */
  initial?: 'normal' | 'zero';
  /** Whether it adds a bias; an actnorm after it makes that superfluous. Default true. */
  bias?: boolean;
  /** Seed of the initial weights. Default: another one each time. */
  seed?: number;
  /** Name in the weight tree. Default 'convolution'. */
  name?: string;
}

/** Standard deviation of the initial weights in the published Glows. */
const INITIAL_DEVIATION = 0.05;
/** Learning-rate factor of logScale in zero-initialized layers, as published. */
const LOG_SCALE_FACTOR = 3;

/**
 * One convolution, stride 1, same size; the building block of Glow's networks.
 *
 *     y = conv(x, kernel) + bias            ('normal')
 *     y = (conv(x, kernel) + bias) * exp(3 logScale),  all zero at the start   ('zero')
 *
 * Shapes: [n, h, w, c] -> [n, h, w, filters]. With 'edge' padding the border sees an extra channel that is 1 outside;
 * its weights `edgeKernel` add a fixed map; padding 'one' is the case edgeKernel = sum of kernel over inputs.
 *
 * @throws ConfigError for a bad configuration
 * @see Kingma and Dhariwal, "Glow" (2018), section 3.3 and the published code, arXiv:1807.03039
 * @example
 * const layer = new Convolution({ inputShape: [8, 8, 6], filters: 12, initial: 'zero', padding: 'edge' });
 * tf.max(layer.apply(tf.ones([1, 8, 8, 6]))).print(); // 0
 */
export class Convolution extends Conditioner {
  static className = 'FlowConvolution';
  private readonly kernelSize: number;
  private readonly padding: Padding;
  private readonly initial: 'normal' | 'zero';
  private readonly kernel: tf.Variable<tf.Rank.R4>;
  private readonly bias?: tf.Variable;
  private readonly logScale?: tf.Variable;
  private readonly edge?: { kernel: tf.Variable<tf.Rank.R4>; map: tf.Tensor4D };

  constructor(options: ConvolutionOptions) {
    if (new.target === Convolution)
      checkOptions('Convolution', options, {
        inputShape: true,
        filters: true,
        kernelSize: true,
        padding: true,
        initial: true,
        bias: 'boolean',
        seed: true,
        name: true,
      });
    const {
      inputShape,
      filters,
      kernelSize = 3,
      padding = 'zero',
      initial = 'normal',
      bias = true,
    } = options;
    checkEventShape('Convolution', inputShape, [3]);
    checkInteger('Convolution', 'filters', filters);
    checkChoice('Convolution', 'kernelSize', kernelSize, [1, 3, 5, 7]);
    checkChoice('Convolution', 'padding', padding, paddings);
    checkChoice('Convolution', 'initial', initial, ['normal', 'zero']);
    const [height, width, channels] = inputShape;
    super(options.name ?? 'convolution', inputShape, [height, width, filters]);
    this.kernelSize = kernelSize;
    this.padding = padding;
    this.initial = initial;
    const shape = [kernelSize, kernelSize, channels, filters];
    const start =
      initial === 'zero'
        ? tf.zeros(shape)
        : new RandomStream(options.seed).normal(shape, 0, INITIAL_DEVIATION);
    this.kernel = this.addWeight('kernel', start) as tf.Variable<tf.Rank.R4>;
    if (padding === 'edge') {
      this.edge = {
        kernel: this.addWeight(
          'edgeKernel',
          tf.zeros([kernelSize, kernelSize, 1, filters]),
        ) as tf.Variable<tf.Rank.R4>,
        map: this.addConstant(edgeMap(height, width, kernelSize)),
      };
    }
    if (bias) this.bias = this.addWeight('bias', tf.zeros([filters]));
    if (initial === 'zero') this.logScale = this.addWeight('logScale', tf.zeros([filters]));
  }

  override get requiredKernels(): string[] {
    return this.kernelSize === 1 ? [] : ['Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter'];
  }

  /**
   * This layer for `fusedConvolutions`, together with the actnorm that follows it, if any.
   *
   * @internal
   */
  fusedLayer(norm?: Pick<FusedLayer, 'offset' | 'logScale'>): FusedLayer {
    const offsets = [this.bias, this.frame(), norm?.offset].filter((offset) => offset !== undefined);
    const [first = tf.zeros([this.outputShape[2]]), ...others] = offsets;
    const offset = others.reduce<tf.Tensor>((sum, term) => tf.add(sum, term), first);
    const [logScale, logScaleFactor] =
      this.logScale === undefined ? [norm?.logScale, 1] : [this.logScale, LOG_SCALE_FACTOR];
    return { filter: this.kernel, offset, logScale, logScaleFactor };
  }

  override get fusedLayers(): FusedLayer[] | undefined {
    return this.computesAs(Convolution) ? [this.fusedLayer()] : undefined;
  }

  protected compute(x: tf.Tensor): tf.Tensor {
    if (hasFusedConvolutions()) return fusedConvolutions(x, [this.fusedLayer()]);
    let y = this.convolve(x);
    if (this.edge !== undefined) y = tf.add(y, tf.conv2d(this.edge.map, this.edge.kernel, 1, 'valid'));
    if (this.bias !== undefined) y = tf.add(y, this.bias);
    if (this.logScale !== undefined) y = tf.mul(y, tf.exp(tf.mul(this.logScale, LOG_SCALE_FACTOR)));
    return y;
  }

  getConfig(): tf.serialization.ConfigDict {
    const { name, kernelSize, padding, initial } = this;
    return {
      name,
      inputShape: [...this.inputShape],
      filters: this.outputShape[2],
      kernelSize,
      padding,
      initial,
      bias: this.bias !== undefined,
    };
  }

  /** What the frame around the image adds to a convolution with zero padding: [1, h, w, filters]. */
  private frame(): tf.Tensor | undefined {
    if (this.edge !== undefined) return tf.conv2d(this.edge.map, this.edge.kernel, 1, 'valid');
    if (this.padding !== 'one' || this.kernelSize === 1) return undefined;
    const [height, width] = this.inputShape;
    const total = tf.sum(this.kernel, 2, true) as tf.Tensor4D;
    return tf.conv2d(edgeMap(height, width, this.kernelSize), total, 1, 'valid');
  }

  /** A 1x1 convolution is a matrix product, which every backend does faster. */
  private convolve(x: tf.Tensor): tf.Tensor {
    if (this.padding === 'one') {
      return tf.conv2d(padWithOnes(x, (this.kernelSize - 1) / 2), this.kernel, 1, 'valid');
    }
    if (this.kernelSize > 1) return tf.conv2d(x as tf.Tensor4D, this.kernel, 1, 'same');
    const [, , channels, filters] = this.kernel.shape;
    return linearChannels(x, tf.reshape(this.kernel, [channels, filters]));
  }
}

/** [1, h + k - 1, w + k - 1, 1], 1 on the frame outside the image and 0 inside. */
export function edgeMap(height: number, width: number, kernelSize: number): tf.Tensor4D {
  return tf.tidy(() => padWithOnes(tf.zeros([1, height, width, 1]), (kernelSize - 1) / 2));
}

/** [n, h, w, c] with a frame of ones around each image. */
function padWithOnes(x: tf.Tensor, margin: number): tf.Tensor4D {
  const frame: [number, number] = [margin, margin];
  return tf.pad(x as tf.Tensor4D, [[0, 0], frame, frame, [0, 0]], 1);
}

registerModule(Convolution);
