import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type ContextOption,
  checkContext,
  contextShapeOf,
  contextTensors,
  mapContext,
  mergeContextShapes,
  partOf,
  showContext,
} from '../../src/core/context';
import { ConfigError, ShapeError } from '../../src/core/errors';

beforeAll(() => tf.setBackend('cpu'));

describe('contexts declared', () => {
  it('a number, a shape, or either by name', () => {
    expect(contextShapeOf('f', undefined)).toBeUndefined();
    expect(contextShapeOf('f', 1)).toEqual([1]);
    expect(contextShapeOf('f', 3)).toEqual([3]);
    expect(contextShapeOf('f', [8, 8, 1])).toEqual([8, 8, 1]);
    expect(contextShapeOf('f', { pose: 3, photo: [4, 4, 1] })).toEqual({ pose: [3], photo: [4, 4, 1] });
  });

  it.each([0, -1, 1.5, [], [2, 0], {}, { pose: 0 }, { pose: Number.NaN }])('refuses %j', (option) => {
    expect(() => contextShapeOf('f', option as ContextOption)).toThrow(ConfigError);
  });

  it('members that agree are one, parts with names add up', () => {
    expect(mergeContextShapes('f', [undefined, [3], undefined, [3]])).toEqual([3]);
    expect(mergeContextShapes('f', [{ a: [1] }, { b: [2] }, { a: [1] }])).toEqual({ a: [1], b: [2] });
    expect(mergeContextShapes('f', [undefined, undefined])).toBeUndefined();
  });

  it.each([
    [[[3], [4]], 'Give each part a name'],
    [[[3], { a: [3] }], 'Give each part a name'],
    [[{ a: [3] }, { a: [4] }], '{ a: [3] }, got { a: [4] }'],
  ] as const)('%j do not go together', (shapes, message) => {
    expect(() => mergeContextShapes('f', shapes as never)).toThrow(ConfigError);
    expect(() => mergeContextShapes('f', shapes as never)).toThrow(message);
  });

  it('is shown as it is written', () => {
    expect(showContext(undefined)).toBe('no context');
    expect(showContext([3])).toBe('[3]');
    expect(showContext({ a: [3], b: [2, 2, 1] })).toBe('{ a: [3], b: [2, 2, 1] }');
  });
});

describe('contexts given', () => {
  it('a member gets its own part, and the same tensors', () => {
    const [a, b] = [tf.zeros([2, 3]), tf.zeros([2, 1])];
    expect(partOf({ a, b }, { b: [1] })).toEqual({ b });
    expect(partOf(a, [3])).toBe(a);
    expect(partOf(a, undefined)).toBeUndefined();
    expect(contextTensors({ a, b })).toEqual([a, b]);
    expect(contextTensors(a)).toEqual([a]);
    expect(contextTensors(undefined)).toEqual([]);
    expect(mapContext({ a, b }, (_, name) => (name === 'a' ? b : a))).toEqual({ a: b, b: a });
    expect(mapContext(a, () => b)).toBe(b);
    expect(mapContext(undefined, () => b)).toBeUndefined();
  });

  const [two, three] = [() => tf.zeros([2, 3]), () => tf.zeros([3, 3])];
  it.each<[string, () => never, unknown, string]>([
    ['missing', () => undefined as never, [3], 'expected a context [3] for 2 examples, got none.'],
    ['unwanted', () => two() as never, undefined, 'expected no context, got one.'],
    ['of other examples', () => three() as never, [3], 'expected a context [2, 3], got [3, 3].'],
    ['of another length', () => two() as never, [4], 'expected a context [2, 4], got [2, 3].'],
    ['without names', () => two() as never, { a: [3] }, 'got a tensor [2,3].'],
    ['with names', () => ({ a: two() }) as never, [3], 'got parts with names.'],
    ['without a part', () => ({ a: two() }) as never, { a: [3], b: [1] }, "got none for 'b'."],
    ['with a part too many', () => ({ a: two(), c: two() }) as never, { a: [3] }, "got a part 'c'."],
    [
      'with a part misshapen',
      () => ({ a: two() }) as never,
      { a: [2] },
      "a context [2, 2] for 'a', got [2, 3].",
    ],
  ])('a context %s is a ShapeError', (_, context, shape, message) => {
    expect(() => checkContext('f', context(), shape as never, 2)).toThrow(ShapeError);
    expect(() => checkContext('f', context(), shape as never, 2)).toThrow(message);
  });

  it('what fits passes', () => {
    expect(() => checkContext('f', undefined, undefined, 2)).not.toThrow();
    expect(() => checkContext('f', two(), [3], 2)).not.toThrow();
    expect(() => checkContext('f', { a: two(), b: three() }, { a: [3], b: [3] }, 2)).toThrow("for 'b'");
    expect(() => checkContext('f', { b: two(), a: two() }, { a: [3], b: [3] }, 2)).not.toThrow();
  });
});
