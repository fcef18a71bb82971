import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { BackendError, ConfigError, Glow, RandomStream } from 'tfjs-flows';
import { prepareWasm, wasmReport } from 'tfjs-flows/wasm';
import { describe, expect, it, vi } from 'vitest';
import { compute, distance, randomTensor } from './helpers';

function smallGlow(seed: number): Glow {
  return new Glow({ imageShape: [8, 8, 1], levels: 2, stepsPerLevel: 2, hiddenChannels: 12, nBits: 4, seed });
}

async function train(glow: Glow, seed: number, steps: number): Promise<number[]> {
  const x = tf.tidy(() => tf.floor(tf.mul(new RandomStream(seed).uniform([16, 8, 8, 1]), 16)));
  const { losses } = await glow.fit(x, { steps, batchSize: 8, seed, progress: 'none' });
  x.dispose();
  return losses;
}

function heap(): { HEAPU8: Uint8Array; _malloc(bytes: number): number; _free(at: number): void } {
  return (tf.backend() as BackendWasm).wasm as never;
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

describe.each([1, 2])('the heap under %i threads', (threads) => {
  const convolve = (x: tf.Tensor, filter: tf.Tensor) =>
    tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same');

  /** A convolution and its gradients on the cpu backend and on wasm, where `before` runs first. */
  async function compare(before: () => () => void): Promise<void> {
    const random = new RandomStream(3);
    const inputs = [
      [3, 64, 64, 6],
      [3, 3, 6, 10],
      [3, 64, 64, 10],
    ].map((shape) => randomTensor(random, shape));
    const all = () =>
      compute(inputs, (x, filter, dy) => [convolve(x, filter), ...tf.grads(convolve)([x, filter], dy)]);
    await tf.setBackend('cpu');
    const reference = all();
    if (tf.findBackendFactory('wasm') !== null) tf.removeBackend('wasm');
    await prepareWasm({ threads });
    const after = before();
    const received = all();
    after();
    reference.forEach((expected, i) => {
      expect(distance(expected, received[i])).toBeLessThan(5e-6);
    });
  }

  it('may grow in the middle of a computation', async () => {
    await compare(() => {
      const first = compute(
        [randomTensor(new RandomStream(1), [1, 4, 4, 2]), randomTensor(new RandomStream(1), [3, 3, 2, 2])],
        (x, filter) => [convolve(x, filter)],
      );
      expect(first[0].length).toBe(32);
      const size = heap().HEAPU8.length;
      const room = heap()._malloc(size);
      expect(heap().HEAPU8.length).toBeGreaterThan(size);
      return () => heap()._free(room);
    });
  });

  it('may lie above 2 GB', async () => {
    await compare(() => {
      // Reserved and never touched, so it costs no memory; the tensors are larger than any gap below.
      const inputs = 3 * 64 * 64 * 6 * 4;
      const room = [1, 2, 3].map(() => heap()._malloc(2 ** 30 - 2 ** 20));
      const high = heap()._malloc(inputs) >>> 0;
      expect(high).toBeGreaterThan(2 ** 31);
      return () => {
        for (const at of [...room, high]) heap()._free(at);
      };
    });
  });

  it('serves two models at once', async () => {
    await prepareWasm({ threads });
    const alone = [smallGlow(1), smallGlow(2)];
    const losses = [await train(alone[0], 1, 3), await train(alone[1], 2, 3)];
    const together = [smallGlow(1), smallGlow(2)];
    expect(await Promise.all([train(together[0], 1, 3), train(together[1], 2, 3)])).toEqual(losses);
    for (const glow of [...alone, ...together]) glow.dispose();
  });
});
