import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { BackendError, ConfigError } from 'tfjs-flows';
import { prepareWebGpu, webGpuReport } from 'tfjs-flows/webgpu';
import { afterEach, describe, expect, it } from 'vitest';
import { hasAdapter } from './adapter';

const gpuGlobals = () => Object.getOwnPropertyNames(globalThis).filter((name) => name.startsWith('GPU'));

describe.skipIf(!hasAdapter)('prepareWebGpu', () => {
  let release: (() => Promise<void>) | undefined;

  async function prepare(options?: Parameters<typeof prepareWebGpu>[0]) {
    const prepared = await prepareWebGpu(options);
    release = prepared.release;
    return prepared;
  }

  afterEach(() => release?.());

  it('says what is active, and nothing before', async () => {
    expect(() => webGpuReport()).toThrow(/webGpuReport: call prepareWebGpu first/);
    const { release: _, ...said } = await prepare();
    expect(said).toMatchObject({ backend: 'webgpu', dispatches: 0, fallbacks: {} });
    expect(said.adapter.description).not.toBe('');
    expect(said.deviceLimits.maxBufferSize).toBeGreaterThan(2 ** 28);
    expect(said.kernels).toContain('FlowActNorm');
    expect(said.limits.join()).toContain('dataSync');
    expect(said.limits.some((limit) => limit.startsWith('speed'))).toBe(said.adapter.software);
    expect(webGpuReport()).toEqual(said);
  });

  it('counts programs of ours, and of the stock backend', async () => {
    await prepare();
    tf.sin([1, 2]).dispose();
    expect(webGpuReport()).toMatchObject({ dispatches: 1, fallbacks: {} });
    const sum = tf.tidy(() => tf.sum(tf.ones([2000])));
    expect([...(await sum.data())]).toEqual([2000]);
    sum.dispose();
    expect(webGpuReport().fallbacks.reduce).toBeGreaterThan(0);
  });

  it('reads what the GPU holds by waiting alone', async () => {
    await prepare();
    const two = tf.tidy(() => tf.add(tf.ones([2000]), 1));
    expect(() => two.dataSync()).toThrow(/cannot be read at once here .* await tensor\.data\(\)/);
    await tf.setBackend('cpu');
    expect(() => tf.add(two, 1)).toThrow(/an op on another backend.* save and loadFlow/);
    await tf.setBackend('webgpu');
    expect((await two.data())[0]).toBe(2);
    expect(two.dataSync()[1]).toBe(2);
    two.dispose();
  });

  it('reads what is disposed of on the way', async () => {
    await prepare();
    const two = tf.tidy(() => tf.add(tf.ones([2000]), 1));
    const reading = two.data();
    two.dispose();
    expect((await reading)[1999]).toBe(2);
  });

  it('gives everything back, and starts again', async () => {
    await tf.setBackend('cpu');
    const before = gpuGlobals();
    const first = await prepare();
    const { gpu } = navigator;
    expect(tf.getBackend()).toBe('webgpu');
    const lost = tf.tidy(() => tf.add(tf.ones([2000]), 1));
    await first.release();
    expect(tf.getBackend()).toBe('cpu');
    expect(gpuGlobals()).toEqual(before);
    expect(globalThis.navigator?.gpu).toBeUndefined();
    await expect(lost.data()).rejects.toThrow(/the GPU was released/);
    lost.dispose();
    // Of one that is over.
    await first.release();

    const second = await prepare();
    expect(second).not.toBe(first);
    // One for good: Dawn crashes where it is collected too early.
    expect(navigator.gpu).toBe(gpu);
    const two = tf.tidy(() => tf.add(tf.ones([2000]), 1));
    expect((await two.data())[7]).toBe(2);
    two.dispose();
    // Not the one of now.
    await first.release();
    expect(tf.getBackend()).toBe('webgpu');
  });

  it('is the same for every call, also at the same time', async () => {
    const [first, second] = await Promise.all([prepare({ powerPreference: 'low-power' }), prepareWebGpu()]);
    expect(second).toBe(first);
    await tf.setBackend('cpu');
    expect(await prepareWebGpu()).toBe(first);
    expect(tf.getBackend()).toBe('webgpu');
  });

  it('is given back only when a call before has its answer', async () => {
    await tf.setBackend('cpu');
    for (let ticks = 0; ticks < 6; ticks++) {
      const prepared = await prepare();
      const again = prepareWebGpu();
      for (let tick = 0; tick < ticks; tick++) await null;
      const over = prepared.release();
      expect(await again).toBe(prepared);
      await over;
      expect(tf.getBackend()).toBe('cpu');
    }
  });

  it('does not take the place of a backend that holds tensors', async () => {
    const { release: free } = await prepare();
    const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
    const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
    await free();
    // Somebody else's.
    const { release: again } = await prepare();
    tf.removeBackend('webgpu');
    tf.registerBackend('webgpu', () => new WebGPUBackend(device));
    await tf.setBackend('webgpu');
    const held = tf.ones([3]);
    await again();
    expect(tf.getBackend()).toBe('webgpu');
    await expect(prepareWebGpu()).rejects.toThrow(BackendError);
    expect([...(await held.data())]).toEqual([1, 1, 1]);
    held.dispose();
    tf.removeBackend('webgpu');
  });

  it('refuses options that nothing reads', async () => {
    await expect(prepareWebGpu({ power: 'low-power' } as never)).rejects.toThrow(
      /Did you mean 'powerPreference'/,
    );
    await expect(prepareWebGpu({ powerPreference: 'high' as never })).rejects.toThrow(ConfigError);
    for (const none of [null, 'low-power', []]) {
      await expect(prepareWebGpu(none as never)).rejects.toThrow(/expected an object of options, got/);
    }
  });
});
