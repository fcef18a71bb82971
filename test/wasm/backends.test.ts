import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { compute, expectSame, randomTensor } from './helpers';

describe.each([1, 2])('wasm equals the cpu backend on %i threads', (threads) => {
  beforeAll(async () => {
    await prepareWasm({ threads });
  });
  const random = new RandomStream(15);
  const pick = <T>(choices: readonly T[]) => choices[random.integer(choices.length)];
  const shapes = (...sizes: number[][]) => sizes.map((shape) => randomTensor(random, shape));

  const convolutions = Array.from({ length: 12 }, () => ({
    x: [pick([1, 2]), 5 + random.integer(5), 5 + random.integer(5), pick([1, 3, 6, 9])],
    filters: pick([1, 4, 7, 12]),
    taps: pick([1, 2, 3]),
    stride: pick([1, 2]),
    pad: pick(['same', 'valid', 1] as const),
  }));
  it.each(convolutions)('convolution with gradients %j', async ({ x, filters, taps, stride, pad }) => {
    await expectSame(shapes(x, [taps, taps, x[3], filters]), (a, b) => {
      const convolve = (image: tf.Tensor, filter: tf.Tensor) =>
        tf.conv2d(image as tf.Tensor4D, filter as tf.Tensor4D, stride, pad);
      const squares = (...tensors: tf.Tensor[]) => tf.sum(tf.square(convolve(tensors[0], tensors[1])));
      return [convolve(a, b), ...tf.grads(squares)([a, b])];
    });
  });

  // The cpu backend itself computes too few matrices where both operands are broadcast; matrixProduct.test.ts has those.
  it.each([
    [[2, 3, 5, 7], [1, 1, 7, 4], false, false],
    [[2, 3, 7, 5], [2, 3, 7, 4], true, false],
    [[3, 5, 7], [1, 4, 7], false, true],
    [[2, 3, 7, 5], [2, 3, 4, 7], true, true],
    [[4, 40, 30], [4, 30, 50], false, false],
  ] as [number[], number[], boolean, boolean][])(
    'batched product of %j and %j, transposed %s and %s',
    async (a, b, transposeA, transposeB) => {
      await expectSame(shapes(a, b), (x, y) => [tf.matMul(x, y, transposeA, transposeB)]);
    },
  );

  it.each(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'] as const)(
    'product with bias and %s, also over a batch',
    async (activation) => {
      await expectSame(shapes([17, 9], [9, 6], [6]), (a, b, bias) => [
        tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias, activation }),
        tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, activation }),
      ]);
    },
  );

  it.each([
    [[0], undefined],
    [[3, 0], 1],
    [[3, 0], 0],
    [
      [0, 4],
      [0, 1],
    ],
    [[], undefined],
    [[5, 4], []],
    [[5, 4], -1],
  ] as [number[], number | number[] | undefined][])(
    'sum of %j over %j, sizes of zero among them',
    async (shape, axis) => {
      await expectSame(shapes(shape), (x) => [tf.sum(x, axis), tf.sum(x, axis, true)]);
    },
  );

  it.each([
    [
      [4, 0],
      [0, 5],
    ],
    [
      [0, 3],
      [3, 5],
    ],
    [
      [4, 3],
      [3, 0],
    ],
    [
      [2, 4, 0],
      [2, 0, 5],
    ],
    [
      [0, 4, 3],
      [0, 3, 5],
    ],
  ])('product of %j and %j, sizes of zero', async (a, b) => {
    await expectSame(shapes(a, b, [b[b.length - 1]]), (x, y, bias) => [
      tf.matMul(x, y),
      tf.relu(tf.add(tf.matMul(x, y), bias)),
      ...(a.length === 2 ? [tf.matMul(tf.transpose(x), y, true)] : []),
    ]);
  });

  it('a dense layer without inputs gives its bias', () => {
    const [y] = compute(shapes([3, 0], [0, 5], [5]), (a, b, bias) => [
      tf.fused.matMul({
        a: a as tf.Tensor2D,
        b: b as tf.Tensor2D,
        bias: tf.neg(tf.abs(bias)),
        activation: 'relu',
      }),
    ]);
    expect([...y]).toEqual(new Array(15).fill(0));
  });

  it('sums of integers and booleans, and products of integers', async () => {
    await expectSame(shapes([6, 5]), (x) => {
      const whole = tf.cast(tf.mul(x, 10), 'int32');
      return [tf.sum(whole, 0), tf.sum(tf.greater(x, 0), 1), tf.mean(whole, 1)];
    });
  });

  it('embedding rows and their gradients', async () => {
    await expectSame(shapes([11, 6], [4, 3, 6]), (table, weights) => {
      const ids = tf.tensor2d(
        [
          [10, 0, 3],
          [3, 3, 1],
          [0, 0, 0],
          [9, 5, 3],
        ],
        [4, 3],
        'int32',
      );
      return [tf.grad((rows) => tf.sum(tf.mul(tf.gather(rows, ids), weights)))(table)];
    });
  });

  it.each(['ij,jk->ik', 'bhqd,bhkd->bhqk', 'bhqk,bhkd->bqhd'])('einsum %s', async (equation) => {
    const sizes: Record<string, number> = { b: 2, h: 3, q: 5, k: 4, d: 6, i: 4, j: 7 };
    const operands = equation.split('->')[0].split(',');
    await expectSame(shapes(...operands.map((word) => [...word].map((letter) => sizes[letter]))), (a, b) => [
      tf.einsum(equation, a, b),
    ]);
  });

  it('einsum of nothing is nothing, or zeros', () => {
    const [none, zeros] = compute(shapes([0, 3], [3, 2], [4, 0], [0, 5]), (a, b, c, d) => [
      tf.einsum('ij,jk->ik', a, b),
      tf.einsum('ij,jk->ik', c, d),
    ]);
    expect(none).toHaveLength(0);
    expect([...zeros]).toEqual(new Array(20).fill(0));
  });
});
