import * as tf from '@tensorflow/tfjs-core';
import { Module, registerModule } from '../core/module';
import { checkOptions, type OptionNames } from '../core/options';
import { checkInteger } from '../core/shapes';

/** Options of {@link Classifier}. */
export interface ClassifierOptions {
  /** Channels of the latents that it reads. */
  channels: number;
  /** Number of classes. */
  classes: number;
  /** Whether an image may have several classes. Default false. */
  multiLabel?: boolean;
  /** Name in the weight tree. Default 'classifier'. */
  name?: string;
}

/**
 * Glow's classifier head: a zero-initialized linear map of the top latents' mean over positions.
 *
 *     logits = (mean_hw(z) W + bias) * exp(3 logScale)
 *
 * Shapes: z [n, h, w, c] or [n, c] -> logits [n, classes].
 *
 * @throws ConfigError for bad or unknown options
 * @see the published `weight_y` head of Kingma and Dhariwal, "Glow" (2018), arXiv:1807.03039
 * @example
 * const head = new Classifier({ channels: 8, classes: 10 });
 * head.logits(tf.ones([2, 4, 4, 8])).shape; // [2, 10]
 */
export class Classifier extends Module {
  static className = 'FlowClassifier';
  private readonly options: Required<Omit<ClassifierOptions, 'name'>>;
  private readonly kernel: tf.Tensor2D;
  private readonly bias: tf.Variable;
  private readonly logScale: tf.Variable;

  constructor(options: ClassifierOptions) {
    if (new.target === Classifier) checkOptions('Classifier', options, names);
    const { channels, classes, multiLabel = false } = options;
    checkInteger('Classifier', 'channels', channels);
    checkInteger('Classifier', 'classes', classes);
    super(options.name ?? 'classifier');
    this.options = { channels, classes, multiLabel };
    this.kernel = this.addWeight('kernel', tf.zeros([channels, classes])) as unknown as tf.Tensor2D;
    this.bias = this.addWeight('bias', tf.zeros([classes]));
    this.logScale = this.addWeight('logScale', tf.zeros([classes]));
  }

  /** [n, h, w, c] -> [n, classes] */
  logits(z: tf.Tensor): tf.Tensor2D {
    this.checkUsable('logits');
    return tf.tidy(() => {
      const positions = Array.from({ length: z.rank - 2 }, (_, i) => i + 1);
      const pooled = (positions.length === 0 ? z : tf.mean(z, positions)) as tf.Tensor2D;
      const linear = tf.add(tf.matMul(pooled, this.kernel), this.bias);
      return tf.mul(linear, tf.exp(tf.mul(this.logScale, 3)));
    });
  }

  /**
   * Probabilities [n, classes]: softmax, or a sigmoid each where an image may have several classes.
   *
   * @example
   * new Classifier({ channels: 2, classes: 3 }).probabilities(tf.zeros([1, 4, 4, 2])).shape; // [1, 3]
   */
  probabilities(z: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => {
      const logits = this.logits(z);
      return this.options.multiLabel ? tf.sigmoid(logits) : tf.softmax(logits);
    });
  }

  /** Mean cross-entropy of labels [n, classes] (one-hot or multi-hot), in nats; multi-label sums over classes. */
  crossEntropy(z: tf.Tensor, labels: tf.Tensor): tf.Scalar {
    return tf.tidy(() => {
      const logits = this.logits(z);
      const perExample = this.options.multiLabel
        ? tf.sum(tf.sub(tf.softplus(logits), tf.mul(logits, labels)), 1)
        : tf.sub(logSumExp(logits), tf.sum(tf.mul(logits, labels), 1));
      return tf.mean(perExample) as tf.Scalar;
    });
  }

  /** Share of images whose most probable class (or every yes/no) is right. */
  accuracy(z: tf.Tensor, labels: tf.Tensor): tf.Scalar {
    return tf.tidy(() => {
      const logits = this.logits(z);
      const right = this.options.multiLabel
        ? tf.equal(tf.cast(tf.greater(logits, 0), 'float32'), labels)
        : tf.equal(tf.argMax(logits, 1), tf.argMax(labels, 1));
      return tf.mean(tf.cast(right, 'float32')) as tf.Scalar;
    });
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, ...this.options };
  }
}

/** log sum exp over classes, [n, k] -> [n]. */
function logSumExp(logits: tf.Tensor): tf.Tensor {
  const highest = tf.max(logits, 1, true);
  return tf.add(tf.squeeze(highest, [1]), tf.log(tf.sum(tf.exp(tf.sub(logits, highest)), 1)));
}

const names: OptionNames<ClassifierOptions> = {
  channels: true,
  classes: true,
  multiLabel: 'boolean',
  name: true,
};

registerModule(Classifier);
