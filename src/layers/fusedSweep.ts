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

/** Numbers in the order of their levels, and where each level begins, the end at last. */
export interface SortedByLevel {
  order: number[];
  begins: number[];
}

/** Numbers by their levels, of which there are `count`; those of a level stand as they are. */
export function sortByLevel(levels: readonly number[], count: number): SortedByLevel {
  const begins = new Array<number>(count + 1).fill(0);
  for (const level of levels) begins[level + 1]++;
  for (let level = 0; level < count; level++) begins[level + 1] += begins[level];
  const next = [...begins];
  const order = new Array<number>(levels.length);
  for (const [number, level] of levels.entries()) order[next[level]++] = number;
  return { order, begins };
}
