import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { AffineTransformer, RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type SweepCase, sweepCases, sweepLayer, sweepResults } from '../support/sweeps';
import { distance } from './helpers';

async function inverseOn(backend: string, what: SweepCase): Promise<Float32Array[]> {
  await tf.setBackend(backend);
  const before = tf.memory().numTensors;
  const tensors = sweepResults(what);
  const results = tensors.map((tensor) => tensor.dataSync<'float32'>().slice());
  tf.dispose(tensors);
  expect(tf.memory().numTensors).toBe(before);
  await tf.setBackend('wasm');
  return results;
}

describe.each([1, 2])('fused sweeps equal ordinary ones on %i threads', (threads) => {
  beforeAll(async () => {
    await prepareWasm({ threads });
  });

  it.each(Object.entries(sweepCases))('%s', async (_, what) => {
    const kernels = vi.spyOn(tf.engine() as unknown as { runKernel(name: string): void }, 'runKernel');
    const fused = await inverseOn('wasm', what);
    expect(kernels.mock.calls.filter(([name]) => name === 'FlowSweep')).toHaveLength(1);
    kernels.mockRestore();
    const ordinary = await inverseOn('cpu', what);
    ordinary.forEach((expected, i) => {
      // Every value is found from those before it, with their rounding.
      expect(distance(expected, fused[i]), `result ${i}`).toBeLessThan(5e-5);
    });
  });
});

describe('a sweep', () => {
  beforeAll(async () => {
    await prepareWasm({ threads: 1 });
  });

  it('has gradients on a tape, by ordinary ops', () => {
    const layer = sweepLayer({});
    const y = new RandomStream(2).normal([4, 5]);
    const gradient = tf.tidy(() =>
      tf
        .grad((given) => tf.sum(layer.inverse(given).value))(y)
        .dataSync(),
    );
    for (const entry of gradient) expect(entry).toBeCloseTo(1, 5);
    layer.dispose();
  });

  it('takes a transformer whose map was replaced as it is', () => {
    class Tripled extends AffineTransformer {
      override inverse(y: tf.Tensor, parameters: tf.Tensor) {
        const { value, logDerivative } = super.inverse(y, parameters);
        return { value: tf.mul(value, 3) as tf.Tensor, logDerivative };
      }
    }
    const [own, ours] = [Tripled, AffineTransformer].map((Kind) => {
      const layer = sweepLayer({ transformer: () => new Kind() });
      const value = tf.tidy(() => layer.inverse(tf.ones([1, 5])).value.dataSync());
      layer.dispose();
      return [...value];
    });
    expect(ours).toEqual([1, 1, 1, 1, 1]);
    expect(own).toEqual([3, 3, 3, 3, 3]);
  });
});
