import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { Glow, RandomStream, reversibleGradients, storedGradients } from 'tfjs-flows';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { hasAdapter } from './adapter';
import { activate } from './onBoth';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Most bytes of buffers in use at once during the gradients of a Glow of so many steps, beside what was in use before. */
async function peakOf(compute: typeof storedGradients, stepsPerLevel: number): Promise<number> {
  const glow = new Glow({ imageShape: [16, 16, 3], levels: 1, stepsPerLevel, hiddenChannels: 8, seed: 1 });
  glow.markInitialized();
  const random = new RandomStream(1);
  const x = tf.tidy(() => tf.floor(tf.mul(random.uniform([8, 16, 16, 3]), 256)));
  const gradientsOf = async () => {
    const { loss, metrics, gradients } = compute(glow, { x }, random);
    await loss.data();
    tf.dispose([loss, metrics, gradients.filter((gradient) => gradient !== null)]);
  };
  // The first time uploads weights.
  await gradientsOf();
  const { bufferManager } = tf.backend() as WebGPUBackend;
  const before = bufferManager.numBytesUsed;
  let most = before;
  const acquire = bufferManager.acquireBuffer.bind(bufferManager);
  const spy = vi.spyOn(bufferManager, 'acquireBuffer').mockImplementation((...given) => {
    const buffer = acquire(...given);
    most = Math.max(most, bufferManager.numBytesUsed);
    return buffer;
  });
  await gradientsOf();
  spy.mockRestore();
  tf.dispose(x);
  glow.dispose();
  return most - before;
}

describe.skipIf(!hasAdapter)('a tensor that is gone on webgpu', () => {
  it('leaves its buffer to what programs write next, before anything is submitted', async () => {
    await activate('webgpu');
    const { bufferManager } = tf.backend() as WebGPUBackend;
    let x = tf.tidy(() => tf.mul(tf.ones([1009]), 2)) as tf.Tensor;
    const before = bufferManager.numBytesAllocated;
    const submit = vi.spyOn(tf.backend() as WebGPUBackend, 'submitQueue');
    for (let i = 0; i < 6; i++) {
      const next = tf.sin(x);
      x.dispose();
      x = next;
    }
    expect(submit).not.toHaveBeenCalled();
    expect(bufferManager.numBytesAllocated - before).toBeLessThan(3 * 4 * 1009);
    let expected = 2;
    for (let i = 0; i < 6; i++) expected = Math.sin(expected);
    expect((await x.data())[7]).toBeCloseTo(expected, 5);
    x.dispose();
  });
});

describe.skipIf(!hasAdapter)('reversible gradients on webgpu', () => {
  it('take as much memory of the GPU whatever the depth', async () => {
    await activate('webgpu');
    const growth = async (compute: typeof storedGradients) => {
      const [shallow, deep] = [await peakOf(compute, 2), await peakOf(compute, 6)];
      return { shallow, perStep: (deep - shallow) / 4 };
    };
    const stored = await growth(storedGradients);
    const reversible = await growth((...given) => reversibleGradients(...given));
    expect(stored.perStep).toBeGreaterThan(1e5);
    // What is left are the gradients themselves.
    expect(reversible.perStep).toBeLessThan(0.1 * stored.perStep);
  });
});
