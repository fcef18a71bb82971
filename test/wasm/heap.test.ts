import * as tf from '@tensorflow/tfjs-core';
import { Glow, RandomStream } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { fillLowHalf, freshBackend, growBetweenKernels, heap } from './heap';
import { compute, type HostTensor, randomTensor } from './helpers';

/** Losses of a few steps that use every fused kernel: forward, backward, clipping and the optimizer. */
async function train(optimizer: 'adam' | 'adamax', size = 8, batchSize = 8): Promise<number[]> {
  const imageShape: [number, number, number] = [size, size, 1];
  const glow = new Glow({ imageShape, levels: 2, stepsPerLevel: 2, hiddenChannels: 12, nBits: 4, seed: 1 });
  const x = tf.tidy(() => tf.floor(tf.mul(new RandomStream(2).uniform([2 * batchSize, ...imageShape]), 16)));
  const { losses } = await glow.fit(x, {
    steps: 3,
    batchSize,
    seed: 3,
    optimizer,
    clipNorm: 1,
    progress: 'none',
  });
  x.dispose();
  glow.dispose();
  return losses;
}

const random = new RandomStream(16);
const inputs: HostTensor[] = [
  [2, 9, 9, 6],
  [3, 3, 6, 10],
  [3, 3, 6, 2],
  [40, 30],
  [40, 20],
].map((shape) => randomTensor(random, shape));

/** Every kernel that is not fused, on the same inputs. */
function everyKernel(): Float32Array[] {
  return compute(inputs, (x, filter, depthwise, a, b) => {
    const convolve = (...t: tf.Tensor[]) =>
      tf.sum(tf.square(tf.conv2d(t[0] as tf.Tensor4D, t[1] as tf.Tensor4D, 1, 'same')));
    const separate = (...t: tf.Tensor[]) =>
      tf.sum(tf.square(tf.depthwiseConv2d(t[0] as tf.Tensor4D, t[1] as tf.Tensor4D, 1, 'same')));
    const rows = tf.tensor1d([3, 3, 0, 39, 7], 'int32');
    return [
      ...tf.grads(convolve)([x, filter]),
      ...tf.grads(separate)([x, depthwise]),
      tf.matMul(a, b, true, false),
      tf.matMul(tf.transpose(a), b),
      tf.einsum('ij,ik->jk', a, b),
      tf.sum(x, [0, 1, 2]),
      tf.mean(x),
      tf.grad((table: tf.Tensor) => tf.sum(tf.square(tf.gather(table, rows))))(a),
    ];
  });
}

describe.each([1, 2])('the heap under %i threads', (threads) => {
  it('may lie above 2 GB: kernels and training give the same bits', async () => {
    await freshBackend(threads);
    const below = everyKernel();
    const losses = [await train('adam'), await train('adamax')];
    await freshBackend(threads);
    const free = fillLowHalf();
    const probe = heap()._malloc(4096) >>> 0;
    expect(probe).toBeGreaterThan(2 ** 31);
    heap()._free(probe);
    expect(everyKernel()).toEqual(below);
    expect([await train('adam'), await train('adamax')]).toEqual(losses);
    free();
  });

  it('may grow before every kernel: no view goes stale', async () => {
    await freshBackend(threads);
    const before = everyKernel();
    const losses = await train('adam');
    await freshBackend(threads);
    const kernels = growBetweenKernels(8);
    expect(everyKernel()).toEqual(before);
    kernels.stop();
    expect(kernels.grown()).toBe(8);

    await freshBackend(threads);
    const training = growBetweenKernels(12);
    expect(await train('adam')).toEqual(losses);
    training.stop();
    expect(training.grown()).toBe(12);
  });

  it('grows within a training step by itself, and gives the numbers of a heap that had the room', async () => {
    await freshBackend(threads);
    const size = heap().HEAPU8.length;
    const grown = await train('adam', 32, 96);
    expect(heap().HEAPU8.length).toBeGreaterThan(size);
    expect(await train('adam', 32, 96)).toEqual(grown);
  });
});
