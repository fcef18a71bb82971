import { DataError, RandomStream, twoSampleDistances } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { expectClose, golden } from '../support/golden';

describe('distances between two samples', () => {
  it('agree with scipy (1e-12: float64 sums of 40 terms)', () => {
    const { x, y, wasserstein1, energyScipy, ks } = golden.twoSample;
    const distances = twoSampleDistances(x, y);
    expectClose(distances.wasserstein1, wasserstein1, 1e-12);
    expectClose(distances.energy, energyScipy, 1e-12);
    expectClose(distances.kolmogorovSmirnov, ks, 1e-12);
  });

  it('are 0 for the same values, symmetric, and shift by the shift', () => {
    const x = new RandomStream(1).normalArray(30);
    const shifted = x.map((value) => value + 2);
    expect(twoSampleDistances(x, [...x, ...x])).toEqual({ wasserstein1: 0, energy: 0, kolmogorovSmirnov: 0 });
    expect(twoSampleDistances(x, shifted)).toEqual(twoSampleDistances(shifted, x));
    expectClose(twoSampleDistances(x, shifted).wasserstein1, 2, 1e-12);
  });

  it('refuse an empty sample', () => {
    expect(() => twoSampleDistances([], [1])).toThrow(DataError);
  });
});
