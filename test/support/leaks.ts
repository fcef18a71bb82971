import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/** Runs `body` and expects the number of live tensors to grow by what it returns (nothing: 0). */
export async function leavesNoTensors(body: () => unknown): Promise<void> {
  const before = tf.memory().numTensors;
  const owned = await body();
  expect(tf.memory().numTensors - before).toBe(typeof owned === 'number' ? owned : 0);
}
