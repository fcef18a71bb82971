import * as tf from '@tensorflow/tfjs-core';
import { registerModule } from '../core/module';
import { checkOptions } from '../core/options';
import { type Shape, sizeOf } from '../core/shapes';
import { sumPerExample } from '../core/tensors';
import { Distribution, type DistributionDraw } from './distribution';
import { normalNoise } from './normalNoise';

/** log sqrt(2 pi), the normal density's constant per dimension. */
export const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);

/** Options of {@link StandardNormal}. */
export interface StandardNormalOptions {
  /** Event shape, without the batch. */
  eventShape: Shape;
  /** Name in the weight tree. Default 'base'. */
  name?: string;
}

/**
 * The standard normal distribution N(0, I).
 *
 *     log p(z) = -1/2 sum z^2 - D/2 log(2 pi)
 *
 * Shapes: z [n, ...eventShape], D values each; logProb [n] in nats.
 *
 * @throws ShapeError for other events
 * @see Kingma and Dhariwal, "Glow" (2018), section 2, arXiv:1807.03039
 * @example
 * const base = new StandardNormal({ eventShape: [2] });
 * base.logProb(tf.zeros([1, 2])).print(); // [-1.8378770]
 */
export class StandardNormal extends Distribution {
  static className = 'FlowStandardNormal';

  constructor(options: StandardNormalOptions) {
    if (new.target === StandardNormal)
      checkOptions('StandardNormal', options, { eventShape: true, name: true });
    super(options.name ?? 'base', options.eventShape);
  }

  protected computeLogProb(z: tf.Tensor): tf.Tensor1D {
    const constant = -sizeOf(this.eventShape) * HALF_LOG_TWO_PI;
    return tf.add(tf.mul(sumPerExample(tf.square(z)), -0.5), constant) as tf.Tensor1D;
  }

  protected computeSample(n: number, draw: DistributionDraw): tf.Tensor {
    return normalNoise(n, this.eventShape, draw);
  }

  override get isNormal(): boolean {
    return true;
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, eventShape: [...this.eventShape] };
  }
}

registerModule(StandardNormal);
