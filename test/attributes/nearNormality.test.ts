import { DataError, Matrix, RandomStream } from 'tfjs-flows';
import { mixedNormality } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';
import { type Design, verdicts } from '../../bench/attributes/nearNormal';
import { normalQuantile } from '../../src/statistics/special';

const REPEATS = 40;
const ofSize = (subclasses: number, size: number, between = 0): Design => ({ subclasses, size, between });

describe('nearNormal', () => {
  // 40 populations at 5 %: 7 or more has probability .003.
  it.each<[Parameters<typeof verdicts>[0], Design]>([
    ['skew-normal, skewness 0.6', ofSize(5, 2)],
    ['skew-normal, skewness 0.6', ofSize(10, 3)],
    ['skew-normal, skewness 0.6', ofSize(20, 10)],
    ['gamma, skewness 1', ofSize(20, 3, 0.5)],
    ['exponential', ofSize(5, 2)],
    ['exponential', { ...ofSize(5, 40, 0.5), onlyMeans: true }],
    ['two humps', ofSize(5, 2)],
    ['uniform', ofSize(10, 3)],
  ])('is not granted to %s, %o', (family, design) => {
    expect(verdicts(family, design, REPEATS).supported).toBeLessThan(7 / REPEATS);
  });

  it('is granted to normal samples where there are enough of them, and not refuted at any number', () => {
    for (const [design, least] of [
      [ofSize(5, 2), 0],
      [ofSize(20, 10), 0],
      [ofSize(20, 100), 0.8],
      [ofSize(10, 8, 0.5), 0],
    ] as const) {
      const shares = verdicts('normal', design, REPEATS);
      expect(shares.supported).toBeGreaterThanOrEqual(least);
      expect(shares['not supported']).toBeLessThan(7 / REPEATS);
    }
  });

  it('has one answer for one population: a verdict at many samples is that or undecided at few', () => {
    const at = (family: Parameters<typeof verdicts>[0], sizes: number[]) =>
      sizes.map((size) => verdicts(family, ofSize(10, size), 12));
    for (const shares of at('exponential', [3, 20, 100])) expect(shares.supported).toBe(0);
    expect(at('exponential', [100])[0]['not supported']).toBe(1);
    expect(at('skew-normal, skewness 0.6', [100])[0]['not supported']).toBeGreaterThan(0.8);
  });

  it('of several columns needs all, and is refuted by one of them', () => {
    const random = new RandomStream(5);
    const rows = (last: () => number) => ({
      z: Matrix.fromRows(
        Array.from({ length: 2500 }, () => [random.normalNumber(), random.normalNumber(), last()]),
      ),
      subclass: Array.from({ length: 2500 }, (_, i) => i % 5),
    });
    const quick = { replicates: 19, mixtures: 2, counts: [1, 5] };
    const all = mixedNormality(
      rows(() => random.normalNumber()),
      quick,
    );
    expect(all.views.map(({ nearNormal }) => nearNormal)).toEqual(new Array(3).fill('supported'));
    expect(all.nearNormal).toBe('supported');
    const one = mixedNormality(
      rows(() => random.normalNumber() ** 2),
      quick,
    );
    expect(one.views.map(({ nearNormal }) => nearNormal)).toEqual([
      'supported',
      'supported',
      'not supported',
    ]);
    expect(one.nearNormal).toBe('not supported');
    expect(one.distance).toEqual(one.views[2].distance);
    expect(one.statements.nearNormal.because).toContain('in the farthest of 3 views');
  });

  it('takes an attribute that was made normal by its ranks for near normal', () => {
    const random = new RandomStream(1);
    const z = Float64Array.from({ length: 3000 }, (_, i) => normalQuantile((i + 0.5) / 3000));
    const order = random.permutation(3000);
    const labeled = { z: z.map((_, i) => z[order[i]]), subclass: Array.from(z, (_, i) => i % 6) };
    const report = mixedNormality(labeled, { replicates: 19, mixtures: 2, counts: [1, 6] });
    expect(report.nearNormal).toBe('supported');
    expect(report.distance).toMatchObject({ value: 0, low: 0 });
  });
});

describe('what three samples a class allow', () => {
  const random = new RandomStream(2);
  const data = (classes: number, size: number) => ({
    z: random.normalArray(classes * size),
    subclass: Array.from({ length: classes * size }, (_, i) => `class ${i % classes}`),
  });
  const quick = { replicates: 19, mixtures: 2 };

  it.each<[number, number, number, number[]]>([
    [10, 3, 12, [4, 5, 7, 10]],
    [20, 8, 24, [3, 5, 7, 10, 15, 20]],
    [5, 3, 9, [3, 5]],
    [2, 4, 8, [2]],
    [12, 1, 12, [12]],
    [3, 8, 8, [1, 2, 3]],
    [250, 2, 250, [125, 250]],
  ])('%i classes of %i: mixtures of %i samples', (classes, size, n, counts) => {
    const report = mixedNormality(data(classes, size), quick);
    expect(report.n).toBe(n);
    expect(report.curve.map(({ subclasses }) => subclasses)).toEqual(counts);
    const told = report.notes.filter((note) => /subclasses/.test(note) && note.includes('class 0'));
    expect(told).toHaveLength(counts[0] === 1 ? 0 : 1);
    if (counts[0] > 1) expect(told[0]).toContain(`the smallest subclass, class 0, has ${size}`);
    expect(report.distance.low).toBeLessThanOrEqual(report.distance.high);
  });

  it('leaves constant columns out by name; only nothing else is an error', () => {
    const { z, subclass } = data(4, 10);
    const rows = Array.from(z, (value, i) => [7, value, 7, i % 3]);
    const report = mixedNormality({ z: rows, subclass }, quick);
    expect(report.views.map(({ name }) => name)).toEqual(['coordinate 1', 'coordinate 3']);
    expect(report.notes).toContain('[coordinate 0, coordinate 2] are constant and were left out.');
    expect(() => mixedNormality({ z: z.map(() => 7), subclass }, quick)).toThrow(DataError);
    expect(() => mixedNormality({ z: rows, subclass }, { ...quick, along: [1, 0, 0, 0] })).toThrow(
      'values that vary, got constant position along the direction',
    );
  });

  it('says how many of many rows it looked at', () => {
    const report = mixedNormality(data(5, 1200), { ...quick, counts: [1, 5] });
    expect(report.notes.join()).toContain('4440 of 6000 samples');
    expect(report.nearNormal).toBe('supported');
  });

  it('prints its verdicts, figures and notes in a few lines', () => {
    const text = String(mixedNormality(data(10, 3), quick));
    expect(text).toMatch(/^Mixture of 10 subclasses, \[coordinate 0\]: near normal undecided, mixing helps /);
    expect(text).toContain('Mixtures start at 4 subclasses');
    expect(text.split('\n').length).toBeLessThan(10);
  });
});
