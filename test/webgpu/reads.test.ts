import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { BackendError, Flow, Glow, InvConv1x1, NonFiniteError, RandomStream, writeNpy } from 'tfjs-flows';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../src/cli/attributes/report';
import { sweep } from '../../src/cli/attributes/sweep';
import type { ModelImages } from '../../src/cli/datasets';
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

  it('the command moves an image along an attribute', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-sweep-'));
    const glow = new Glow({ imageShape: [2, 2, 3], levels: 1, stepsPerLevel: 1, hiddenChannels: 4, seed: 1 });
    glow.markInitialized();
    writeFileSync(join(folder, 'delta.npy'), writeNpy({ data: new Float32Array(12).fill(0.1), shape: [12] }));
    const dataset = {
      names: ['one.png'],
      shape: [2, 2, 3],
      attributes: { names: ['Hat'], values: Int8Array.of(1) },
      notices: [],
      read: async () => Uint8Array.from({ length: 12 }, (_, i) => 20 * i),
    };
    const report = { attributes: [{ name: 'Hat', file: 'delta.npy' }] } as Report;
    const before = tf.memory().numTensors;
    const images = { dataset } as unknown as ModelImages;
    const { file } = await sweep(glow, images, report, folder, { image: 0, attribute: 0 }, [-1, 1]);
    expect(statSync(file).size).toBeGreaterThan(0);
    expect(tf.memory().numTensors).toBe(before);
    glow.dispose();
    rmSync(folder, { recursive: true });
  });

  it('an account says that it needs another backend', () => {
    const before = tf.memory().numTensors;
    expect(() => flow.account([[1, 2, 3]])).toThrow(BackendError);
    expect(() => flow.account([[1, 2, 3]])).toThrow("tf.setBackend('wasm')");
    expect(tf.memory().numTensors).toBe(before);
  });
});
