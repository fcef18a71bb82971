import type * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../../engine/kernels';
import { record } from '../../engine/tape';
import type { AffineScale } from '../scaleMaps';
import type { Transformed } from '../transformed';
import type { KnotSettings } from './splineKnots';

/** Splines in the box [-bound, bound] with `limits: 'minimum'`. */
export interface FusedSpline extends Omit<KnotSettings, 'limits'> {
  kind: 'spline';
}

/** Affine maps, `bound` being the limit of |log s| or the least s. */
export interface FusedAffine {
  kind: 'affine';
  scale: AffineScale;
  bound: number;
}

/** A transformer that has kernels, as plain data. */
export type FusedTransformer = FusedSpline | FusedAffine;

/** Which events are mapped, and to which side. */
export interface FusedEvents {
  /** Leading channels that pass unchanged. */
  kept: number;
  inverse: boolean;
}

const KERNELS: Record<FusedTransformer['kind'], [forward: string, gradient: string]> = {
  spline: ['FlowSpline', 'FlowSplineGradient'],
  affine: ['FlowAffine', 'FlowAffineGradient'],
};

/** Whether the active backend has `fusedEvents` of this form; the ordinary one is the transformer itself. */
export function hasFusedEvents({ kind }: FusedTransformer): boolean {
  return hasKernels(...KERNELS[kind]);
}

/**
 * Events whose first channels pass while each value of the others goes through a map of its own, with their log-determinants.
 *
 *     FlowSpline { x, parameters } -> value, logDet [n]
 *     FlowSplineGradient { x, parameters, dy, dLogDet } -> gradients in what was given and in the parameters; x is the data's side, so
 *       that of an inverse is its value
 *
 * and so `FlowAffine`.
 *
 * @param x [n, ..., c]
 * @param parameters [n, ..., (c - kept) * p], those of one value side by side
 */
export function fusedEvents(
  form: FusedTransformer,
  x: tf.Tensor,
  parameters: tf.Tensor,
  events: FusedEvents,
): Transformed {
  const [forward, backward] = KERNELS[form.kind];
  const attributes = { ...form, ...events };
  const [value, logDet] = record([x, parameters], () => {
    const results = runKernel(forward, { x, parameters }, attributes);
    return {
      results,
      needed: [events.inverse ? results[0] : x, parameters],
      gradient: ([dy, dLogDet], [data, given]) =>
        runKernel(backward, { x: data, parameters: given, dy, dLogDet }, attributes),
    };
  });
  return { value, logDet: logDet as tf.Tensor1D };
}

/** Whether the active backend has `fusedSplinesOfAll` for two transformers: splines of one form. */
export function hasFusedSplinesOfAll(
  form: FusedTransformer | undefined,
  ofPassing: FusedTransformer | undefined,
): form is FusedSpline {
  if (form?.kind !== 'spline' || ofPassing?.kind !== 'spline') return false;
  const same = (['bins', 'bound', 'tails', 'minimum'] as const).every(
    (name) => form[name] === ofPassing[name],
  );
  return same && hasKernels('FlowSplinesOfAll', 'FlowSplinesOfAllGradient');
}

/**
 * As `fusedEvents` of splines forward, the first channels mapped too, by parameters that are the same for all examples.
 *
 *     FlowSplinesOfAll { x, parameters, passing } -> value, logDet [n]
 *     FlowSplinesOfAllGradient { x, parameters, passing, dy, dLogDet } -> gradients in x, the parameters and `passing`
 *
 * @param x [n, ..., c]
 * @param parameters [n, ..., (c - kept) * p], those of one value side by side
 * @param passing [values of an example that pass, p]
 */
export function fusedSplinesOfAll(
  form: FusedSpline,
  x: tf.Tensor,
  parameters: tf.Tensor,
  passing: tf.Tensor,
  kept: number,
): Transformed {
  const attributes = { ...form, kept, inverse: false };
  const given = { x, parameters, passing };
  const [value, logDet] = record([x, parameters, passing], () => ({
    results: runKernel('FlowSplinesOfAll', given, attributes),
    needed: [x, parameters, passing],
    gradient: ([dy, dLogDet], [x, parameters, passing]) =>
      runKernel('FlowSplinesOfAllGradient', { x, parameters, passing, dy, dLogDet }, attributes),
  }));
  return { value, logDet: logDet as tf.Tensor1D };
}
