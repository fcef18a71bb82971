import * as tf from '@tensorflow/tfjs-core';
import { Glow, type GradientMethod } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, expect, it, vi } from 'vitest';

/* What a step costs beside arithmetic: each kernel call, scope and read takes microseconds on the host, of which a step has thousands. */

beforeAll(async () => {
  await prepareWasm({ threads: 1 });
});

const counted: Record<string, [object: object, method: string]> = {
  kernels: [tf.engine(), 'runKernelFunc'],
  scopes: [tf.engine(), 'startScope'],
  reads: [tf.Tensor.prototype, 'dataSync'],
};

/** Calls of each method in `body`. */
async function counts(body: () => unknown): Promise<Record<string, number>> {
  const spies = Object.entries(counted).map(
    ([name, [object, method]]) => [name, vi.spyOn(object as Record<string, () => void>, method)] as const,
  );
  try {
    await body();
    return Object.fromEntries(spies.map(([name, spy]) => [name, spy.mock.calls.length]));
  } finally {
    for (const [, spy] of spies) spy.mockRestore();
  }
}

/** As the benchmark's first Glow, with narrower networks. */
it.each<[GradientMethod, Record<string, number>]>([
  ['stored', { kernels: 364, scopes: 420, reads: 133 }],
  ['reversible', { kernels: 824, scopes: 1216, reads: 160 }],
])('a step with %s gradients takes no more calls than it took', async (gradients, most) => {
  const imageShape: [number, number, number] = [32, 32, 3];
  const glow = new Glow({ imageShape, levels: 3, stepsPerLevel: 8, hiddenChannels: 4, seed: 1 });
  const x = tf.zeros([2, ...imageShape], 'int32');
  const fit = (steps: number) => () =>
    glow.fit(x, { steps, batchSize: 2, gradients, seed: 1, progress: 'none' });
  await fit(1)();
  const [two, three] = [await counts(fit(2)), await counts(fit(3))];
  for (const [name, limit] of Object.entries(most)) {
    expect(three[name] - two[name], name).toBeGreaterThan(0);
    expect(three[name] - two[name], name).toBeLessThanOrEqual(limit);
  }
  x.dispose();
  glow.dispose();
});
