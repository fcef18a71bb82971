import { describe, expect, it } from 'vitest';
import { ConfigError, DataError, ShapeError } from '../../src/core/errors';
import { allFinite, readArray, readRows, toFloat64 } from '../../src/core/numbers';

const missing: [unknown, string][] = [
  [null, 'a missing value (null)'],
  [undefined, 'a missing value (undefined)'],
  ['', "a missing value ('')"],
  ['NA', "the text 'NA'"],
  ['1.5', "the text '1.5'"],
  [2n ** 60n + 1n, '1152921504606846977n'],
  [{ a: 1 }, 'an object { a }'],
  [{ a: 1, b: 2, c: 3, d: 4, e: 5 }, 'an object { a, b, c, d, ... }'],
  [{}, 'an object without values'],
  [() => 1, 'a function'],
  [Promise.resolve(1), 'a Promise'],
];

describe('numbers from outside', () => {
  it.each(missing)('%s is refused with its place', (value, shown) => {
    expect(() => toFloat64('f', 'x', [1, value])).toThrow(DataError);
    expect(() => toFloat64('f', 'x', [1, value])).toThrow(
      `f: expected numbers in x, got ${shown} at index 1.`,
    );
    expect(() =>
      readRows('f', 'x', [
        [1, 2],
        [3, value],
      ]),
    ).toThrow(`got ${shown} in row 1, column 1.`);
    expect(() => readArray('f', 'x', [[[1]], [[value]]])).toThrow(`got ${shown} at [1, 0, 0].`);
  });

  it('takes numbers, booleans, whole numbers of 64 bits, typed arrays, and rows that are typed arrays', () => {
    expect([...toFloat64('f', 'x', [1, true, 3n, false, -2.5])]).toEqual([1, 1, 3, 0, -2.5]);
    expect([...toFloat64('f', 'x', BigInt64Array.of(1n, -4n))]).toEqual([1, -4]);
    expect([...toFloat64('f', 'x', Uint8Array.of(3, 4))]).toEqual([3, 4]);
    const rows = readRows('f', 'x', [Float32Array.of(1, 2), BigInt64Array.of(3n, 4n), [5, 6]]);
    expect(rows).toEqual({ values: Float64Array.of(1, 2, 3, 4, 5, 6), rows: 3, columns: 2 });
    expect(readArray('f', 'x', [Float32Array.of(1, 2), Float32Array.of(3, 5)])).toEqual({
      values: Float64Array.of(1, 2, 3, 5),
      count: 2,
      shape: [2],
      dtype: 'float32',
    });
  });

  it('NaN is a number: whether it may stand there is for others to say', () => {
    expect(toFloat64('f', 'x', [Number.NaN])[0]).toBeNaN();
  });

  it('rows of different lengths, and rows that are none', () => {
    expect(() => readRows('f', 'x', [[1, 2], [3]])).toThrow(ShapeError);
    expect(() => readRows('f', 'x', [[1], [2, 3]])).toThrow(ShapeError);
    expect(() => readArray('f', 'x', [[1], [2, 3]])).toThrow(ShapeError);
    expect(() => readArray('f', 'x', [[1, 2], [3]])).toThrow(
      'f: expected x with rows of one length (2 values), got 1 at index 1.',
    );
    expect(() => readArray('f', 'x', [[1, 2], 3])).toThrow(
      'f: expected x as rows of numbers, got 3 in row 1.',
    );
    expect(() => readRows('f', 'x', [[1], { a: 1 }] as never)).toThrow(
      'f: expected x as rows of numbers, got an object { a } in row 1. Write rows as arrays: rows.map((row) => [row.a]).',
    );
  });

  it.each([
    [Promise.resolve([1]), 'a Promise'],
    ['data.csv', "the text 'data.csv'"],
    [undefined, 'a missing value (undefined)'],
    [7, '7'],
  ])('%s in place of data', (data, shown) => {
    expect(() => readArray('f', 'x', data)).toThrow(
      `f: expected x to be a tensor, a typed array or nested arrays, got ${shown}.`,
    );
    expect(() => toFloat64('f', 'x', data as never)).toThrow(
      `f: expected a list of numbers as x, got ${shown}.`,
    );
  });

  it('typed arrays need a shape, and whole examples', () => {
    expect(() => readArray('f', 'x', Float32Array.of(1, 2))).toThrow(ConfigError);
    expect(() => readArray('f', 'x', Float32Array.of(1, 2, 3), [2])).toThrow('whole examples of 2 values');
    expect(readArray('f', 'x', Int32Array.of(1, 2, 3, 4), [2])).toMatchObject({ count: 2, dtype: 'int32' });
    expect(readArray('f', 'x', BigInt64Array.of(1n, 2n), [1])).toMatchObject({ count: 2, dtype: 'float32' });
    expect(readArray('f', 'x', Float64Array.of(1, 2), [1])).toMatchObject({ count: 2, dtype: 'float32' });
  });

  it('flat rows take the shape beside them, nested ones have their own', () => {
    const flat = readArray('f', 'x', [[1, 2, 3, 4]], [2, 2, 1]);
    expect([flat.count, flat.shape]).toEqual([1, [2, 2, 1]]);
    expect(
      readArray(
        'f',
        'x',
        [
          [
            [1, 2],
            [3, 4],
          ],
        ],
        [4],
      ).shape,
    ).toEqual([2, 2]);
    expect(readArray('f', 'x', [[1, 2, 3]], [2, 2, 1]).shape).toEqual([3]);
    // Two rows of [2, 2], of which the first axis has as many as the shape.
    const pair = [
      [1, 2],
      [3, 4],
    ];
    expect(readArray('f', 'x', [pair, pair], [2]).shape).toEqual([2, 2]);
  });

  it('pixels of a canvas are four values each, and nothing else', () => {
    const pixels = new Uint8ClampedArray(3 * 4 * 4 * 4);
    expect(() => readArray('f', 'x', pixels, [4, 4, 3])).toThrow(DataError);
    expect(() => readArray('f', 'x', pixels, [4, 4, 3])).toThrow('RGBA pixels of a canvas');
    expect(() => readArray('f', 'x', pixels, [4, 4, 1])).toThrow('RGBA pixels of a canvas');
    expect(readArray('f', 'x', pixels, [4, 4, 4]).count).toBe(3);
  });
});

it.each([
  [[0, -1e300, 3], true],
  [[], true],
  [[0, Number.NaN], false],
  [[Number.POSITIVE_INFINITY, 0], false],
  [[0, Number.NEGATIVE_INFINITY], false],
])('%j are all finite: %s', (values, finite) => {
  expect(allFinite(values)).toBe(finite);
});
