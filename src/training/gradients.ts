import * as tf from '@tensorflow/tfjs-core';
// Gradients of the tfjs ops are registered by this package, not by tfjs-core.
import '@tensorflow/tfjs-layers';
import type { RandomStream } from '../core/random';
import type { Batch, Trainable } from './trainable';

/** Loss, metrics and gradients of one batch; the caller owns every tensor. */
export interface Gradients {
  loss: tf.Scalar;
  metrics: Record<string, tf.Scalar>;
  /** One per trainable weight, in the model's order; null where the loss does not depend on the weight. */
  gradients: (tf.Tensor | null)[];
}

/**
 * Gradients of the model's loss in its trainable weights, by the tape: activations are stored.
 *
 * @param random where the loss draws its noise from
 */
export function computeGradients(model: Trainable, batch: Batch, random: RandomStream): Gradients {
  const variables = model.weights.filter((weight) => weight.trainable).map((weight) => weight.variable);
  const metrics: Record<string, tf.Scalar> = {};
  try {
    const { value, grads } = tf.variableGrads(() => {
      const result = model.loss(batch, random);
      for (const [name, metric] of Object.entries(result.metrics)) metrics[name] = tf.keep(tf.clone(metric));
      return result.loss;
    }, variables);
    return { loss: value, metrics, gradients: variables.map((variable) => grads[variable.name] ?? null) };
  } catch (error) {
    tf.dispose(metrics);
    throw error;
  }
}
