import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/** Runs `body` and expects the number of live tensors to grow by what it returns (nothing: 0), and then no buffer to be left that belongs to none. */
export async function leavesNoTensors(body: () => unknown): Promise<void> {
  const [before, backend] = [tf.memory().numTensors, tf.backend()];
  const buffers = backend.numDataIds();
  const owned = await body();
  expect(tf.memory().numTensors - before).toBe(typeof owned === 'number' ? owned : 0);
  if (typeof owned !== 'number' && tf.backend() === backend) expect(backend.numDataIds()).toBe(buffers);
}

/** `tf.tidy` of a body that waits; nothing else may make tensors meanwhile. */
export async function tidyWaiting(body: () => Promise<void>): Promise<void> {
  tf.engine().startScope();
  try {
    await body();
  } finally {
    tf.engine().endScope();
  }
}
