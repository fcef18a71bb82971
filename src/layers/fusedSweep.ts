import type * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../engine/kernels';
import { isTaped } from '../engine/tape';
import type { Activation } from './networks/activations';
import type { Sweep } from './networks/sweep';
import type { Transformed } from './transformed';
import type { FusedTransformer } from './transformers/fusedTransformer';

/** A sweep but for its tensors. */
export interface SweepAttributes {
  activation: Activation;
  levels: readonly number[];
  outputsPerValue: number;
  layers: readonly SweepForm[];
  transformer: FusedTransformer;
}

/** One layer of it. */
export interface SweepForm {
  levels: readonly number[];
  activated: boolean;
  skip?: number;
  gated: boolean;
}

/**
 * Values found level by level, all in one kernel, with their log-determinant: the inverse of an autoregressive layer. Undefined where
 * the backend has no kernel for it, and on a tape: `runSweep` is the ordinary form, and has gradients.
 *
 *     FlowSweep [y, ...kernel, offset and gate of each layer] -> value, logDet [n]
 *
 * @param y [n, d]
 */
export function fusedSweep(
  sweep: Sweep,
  y: tf.Tensor,
  transformer: FusedTransformer | undefined,
): Transformed | undefined {
  if (transformer === undefined || isTaped() || !hasKernels('FlowSweep')) return undefined;
  const { activation, periodic, levels, outputsPerValue, layers } = sweep;
  const known = periodic === undefined && layers.every(({ dropout }) => dropout === undefined);
  if (!known || layers[0].activated) return undefined;
  const tensors = layers.flatMap(({ kernel, offset, gate }) =>
    gate === undefined ? [kernel, offset] : [kernel, offset, gate],
  );
  const forms = layers.map(({ levels: ofUnits, activated, skip, gate }) => {
    return { levels: ofUnits, activated, skip, gated: gate !== undefined };
  });
  const attributes: SweepAttributes = { activation, levels, outputsPerValue, layers: forms, transformer };
  const [value, logDet] = runKernel('FlowSweep', [y, ...tensors], attributes);
  return { value, logDet: logDet as tf.Tensor1D };
}
