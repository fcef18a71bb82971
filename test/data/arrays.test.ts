import {
  encodePng,
  FlowError,
  gatherRows,
  RandomStream,
  reduceBits,
  shuffleSplit,
  writeNpy,
  writeNpz,
} from 'tfjs-flows';
import { describe, expect, it } from 'vitest';

describe('reduceBits', () => {
  it('takes the floor of x / 2^(from - to), and keeps the kind of array', () => {
    const levels = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(reduceBits(levels, 8, 5)).toEqual(levels.map((x) => x >> 3));
    expect(reduceBits(levels, 8, 8)).toEqual(levels);
    expect(reduceBits(Float32Array.of(65535), 16, 1)).toEqual(Float32Array.of(1));
  });

  it.each([
    [[3, 256], 'reduceBits: expected levels 0..255, got 256 at index 1.'],
    [[-1], 'got -1 at index 0'],
    [[0.5], 'got 0.5 at index 0'],
    [[Number.NaN], 'got NaN at index 0'],
  ])('refuses %s', (values, message) => {
    expect(() => reduceBits(Float32Array.from(values), 8, 5)).toThrow(message);
  });

  it('refuses more bits than there are', () => {
    expect(() => reduceBits(new Uint8Array(1), 5, 8)).toThrow('from to be an integer >= 8, got 5');
  });
});

describe('shuffleSplit', () => {
  it('gives disjoint sets of the sizes asked for, the same for the same seed', () => {
    const [train, test] = shuffleSplit(10, [6, 3], new RandomStream(4));
    expect([train.length, test.length]).toEqual([6, 3]);
    expect(new Set([...train, ...test]).size).toBe(9);
    expect(shuffleSplit(10, [6, 3], new RandomStream(4))).toEqual([train, test]);
    expect(shuffleSplit(10, [6, 3], new RandomStream(5))).not.toEqual([train, test]);
  });

  it('refuses more than there is', () => {
    expect(() => shuffleSplit(4, [3, 2], new RandomStream(1))).toThrow('sizes that sum to at most 4, got 5');
  });
});

describe('gatherRows', () => {
  it('copies the rows asked for', () => {
    const array = { shape: [3, 2], data: Float64Array.of(0, 1, 10, 11, 20, 21) };
    const rows = gatherRows(array, [2, 0, 2]);
    expect(rows).toEqual({ shape: [3, 2], data: Float64Array.of(20, 21, 0, 1, 20, 21) });
    rows.data[0] = 99;
    expect(array.data[4]).toBe(20);
  });

  it.each([-1, 3, 0.5])('refuses row %d', (row) => {
    const array = { shape: [3], data: Float32Array.of(1, 2, 3) };
    expect(() => gatherRows(array, [row])).toThrow('gatherRows: expected rows in 0..2');
  });
});

describe('what is no array', () => {
  const array = { shape: [2], data: Float32Array.of(1, 2) };
  const random = new RandomStream(1);
  it.each<[string, () => unknown, RegExp]>([
    ['gatherRows of nothing', () => gatherRows(undefined as never, [0]), /\{ shape, data \}, got a missing/],
    ['gatherRows of no rows', () => gatherRows(array, undefined as never), /rows, got a missing value/],
    [
      'writeNpz of numbers',
      () => writeNpz({ x: array.data as never }),
      /\{ shape, data \}, got a Float32Array/,
    ],
    ['writeNpy of a list', () => writeNpy([1, 2] as never), /\{ shape, data \}, got an array of 2/],
    ['reduceBits of an array', () => reduceBits(array as never, 8, 5), /levels in an array, got an object/],
    ['shuffleSplit by a number', () => shuffleSplit(4, 2 as never, random), /a list of sizes, got 2/],
    [
      'shuffleSplit by a seed',
      () => shuffleSplit(4, [2], 7 as never),
      /a RandomStream .*, got 7.*RandomStream\(seed\)/,
    ],
    [
      'encodePng of a shape',
      () => encodePng({ width: 2, height: 1, channels: 1 } as never),
      /got no values for 2 x 1 x 1/,
    ],
  ])('%s says so', (_, attempt, message) => {
    expect(attempt).toThrow(FlowError);
    expect(attempt).toThrow(message);
  });
});
