import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { prepareWasm, wasmReport } from 'tfjs-flows/wasm';
import { describe, expect, it } from 'vitest';
import { compute, type HostTensor, randomTensor } from './helpers';

/** Values of the same computation on the cpu backend. */
async function onCpu(inputs: HostTensor[], f: (...tensors: tf.Tensor[]) => tf.Tensor[]) {
  await tf.setBackend('cpu');
  return compute(inputs, f);
}

const shape = [3, 5, 4, 7];
const cases: [string, (x: tf.Tensor, y: tf.Tensor) => tf.Tensor[]][] = [
  ['slices of channels', (x) => [tf.slice(x, [0, 0, 0, 2], [3, 5, 4, 4])]],
  ['slices of examples', (x) => [tf.slice(x, [1, 0, 0, 0], [2, 5, 4, 7])]],
  ['slices of lines, to the end', (x) => [tf.slice(x, [0, 3, 0, 0], [-1, -1, -1, -1])]],
  ['slices of nothing', (x) => [tf.slice(x, [0, 0, 0, 3], [3, 5, 4, 0])]],
  ['splits of channels', (x) => tf.split(x, [1, 4, 2], 3)],
  ['splits of columns', (x) => tf.split(x, 2, 2)],
  ['joins of channels', (x, y) => [tf.concat([x, y, x], -1)]],
  ['joins of examples', (x, y) => [tf.concat([x, y], 0)]],
  [
    'padding of channels',
    (x) => [
      tf.pad(x, [
        [0, 0],
        [0, 0],
        [0, 0],
        [2, 3],
      ]),
    ],
  ],
  [
    'padding of lines',
    (x) => [
      tf.pad(x, [
        [0, 0],
        [1, 0],
        [0, 0],
        [0, 0],
      ]),
    ],
  ],
  ['channels reversed', (x) => [tf.gather(x, tf.tensor1d([6, 5, 4, 3, 2, 1, 0], 'int32'), 3)]],
  [
    'channels left out and repeated',
    (x) => [tf.gather(x, tf.tensor1d([4, 5, 6, 0, 1, 1, 3, 4], 'int32'), -1)],
  ],
  ['channels in a table', (x) => [tf.gather(x, tf.tensor2d([5, 6, 0, 1], [2, 2], 'int32'), 3)]],
  ['no channels', (x) => [tf.gather(x, tf.tensor1d([], 'int32'), 3)]],
  ['whole numbers', (x) => [tf.slice(tf.cast(tf.mul(x, 100), 'int32'), [0, 0, 0, 1], [3, 5, 4, 3])]],
];

describe.each([1, 2])('tensors cut and joined on %i threads', (threads) => {
  it.each(cases)('%s equal the cpu backend, bit for bit', async (_, f) => {
    const random = new RandomStream(8);
    const inputs = [randomTensor(random, shape), randomTensor(random, shape)];
    const expected = await onCpu(inputs, f as never);
    await prepareWasm({ threads });
    const before = JSON.stringify(wasmReport().fallbacks);
    const received = compute(inputs, f as never);
    expect(received).toEqual(expected);
    expect(JSON.stringify(wasmReport().fallbacks)).toBe(before);
  });

  it('cuts along several axes go to the stock kernel', async () => {
    await prepareWasm({ threads });
    const x = randomTensor(new RandomStream(8), shape);
    const [both, one] = compute([x], (t) => [
      tf.slice(t, [0, 1, 0, 2], [3, 2, 4, 3]),
      tf.slice(tf.slice(t, [0, 1, 0, 0], [3, 2, 4, 7]), [0, 0, 0, 2], [3, 2, 4, 3]),
    ]);
    expect(both).toEqual(one);
    expect(wasmReport().fallbacks.Slice).toBeGreaterThan(0);
  });

  it('channels that are not there are refused, not read from elsewhere', () => {
    const x = tf.ones(shape);
    for (const missing of [-1, 7]) {
      expect(() => tf.tidy(() => tf.gather(x, tf.tensor1d([0, missing], 'int32'), 3))).toThrow(
        /not in \[0, 6\]/,
      );
    }
    x.dispose();
  });
});
