import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, RandomStream, ShapeError } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { compute, distance, expectSame, type HostTensor, randomTensor } from './helpers';

const TOLERANCE = 5e-6;

/** Einsum in float64 from its definition: a sum over all letters. (tfjs's own cpu kernel sums wrongly in 'ij,jk->k'.) */
function einsum(equation: string, inputs: HostTensor[]): Float64Array {
  const [left, result] = equation.split('->');
  const operands = left.split(',');
  const sizes = new Map(
    operands.flatMap((letters, i) => [...letters].map((l, axis) => [l, inputs[i].shape[axis]])),
  );
  const letters = [...sizes.keys()];
  const total = [...sizes.values()].reduce((a, b) => a * b, 1);
  const sums = new Float64Array([...result].reduce((size, l) => size * (sizes.get(l) as number), 1));
  for (let n = 0; n < total; n++) {
    let rest = n;
    const index = new Map(
      letters.map((l) => {
        const size = sizes.get(l) as number;
        const i = rest % size;
        rest = Math.floor(rest / size);
        return [l, i];
      }),
    );
    const place = (word: string) =>
      [...word].reduce((at, l) => at * (sizes.get(l) as number) + (index.get(l) as number), 0);
    sums[place(result)] += operands.reduce((product, word, i) => product * inputs[i].values[place(word)], 1);
  }
  return sums;
}

describe.each([1, 2])('kernels that stock wasm lacks or is slow at, on %i threads', (threads) => {
  beforeAll(async () => {
    await prepareWasm({ threads });
  });
  const random = new RandomStream(6);

  it('gradient of gather adds repeated rows and drops nothing', async () => {
    await expectSame(
      [
        [9, 7],
        [12, 7],
      ].map((shape) => randomTensor(random, shape)),
      (x, weights) => {
        const ids = tf.tensor1d([8, 0, 0, 3, 3, 3, 1, 2, 8, 5, 4, 7], 'int32');
        return [tf.grad((a) => tf.sum(tf.mul(tf.gather(a, ids), weights)))(x)];
      },
    );
  });

  it('segments outside the range are dropped, integers too', () => {
    const ids = () => tf.tensor1d([2, -1, 0, 9, 2], 'int32');
    const [floats, integers] = tf.tidy(() => [
      tf.unsortedSegmentSum(tf.tensor1d([1, 2, 3, 4, 5]), ids(), 3).dataSync(),
      tf.unsortedSegmentSum(tf.tensor1d([1, 2, 3, 4, 5], 'int32'), ids(), 3).dataSync(),
    ]);
    expect([...floats]).toEqual([3, 0, 6]);
    expect([...integers]).toEqual([3, 0, 6]);
  });

  const equations: [string, number[][]][] = [
    [
      'ij,jk->ik',
      [
        [5, 7],
        [7, 4],
      ],
    ],
    [
      'bij,bkj->bki',
      [
        [3, 5, 7],
        [3, 4, 7],
      ],
    ],
    [
      'abc,cde->abde',
      [
        [2, 5, 3],
        [3, 4, 6],
      ],
    ],
    ['i,j->ji', [[5], [3]]],
    [
      'ij,jk->k',
      [
        [4, 3],
        [3, 6],
      ],
    ],
    ['bij->bji', [[2, 3, 4]]],
    ['bij->j', [[2, 3, 4]]],
    [
      'ij,ij->',
      [
        [4, 3],
        [4, 3],
      ],
    ],
  ];
  it.each(equations)('einsum %s equals float64', (equation, shapes) => {
    const inputs = shapes.map((shape) => randomTensor(random, shape));
    const [result] = compute(inputs, (...tensors) => [tf.einsum(equation, ...tensors)]);
    expect(distance(einsum(equation, inputs), result)).toBeLessThan(TOLERANCE);
  });

  it.each(equations)('gradient of einsum %s equals finite differences', (equation, shapes) => {
    const inputs = shapes.map((shape) => randomTensor(random, shape));
    // Linear in each operand, so a central difference is exact but for rounding.
    const value = (...tensors: tf.Tensor[]) => tf.sum(tf.mul(tf.einsum(equation, ...tensors), 1.5));
    const gradients = compute(inputs, (...tensors) => tf.grads((...operands) => value(...operands))(tensors));
    inputs.forEach((input, i) => {
      for (const at of [0, input.values.length - 1]) {
        const moved = [1, -1].map((step) => {
          const values = Float32Array.from(input.values);
          values[at] += step;
          const others = inputs.map((other, j) => (j === i ? { ...other, values } : other));
          return compute(others, (...tensors) => [value(...tensors)])[0][0];
        });
        expect(gradients[i][at]).toBeCloseTo((moved[0] - moved[1]) / 2, 3);
      }
    });
  });

  it('einsum names an equation that it cannot read', () => {
    expect(() => tf.tidy(() => tf.einsum('ii->i', tf.ones([3, 3])))).toThrow(ConfigError);
  });

  it.each([
    [
      'ij,jk->ik',
      [
        [2, 3],
        [4, 5],
      ],
    ],
    [
      'ij,jk->ik',
      [
        [2, 3, 1],
        [3, 5],
      ],
    ],
    ['ij->ik', [[2, 3]]],
    ['ij->ii', [[2, 3]]],
    ['ij,jk->ik', [[2, 3]]],
  ] as [string, number[][]][])('einsum %s says so where the operands %j do not fit', (equation, shapes) => {
    const operands = shapes.map((shape) => randomTensor(random, shape));
    expect(() => compute(operands, (...tensors) => [tf.einsum(equation, ...tensors)])).toThrow(ShapeError);
  });

  it.each([
    [[300, 7], 0],
    [[300, 7], 1],
    [[5, 130, 9], 1],
    [
      [6, 7, 8, 9],
      [0, 1, 2],
    ],
    [
      [6, 7, 8, 9],
      [1, 2, 3],
    ],
    [[40_000], 0],
    [
      [4, 5, 6],
      [0, 2],
    ],
  ] as [number[], number | number[]][])('sum and mean of %j over %j equal float64', (shape, axis) => {
    const x = randomTensor(random, shape);
    const exact = tf.util.parseAxisParam(axis, shape);
    const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
    const kept = shape.map((_, i) => i).filter((i) => !exact.includes(i));
    const sums = new Float64Array(kept.reduce((size, i) => size * shape[i], 1));
    x.values.forEach((value, at) => {
      const place = kept.reduce((index, i) => index * shape[i] + (Math.floor(at / strides[i]) % shape[i]), 0);
      sums[place] += value;
    });
    const [sum, mean, kept4] = compute([x], (a) => [
      tf.sum(a, axis),
      tf.mean(a, axis),
      tf.sum(a, axis, true),
    ]);
    const count = x.values.length / sums.length;
    expect(distance(sums, sum)).toBeLessThan(1e-6);
    expect(distance(sums, kept4)).toBeLessThan(1e-6);
    expect(
      distance(
        sums.map((value) => value / count),
        mean,
      ),
    ).toBeLessThan(1e-6);
  });

  it('sums of nothing are zero and NaN stays', () => {
    const [none, whole, rows] = tf.tidy(() => [
      tf.sum(tf.zeros([0, 3]), 0).dataSync(),
      tf
        .sum(
          tf.tensor2d([
            [1, Number.NaN],
            [2, 3],
          ]),
        )
        .dataSync(),
      tf
        .sum(
          tf.tensor2d([
            [1, Number.NaN],
            [2, 3],
          ]),
          1,
        )
        .dataSync(),
    ]);
    expect([...none]).toEqual([0, 0, 0]);
    expect(whole[0]).toBeNaN();
    expect([...rows]).toEqual([Number.NaN, 5]);
  });
});
