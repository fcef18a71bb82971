import * as tf from '@tensorflow/tfjs-core';
import { Glow, RandomStream } from 'tfjs-flows';
import { expect, it } from 'vitest';
import { freshBackend, heap } from './heap';

it.each(['stored', 'reversible'] as const)(
  'many steps with %s gradients leave tensors and heap where they were; bench/longRun.ts takes ten thousand',
  async (gradients) => {
    await freshBackend(2);
    const imageShape: [number, number, number] = [8, 8, 1];
    const glow = new Glow({ imageShape, levels: 2, stepsPerLevel: 2, hiddenChannels: 16, seed: 1 });
    const x = tf.tidy(() => tf.floor(tf.mul(new RandomStream(1).uniform([64, ...imageShape]), 256)));
    const seen: { tensors: number; bytes: number; heap: number }[] = [];
    const onBatchEnd = () => {
      const { numTensors, numBytes } = tf.memory();
      seen.push({ tensors: numTensors, bytes: numBytes, heap: heap().HEAPU8.length });
    };
    const options = { steps: 120, batchSize: 8, seed: 1, progress: 'none', gradients } as const;
    await glow.fit(x, { ...options, callbacks: { onBatchEnd } });
    expect(seen).toHaveLength(120);
    for (const now of seen.slice(20)) expect(now).toEqual(seen[19]);
    x.dispose();
    glow.dispose();
  },
);
