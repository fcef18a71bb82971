import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import { registerModule } from '../core/module';
import { checkOptions } from '../core/options';
import { type Shape, sizeOf } from '../core/shapes';
import { sumPerExample, untaped } from '../core/tensors';
import { Distribution, type DistributionDraw } from './distribution';
import { startValues } from './startValues';

/** Options of {@link UniformBox}. */
export interface UniformBoxOptions {
  /** Event shape, without the batch. */
  eventShape: Shape;
  /** Lower ends, one for all values or one per value, row-major. */
  low: number | ArrayLike<number>;
  /** Upper ends, likewise. */
  high: number | ArrayLike<number>;
  /** Name in the weight tree. Default 'base'. */
  name?: string;
}

/**
 * Independent values, each uniform on an interval; for layers that map a box to itself, as splines without tails do.
 *
 *     log p(z) = -sum log(high - low) for low <= z <= high,   -Infinity outside
 *
 * Shapes: z [n, ...eventShape]; logProb [n] in nats. Ends are rounded to float32.
 *
 * @throws ConfigError unless every low is below its high; DataError for ends that are not finite; ShapeError for other events
 * @see Rezende et al., "Normalizing flows on tori and spheres" (2020), section 2, arXiv:2002.02428
 * @example
 * const base = new UniformBox({ eventShape: [2], low: -1, high: 1 });
 * base.logProb(tf.tensor2d([[0, 0.5], [0, 2]])).print(); // [-1.3862944, -Infinity]
 */
export class UniformBox extends Distribution {
  static className = 'FlowUniformBox';
  private readonly low: Float32Array;
  private readonly high: Float32Array;
  private readonly lowTensor: tf.Tensor;
  private readonly highTensor: tf.Tensor;

  constructor(options: UniformBoxOptions) {
    const where = 'UniformBox';
    if (new.target === UniformBox) {
      checkOptions(where, options, { eventShape: true, low: true, high: true, name: true });
    }
    const { eventShape } = options;
    const size = sizeOf(eventShape);
    const ends = (end: 'low' | 'high') => {
      const given = options[end];
      if (given === undefined)
        throw new ConfigError(complaint(where, `${end}, a number or one per value`, 'none'));
      const each = typeof given === 'number' ? new Float64Array(size).fill(given) : given;
      return startValues(where, end, each, size);
    };
    const [low, high] = [ends('low'), ends('high')];
    const bad = low.findIndex((end, i) => !(end < high[i]));
    if (bad >= 0) {
      throw new ConfigError(
        complaint(where, 'low below high', `[${low[bad]}, ${high[bad]}] at index ${bad}`),
      );
    }
    super(options.name ?? 'base', eventShape);
    this.low = low;
    this.high = high;
    this.lowTensor = this.addConstant(tf.tensor(low, [...eventShape]));
    this.highTensor = this.addConstant(tf.tensor(high, [...eventShape]));
  }

  protected computeLogProb(z: tf.Tensor): tf.Tensor1D {
    const inside = untaped(() =>
      tf.logicalAnd(tf.greaterEqual(z, this.lowTensor), tf.lessEqual(z, this.highTensor)),
    );
    // 0, and so is its gradient: gradients need a way back to z.
    const nothing = tf.mul(tf.clipByValue(z, -1, 1), 0);
    const outside = tf.fill(z.shape, Number.NEGATIVE_INFINITY);
    const volume = this.low.reduce((sum, end, i) => sum + Math.log(this.high[i] - end), 0);
    return tf.sub(sumPerExample(tf.where(inside, nothing, outside)), volume) as tf.Tensor1D;
  }

  protected computeSample(n: number, { random }: DistributionDraw): tf.Tensor {
    const { low, high } = this;
    const values = new Float32Array(n * low.length);
    for (let i = 0; i < values.length; i++) {
      const at = i % low.length;
      // Rounding may reach an end, which belongs to the box, but passes none.
      values[i] = low[at] + (high[at] - low[at]) * random.uniformNumber();
    }
    return tf.tensor(values, [n, ...this.eventShape]);
  }

  override get isBounded(): boolean {
    return true;
  }

  getConfig(): tf.serialization.ConfigDict {
    const { name, low, high } = this;
    return { name, eventShape: [...this.eventShape], low: [...low], high: [...high] };
  }
}

registerModule(UniformBox);
