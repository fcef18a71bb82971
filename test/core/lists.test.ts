import { describe, expect, it } from 'vitest';
import { append, largest, smallest } from '../../src/core/lists';

describe('lists as long as data', () => {
  const long = Float64Array.from({ length: 500_000 }, (_, i) => i - 7);

  it('have extremes, as Math.max and Math.min of few values', () => {
    expect([largest(long), smallest(long)]).toEqual([499_992, -7]);
    expect([largest([]), largest([], 3), smallest([]), smallest([4], 3)]).toEqual([
      -Infinity,
      3,
      Infinity,
      3,
    ]);
    expect([largest([1, Number.NaN, 2]), smallest([1, Number.NaN, 2])]).toEqual([Number.NaN, Number.NaN]);
  });

  it('are put behind others', () => {
    const list = [1];
    append(list, long);
    expect([list.length, list[1], list.at(-1)]).toEqual([500_001, -7, 499_992]);
  });
});
