import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { BackendError, ConfigError } from 'tfjs-flows';
import { prepare, prepareWebGpu, webGpuReport } from 'tfjs-flows/webgpu';
import { afterEach, describe, expect, it } from 'vitest';
import { hasAdapter } from './adapter';

/** Dawn crashes where it is collected before its last callback has run. */
let held: GPU | undefined;

/** In place of navigator.gpu: an adapter of that description, or none. Gives the options by which it is asked for. */
async function pretend(info?: object): Promise<GPURequestAdapterOptions[]> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  held ??= create([]);
  const adapter = info === undefined ? null : await held.requestAdapter();
  const offered = adapter && {
    info,
    features: adapter.features,
    limits: adapter.limits,
    requestDevice: (wanted: GPUDeviceDescriptor) => adapter.requestDevice(wanted),
  };
  const asked: GPURequestAdapterOptions[] = [];
  const gpu = {
    requestAdapter: async (options: GPURequestAdapterOptions) => {
      asked.push(options);
      return offered;
    },
  };
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true, writable: true });
  return asked;
}

const REAL = { vendor: 'somebody', architecture: 'new', device: '', description: 'A GPU' };

describe('prepare', () => {
  const { navigator } = globalThis;
  let release: (() => Promise<void>) | undefined;

  afterEach(async () => {
    await release?.();
    release = undefined;
    Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true, writable: true });
  });

  it.skipIf(!hasAdapter)('takes a GPU', async () => {
    const asked = await pretend(REAL);
    const taken = await prepare({ threads: 1, powerPreference: 'high-performance' });
    expect(asked).toEqual([{ powerPreference: 'high-performance' }]);
    if (taken.backend !== 'webgpu') throw new Error(taken.limits.join());
    release = taken.release;
    expect(taken.adapter).toEqual({ ...REAL, software: false });
    expect(tf.getBackend()).toBe('webgpu');
  });

  it.skipIf(!hasAdapter).each([
    { ...REAL, description: 'llvmpipe (LLVM 15.0.6, 256 bits)' },
    { ...REAL, description: 'Microsoft Basic Render Driver' },
    { ...REAL, isFallbackAdapter: true },
  ])('takes wasm in place of %j', async (info) => {
    await pretend(info);
    const { backend, limits } = await prepare({ threads: 1 });
    expect([backend, tf.getBackend()]).toEqual(['wasm', 'wasm']);
    expect(limits[0]).toBe(`backend: wasm, because ${info.description} is a program that stands for a GPU.`);
    expect(() => webGpuReport()).toThrow(BackendError);
    // Unless somebody chose it.
    await pretend(info);
    ({ release } = await prepareWebGpu());
    expect(await prepare()).toMatchObject({ backend: 'webgpu', adapter: { software: true } });
  });

  it.skipIf(!hasAdapter)('gives back to the backend of before, which need not be the best', async () => {
    await pretend();
    await prepare({ threads: 1 });
    await tf.setBackend('cpu');
    await pretend(REAL);
    const taken = await prepareWebGpu();
    await taken.release();
    expect(tf.getBackend()).toBe('cpu');
  });

  it('takes wasm where there is none, and says why', async () => {
    await pretend();
    const { backend, limits } = await prepare({ threads: 1 });
    expect(backend).toBe('wasm');
    expect(limits[0]).toMatch(/^backend: wasm, because .*Install/);
  });

  it('refuses options that nothing reads', async () => {
    await expect(prepare({ thread: 1 } as never)).rejects.toThrow(/Did you mean 'threads'/);
    await expect(prepare({ powerPreference: 'high' as never })).rejects.toThrow(ConfigError);
    await pretend(REAL);
    await expect(prepare({ threads: 0 })).rejects.toThrow('threads to be an integer >= 1');
  });
});
