import * as tf from '@tensorflow/tfjs-core';
import { BackendError, ConfigError, Glow, RandomStream } from 'tfjs-flows';
import { prepareWasm, wasmReport } from 'tfjs-flows/wasm';
import { describe, expect, it, vi } from 'vitest';
import '@tensorflow/tfjs-backend-cpu';

function smallGlow(seed: number): Glow {
  return new Glow({ imageShape: [8, 8, 1], levels: 2, stepsPerLevel: 2, hiddenChannels: 12, nBits: 4, seed });
}

async function train(glow: Glow, seed: number, steps: number): Promise<number[]> {
  const x = tf.tidy(() => tf.floor(tf.mul(new RandomStream(seed).uniform([16, 8, 8, 1]), 16)));
  const { losses } = await glow.fit(x, { steps, batchSize: 8, seed, progress: 'none' });
  x.dispose();
  return losses;
}

describe('prepareWasm', () => {
  it('rejects a bad number of threads', async () => {
    await expect(prepareWasm({ threads: 0 })).rejects.toThrow(ConfigError);
  });

  it('says so where the engine has no SIMD', async () => {
    const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    await expect(prepareWasm({ threads: 1 })).rejects.toThrow(/expected a WebAssembly engine with SIMD/);
    validate.mockRestore();
  });

  it('does not restart a backend that holds tensors', async () => {
    await prepareWasm({ threads: 1 });
    const held = tf.ones([3]);
    held.dataSync();
    await expect(prepareWasm({ threads: 2 })).rejects.toThrow(BackendError);
    expect([...held.dataSync()]).toEqual([1, 1, 1]);
    held.dispose();
  });

  it('gives bit-identical training for one seed, whatever the threads, also after the backend was removed', async () => {
    const runs: number[][] = [];
    for (const threads of [1, 2, 2, 3]) {
      await prepareWasm({ threads });
      expect(wasmReport().threads).toBe(threads);
      const glow = smallGlow(5);
      runs.push(await train(glow, 5, 4));
      glow.dispose();
      tf.removeBackend('wasm');
      await tf.setBackend('cpu');
    }
    expect(runs[0].every(Number.isFinite)).toBe(true);
    for (const run of runs.slice(1)) expect(run).toEqual(runs[0]);
  });
});

describe.each([1, 2])('on %i threads', (threads) => {
  it('serves two models at once, their steps interleaved', async () => {
    await prepareWasm({ threads });
    const alone = [smallGlow(1), smallGlow(2)];
    const losses = [await train(alone[0], 1, 3), await train(alone[1], 2, 3)];
    const together = [smallGlow(1), smallGlow(2)];
    expect(await Promise.all([train(together[0], 1, 3), train(together[1], 2, 3)])).toEqual(losses);
    for (const glow of [...alone, ...together]) glow.dispose();
  });
});
