import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { ShapeError } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { toLabeled } from '../../src/attributes/labeled';

describe('labelled samples', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
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
    expect(byString.groups.map((rows) => [...rows])).toEqual([[0, 2, 3], [1]]);
  });

  it('takes tensors, booleans and bigints as labels', () => {
    const z = [[0], [1], [2]];
    const groups = (subclass: unknown) =>
      toLabeled('f', { z, subclass: subclass as never }).groups.map((rows) => [...rows]);
    const expected = [[0, 2], [1]];
    expect(groups([1, 2, 1])).toEqual(expected);
    expect(groups(tf.tensor1d([1, 2, 1], 'int32'))).toEqual(expected);
    expect(groups(tf.tensor1d(['a', 'b', 'a']))).toEqual(expected);
    expect(groups([false, true, false])).toEqual(expected);
    expect(groups(BigInt64Array.of(1n, 2n, 1n))).toEqual(expected);
    expect(() => groups(tf.zeros([3, 1]))).toThrow('subclass labels as a tensor [n], got [3, 1]');
  });

  it('knows a misspelt field, and takes data that carry more', () => {
    const z = [[0], [1]];
    const subclass = [0, 1];
    const wrong = (labeled: object) => () => toLabeled('f', labeled as never);
    expect(wrong({ z, subclass, attribute: [1, 2] })).toThrow(
      "f: expected labelled samples { z, subclass, attributes }, got a field 'attribute'. Did you mean 'attributes'?",
    );
    expect(wrong({ latents: z, subclass })).toThrow("Did you mean 'z'?");
    expect(wrong({ z, labels: subclass })).toThrow("Did you mean 'subclass'?");
    expect(toLabeled('f', { z, subclass, path: 'faces', common: [1] } as never).names).toEqual([0, 1]);
  });

  it('refuses labels that do not fit', () => {
    expect(() => toLabeled('f', { z: [[1], [2]], subclass: [1] })).toThrow('2 subclass labels');
    expect(() => toLabeled('f', { z: [[1]], subclass: [Number.NaN] })).toThrow('NaN in row 0');
    expect(() => toLabeled('f', { z: [[1], [2]], subclass: [1, 2, 3] })).toThrow('2 subclass labels');
    expect(() => toLabeled('f', { z: [[1], [2]], subclass: ['a', ''] })).toThrow(
      "a missing value ('') in row 1",
    );
    expect(() => toLabeled('f', { z: [[1]], subclass: [1], attributes: [[1], [2]] })).toThrow(ShapeError);
    expect(() => toLabeled('f', { z: [[1]], subclass: [1] }, 2)).toThrow('at least 2 subclasses');
    expect(() => toLabeled('f', { z: [[1], [2]], subclass: [1, 1], attributes: [[1]] })).toThrow(ShapeError);
  });
});
