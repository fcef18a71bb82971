import type * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../engine/kernels';
import { record } from '../engine/tape';
import type { ChannelOrder } from './channelOrder';
import type { Transformed } from './transformed';

/** Beyond so many values a row of vectors and what lies between both factors do not fit into a workgroup's memory. */
const MOST_VALUES = 63;

/** Weights of a linear map L U, L with ones on its diagonal. */
export interface LuLinearWeights {
  /** [d, d], L below and U above the diagonal; what lies on it is not looked at. */
  triangles: tf.Tensor;
  /** [d], of U's diagonal. */
  logScale: tf.Tensor;
  /** [d] */
  bias?: tf.Tensor;
}

/** Whether `fusedLuLinear` is the way to go for vectors of so many values; its ordinary form is `Linear`. */
export function hasFusedLuLinear(values: number): boolean {
  return values <= MOST_VALUES && hasKernels('FlowLuLinear', 'FlowLuLinearGradient');
}

/**
 * Vectors times both factors in a row, whose product is not needed:
 *
 *     y = L (U x) + b,    logDet = sum(logScale)
 *
 *     FlowLuLinear [x, triangles, logScale, bias?] -> value, logDet [n]
 *     FlowLuLinearGradient [dy, dLogDet, x, triangles, logScale] -> gradients in x and the weights, in the bias where the attribute `biased` says so
 *
 * The attribute `order` says which order x is brought into first.
 *
 * @param x [n, d]
 */
export function fusedLuLinear(x: tf.Tensor, weights: LuLinearWeights, order?: ChannelOrder): Transformed {
  const { triangles, logScale, bias } = weights;
  const inputs = [x, triangles, logScale, ...(bias === undefined ? [] : [bias])];
  const attributes = { order: order?.order, biased: bias !== undefined };
  const [value, logDet] = record(inputs, () => ({
    results: runKernel('FlowLuLinear', inputs, attributes),
    needed: [x, triangles, logScale],
    gradient: (dys, needed) => runKernel('FlowLuLinearGradient', [...dys, ...needed], attributes),
  }));
  return { value, logDet: logDet as tf.Tensor1D };
}
