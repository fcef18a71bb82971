/** 200,000 samples: no list may be spread into the arguments of a call, nor a function call itself once per sample. */
import {
  benjaminiHochberg,
  fitPrior,
  holm,
  kolmogorovSmirnov,
  manipulate,
  mixedNormality,
  normality,
  RandomStream,
  transferPairs,
  twoSampleDistances,
  zDelta,
} from 'tfjs-flows';
import { describe, expect, it } from 'vitest';

const n = 200_000;
const random = new RandomStream(5);
const z = random.normalArray(n);
const attributes = z.map((value) => value + 0.5 * random.normalNumber());
const classes = 100;
const labeled = { z, subclass: Int32Array.from({ length: n }, (_, i) => i % classes), attributes };

describe('200,000 samples', () => {
  it.each<[string, () => unknown]>([
    ['fitPrior', () => fitPrior(labeled, { withinWeight: 4 })],
    ['zDelta', () => zDelta(labeled, { mode: 'slope' })],
    ['zDelta by thirds', () => zDelta(labeled, { mode: 'tercile' })],
    [
      'mixedNormality',
      () => mixedNormality(labeled, { n: 100, counts: [1, classes], replicates: 20, mixtures: 2 }),
    ],
    [
      'manipulate',
      () =>
        manipulate(
          Array.from(z, (value) => [value]),
          [1],
          [1],
        ),
    ],
    ['transferPairs', () => transferPairs([[0]], labeled, { count: 2 })],
    ['normality', () => normality(z, { tests: ['andersonDarling'] })],
    ['kolmogorovSmirnov', () => kolmogorovSmirnov(z, { mean: 0.1, standardDeviation: 1 })],
    ['holm', () => holm(z.map((value) => 1 / (1 + value * value)))],
    ['benjaminiHochberg', () => benjaminiHochberg(z.map((value) => 1 / (1 + value * value)))],
    ['twoSampleDistances', () => twoSampleDistances(z, attributes)],
  ])('%s', (_, call) => {
    expect(call).not.toThrow();
  });
});

describe('100,000 subclasses of two samples', () => {
  const many = { z, subclass: Int32Array.from({ length: n }, (_, i) => i >> 1), attributes };

  it.each<[string, () => unknown]>([
    ['zDelta', () => zDelta(many, { mode: 'slope' })],
    ['transferPairs', () => transferPairs([[0]], many, { count: 2 })],
  ])('%s', (_, call) => {
    expect(call).not.toThrow();
  });
});
