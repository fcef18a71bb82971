import type * as tf from '@tensorflow/tfjs-core';
import { withoutTensors } from '../../core/tensors';
import { readAtOnce } from '../../engine/reads';
import type { Column } from '../../layers/supports/columns';
import { effectiveSize, normalized } from './points';

/** Draws of the noise of whole numbers that a density with some of them is the mean over: more than the least effective sample size by default. */
export const DRAWS = 256;

/** Log-densities of rows that are means over draws of noise. */
export interface AveragedDensity {
  logProb: Float64Array;
  /** How many equal draws each mean is worth; Infinity where there is no noise. */
  effectiveSampleSize: Float64Array;
  /** Draws that were taken. */
  draws: number;
}

/** Whether columns have noise: their densities are then means over it. */
export function hasNoise(columns: readonly Column[]): boolean {
  return columns.some(({ support }) => support.kind === 'integer');
}

/** log of the mean density over draws of noise, where columns of whole numbers get some. */
export function averagedOverNoise(columns: readonly Column[], draw: () => tf.Tensor1D): AveragedDensity {
  const one = () => withoutTensors(() => readAtOnce('logProb', draw()));
  if (!hasNoise(columns)) {
    const logProb = Float64Array.from(one());
    return { logProb, effectiveSampleSize: logProb.map(() => Number.POSITIVE_INFINITY), draws: 1 };
  }
  const draws = Array.from({ length: DRAWS }, one);
  const rows = Array.from(draws[0], (_, row) =>
    normalized(Float64Array.from(draws, (values) => values[row])),
  );
  return {
    logProb: Float64Array.from(rows, ({ logSum }) => logSum - Math.log(DRAWS)),
    effectiveSampleSize: Float64Array.from(rows, ({ weights }) => effectiveSize(weights)),
    draws: DRAWS,
  };
}
