import * as tf from '@tensorflow/tfjs-core';
import { BackendError, Flow, InvConv1x1, NonFiniteError, RandomStream } from 'tfjs-flows';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasAdapter } from './adapter';
import { activate } from './onBoth';

describe.skipIf(!hasAdapter)('on webgpu in Node, where nothing is read at once', () => {
  let flow: Flow;
  const rows = Float32Array.from(new RandomStream(1).normalArray(48));

  beforeAll(async () => {
    await activate('webgpu');
    flow = new Flow({ bijector: new InvConv1x1({ inputShape: [3], seed: 1, name: 'turned' }) });
  });

  afterAll(() => flow?.dispose());

  it('a full matrix trains, and a singular one ends training by the name of its layer', async () => {
    const options = { steps: 2, batchSize: 8, seed: 1, progress: 'none' } as const;
    const { losses } = await flow.fit({ x: rows, shape: [3] }, options);
    expect(losses.every(Number.isFinite)).toBe(true);
    const [kernel] = flow.trainableWeights;
    tf.tidy(() => kernel.assign(tf.mul(kernel, 0)));
    const failed = flow.fit({ x: rows, shape: [3] }, options);
    await expect(failed).rejects.toThrow(NonFiniteError);
    await expect(failed).rejects.toThrow('turned');
  });

  it('an account says that it needs another backend', () => {
    const before = tf.memory().numTensors;
    expect(() => flow.account([[1, 2, 3]])).toThrow(BackendError);
    expect(() => flow.account([[1, 2, 3]])).toThrow("tf.setBackend('wasm')");
    expect(tf.memory().numTensors).toBe(before);
  });
});
