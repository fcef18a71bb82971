import * as tf from '@tensorflow/tfjs-core';
import { registerModule } from '../core/module';
import { checkOptions } from '../core/options';
import { checkEventShape } from '../core/shapes';
import { absorbPermutation, hasPassesOf } from './absorbPermutation';
import {
  Bijector,
  type BijectorOptions,
  type BothWays,
  type Conditioning,
  type Transformed,
} from './bijector';
import type { ChannelOrder } from './channelOrder';
import { fusedActNorm, hasFusedActNorm, scaleChannels, unscaleChannels } from './fusedScaleChannels';
import { repeatSum } from './logDets';
import { type Measure, readMeasures } from './measures';
import { momentsOf } from './moments';

/** Options of {@link ActNorm}. */
export interface ActNormOptions extends BijectorOptions {}

/**
 * Activation normalization: a scale and bias per channel, set from the first batch to zero mean and unit variance.
 *
 *     y = (x + bias) * exp(logScale),    logDet = h * w * sum(logScale)
 *
 * Shapes: [n, h, w, c] or [n, d]; one bias and scale per channel. logDet in nats.
 * Before `initialize` it is the identity. A channel that is constant on the first batch is centred, not scaled.
 *
 * @throws ConfigError for a bad inputShape; ShapeError for other inputs
 * @see Kingma and Dhariwal, "Glow" (2018), section 3.1, arXiv:1807.03039
 * @example
 * const actnorm = new ActNorm({ inputShape: [2] });
 * const y = actnorm.initialize(tf.tensor2d([[1, 10], [3, 30]]));
 * y.print(); // [[-1, -1], [1, 1]]
 */
export class ActNorm extends Bijector {
  static className = 'FlowActNorm';
  private readonly bias: tf.Variable;
  private readonly logScale: tf.Variable;
  private hasInitialized = false;

  constructor(options: ActNormOptions) {
    if (new.target === ActNorm) checkOptions('ActNorm', options, { inputShape: true, name: true });
    checkEventShape('ActNorm', options.inputShape, [1, 3]);
    super(options.name ?? 'actnorm', options.inputShape);
    const channels = options.inputShape[options.inputShape.length - 1];
    this.bias = this.addWeight('bias', tf.zeros([channels]));
    this.logScale = this.addWeight('logScale', tf.zeros([channels]));
  }

  override get initialized(): boolean {
    return this.hasInitialized;
  }

  override markInitialized(): void {
    this.hasInitialized = true;
  }

  /** What a fused operation takes in place of `forward`: y = (x + offset) * exp(logScale). */
  get fusedScale(): { offset: tf.Tensor; logScale: tf.Tensor1D } {
    return { offset: this.bias, logScale: this.logScale as unknown as tf.Tensor1D };
  }

  /** A permutation before it goes along where one operation does both. */
  override absorb(before: Bijector): BothWays | undefined {
    const fuses = hasFusedActNorm() && !this.disposed && hasPassesOf(this, ActNorm);
    return fuses ? absorbPermutation(before, this, (x, order) => this.fused(x, order)) : undefined;
  }

  protected computeForward(x: tf.Tensor): Transformed {
    if (hasFusedActNorm()) return this.fused(x);
    const value = scaleChannels(x, this.bias, this.logScale);
    return { value, logDet: this.logDet(x.shape[0]) };
  }

  protected computeInverse(y: tf.Tensor): Transformed {
    const value = unscaleChannels(y, this.bias, this.logScale);
    return { value, logDet: tf.neg(this.logDet(y.shape[0])) as tf.Tensor1D };
  }

  protected override computeInitialize(x: tf.Tensor): tf.Tensor {
    const { mean, deviation, least } = momentsOf(x);
    this.bias.assign(tf.neg(mean));
    this.logScale.assign(
      tf.neg(tf.log(tf.where(tf.greater(deviation, least), deviation, tf.onesLike(mean)))),
    );
    this.hasInitialized = true;
    return this.computeForward(x).value;
  }

  override async conditioning(): Promise<Conditioning> {
    this.checkUsable('conditioning');
    return readMeasures(() => this.computeConditioning());
  }

  protected override computeConditioning(): Conditioning<Measure> {
    return { smallestScale: tf.exp(tf.min(this.logScale)) };
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, inputShape: [...this.inputShape] };
  }

  private fused(x: tf.Tensor, order?: ChannelOrder): Transformed {
    return fusedActNorm(x, this.bias, this.logScale, order);
  }

  private logDet(batch: number): tf.Tensor1D {
    const positions = this.inputShape.slice(0, -1).reduce((product, length) => product * length, 1);
    return repeatSum([this.logScale], positions, batch);
  }
}

registerModule(ActNorm);
