import { describe, expect, it } from 'vitest';
import { ConfigError, DataError, ShapeError } from '../../src/core/errors';
import { allFinite, checkFloat32, readArray, readRows, toFloat64 } from '../../src/core/numbers';

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

describe('checkFloat32', () => {
  const columnOf = (values: number[]) => ({
    values: Float64Array.from(values.flatMap((value, i) => [value, Math.sin(i)])),
    count: values.length,
    shape: [2],
    dtype: 'float32' as const,
  });
  const look = (values: number[]) => () => checkFloat32('f', 'x', columnOf(values));

  it('names the column whose values float32 cannot tell apart, and the remedy', () => {
    const stamps = Array.from({ length: 256 }, (_, i) => 1.7e12 + 1000 * ((i * 37) % 256));
    expect(look(stamps)).toThrow(DataError);
    expect(look(stamps)).toThrow(
      /256 distinct values of which float32 tells \d+ apart, in column 0\. Subtract its mean and divide by its deviation/,
    );
    expect(look(Array.from({ length: 44 }, (_, i) => 123_456_789 + ((i * 7) % 44)))).toThrow('in column 0');
  });

  it('looks at every column, and asks for most of the values', () => {
    const stamps = Array.from({ length: 60 }, (_, i) => 1.7e12 + 1000 * i);
    const values = Float64Array.from(stamps.flatMap((stamp, i) => [Math.sin(i), stamp]));
    const look = (count: number, shape: number[]) => () =>
      checkFloat32('f', 'x', { values, count, shape, dtype: 'float32' });
    expect(look(60, [2])).toThrow('in column 1');
    // float32 has steps of 128 there: half of these are left, which is too few, and nine of ten below are enough.
    const kept = (share: number) =>
      Array.from(
        { length: 100 },
        (_, i) => 2 ** 30 + 128 * (i < 100 * share ? i : 0) + (i < 100 * share ? 0 : i / 4),
      );
    expect(() => checkFloat32('f', 'x', columnOf(kept(0.5)))).toThrow('in column 0');
    expect(() => checkFloat32('f', 'x', columnOf(kept(0.9)))).not.toThrow();
  });

  it('takes what survives: standard values, large ones that differ enough, constants', () => {
    expect(look(Array.from({ length: 500 }, (_, i) => Math.cos(i)))).not.toThrow();
    expect(look(Array.from({ length: 500 }, (_, i) => 1.7e12 + 1e9 * i))).not.toThrow();
    expect(look(new Array<number>(50).fill(123.4))).not.toThrow();
  });

  it('looks at whole numbers of 32 bits too, and not at what float32 holds anyway', () => {
    const values = Int32Array.from({ length: 100 }, (_, i) => 2 ** 30 + i);
    expect(() => checkFloat32('f', 'x', { values, count: 100, shape: [1], dtype: 'int32' })).toThrow(
      DataError,
    );
    const unsigned = Uint32Array.from(values);
    expect(() =>
      checkFloat32('f', 'x', { values: unsigned, count: 100, shape: [1], dtype: 'int32' }),
    ).toThrow(DataError);
    const floats = Float32Array.from(values);
    expect(() =>
      checkFloat32('f', 'x', { values: floats, count: 100, shape: [1], dtype: 'float32' }),
    ).not.toThrow();
  });

  it('finds a loss in the last of many rows', () => {
    const values = Array.from({ length: 20_000 }, (_, i) => 1e9 + (i % 64));
    expect(look(values)).toThrow('in column 0');
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
