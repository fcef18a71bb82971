import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { DataError, Matrix, ShapeError } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { meanOfRows, selectRows, toLabeled, toLatents, toVector } from '../../src/attributes/latents';

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
    expect(() => toLatents('f', [[1]], 2)).toThrow('f: expected at least 2 samples, got 1');
    expect(() => toLatents('f', { data: [1, 2, 3], shape: [2, 2] })).toThrow(ShapeError);
    expect(() => toLatents('f', tf.zeros([2, 2, 1]) as never)).toThrow('Flatten every sample');
    expect(() => toVector('f', [1, Number.POSITIVE_INFINITY])).toThrow('at index 1');
    expect(() => toVector('f', [1], 2)).toThrow(ShapeError);
  });

  it('groups by subclass, whether labels are numbers or strings', () => {
    const z = [[0], [1], [2], [4]];
    const byNumber = toLabeled('f', { z, subclass: Int32Array.of(10, 9, 10, 9), attributes: z });
    expect(byNumber.names).toEqual([9, 10]);
    expect([...byNumber.subclass]).toEqual([1, 0, 1, 0]);
    expect(byNumber.groups.map((rows) => [...rows])).toEqual([
      [1, 3],
      [0, 2],
    ]);
    const byString = toLabeled('f', { z, subclass: ['cow', 'dog', 'cow', 'cow'] });
    expect(byString.names).toEqual(['cow', 'dog']);
    expect([...meanOfRows('f', byString.z, byString.groups[0])]).toEqual([2]);
    expect([...selectRows(byString.z, [3, 0]).data]).toEqual([4, 0]);
  });

  it('refuses labels that do not fit', () => {
    expect(() => toLabeled('f', { z: [[1], [2]], subclass: [1] })).toThrow('2 subclass labels');
    expect(() => toLabeled('f', { z: [[1]], subclass: [Number.NaN] })).toThrow('NaN in row 0');
    expect(() => toLabeled('f', { z: [[1]], subclass: [1] }, 2)).toThrow('at least 2 subclasses');
    expect(() => toLabeled('f', { z: [[1], [2]], subclass: [1, 1], attributes: [[1]] })).toThrow(ShapeError);
    expect(() => meanOfRows('f', Matrix.zeros(2, 1), [])).toThrow('an empty group');
  });
});
