import type * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../../engine/kernels';
import { record } from '../../engine/tape';
import type { Transformed } from '../transformed';
import type { KnotSettings } from './splineKnots';

/** Which splines are computed, and of what. */
export interface FusedSplineOptions extends Omit<KnotSettings, 'limits'> {
  /** Leading channels that pass unchanged. */
  kept: number;
  inverse: boolean;
}

/** Whether the active backend has `fusedSpline`; its ordinary form is `RationalQuadraticSpline`. */
export function hasFusedSpline(): boolean {
  return hasKernels('FlowSpline', 'FlowSplineGradient');
}

/**
 * Events whose first channels pass while each value of the others goes through a spline of its own, with their log-determinants.
 *
 *     FlowSpline { x, parameters } -> value, logDet [n]
 *     FlowSplineGradient { x, parameters, dy, dLogDet } -> gradients in what was given and in the parameters; x is the data's side, so
 *       that of an inverse is its value
 *
 * @param x [n, ..., c]
 * @param parameters [n, ..., (c - kept) * p], those of one value side by side
 */
export function fusedSpline(x: tf.Tensor, parameters: tf.Tensor, options: FusedSplineOptions): Transformed {
  const [value, logDet] = record([x, parameters], () => {
    const results = runKernel('FlowSpline', { x, parameters }, options);
    return {
      results,
      needed: [options.inverse ? results[0] : x, parameters],
      gradient: ([dy, dLogDet], [data, given]) =>
        runKernel('FlowSplineGradient', { x: data, parameters: given, dy, dLogDet }, options),
    };
  });
  return { value, logDet: logDet as tf.Tensor1D };
}
