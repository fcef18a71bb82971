import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint, ShapeError } from '../core/errors';
import { registerModule } from '../core/module';
import { checkFinite, checkInteger, type Shape, sizeOf } from '../core/shapes';
import { sumPerExample } from '../core/tensors';
import { Distribution } from './distribution';
import { HALF_LOG_TWO_PI } from './standardNormal';

/** Options of {@link DiagonalNormal}. */
export interface DiagonalNormalOptions {
  /** Event shape, without the batch. */
  eventShape: Shape;
  /** Means, one per value, row-major. Default: zeros. */
  mean?: ArrayLike<number>;
  /** Natural logs of the standard deviations, one per value. Default: zeros. */
  logScale?: ArrayLike<number>;
  /** Whether mean and log scale are learned. Default true. */
  trainable?: boolean;
  /** Number of classes with a mean and log scale of their own; one-hot or multi-hot labels come as context. Default 0. */
  classes?: number;
  /** Name in the weight tree. Default 'base'. */
  name?: string;
}

/**
 * Independent normal values, fixed or learned, and optionally different for every class.
 *
 *     log p(z) = sum(-1/2 ((z - mean) / exp(logScale))^2 - logScale) - D/2 log(2 pi)
 *     with classes:  mean + labels M,  logScale + labels S   (M, S start at 0)
 *
 * Shapes: z [n, ...eventShape], labels [n, classes]; logProb [n] in nats.
 *
 * @throws ConfigError for a wrong number of means; DataError for NaN in them; ShapeError for missing labels
 * @see Izmailov et al., "Semi-supervised learning with normalizing flows" (2020), section 3, arXiv:1912.13025 (one normal per class)
 * @example
 * const base = new DiagonalNormal({ eventShape: [2], mean: [1, 2], logScale: [0, 0], trainable: false });
 * base.logProb(tf.tensor2d([[1, 2]])).print(); // [-1.8378770]
 */
export class DiagonalNormal extends Distribution {
  static className = 'FlowDiagonalNormal';
  private readonly trainable: boolean;
  private readonly classes: number;
  private readonly mean: tf.Variable;
  private readonly logScale: tf.Variable;
  private readonly classMean?: tf.Variable;
  private readonly classLogScale?: tf.Variable;

  constructor(options: DiagonalNormalOptions) {
    const { eventShape, trainable = true, classes = 0 } = options;
    checkInteger('DiagonalNormal', 'classes', classes, 0);
    super(options.name ?? 'base', eventShape);
    this.trainable = trainable;
    this.classes = classes;
    const size = sizeOf(eventShape);
    const start = (name: 'mean' | 'logScale') => {
      const values = options[name] ?? new Float32Array(size);
      if (values.length !== size) {
        throw new ConfigError(complaint('DiagonalNormal', `${size} values of ${name}`, values.length));
      }
      checkFinite('DiagonalNormal', values);
      return this.addWeight(name, tf.tensor(Float32Array.from(values), [...eventShape]), trainable);
    };
    this.mean = start('mean');
    this.logScale = start('logScale');
    if (classes > 0) {
      this.classMean = this.addWeight('classMean', tf.zeros([classes, size]), trainable);
      this.classLogScale = this.addWeight('classLogScale', tf.zeros([classes, size]), trainable);
    }
  }

  protected computeLogProb(z: tf.Tensor, labels?: tf.Tensor): tf.Tensor1D {
    const { mean, logScale } = this.parameters(z.shape[0], labels);
    const standardized = tf.mul(tf.sub(z, mean), tf.exp(tf.neg(logScale)));
    const perValue = tf.add(tf.mul(tf.square(standardized), 0.5), logScale);
    return tf.sub(-sizeOf(this.eventShape) * HALF_LOG_TWO_PI, sumPerExample(perValue)) as tf.Tensor1D;
  }

  protected computeSample(noise: tf.Tensor, labels?: tf.Tensor): tf.Tensor {
    const { mean, logScale } = this.parameters(noise.shape[0], labels);
    return tf.add(tf.mul(noise, tf.exp(logScale)), mean);
  }

  getConfig(): tf.serialization.ConfigDict {
    const { name, trainable, classes } = this;
    return { name, eventShape: [...this.eventShape], trainable, classes };
  }

  private parameters(batch: number, labels?: tf.Tensor): { mean: tf.Tensor; logScale: tf.Tensor } {
    if (this.classMean === undefined || this.classLogScale === undefined) {
      return { mean: this.mean, logScale: this.logScale };
    }
    if (
      labels === undefined ||
      labels.rank !== 2 ||
      labels.shape[0] !== batch ||
      labels.shape[1] !== this.classes
    ) {
      const expected = `labels [${batch}, ${this.classes}] as the context`;
      throw new ShapeError(complaint('DiagonalNormal', expected, labels?.shape ?? 'none'));
    }
    const ofClass = (weights: tf.Variable) =>
      tf.reshape(tf.matMul(tf.cast(labels, 'float32') as tf.Tensor2D, weights as unknown as tf.Tensor2D), [
        batch,
        ...this.eventShape,
      ]);
    return {
      mean: tf.add(ofClass(this.classMean), this.mean),
      logScale: tf.add(ofClass(this.classLogScale), this.logScale),
    };
  }
}

registerModule(DiagonalNormal);
