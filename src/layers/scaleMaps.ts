import * as tf from '@tensorflow/tfjs-core';
import { LOG_SCALE_LIMIT, SIGMOID_SHIFT } from '../core/kernelConstants';

/** How an affine coupling turns a network's raw output into a positive scale. */
export type ScaleMap = 'sigmoid' | 'exp';

/** How an affine transformer turns a raw parameter into a positive scale. */
export type AffineScale = 'softclip' | 'exp' | 'softplus' | 'sigmoid';

const logScales: Record<ScaleMap, (raw: tf.Tensor) => tf.Tensor> = {
  // Not tf.logSigmoid: its gradient reads an input that the enclosing tidy has freed by then.
  sigmoid: (raw) => tf.neg(tf.softplus(tf.neg(tf.add(raw, SIGMOID_SHIFT)))),
  exp: (raw) => tanhClip(raw, LOG_SCALE_LIMIT),
};

/**
 * log of the scale that a raw network output stands for.
 *
 * 'sigmoid': log sigmoid(raw + 2), as in the published Glows; 'exp': 2 tanh(raw / 2), a smooth clamp.
 */
export function logScaleOf(raw: tf.Tensor, map: ScaleMap): tf.Tensor {
  return logScales[map](raw);
}

export const scaleMaps = Object.keys(logScales) as ScaleMap[];

/** A smooth clamp to (-limit, limit), with slope 1 at 0: it is there within a few limits. */
export function tanhClip(raw: tf.Tensor, limit: number): tf.Tensor {
  return tf.mul(tf.tanh(tf.div(raw, limit)), limit);
}

/** A smooth clamp to (-limit, limit), with slope 1 at 0, that comes near its ends slowly: its gradients do not vanish. */
export function softClip(raw: tf.Tensor, limit: number): tf.Tensor {
  return tf.div(raw, tf.add(tf.div(tf.abs(raw), limit), 1));
}
