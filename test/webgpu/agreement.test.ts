import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { registry } from '../conformance/registry';
import { differencesFromCpu, trainingCurve } from '../support/agreement';
import { expectSameResults } from '../support/agreementBounds';
import { hasAdapter, shareOf } from './adapter';
import { activate } from './onBoth';

describe.skipIf(!hasAdapter)('webgpu agrees with cpu', () => {
  beforeAll(() => activate('webgpu'));

  it.each(shareOf(registry))('%s', async (name) => {
    const before = tf.memory().numTensors;
    expectSameResults(name, await differencesFromCpu('webgpu', registry[name]));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('trains a Glow to the same losses in 50 steps (1e-3: differences grow from step to step)', async () => {
    const [cpu, gpu] = [await trainingCurve('cpu', 50), await trainingCurve('webgpu', 50)];
    expect(gpu).toHaveLength(50);
    gpu.forEach((loss, step) => {
      expect(Math.abs(loss - cpu[step])).toBeLessThan(1e-3 * Math.abs(cpu[step]));
    });
  });
});
