import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/core/errors';
import { checkFinite32, checkFloat32 } from '../../src/core/hostValues';

describe('checkFinite32', () => {
  const look = (values: Float64Array | Float32Array, shape: number[]) => () =>
    checkFinite32('f', 'x', { values, count: values.length, shape, dtype: 'float32' }, 'Clean it.');

  it.each<[number[], number[], string]>([
    [[1, Number.NaN], [], 'f: expected finite values, got NaN at index 1 of x. Clean it.'],
    [
      [1, 2, 3, -Infinity],
      [2],
      'f: expected finite values, got -Infinity in row 1, column 1 of x. Clean it.',
    ],
    [[0, 0, 0, 0, 0, 0, Number.NaN, 0], [1, 2, 2], 'got NaN at [1, 0, 1, 0] of x'],
  ])('says where of %j', (values, shape, message) => {
    expect(look(Float64Array.from(values), shape)).toThrow(DataError);
    expect(look(Float64Array.from(values), shape)).toThrow(message);
  });

  it('counts what float32 makes infinite, with another remedy', () => {
    expect(look(Float64Array.of(1, 3.5e38), [])).toThrow(
      'got 3.5e+38 at index 1 of x. float32 holds values up to 3.4e38.',
    );
    expect(look(Float64Array.of(3.4e38, -3.4e38, 1e-320), [])).not.toThrow();
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
