import * as tf from '@tensorflow/tfjs-core';
import { readTogether } from '../../core/reads';
import type { Column } from '../../layers/supports/columns';
import { effectiveSize, normalized } from './points';

/** Draws of the noise of whole numbers that a density with some of them is the mean over: more than the least effective sample size by default. */
export const DRAWS = 256;

/** Log-densities of rows that are means over draws of noise. */
interface AveragedDensity {
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

/**
 * log of the mean density over draws of noise, where columns of whole numbers get some. Reads one tensor.
 *
 * @param rows makes the rows, and its tensors are freed
 * @param draw log-densities of the rows with noise in them
 */
export async function averagedOverNoise(
  columns: readonly Column[],
  rows: () => tf.Tensor,
  draw: (rows: tf.Tensor) => tf.Tensor1D,
): Promise<AveragedDensity> {
  const length = hasNoise(columns) ? DRAWS : 1;
  const draws = await readTogether(() => {
    const given = rows();
    return Array.from({ length }, () => tf.tidy(() => draw(given)));
  });
  if (length === 1) {
    const logProb = Float64Array.from(draws[0]);
    return { logProb, effectiveSampleSize: logProb.map(() => Number.POSITIVE_INFINITY), draws: 1 };
  }
  const means = Array.from(draws[0], (_, row) =>
    normalized(Float64Array.from(draws, (values) => values[row])),
  );
  return {
    logProb: Float64Array.from(means, ({ logSum }) => logSum - Math.log(DRAWS)),
    effectiveSampleSize: Float64Array.from(means, ({ weights }) => effectiveSize(weights)),
    draws: DRAWS,
  };
}
