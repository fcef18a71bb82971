import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { RandomStream } from 'tfjs-flows';
import { afterAll, describe, expect, it } from 'vitest';

afterAll(() => tf.setBackend('cpu'));

/** Runs the same computation on both backends, from the same host values. */
async function onBoth(compute: () => tf.Tensor[]): Promise<Float32Array[][]> {
  const results: Float32Array[][] = [];
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend);
    const before = tf.memory().numTensors;
    const values = tf.tidy(compute);
    results.push(values.map((value) => value.dataSync<'float32'>().slice()));
    tf.dispose(values);
    expect(tf.memory().numTensors).toBe(before);
  }
  return results;
}

/** Largest difference relative to the largest value: float32 sums in different orders differ by rounding only. */
function expectClose([reference, received]: Float32Array[][], tolerance = 1e-5): void {
  reference.forEach((values, k) => {
    const scale = Math.max(1, ...values.map(Math.abs));
    expect(received[k].length).toBe(values.length);
    values.forEach((value, i) => {
      expect(Math.abs(received[k][i] - value)).toBeLessThan(tolerance * scale);
    });
  });
}

type Case = {
  x: [number, number, number, number];
  filter: [number, number, number, number];
  strides: number | [number, number];
  pad: 'same' | 'valid' | number;
};

const cases: Case[] = [
  { x: [2, 8, 8, 3], filter: [3, 3, 3, 5], strides: 1, pad: 'same' },
  { x: [1, 7, 5, 4], filter: [3, 3, 4, 6], strides: 2, pad: 'same' },
  { x: [3, 8, 6, 2], filter: [3, 2, 2, 4], strides: [2, 3], pad: 'valid' },
  { x: [2, 6, 6, 3], filter: [1, 1, 3, 7], strides: 1, pad: 'valid' },
  { x: [2, 5, 5, 2], filter: [3, 3, 2, 2], strides: 2, pad: 1 },
  { x: [0, 5, 5, 2], filter: [3, 3, 2, 2], strides: 1, pad: 'same' },
];

describe('kernels that stock wasm lacks', () => {
  it.each(cases)('convolution gradients equal the cpu backend: %j', async ({ x, filter, strides, pad }) => {
    expectClose(
      await onBoth(() => {
        const random = new RandomStream(1);
        const input = random.normal(x) as tf.Tensor4D;
        const weights = random.normal(filter) as tf.Tensor4D;
        const loss = (a: tf.Tensor, b: tf.Tensor) =>
          tf.sum(tf.square(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, strides, pad)));
        return tf.grads(loss)([input, weights]);
      }),
    );
  });

  it('names the data format that wasm cannot take', async () => {
    await tf.setBackend('wasm');
    const x = tf.ones<tf.Rank.R4>([1, 2, 4, 4]);
    expect(() =>
      tf.engine().runKernel(
        'Conv2DBackpropFilter',
        { x, dy: x },
        {
          strides: 1,
          pad: 'same',
          dataFormat: 'NCHW',
          filterShape: [1, 1, 2, 2],
        },
      ),
    ).toThrow(/NHWC/);
    x.dispose();
  });

  it('gradient of gather adds up repeated rows', async () => {
    expectClose(
      await onBoth(() => {
        const x = new RandomStream(2).normal([5, 3]);
        const weights = new RandomStream(3).normal([4, 3]);
        return [tf.grad((a) => tf.sum(tf.mul(tf.gather(a, tf.tensor1d([4, 0, 4, 2], 'int32')), weights)))(x)];
      }),
    );
  });

  it('unsorted segment sum drops ids outside the range and keeps NaN in its own row', async () => {
    const [reference, received] = await onBoth(() => {
      const x = tf.tensor2d([
        [1, 2],
        [3, Number.NaN],
        [5, 6],
        [7, 8],
      ]);
      return [tf.unsortedSegmentSum(x, tf.tensor1d([1, 0, -1, 5], 'int32'), 3)];
    });
    expect([...received[0]]).toEqual([3, Number.NaN, 1, 2, 0, 0]);
    expect(reference[0].length).toBe(6);
  });

  it('a convolutional tfjs-layers model trains on wasm', async () => {
    await tf.setBackend('wasm');
    const model = sequential({
      layers: [
        layers.conv2d({
          inputShape: [6, 6, 1],
          filters: 4,
          kernelSize: 3,
          activation: 'relu',
          kernelInitializer: 'ones',
        }),
        layers.flatten(),
        layers.dense({ units: 1, kernelInitializer: 'ones' }),
      ],
    });
    model.compile({ optimizer: tf.train.sgd(1e-6), loss: 'meanSquaredError' });
    const x = new RandomStream(4).uniform([8, 6, 6, 1]);
    const y = tf.zeros([8, 1]);
    const { history } = await model.fit(x, y, { epochs: 3, verbose: 0 });
    expect(history.loss[2]).toBeLessThan(history.loss[0] as number);
    tf.dispose([x, y]);
    model.dispose();
  });
});
