import * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../engine/kernels';
import type { ComputedMatrix, MatrixOfWeights } from './fusedScaledLinear';

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
 * The matrix of an LU form; lower, upper (one weight where they are the same) and logScale are its weights.
 *
 *     FlowLuMatrix { permutation, lower, upper, sign, logScale } -> matrix [c, c], logDet [], factors [c, c]
 *     FlowLuMatrixGradient { permutation, factors, dy, dLogDet } -> gradients in lower, upper and logScale
 *
 * logDet is log|det|, the sum of logScale, and dLogDet its gradient. `factors` are both in one: L below the diagonal, U on and above it.
 */
export function fusedLuMatrix(given: LuWeights): MatrixOfWeights {
  const { permutation, lower, upper, logScale } = given;
  const shared = lower === upper;
  const compute = (): ComputedMatrix => {
    const [matrix, logDet, factors] = runKernel('FlowLuMatrix', { ...given });
    return {
      matrix: matrix as tf.Tensor2D,
      logDet: logDet as tf.Scalar,
      needed: [factors],
      gradient: (dy, dLogDet = tf.scalar(0), [kept]) => {
        const inputs = { permutation, factors: kept, dy, dLogDet };
        const [ofLower, ofUpper, ofScale] = runKernel('FlowLuMatrixGradient', inputs);
        return shared ? [tf.add(ofLower, ofUpper), ofScale] : [ofLower, ofUpper, ofScale];
      },
    };
  };
  return { weights: shared ? [lower, logScale] : [lower, upper, logScale], compute };
}
