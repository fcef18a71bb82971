import type * as tf from '@tensorflow/tfjs-core';
import { registerModule } from '../core/module';
import { checkOptions } from '../core/options';
import type { Shape } from '../core/shapes';
import { Distribution, type DistributionDraw } from './distribution';
import { normalLogProb } from './fusedNormal';
import { normalNoise } from './normalNoise';

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
    return normalLogProb(z);
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
