import type * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../core/context';
import type { NamedWeight } from '../core/module';
import type { RandomStream } from '../core/random';
import type { Table } from '../data';
import type { Bijector, Transformed } from '../layers';

/** One step's data on the device. */
export interface Batch {
  /** [batch, ...eventShape] */
  x: tf.Tensor;
  /** What the model is conditioned on, class labels for one: [batch, ...], or tensors by name. */
  context?: ContextTensors;
}

/** What one look at a batch gives. */
export interface Loss {
  /** The scalar to minimize, differentiable in the trainable weights. */
  loss: tf.Scalar;
  /** Further scalars to report, by name. */
  metrics: Record<string, tf.Scalar>;
}

/** A batch's loss in two parts: the bijector, which can be walked back, and what makes a loss of its result. */
export interface BijectiveLoss {
  bijector: Bijector;
  /** What the bijector takes, noise already in it: [batch, ...inputShape]. Weights may have made it. */
  x: tf.Tensor;
  /** What the bijector and the loss are conditioned on, each on its part. Weights may have made it. */
  context?: ContextTensors;
  /**
   * Loss and metrics of the bijector's result; may read weights of its own and the bijector's. What is made of the batch on the way
   * comes to it as `context`: other tensors are gone by then.
   */
  lossOf: (latent: Transformed, context?: ContextTensors) => Loss;
}

/**
 * What `fit` needs of a model: every flow offers it, and so can anything else with named weights.
 *
 * Training knows no flow: it stands below `flows`, which hand themselves in.
 */
export interface Trainable {
  /** Name in messages, as in `Glow`. */
  readonly label: string;
  /** All weights, stable order and names; the trainable ones are optimized. */
  readonly weights: NamedWeight[];
  /** Unit of the loss in whatever words, for the progress display and the history: `nats`, `bits/dim`. */
  readonly lossUnit: string;
  /** Whether data-dependent initialization has run. */
  readonly initialized: boolean;
  /** Declares the weights as set by other means than data; `fit` calls it when it resumes from a checkpoint. */
  markInitialized(): void;
  /** Backend kernels that a training step runs beyond plain arithmetic. */
  readonly requiredKernels: string[];
  /**
   * Throws a ShapeError or DataError where the batch cannot be this model's data.
   *
   * @param firstRow place of its first example in the data, where that is known
   */
  checkBatch(batch: Batch, firstRow?: number): void;
  /** Throws a DataError where examples that are all in memory cannot be this model's data, though each of them could. Absent: they can. */
  checkAll?(where: string, x: ArrayLike<number>): void;
  /** How many examples data-dependent initialization wants to see, where so many are in memory. Absent: those of the first batch. */
  readonly initialExamples?: number;
  /** The rows of a table as this model takes them. Absent: it takes no tables. */
  asEvents?(where: string, x: Table): unknown;
  /** Data-dependent initialization from one batch. */
  initializeFrom(batch: Batch, random: RandomStream): void;
  /** Loss and metrics of a batch. Randomness (dequantization noise) comes from `random` alone. */
  loss(batch: Batch, random: RandomStream): Loss;
  /**
   * The same loss taken apart, loss = lossOf(bijector.forward(x, context), context), which reversible gradients need; it draws the
   * same noise.
   * Absent or undefined where the loss has no such form. Tensors belong to the tidy that the caller runs it in.
   */
  bijectiveLoss?(batch: Batch, random: RandomStream): BijectiveLoss | undefined;
  /** Name of the first layer whose output on this batch is not finite; undefined where all are finite. */
  locateNonFinite(batch: Batch, random: RandomStream): string | undefined | Promise<string | undefined>;
  /** What to do about the layer that `locateNonFinite` named. Absent or undefined where there is nothing to say. */
  adviseNonFinite?(layer: string): string | undefined;
}
