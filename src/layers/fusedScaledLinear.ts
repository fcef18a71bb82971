import type * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../engine/kernels';
import { record } from '../engine/tape';
import type { Transformed } from './transformed';

/** Beyond so many channels a linear map is bound by its products alone, and the ordinary ones block them better. */
const MOST_CHANNELS = 192;

/** Whether `fusedScaledLinear` is the way to go for so many channels; its ordinary form is an actnorm, then a 1x1 convolution. */
export function hasFusedScaledLinear(channels: number): boolean {
  return channels <= MOST_CHANNELS && hasKernels('FlowScaledLinear', 'FlowScaledLinearGradient');
}

/** A square matrix that is computed of some weights, and the way back to them. */
export interface MatrixOfWeights {
  weights: readonly tf.Tensor[];
  /** Called off the tape. */
  compute(): {
    matrix(): tf.Tensor2D;
    /** log|det|, natural. In the inverse of a map still that of its matrix, not of the inverse. */
    logDet(): tf.Scalar;
    /** Gradients in the weights, from those in the matrix and, if any, in logDet. */
    gradient(ofMatrix: tf.Tensor2D, ofLogDet?: tf.Scalar): tf.Tensor[];
  };
}

/** The matrix as a differentiable tensor. */
export function matrixTensor({ weights, compute }: MatrixOfWeights): tf.Tensor2D {
  const [result] = record(weights, () => {
    const { matrix, gradient } = compute();
    return { results: [matrix()], needed: [], gradient: ([dy]) => gradient(dy as tf.Tensor2D) };
  });
  return result as tf.Tensor2D;
}

/** Weights of `fusedScaledLinear`. */
export interface FusedLinearWeights {
  /** [c] */
  offset: tf.Tensor;
  /** [c] */
  logScale: tf.Tensor;
  /** [c, c]; in the inverse of a map the inverse of its matrix. */
  matrix: MatrixOfWeights;
}

/**
 * Channels shifted, scaled and multiplied by a matrix at every position:
 *
 *     y = ((x + offset) * exp(logScale)) matrix,    inverse: y = (x matrix) * exp(-logScale) - offset
 *     logDet = positions * (matrix' logDet + sum(logScale)),    inverse: its negative
 *
 *     FlowScaledLinear { input, offset, logScale, matrix, logDet } -> value, logDet [n]
 *     FlowScaledLinearGradient { dy, dLogDet, input, offset, logScale, matrix }
 *       -> gradients in the input, offset, logScale, matrix and the scalar logDet
 *
 * The attribute `inverse` says which.
 *
 * @param x [n, ..., c]
 * @returns value like x, and logDet [n]
 */
export function fusedScaledLinear(x: tf.Tensor, weights: FusedLinearWeights, inverse: boolean): Transformed {
  const { offset, logScale } = weights;
  const [value, logDet] = record([x, offset, logScale, ...weights.matrix.weights], () => {
    const computed = weights.matrix.compute();
    const matrix = computed.matrix();
    const inputs = { input: x, offset, logScale, matrix, logDet: computed.logDet() };
    return {
      results: runKernel('FlowScaledLinear', inputs, { inverse }),
      needed: [x, offset, logScale, matrix],
      gradient: ([dy, dLogDet], [input, b, l, m]) => {
        const given = { dy, dLogDet, input, offset: b, logScale: l, matrix: m };
        const [dx, dOffset, dLogScale, ofMatrix, ofLogDet] = runKernel('FlowScaledLinearGradient', given, {
          inverse,
        });
        return [dx, dOffset, dLogScale, ...computed.gradient(ofMatrix as tf.Tensor2D, ofLogDet as tf.Scalar)];
      },
    };
  });
  return { value, logDet: logDet as tf.Tensor1D };
}
