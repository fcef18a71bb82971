import * as tf from '@tensorflow/tfjs-core';
// Gradients of the tfjs ops are registered by this package, not by tfjs-core.
import '@tensorflow/tfjs-layers';
import type { RandomStream } from '../core/random';
import { inTrainingStep } from '../core/trainingStep';
import { gradientsOf } from '../engine/gradients';
import type { Batch, Loss, Trainable } from './trainable';

/** Loss, metrics and gradients of one batch; the caller owns every tensor. */
export interface Gradients {
  loss: tf.Scalar;
  metrics: Record<string, tf.Scalar>;
  /** One per trainable weight, in the model's order; null where the loss does not depend on the weight. */
  gradients: (tf.Tensor | null)[];
}

/**
 * Gradients of a model's loss in its trainable weights, by the tape: every activation is stored.
 *
 *     dL/dw for every trainable weight w
 *
 * @param batch x [n, ...eventShape] and what the model is conditioned on
 * @param random where the loss draws its noise from
 * @returns loss in the model's unit, metrics, one gradient per trainable weight in the order of `model.weights`; the caller owns all
 *
 * @see Griewank and Walther, "Evaluating Derivatives" (2008), chapter 3, doi:10.1137/1.9780898717761
 * @example
 * const { loss, gradients } = storedGradients(flow, { x }, new RandomStream(1));
 * gradients.length === flow.trainableWeights.length; // true
 */
export function storedGradients(model: Trainable, batch: Batch, random: RandomStream): Gradients {
  return inTrainingStep(random, () => differentiate(() => model.loss(batch, random), trainableOf(model)));
}

/** The variables that training moves, in the order of the model's weights. */
export function trainableOf(model: Trainable): tf.Variable[] {
  return model.weights.filter((weight) => weight.trainable).map((weight) => weight.variable);
}

/** Loss, metrics and the gradients of the loss by tensors or variables. */
export function differentiate(compute: () => Loss, xs: readonly tf.Tensor[]): Gradients {
  const kept: Record<string, tf.Tensor> = {};
  try {
    const scalar = () => {
      const { loss, metrics } = compute();
      for (const [name, metric] of Object.entries(metrics)) kept[name] = tf.keep(tf.clone(metric));
      return loss;
    };
    const { value, gradients } = gradientsOf(scalar, xs);
    const metrics = Object.fromEntries(
      Object.entries(kept).map(([name, metric]) => [name, tf.clone(metric)]),
    );
    return { loss: value, metrics, gradients: gradients.map((gradient) => gradient ?? null) } as Gradients;
  } finally {
    tf.dispose(kept);
  }
}
