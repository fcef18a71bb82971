import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import { ConfigError, DataError, ShapeError } from '../../src/core/errors';
import {
  checkBatch,
  checkChoice,
  checkEventShape,
  checkFinite,
  checkInteger,
  isBatchOf,
  sameShape,
} from '../../src/core/shapes';

describe('shapes', () => {
  it.each([
    [[2, 3], [2, 3], true],
    [[2, 3], [3, 2], false],
    [[3, 2], [2, 2], false],
    [[2], [2, 3], false],
    [[2, 3], [2], false],
    [[], [], true],
  ])('%j and %j are the same: %s', (a, b, same) => {
    expect(sameShape(a, b)).toBe(same);
  });

  it.each([
    [[5, 2, 3], true],
    [[0, 2, 3], true],
    [[2, 3], false],
    [[5, 2, 3, 1], false],
    [[5, 3, 2], false],
  ])('a tensor %j is a batch of [2, 3]: %s', (shape, batch) => {
    const x = tf.zeros(shape);
    expect(isBatchOf(x, [2, 3])).toBe(batch);
    const check = () => checkBatch('Here', x, [2, 3], 'A hint.');
    if (batch) expect(check).not.toThrow();
    else {
      expect(check).toThrow(ShapeError);
      expect(check).toThrow(`Here: expected [batch, 2, 3], got [${shape.join(', ')}]. A hint.`);
    }
    x.dispose();
  });

  it.each([
    [3, true],
    [2, true],
    [1, false],
    [2.5, false],
    [Number.NaN, false],
    [Number.POSITIVE_INFINITY, false],
    ['3', false],
    [null, false],
  ])('checkInteger takes %s as an integer >= 2: %s', (value, taken) => {
    const check = () => checkInteger('Here', 'count', value as number, 2);
    if (taken) expect(check).not.toThrow();
    else expect(check).toThrow(new ConfigError(`Here: expected count to be an integer >= 2, got ${value}.`));
  });

  it('checkInteger begins at 1 where nothing is said', () => {
    expect(() => checkInteger('Here', 'count', 1)).not.toThrow();
    expect(() => checkInteger('Here', 'count', 0)).toThrow(ConfigError);
  });

  it.each(['c', 1, undefined, null])('checkChoice refuses %s', (value) => {
    expect(() => checkChoice('Here', 'kind', 'a', ['a', 'b'])).not.toThrow();
    expect(() => checkChoice('Here', 'kind', value, ['a', 'b'])).toThrow(
      new ConfigError(`Here: expected kind to be one of a, b, got ${value}.`),
    );
  });

  it.each([
    [[4], true],
    [[4, 4, 3], true],
    [[4, 4], false],
    [[0], false],
    [[4, 4, 0], false],
    [[2.5], false],
    [[], false],
    [4, false],
    ['4', false],
  ])('checkEventShape takes %j as [d] or [h, w, c]: %s', (shape, taken) => {
    const check = () => checkEventShape('Here', shape as number[], [1, 3]);
    if (taken) expect(check).not.toThrow();
    else {
      expect(check).toThrow(ConfigError);
      expect(check).toThrow('Here: expected inputShape [d] or [h, w, c] of positive integers, got ');
    }
  });

  it.each([
    [[0, -1, 1e300], undefined],
    [[0, Number.NaN, Number.NaN], 'NaN at index 1'],
    [[0, 1, Number.NEGATIVE_INFINITY], '-Infinity at index 2'],
  ])('checkFinite of %j names the first that is not: %s', (values, received) => {
    const check = () => checkFinite('Here', values, 'A hint.');
    if (received === undefined) expect(check).not.toThrow();
    else expect(check).toThrow(new DataError(`Here: expected finite values, got ${received}. A hint.`));
  });
});
