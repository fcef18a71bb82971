import '@tensorflow/tfjs-backend-cpu';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { ActNorm, Flow, fit, GpuFailedError } from 'tfjs-flows';
import 'tfjs-flows/node';
import { prepareWebGpu } from 'tfjs-flows/webgpu';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unscaleChannels } from '../../src/layers/fusedScaleChannels';
import { DeviceWatch } from '../../src/webgpu/deviceWatch';
import { Gpu } from '../../src/webgpu/gpu';
import { write } from '../../src/webgpu/program';
import { hasAdapter } from './adapter';

const backend = () => tf.backend() as WebGPUBackend;

/** Ends the device, as a driver may at any time. */
const lose = () => backend().device.destroy();

/** Runs a program that is none. */
function runWrongProgram(): void {
  const gpu = Gpu.of(backend());
  const output = gpu.output([4]);
  gpu.run(
    { key: 'wrong', buffers: { output: write() }, code: () => 'fn main() { wrong }' },
    [output],
    [1, 1, 1],
  );
  backend().disposeData(output.dataId);
}

const ways: [string, () => void, GpuFailedError['failure'], RegExp][] = [
  ['lost', lose, 'lost', /the device was lost \(.*\)\. .*prepareWebGpu\(\) again/],
  ['told to run nonsense', runWrongProgram, 'program', /the GPU refused a program \(.*wrong/s],
];

describe.skipIf(!hasAdapter)('a device that fails', () => {
  let release: () => Promise<void>;

  beforeEach(async () => {
    ({ release } = await prepareWebGpu());
  });

  afterEach(() => release());

  it.each(ways)('%s: neither runs nor reads', async (_, end, failure, message) => {
    const [x, channels] = [tf.ones([2000, 2]), tf.ones([2])];
    const y = tf.add(x, 1);
    const read = tf.add(x, 2);
    expect((await read.data())[0]).toBe(3);
    end();
    // A read that waits, and those that come later.
    const waiting = y.data();
    await expect(waiting).rejects.toThrow(message);
    await expect(y.data()).rejects.toMatchObject({ name: 'GpuFailedError', failure });
    expect(() => tf.mul(x, y)).toThrow(GpuFailedError);
    expect(() => unscaleChannels(x as tf.Tensor2D, channels, channels)).toThrow(GpuFailedError);
    // What the host had read already is right.
    expect((await read.data())[0]).toBe(3);
    tf.dispose([x, channels, y, read]);
  });

  it('is taken for a new one by the next prepareWebGpu', async () => {
    lose();
    await tf
      .square(tf.ones([2000]))
      .data()
      .catch(() => {});
    const next = await prepareWebGpu();
    release = next.release;
    expect((await tf.tidy(() => tf.add(tf.ones([2000]), 1)).data())[0]).toBe(2);
  });

  it.each(ways)('%s: ends a fit, with the last checkpoint intact', async (_, end, failure) => {
    const folder = await mkdtemp(join(tmpdir(), 'tfjs-flows-lost-'));
    const location = `file://${join(folder, 'checkpoint')}`;
    const options = {
      steps: 4,
      batchSize: 4,
      seed: 2,
      progress: 'none',
      checkpoint: { location, everySteps: 2 },
    } as const;
    const flow = () => new Flow({ bijector: new ActNorm({ inputShape: [2] }) });
    const data = Array.from({ length: 16 }, (_, i) => [i, (i * i) % 5]);
    const whole = await fit(flow(), data, options);
    const model = flow();
    const onBatchEnd = (batch: number) => {
      if (batch === 2) end();
    };
    const fitted = fit(model, data, { ...options, callbacks: { onBatchEnd } });
    await expect(fitted).rejects.toMatchObject({ name: 'GpuFailedError', failure });
    await expect(fit(model, data, options)).rejects.toThrow(GpuFailedError);
    ({ release } = await prepareWebGpu());
    // The very model goes on, as a new one does.
    for (const next of [model, flow()]) {
      const { losses } = await fit(next, data, { ...options, resume: location });
      expect(losses).toHaveLength(4);
      for (const [i, loss] of losses.entries()) expect(loss).toBeCloseTo(whole.losses[i], 4);
    }
    await rm(folder, { recursive: true });
  });
});

/** As much of a device as a watch asks for. */
class SomeDevice extends EventTarget {
  lost = new Promise<never>(() => {});
}

describe.skipIf(!hasAdapter)('the first failure', () => {
  it('is what is told: memory that ran out', () => {
    class GPUOutOfMemoryError extends Error {}
    globalThis.GPUOutOfMemoryError = GPUOutOfMemoryError as never;
    const device = new SomeDevice();
    const watch = DeviceWatch.of(device as never);
    expect(() => watch.check()).not.toThrow();
    for (const error of [new GPUOutOfMemoryError('no room'), new Error('invalid buffer')]) {
      device.dispatchEvent(Object.assign(new Event('uncapturederror'), { error }));
    }
    expect(() => watch.check()).toThrow(/the GPU has no memory left \(no room\)\. Take a smaller batchSize/);
    Reflect.deleteProperty(globalThis, 'GPUOutOfMemoryError');
  });

  it('is what is told: a read that failed', async () => {
    const watch = DeviceWatch.of(new SomeDevice() as never);
    const failing = watch.reading(() => Promise.reject(new Error('not mapped')));
    await expect(failing).rejects.toThrow(/\(a read failed: not mapped\)/);
    expect(watch.failure).toBe('program');
    expect(() => watch.check()).toThrow(GpuFailedError);
  });
});
