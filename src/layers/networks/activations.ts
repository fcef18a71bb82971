import * as tf from '@tensorflow/tfjs-core';
import { LEAK } from '../../core/kernelConstants';

/*
 * What hidden units do to what they read, elementwise:
 *
 *     relu max(x, 0);  leakyRelu x above 0, 0.01 x below;  elu x above 0, e^x - 1 below;  softplus ln(1 + e^x);  tanh
 *     silu x sigmoid(x);  gelu x (1 + erf(x / sqrt 2)) / 2
 */
export const activations = {
  relu: tf.relu,
  tanh: tf.tanh,
  elu: tf.elu,
  softplus: tf.softplus,
  silu: (x: tf.Tensor) => tf.mul(x, tf.sigmoid(x)),
  gelu: (x: tf.Tensor) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
  leakyRelu: (x: tf.Tensor) => tf.leakyRelu(x, LEAK),
} satisfies Record<Activation, (x: tf.Tensor) => tf.Tensor>;

/**
 * Activation of hidden units, by name. 'gelu' is the exact one, by the error function; 'leakyRelu' has slope 0.01 below 0; 'silu' is
 * also known as swish.
 */
export type Activation = 'relu' | 'tanh' | 'elu' | 'softplus' | 'silu' | 'gelu' | 'leakyRelu';

export const activationNames = Object.keys(activations) as Activation[];
