import * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../engine/kernels';
import type { MatrixOfWeights } from './fusedScaledLinear';
import { sumOf } from './logDets';

/** Weights of P L (U + diag(sign * exp(logScale))); what lies on the other side of a factor's diagonal is not looked at. */
export interface LuWeights {
  /** [c, c] */
  permutation: tf.Tensor;
  /** [c, c], with ones on its diagonal. */
  lower: tf.Tensor;
  /** [c, c]; it may be the same tensor as `lower`. */
  upper: tf.Tensor;
  /** [c] */
  sign: tf.Tensor;
  /** [c] */
  logScale: tf.Tensor;
}

/** Whether the active backend has `fusedLuMatrix`; its ordinary form is the product in `InvConv1x1`. */
export function hasFusedLuMatrix(): boolean {
  return hasKernels('FlowLuMatrix', 'FlowLuMatrixGradient');
}

/**
 * The matrix of an LU form, computed in float64; lower, upper (one weight where they are the same) and logScale are its weights.
 *
 *     FlowLuMatrix { permutation, lower, upper, sign, logScale } -> matrix [c, c]
 *     FlowLuMatrixGradient { those, dy, dLogDet } -> gradients in lower, upper and logScale
 *
 * dLogDet is a scalar: the gradient in log|det|, which is the sum of logScale.
 */
export function fusedLuMatrix(given: LuWeights): MatrixOfWeights {
  const { lower, upper, logScale } = given;
  const shared = lower === upper;
  const compute = () => ({
    matrix: () => runKernel('FlowLuMatrix', { ...given })[0] as tf.Tensor2D,
    logDet: () => sumOf(logScale),
    gradient: (dy: tf.Tensor2D, dLogDet: tf.Scalar = tf.scalar(0)) => {
      const [ofLower, ofUpper, ofScale] = runKernel('FlowLuMatrixGradient', { ...given, dy, dLogDet });
      return shared ? [tf.add(ofLower, ofUpper), ofScale] : [ofLower, ofUpper, ofScale];
    },
  });
  return { weights: shared ? [lower, logScale] : [lower, upper, logScale], compute };
}
