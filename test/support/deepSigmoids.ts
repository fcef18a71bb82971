import * as tf from '@tensorflow/tfjs-core';
import { type ElementwiseResult, MonotoneTransformer } from 'tfjs-flows';

/** Least slope inside of the sigmoids. */
const LEAST = 1e-3;

/**
 * The map of neural autoregressive flows: a mixture of sigmoids, taken back to the whole line.
 *
 *     y = logit(sum_k w_k sigmoid(a_k x + b_k)),   w = softmax,  a = softplus, 1 at zero
 *
 * Parameters [w | a | b], of zeros the identity. Logarithms throughout, as sigmoids saturate (Huang et al., 2018, section 3.1, arXiv:1804.00779).
 */
export class DeepSigmoids extends MonotoneTransformer {
  static className = 'TestDeepSigmoids';
  readonly parameters: number;
  private readonly units: number;

  constructor({ units }: { units: number }) {
    super();
    this.units = units;
    this.parameters = 3 * units;
  }

  forward(x: tf.Tensor, parameters: tf.Tensor): ElementwiseResult {
    const rows = tf.reshape(parameters, [-1, this.parameters]);
    const [weights, slopes, offsets] = tf.split(rows, 3, 1);
    const logWeights = tf.logSoftmax(weights);
    const slope = tf.add(tf.softplus(tf.add(slopes, Math.log(Math.expm1(1 - LEAST)))), LEAST);
    const inner = tf.add(tf.mul(slope, tf.reshape(x, [-1, 1])), offsets);
    const logSigmoid = tf.neg(tf.softplus(tf.neg(inner)));
    const logRest = tf.neg(tf.softplus(inner));
    const logSum = (terms: tf.Tensor) => tf.logSumExp(tf.add(logWeights, terms), 1);
    const [high, low] = [logSum(logSigmoid), logSum(logRest)];
    const logSlope = logSum(tf.addN([tf.log(slope), logSigmoid, logRest]));
    return {
      value: tf.reshape(tf.sub(high, low), x.shape),
      logDerivative: tf.reshape(tf.sub(logSlope, tf.add(high, low)), x.shape),
    };
  }

  getConfig(): tf.serialization.ConfigDict {
    return { units: this.units };
  }
}

tf.serialization.registerClass(DeepSigmoids);
