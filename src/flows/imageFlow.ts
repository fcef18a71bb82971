import * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../core/context';
import { complaint, DataError } from '../core/errors';
import { registerModule, serializeModule } from '../core/module';
import { checkOptions, type OptionNames } from '../core/options';
import type { RandomStream } from '../core/random';
import { sizeOf } from '../core/shapes';
import { isZeroAndOne } from '../data/levels';
import type { Distribution } from '../distributions';
import { hostValues } from '../engine/hostValues';
import { type Bijector, Chain, Dequantize, type Preprocessing, type Transformed } from '../layers';
import type { Loss } from '../training/trainable';
import type { Context } from './context';
import type { Embed } from './embedding';
import type { Events } from './events';
import { Flow } from './flow';
import { onlyFitRows } from './fusedRowVerdicts';
import { ConditionedImageFlow, type ImageFlowVerbs } from './given';
import { type PassOptions, passNames } from './options';

/** Options of {@link ImageFlow}. */
export interface ImageFlowOptions {
  /** Bijector of preprocessed images [h, w, c]; it is owned from here on. */
  bijector: Bijector;
  /** Distribution of the latents; it is owned from here on. Default: standard normal. */
  base?: Distribution;
  /** Bits per value: images are whole levels 0 .. 2^nBits - 1. Default 8. */
  nBits?: number;
  /** 'centered': to [-0.5, 0.5], as in Glow; 'unit': to [0, 1]; 'logit': to the whole line, as in Real NVP. Default 'centered'. */
  preprocessing?: Preprocessing;
  /** Distance that 'logit' keeps from 0 and 1. Default 0.05. */
  alpha?: number;
  /** Networks that the context goes through before the layers read it, one or one per part by name. Default: none. */
  embed?: Embed;
  /** Name in messages. Default 'imageFlow'. */
  name?: string;
  /** Seed of sampling and of dequantization noise. Default: another one each time. */
  seed?: number;
}

/**
 * A flow over images of whole levels 0 .. 2^nBits - 1, dequantized by uniform noise.
 *
 *     bits per dimension = -log p(level + u) / (D ln 2),  u ~ U[0, 1)^D
 *
 * Its expectation is an upper bound on the code length of the levels, whatever nBits: no further constant is needed.
 * Shapes: images [n, h, w, c], D = h w c. `logProb` in nats. `encode` takes the middle of every bin, so that
 * `decode(encode(images))` gives back the images exactly.
 *
 * @throws DataError for values that are not whole levels in range
 * @see Theis et al., "A note on the evaluation of generative models" (2016), section 3.1, arXiv:1511.01844
 * @example
 * const flow = new ImageFlow({ bijector: new ActNorm({ inputShape: [4, 4, 1] }), nBits: 8 });
 * flow.bitsPerDim(tf.fill([1, 4, 4, 1], 128));
 */
export class ImageFlow extends Flow implements ImageFlowVerbs {
  static override className = 'FlowImageFlow';
  readonly dequantize: Dequantize;

  constructor(options: ImageFlowOptions) {
    if (new.target === ImageFlow) checkOptions('ImageFlow', options, imageFlowNames);
    const { bijector, base, nBits, preprocessing, alpha, embed, seed, name = 'imageFlow' } = options;
    const dequantize = new Dequantize({ inputShape: bijector.inputShape, nBits, preprocessing, alpha });
    const chain = new Chain({ bijectors: [dequantize, bijector], name: 'bijector' });
    super({ bijector: chain, base, embed, name, seed });
    this.dequantize = dequantize;
  }

  /** Bits per value of the images. */
  get nBits(): number {
    return this.dequantize.nBits;
  }

  override get lossUnit(): string {
    return 'bits/dim';
  }

  /**
   * Bits per dimension of each image, with one draw of dequantization noise.
   *
   *     -log p(level + u) / (D ln 2)
   *
   * @param images [n, h, w, c], whole levels
   * @returns [n], bits
   * @throws ShapeError, DataError, ConfigError
   * @example
   * tf.mean(glow.bitsPerDim(images, { seed: 1 })).print();
   */
  bitsPerDim(images: Events, options: PassOptions = {}): tf.Tensor1D {
    this.enter('bitsPerDim', options, passNames);
    return tf.tidy(() => this.toBits(this.logProb(images, options)) as tf.Tensor1D);
  }

  /**
   * As of every flow, and with `bitsPerDim`.
   *
   * @example
   * const withClasses = new Glow({ imageShape: [8, 8, 1], levels: 1, stepsPerLevel: 1, hiddenChannels: 4, classes: 3 });
   * withClasses.given(2).bitsPerDim(images).shape; // [48]
   */
  override given(context: Context): ConditionedImageFlow {
    return new ConditionedImageFlow(this, this.bind(context));
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { inputShape: _, name: __, ...preprocessing } = this.dequantize.getConfig();
    const [, bijector] = (this.bijector as Chain).bijectors;
    return { ...super.getConfig(), ...preprocessing, bijector: serializeModule(bijector) as never };
  }

  /** Throws a DataError where all images hold nothing but 0 and 1, though there are more levels. */
  checkAll(where: string, x: ArrayLike<number>): void {
    const highest = 2 ** this.nBits - 1;
    if (highest === 1 || !isZeroAndOne(x)) return;
    const hint = `Multiply by ${highest}, or take nBits: 1.`;
    throw new DataError(complaint(where, `levels 0 .. ${highest} in x`, 'only 0 and 1', hint));
  }

  protected override toModel(images: tf.Tensor, random?: RandomStream): tf.Tensor {
    return random === undefined ? this.dequantize.center(images) : this.dequantize.addNoise(images, random);
  }

  protected override fromModel(x: tf.Tensor): tf.Tensor {
    return this.dequantize.quantize(x);
  }

  protected override checkValues(where: string, images: tf.Tensor): void {
    if (hostValues(images) !== undefined) this.dequantize.checkLevels(where, images);
  }

  protected override onlyEvents(images: tf.Tensor): tf.Tensor {
    return onlyFitRows(images, { low: [0], high: [this.dequantize.levels - 1], whole: [true] });
  }

  /** Mean bits per dimension. */
  protected override lossOf(latent: Transformed, context?: ContextTensors): Loss {
    const logProb = tf.mean(this.logProbOf(latent, context));
    return { loss: this.toBits(logProb) as tf.Scalar, metrics: {} };
  }

  /** -nats / (D ln 2) */
  protected toBits(logProb: tf.Tensor): tf.Tensor {
    return tf.mul(logProb, -1 / (sizeOf(this.eventShape) * Math.LN2));
  }
}

const imageFlowNames: OptionNames<ImageFlowOptions> = {
  bijector: true,
  base: true,
  nBits: ['bits'],
  preprocessing: true,
  alpha: true,
  embed: true,
  name: true,
  seed: true,
};

registerModule(ImageFlow);
