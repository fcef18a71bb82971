import type * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../engine/kernels';
import { record } from '../engine/tape';
import type { Reversed, Transformed } from './transformed';

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
  compute(): ComputedMatrix;
}

/** The matrix of some weights, as it is now. */
export interface ComputedMatrix {
  matrix: tf.Tensor2D;
  /** log|det|, natural. In the inverse of a map still that of its matrix, not of the inverse. */
  logDet: tf.Scalar;
  /** Tensors of its own that the gradient needs. */
  needed: tf.Tensor[];
  /** The inverse of the matrix; absent where the active backend cannot compute it so, and in what is an inverse itself. */
  inverse?(): tf.Tensor2D;
  /** Gradients in the weights, from those in the matrix and, if any, in logDet; `needed` comes back as handles that still live. */
  gradient(ofMatrix: tf.Tensor2D, ofLogDet: tf.Scalar | undefined, needed: tf.Tensor[]): tf.Tensor[];
}

/** The matrix as a differentiable tensor. */
export function matrixTensor({ weights, compute }: MatrixOfWeights): tf.Tensor2D {
  const [result] = record(weights, () => {
    const { matrix, needed, gradient } = compute();
    return {
      results: [matrix],
      needed,
      gradient: ([dy], kept) => gradient(dy as tf.Tensor2D, undefined, kept),
    };
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
    const { matrix, logDet, needed, gradient } = weights.matrix.compute();
    return {
      results: runKernel('FlowScaledLinear', { input: x, offset, logScale, matrix, logDet }, { inverse }),
      needed: [x, offset, logScale, matrix, ...needed],
      gradient: ([dy, dLogDet], [input, b, l, m, ...kept]) => {
        const given = { dy, dLogDet, input, offset: b, logScale: l, matrix: m };
        const [dx, dOffset, dLogScale, ofMatrix, ofLogDet] = runKernel('FlowScaledLinearGradient', given, {
          inverse,
        });
        const ofWeights = gradient(ofMatrix as tf.Tensor2D, ofLogDet as tf.Scalar, kept);
        return [dx, dOffset, dLogScale, ...ofWeights];
      },
    };
  });
  return { value, logDet: logDet as tf.Tensor1D };
}

/** What comes of a step back: the gradients are by offset, logScale and the matrix' weights, in this order. */
export interface ReversedLinear extends Reversed {
  ofWeights: tf.Tensor[];
}

/**
 * A step of `reverse` through the map: its matrix and what the inverse is computed of are computed once for both.
 *
 * @param dLogDet gradient by the logDet, [n]
 * @param anchor what the map took, where it was kept
 */
export function reverseScaledLinear(
  { value, gradient: dy }: Reversed,
  dLogDet: tf.Tensor,
  weights: FusedLinearWeights,
  anchor?: tf.Tensor,
): ReversedLinear {
  const { offset, logScale } = weights;
  const [x, dx, ...ofWeights] = record([], () => {
    const { matrix, logDet, needed, inverse, gradient } = weights.matrix.compute();
    const inverted = () => {
      const given = { input: value, offset, logScale, matrix: (inverse as () => tf.Tensor2D)(), logDet };
      return runKernel('FlowScaledLinear', given, { inverse: true })[0];
    };
    const input = anchor ?? inverted();
    const given = { dy, dLogDet, input, offset, logScale, matrix };
    const [dInput, dOffset, dLogScale, ofMatrix, ofLogDet] = runKernel('FlowScaledLinearGradient', given, {
      inverse: false,
    });
    const ofMatrixWeights = gradient(ofMatrix as tf.Tensor2D, ofLogDet as tf.Scalar, needed);
    return {
      results: [input, dInput, dOffset, dLogScale, ...ofMatrixWeights],
      needed: [],
      gradient: () => [],
    };
  });
  return { value: x, gradient: dx, ofWeights };
}
