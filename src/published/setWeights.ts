import * as tf from '@tensorflow/tfjs-core';
import { complaint, FormatError } from '../core/errors';
import type { Flow } from '../flows';
import type { Weights } from './rule';

/**
 * Sets all weights of a flow, and declares them as set.
 *
 * @throws FormatError for a weight without values; the flow is then disposed
 */
export function setWeights<T extends Flow>(flow: T, weights: Weights, initialized = true): T {
  const left = flow.weights.filter(({ name, variable }) => weights.get(name)?.data.length !== variable.size);
  if (left.length > 0) {
    flow.dispose();
    const names = left.map(({ name }) => name).join(', ');
    throw new FormatError(
      complaint('importCheckpoint', 'values for every weight', `none that fit for ${names}`),
    );
  }
  tf.tidy(() => {
    for (const { name, variable } of flow.weights) {
      variable.assign(tf.tensor(weights.get(name)!.data, variable.shape));
    }
  });
  if (initialized) flow.markInitialized();
  return flow;
}
