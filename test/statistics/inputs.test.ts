import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { DataError, Matrix, ShapeError } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { toColumns, toLatents, toVector } from '../../src/statistics/inputs';
import { meanOfRows, selectRows } from '../../src/statistics/rows';

describe('latents as a matrix', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('reads tensors, rows, shaped arrays and matrices alike, and leaves the tensor to its owner', () => {
    const tensor = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    const before = tf.memory().numTensors;
    const inputs = [
      tensor,
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] as const },
      new Matrix(Float64Array.of(1, 2, 3, 4, 5, 6), 2, 3),
    ];
    for (const input of inputs) {
      const matrix = toLatents('test', input);
      expect([matrix.rows, matrix.cols]).toEqual([2, 3]);
      expect([...matrix.data]).toEqual([1, 2, 3, 4, 5, 6]);
    }
    expect([...toVector('test', tf.tensor1d([1, 2]))]).toEqual([1, 2]);
    expect(tf.memory().numTensors).toBe(before + 1);
  });

  it('names the place of what is not usable', () => {
    expect(() =>
      toLatents('f', [
        [1, 2],
        [Number.NaN, 4],
      ]),
    ).toThrow('NaN in row 1, column 0');
    expect(() => toLatents('f', [[1, 2], [3]])).toThrow(ShapeError);
    expect(() => toLatents('f', [])).toThrow(DataError);
    expect(() =>
      toLatents('f', [
        [1, 2],
        [3, 4],
        [5, Number.NaN],
      ]),
    ).toThrow('NaN in row 2, column 1');
    expect(() => toLatents('f', { data: [1, 2, 3, 4, 5], shape: [2, 2] })).toThrow('2 x 2 values, got 5');
    expect(() => toLatents('f', [[], []])).toThrow('at least one value per sample');
    expect(() => toLatents('f', [[1]], 2)).toThrow('f: expected at least 2 samples, got 1');
    expect(() => toLatents('f', { data: [1, 2, 3], shape: [2, 2] })).toThrow(ShapeError);
    expect(() => toLatents('f', tf.zeros([2, 2, 1]) as never)).toThrow('Flatten every sample');
    expect(() => toVector('f', [1, Number.POSITIVE_INFINITY])).toThrow('at index 1');
    expect(() => toVector('f', [1], 2)).toThrow(ShapeError);
  });

  it('reads a flat list as one column where one value per sample may come', () => {
    for (const input of [[1, 2, 3], Float32Array.of(1, 2, 3), tf.tensor1d([1, 2, 3]), [[1], [2], [3]]]) {
      const matrix = toColumns('f', input);
      expect([matrix.rows, matrix.cols]).toEqual([3, 1]);
      expect([...matrix.data]).toEqual([1, 2, 3]);
    }
  });

  it('takes rows out and their means', () => {
    const z = toLatents('f', [[0], [1], [2], [4]]);
    expect([...meanOfRows('f', z, [0, 2, 3])]).toEqual([2]);
    expect([...selectRows(z, [3, 0]).data]).toEqual([4, 0]);
    expect(() => meanOfRows('f', z, [])).toThrow('an empty group');
  });
});
