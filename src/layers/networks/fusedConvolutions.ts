import type * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../../engine/kernels';
import { record } from '../../engine/tape';

/** One layer of a stack: (conv(x, filter) + offset) * exp(factor * logScale), then relu except in the last. */
export interface FusedLayer {
  /** [size, size, inputs, outputs], or [inputs, outputs]. */
  filter: tf.Tensor;
  /** [outputs], or [1, h, w, outputs] for one per position. */
  offset: tf.Tensor;
  /** [outputs]; absent for a factor of 1. */
  logScale?: tf.Tensor;
  /** Default 1. */
  logScaleFactor?: number;
}

/** The weights of all layers in a row, and the factors on their logScales, 0 for a layer without. */
export interface WeightsInRow {
  weights: tf.Tensor[];
  factors: number[];
}

/** The weights of all layers in a row, and where they scale. */
export function weightsInRow(layers: readonly FusedLayer[]): WeightsInRow {
  const weights: tf.Tensor[] = [];
  const factors: number[] = [];
  for (const { filter, offset, logScale, logScaleFactor = 1 } of layers) {
    weights.push(filter, offset);
    if (logScale !== undefined) weights.push(logScale);
    factors.push(logScale === undefined ? 0 : logScaleFactor);
  }
  return { weights, factors };
}

/** Whether the active backend has `fusedConvolutions`; networks compose them of ordinary ops elsewhere. */
export function hasFusedConvolutions(): boolean {
  return hasKernels('FlowConvolutions', 'FlowConvolutionsGradient');
}

/**
 * A stack of 'same' convolutions of stride 1 with relu between them, forward and backward in one op each.
 *
 *     FlowConvolutions [x, ...weights] -> the outputs of all layers
 *     FlowConvolutionsGradient [dy, x, ...weights, ...outputs] -> gradients in x and in every weight
 *
 * The attribute `factors` has one per layer, 0 for a layer without a logScale.
 *
 * @param x [n, h, w, c], or [n, c] with filters of size 1
 * @returns [..., outputs of the last layer]
 */
export function fusedConvolutions(x: tf.Tensor, layers: readonly FusedLayer[]): tf.Tensor {
  const { weights, factors } = weightsInRow(layers);
  const [result] = record([x, ...weights], () => {
    const outputs = runKernel('FlowConvolutions', [x, ...weights], { factors });
    return {
      results: outputs.slice(-1),
      needed: [x, ...weights, ...outputs],
      gradient: ([dy], needed) => runKernel('FlowConvolutionsGradient', [dy, ...needed], { factors }),
    };
  });
  return result;
}
