import * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../core/context';
import { registerModule } from '../core/module';
import { checkOptions } from '../core/options';
import { type Shape, sizeOf } from '../core/shapes';
import { sumPerExample } from '../core/tensors';
import { type ClassOption, labelsOf, labelTensor } from '../layers/labels';
import { Distribution, type DistributionDraw } from './distribution';
import { HALF_LOG_TWO_PI } from './fusedNormal';
import { normalNoise } from './normalNoise';
import { startValues } from './startValues';

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
  /** Number of classes with a mean and log scale of their own; with a name, `{ labels: 3 }`, of that part of the context. Default 0. */
  classes?: ClassOption;
  /** Name in the weight tree. Default 'base'. */
  name?: string;
}

/**
 * Independent normal values, fixed or learned, and optionally different for every class.
 *
 *     log p(z) = sum(-1/2 ((z - mean) / exp(logScale))^2 - logScale) - D/2 log(2 pi)
 *     with classes:  mean + labels M,  logScale + labels S   (M, S start at 0)
 *
 * Shapes: z [n, ...eventShape]; labels [n, classes], one-hot or multi-hot, come as the context; logProb [n] in nats.
 *
 * @throws ConfigError for a wrong number of means; DataError for NaN in them; ShapeError for events or labels of another shape
 * @see Izmailov et al., "Semi-supervised learning with normalizing flows" (2020), section 3, arXiv:1912.13025 (one normal per class)
 * @example
 * const base = new DiagonalNormal({ eventShape: [2], mean: [1, 2], logScale: [0, 0], trainable: false });
 * base.logProb(tf.tensor2d([[1, 2]])).print(); // [-1.8378770]
 */
export class DiagonalNormal extends Distribution {
  static className = 'FlowDiagonalNormal';
  private readonly trainable: boolean;
  private readonly classes: ClassOption;
  private readonly mean: tf.Variable;
  private readonly logScale: tf.Variable;
  private readonly classMean?: tf.Variable;
  private readonly classLogScale?: tf.Variable;

  constructor(options: DiagonalNormalOptions) {
    if (new.target === DiagonalNormal)
      checkOptions('DiagonalNormal', options, {
        eventShape: true,
        mean: true,
        logScale: true,
        trainable: 'boolean',
        classes: true,
        name: true,
      });
    const { eventShape, trainable = true, classes = 0 } = options;
    const labels = labelsOf('DiagonalNormal', classes);
    const size = sizeOf(eventShape);
    const mean = startValues('DiagonalNormal', 'mean', options.mean, size);
    const logScale = startValues('DiagonalNormal', 'logScale', options.logScale, size);
    super(options.name ?? 'base', eventShape);
    this.declareLabels(labels.contextShape);
    this.trainable = trainable;
    this.classes = classes;
    const start = (name: string, values: Float32Array) =>
      this.addWeight(name, tf.tensor(values, [...eventShape]), trainable);
    this.mean = start('mean', mean);
    this.logScale = start('logScale', logScale);
    if (labels.classes > 0) {
      this.classMean = this.addWeight('classMean', tf.zeros([labels.classes, size]), trainable);
      this.classLogScale = this.addWeight('classLogScale', tf.zeros([labels.classes, size]), trainable);
    }
  }

  protected computeLogProb(z: tf.Tensor, labels?: ContextTensors): tf.Tensor1D {
    const parameters = this.parameters(z.shape[0], labels);
    const squares = tf.square(standardized(z, parameters));
    const perValue = tf.add(tf.mul(squares, 0.5), parameters.logScale);
    return tf.sub(-sizeOf(this.eventShape) * HALF_LOG_TWO_PI, sumPerExample(perValue)) as tf.Tensor1D;
  }

  protected computeSample(n: number, draw: DistributionDraw): tf.Tensor {
    return this.computeUnstandardize(normalNoise(n, this.eventShape, draw), draw.context);
  }

  protected override computeStandardize(z: tf.Tensor, labels?: ContextTensors): tf.Tensor {
    return standardized(z, this.parameters(z.shape[0], labels));
  }

  protected override computeUnstandardize(standard: tf.Tensor, labels?: ContextTensors): tf.Tensor {
    const { mean, logScale } = this.parameters(standard.shape[0], labels);
    return tf.add(tf.mul(standard, tf.exp(logScale)), mean);
  }

  override get isNormal(): boolean {
    return true;
  }

  getConfig(): tf.serialization.ConfigDict {
    const { name, trainable, classes } = this;
    return { name, eventShape: [...this.eventShape], trainable, classes: classes as never };
  }

  private parameters(batch: number, labels?: ContextTensors): Parameters {
    if (this.classMean === undefined || this.classLogScale === undefined) {
      return { mean: this.mean, logScale: this.logScale };
    }
    const given = labelTensor(labels);
    const ofClass = (weights: tf.Variable) =>
      tf.reshape(tf.matMul(given, weights as unknown as tf.Tensor2D), [batch, ...this.eventShape]);
    return {
      mean: tf.add(ofClass(this.classMean), this.mean),
      logScale: tf.add(ofClass(this.classLogScale), this.logScale),
    };
  }
}

interface Parameters {
  mean: tf.Tensor;
  logScale: tf.Tensor;
}

function standardized(z: tf.Tensor, { mean, logScale }: Parameters): tf.Tensor {
  return tf.mul(tf.sub(z, mean), tf.exp(tf.neg(logScale)));
}

registerModule(DiagonalNormal);
