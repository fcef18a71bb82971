import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { ActNorm, DataError, ImageFlow } from 'tfjs-flows';
import { beforeAll, expect, it } from 'vitest';
import { leavesNoTensors } from '../support/leaks';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const shape = [2, 2, 1];
const fitted = async (x: Uint8Array | Float32Array, nBits: number) => {
  const flow = new ImageFlow({ bijector: new ActNorm({ inputShape: shape }), nBits, seed: 1 });
  try {
    return await flow.fit({ x, shape }, { steps: 1, batchSize: 2, progress: 'none', seed: 1 });
  } finally {
    flow.dispose();
  }
};

it('images of nothing but 0 and 1 are refused where there are more levels', async () => {
  const masks = Uint8Array.of(0, 1, 1, 0, 1, 1, 0, 0);
  await leavesNoTensors(async () => {
    for (const x of [masks, Float32Array.from(masks)]) {
      await expect(fitted(x, 5)).rejects.toThrow(DataError);
      await expect(fitted(x, 5)).rejects.toThrow(
        'levels 0 .. 31 in x, got only 0 and 1. Multiply by 31, or take nBits: 1.',
      );
    }
    expect((await fitted(masks, 1)).losses).toHaveLength(1);
    expect(
      (
        await fitted(
          masks.map((level) => 2 * level),
          5,
        )
      ).losses,
    ).toHaveLength(1);
  });
});
