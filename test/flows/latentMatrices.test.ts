import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import {
  decodeLatents,
  encodeLabeled,
  encodeLatents,
  Glow,
  manipulate,
  RandomStream,
  ShapeError,
  zDelta,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';

const count = 10;
const random = new RandomStream(1);
const data = Uint8Array.from({ length: count * 16 }, () => random.integer(16));
const shape = [count, 4, 4, 1];
const options = { imageShape: [4, 4, 1], levels: 2, stepsPerLevel: 1, hiddenChannels: 4, nBits: 4, seed: 1 };

describe('latents of many images', () => {
  let glow: Glow;

  beforeAll(async () => {
    await tf.setBackend('cpu');
    glow = new Glow(options);
    tf.tidy(() => glow.bijector.initialize(tf.tensor(Float32Array.from(data), shape)));
  });

  it('are those of one pass, in batches, with progress and without a leak', async () => {
    const images = tf.tensor(Float32Array.from(data), shape);
    const whole = glow.encode(images);
    const before = tf.memory().numTensors;
    const steps: number[][] = [];
    const z = await encodeLatents(glow, images, { batchSize: 4, onProgress: (...step) => steps.push(step) });
    expect(steps).toEqual([
      [4, 10],
      [8, 10],
      [10, 10],
    ]);
    const expected = whole.dataSync();
    z.data.forEach((value, i) => {
      expect(Math.abs(value - expected[i])).toBeLessThan(1e-5);
    });
    expect(await encodeLatents(glow, { data, shape }, { batchSize: 4 })).toEqual(z);
    const back = await decodeLatents(glow, z, { batchSize: 3 });
    expect([...back.dataSync()]).toEqual([...data]);
    back.dispose();
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([images, whole]);
  });

  it('go straight into the functions of attributes', async () => {
    const labeled = await encodeLabeled(glow, {
      events: { data, shape },
      subclass: Array.from({ length: count }, (_, i) => `subject ${i % 2}`),
      attributes: Array.from({ length: count }, (_, i) => [Number(i % 4 < 2)]),
    });
    const { delta } = zDelta(labeled);
    const sweep = manipulate(labeled.z, delta, [0, 1]);
    const images = await decodeLatents(glow, sweep.z);
    expect(images.shape).toEqual([20, 4, 4, 1]);
    images.dispose();
  });

  it('take a class per image', async () => {
    const classy = new Glow({ ...options, classes: 2 });
    const context = Array.from({ length: count }, (_, i) => i % 2);
    const before = tf.memory().numTensors;
    const z = await encodeLatents(classy, { data, shape }, { batchSize: 4, context });
    const back = await decodeLatents(classy, z, { batchSize: 4, context });
    expect([...back.dataSync()]).toEqual([...data]);
    back.dispose();
    expect(tf.memory().numTensors).toBe(before);
    classy.dispose();
  });

  it('stop on request and refuse what does not fit', async () => {
    const signal = AbortSignal.abort();
    const z = await encodeLatents(glow, { data, shape });
    await expect(encodeLatents(glow, { data, shape }, { signal })).rejects.toThrow('abort');
    await expect(encodeLatents(glow, { data: data.slice(1), shape })).rejects.toThrow(ShapeError);
    await expect(encodeLatents(glow, { data, shape: [count, 16] })).rejects.toThrow(ShapeError);
    await expect(decodeLatents(glow, manipulate([[1, 2]], [1, 0], [1]).z)).rejects.toThrow(
      'Of another flow?',
    );
    await expect(decodeLatents(glow, z, { batchSize: 0 })).rejects.toThrow('batchSize');
  });
});
