import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { enter } from '../../src/core/door';
import { ShapeError } from '../../src/core/errors';
import { leavesNoTensors } from '../support/leaks';

beforeAll(() => tf.setBackend('cpu'));

describe('the door of modules', () => {
  it.each(['int32', 'bool'] as const)(
    'hands %s on as float32, the context too, and frees what it made',
    (dtype) =>
      leavesNoTensors(() => {
        const x = tf.tensor2d([[1, 0]], [1, 2], dtype);
        const context = { b: tf.ones([1, 1], dtype), a: tf.zeros([1, 3], dtype), other: tf.ones([1, 1]) };
        const { a, b } = context;
        const sum = enter(
          'f',
          x,
          { b, a },
          { shape: [2], contextShape: { a: [3], b: [1] } },
          (given, parts) => {
            expect(given.dtype).toBe('float32');
            expect(Object.entries(parts as object).map(([name, part]) => [name, part.dtype])).toEqual([
              ['a', 'float32'],
              ['b', 'float32'],
            ]);
            return tf.sum(given);
          },
        );
        expect(sum.dataSync()[0]).toBe(1);
        tf.dispose([x, context, sum]);
      }),
  );

  it('refuses what is no tensor, texts, other shapes and other contexts before the hook runs', () => {
    const hook = (): never => {
      throw new RangeError('ran');
    };
    const expected = { shape: [2], contextShape: [3], hint: (shape: readonly number[]) => `Not ${shape}.` };
    const x = tf.zeros([4, 2]);
    const context = tf.zeros([4, 3]);
    const at =
      (value: unknown, given: unknown = context) =>
      () =>
        enter('f', value as tf.Tensor, given as tf.Tensor, expected, hook);
    expect(at([[1, 2]])).toThrow(new ShapeError('f: expected a tensor [batch, 2], got an array.'));
    expect(at(undefined)).toThrow(new ShapeError('f: expected a tensor [batch, 2], got undefined.'));
    expect(at(tf.zeros([4, 5]))).toThrow(new ShapeError('f: expected [batch, 2], got [4, 5]. Not 5.'));
    expect(at(tf.fill([4, 2], 'x' as never, 'string'))).toThrow(ShapeError);
    expect(at(x, null)).toThrow(ShapeError);
    expect(at(x, tf.zeros([3, 3]))).toThrow(ShapeError);
    expect(at(x)).toThrow('ran');
  });
});
