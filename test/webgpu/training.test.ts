import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  type Batch,
  type FitOptions,
  Flow,
  fit,
  NonFiniteError,
  type RandomStream,
} from 'tfjs-flows';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { relativeDifference } from '../support/agreement';
import { memoryHandler, ToyFlow, toyData } from '../training/toys';
import { hasAdapter } from './adapter';
import { activate } from './onBoth';

const rows = toyData(16);
const options: FitOptions = { progress: 'none', seed: 3, batchSize: 4, learningRate: 0.05 };
const backend = () => tf.backend() as WebGPUBackend;

afterEach(() => {
  vi.restoreAllMocks();
});

async function weightsOf(model: ToyFlow): Promise<number[][]> {
  return Promise.all(model.weights.map(async ({ variable }) => [...(await variable.data())]));
}

/** Losses and weights of a run. */
async function run(on: 'cpu' | 'webgpu', more: FitOptions): Promise<{ losses: number[]; weights: number[] }> {
  await activate(on);
  const before = tf.memory().numTensors;
  const model = new ToyFlow();
  const { losses } = await fit(model, rows, { ...options, ...more });
  const weights = (await weightsOf(model)).flat();
  model.dispose();
  expect(tf.memory().numTensors).toBe(before);
  return { losses, weights };
}

/** Spoilt from the `from`th loss on. */
class Spoilt extends ToyFlow {
  calls = 0;
  constructor(readonly from: number) {
    super();
  }
  override loss(batch: Batch, random: RandomStream) {
    const { loss, metrics } = super.loss(batch, random);
    const factor = this.calls++ < this.from ? 1 : Number.NaN;
    return { loss: tf.mul(loss, factor) as tf.Scalar, metrics };
  }
  override locateNonFinite(): string | undefined {
    return undefined;
  }
}

describe.skipIf(!hasAdapter)('training on webgpu', () => {
  // Clipped in every step; not; by today's order, which reads before it steps.
  it.each<FitOptions>([
    { clipNorm: 0.5 },
    { optimizer: 'adamax' },
    { optimizer: 'compactAdam' },
    { clipValue: 0.1 },
    { average: 0.9 },
    { optimizer: 'momentum', learningRate: 0.01 },
    { earlyStopping: { patience: 5 }, validationSplit: 0.25 },
  ])('gives the numbers of cpu: %j', async (more) => {
    const steps = { ...more, steps: 12 };
    const expected = await run('cpu', steps);
    const received = await run('webgpu', steps);
    // Moments of 16 bits are rounded by another chance.
    const allowed = more.optimizer === 'compactAdam' ? 0.02 : 1e-4;
    expect(relativeDifference(expected.losses, received.losses)).toBeLessThan(allowed);
    expect(relativeDifference(expected.weights, received.weights)).toBeLessThan(10 * allowed);
  });

  it('reads one small buffer per step', async () => {
    await activate('webgpu');
    const counts: number[] = [];
    for (const steps of [2, 7]) {
      const model = new ToyFlow();
      const read = vi.spyOn(backend(), 'read');
      await fit(model, rows, { ...options, steps, clipNorm: 1 });
      counts.push(read.mock.calls.length);
      read.mockRestore();
      model.dispose();
    }
    expect(counts[1] - counts[0]).toBe(5);
  });

  // One step goes ahead of the read, the other comes after it.
  it.each<FitOptions>([{}, { clipValue: 0.1 }])(
    'reads the next batch while the device works, and no more batches than it trains on: %j',
    async (more) => {
      await activate('webgpu');
      const log: string[] = [];
      function* batches() {
        for (let i = 0; i < 9; i++) {
          log.push(`batch ${i}`);
          yield tf.tensor2d(rows.slice(i, i + 4));
        }
      }
      const model = new ToyFlow();
      const onBatchEnd = (batch: number) => void log.push(`step ${batch}`);
      await fit(
        model,
        { [Symbol.iterator]: batches },
        { ...options, ...more, steps: 3, callbacks: { onBatchEnd } },
      );
      expect(log).toEqual(['batch 0', 'batch 1', 'step 0', 'batch 2', 'step 1', 'step 2']);
      model.dispose();
    },
  );

  it('uploads each batch once, all but the first while the step before runs', async () => {
    await activate('webgpu');
    const log: string[] = [];
    // Of small tensors the backend does the first sum on the host.
    const many = toyData(1800);
    const firsts = [0, 600, 1200];
    const write = GPUQueue.prototype.writeBuffer;
    vi.spyOn(GPUQueue.prototype, 'writeBuffer').mockImplementation(function (this: GPUQueue, ...given) {
      const values = given[2] as Float32Array;
      const batch = firsts.findIndex((first) => values[0] === Math.fround(many[first][0]));
      if (batch >= 0) log.push(`batch ${batch}`);
      return write.apply(this, given);
    });
    const mapped = vi.spyOn(GPUBuffer.prototype, 'mapAsync');
    const model = new ToyFlow();
    model.markInitialized();
    const onBatchEnd = (batch: number) => void log.push(`step ${batch}`);
    const batches = firsts.map((first) => ({ x: many.slice(first, first + 600) }));
    await fit(model, batches, { ...options, steps: 3, callbacks: { onBatchEnd } });
    expect(log).toEqual(['batch 0', 'batch 1', 'step 0', 'batch 2', 'step 1', 'step 2']);
    // One read per step and one of the weights at the end: the batches are checked where the host has them.
    expect(mapped).toHaveBeenCalledTimes(4);
    model.dispose();
  });

  it('takes no step by a loss that is not finite, nor counts it', async () => {
    await activate('webgpu');
    const tensors = tf.memory().numTensors;
    const [model, same] = [new Spoilt(3), new Spoilt(99)];
    const [optimizer, other] = [tf.train.adam(0.05), tf.train.adam(0.05)];
    const run = fit(model, rows, { ...options, optimizer, steps: 6, gradients: 'stored' });
    await expect(run).rejects.toThrow(NonFiniteError);
    await expect(run).rejects.toThrow('at step 3');
    expect(optimizer.iterations).toBe(3);
    // The step that led there is taken back, as on every backend: two are left, to rounding.
    await fit(same, rows, { ...options, optimizer: other, steps: 2, gradients: 'stored' });
    const [left, expected] = [await weightsOf(model), await weightsOf(same)];
    expect(relativeDifference(expected.flat(), left.flat())).toBeLessThan(1e-6);
    optimizer.dispose();
    other.dispose();
    model.dispose();
    same.dispose();
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('names the layer of a flow that went wrong', async () => {
    await activate('webgpu');
    const flow = new Flow({ bijector: new ActNorm({ inputShape: [2] }) });
    flow.markInitialized();
    tf.tidy(() => flow.weights[0].variable.assign(tf.fill([2], Number.NaN)));
    await expect(flow.fit(rows, { ...options, steps: 1 })).rejects.toThrow('actnorm');
    flow.dispose();
  });

  it('goes on from a checkpoint with the same numbers, on any backend', async () => {
    const whole = await run('webgpu', { steps: 10 });
    for (const [first, second] of [
      ['webgpu', 'webgpu'],
      ['webgpu', 'cpu'],
      ['cpu', 'webgpu'],
    ] as const) {
      const location = memoryHandler();
      const stop = new AbortController();
      await run(first, {
        steps: 10,
        checkpoint: { location },
        signal: stop.signal,
        callbacks: { onBatchEnd: (batch) => void (batch === 1 && stop.abort()) },
      });
      const resumed = await run(second, { steps: 10, resume: location });
      expect(resumed.losses.length).toBe(10);
      const allowed = first === second ? 1e-12 : 1e-4;
      expect(relativeDifference(whole.losses, resumed.losses)).toBeLessThan(allowed);
      expect(relativeDifference(whole.weights, resumed.weights)).toBeLessThan(10 * allowed);
    }
  });

  it('holds no more tensors and buffers the longer it runs', async () => {
    await activate('webgpu');
    const model = new ToyFlow();
    const seen: number[][] = [];
    const onBatchEnd = () => {
      const memory = tf.memory() as tf.MemoryInfo & Record<string, number>;
      seen.push([memory.numTensors, memory.numBytesAllocatedInGPU]);
    };
    await fit(model, rows, { ...options, steps: 120, callbacks: { onBatchEnd } });
    const [early, late] = [seen.slice(20, 60), seen.slice(-40)];
    for (const k of [0, 1]) {
      const most = (list: number[][]) => Math.max(...list.map((values) => values[k]));
      expect(most(late)).toBe(most(early));
    }
    model.dispose();
  });
});
