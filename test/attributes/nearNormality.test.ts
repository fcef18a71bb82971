import { DataError, Matrix, RandomStream } from 'tfjs-flows';
import { mixedNormality, normality } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';
import { type Design, verdicts } from '../../bench/attributes/nearNormal';
import { bendFor, bentMoments } from '../../src/attributes/mixing/departures';
import { designOf, deviationsOf, equalWeights, limitRows } from '../../src/attributes/mixing/design';
import { energyDistance, POINT_ENERGY } from '../../src/attributes/mixing/energy';
import { nearNormalityOf } from '../../src/attributes/mixing/nearNormality';
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

describe('parts of the verdict', () => {
  const random = new RandomStream(3);

  it('energyDistance is the energy of normality (1e-5), whatever place and scale; weights count as repeats', () => {
    const x = random.normalArray(60).map((value) => 5e6 + 3 * value + value ** 2);
    const { value } = normality(x, { tests: [] }).effects.energy;
    expect(energyDistance(x, null)).toBeCloseTo(value, 5);
    expect(energyDistance(x, new Float64Array(60).fill(1 / 60))).toBeCloseTo(energyDistance(x, null), 12);
    // Thrice a sample has the same distribution, and another divisor in its deviation.
    const few = random.normalArray(400);
    const weights = Float64Array.from(few, (_, i) => (i < 200 ? 3 : 1) / 800);
    const repeated = Float64Array.from([...few.slice(0, 200), ...few.slice(0, 200), ...few]);
    expect(energyDistance(few, weights)).toBeCloseTo(energyDistance(repeated, null), 4);
    expect(energyDistance(new Float64Array(5).fill(2), null)).toBe(POINT_ENERGY);
  });

  it('bends put a population at the distance asked for (5 %, as between points of a table)', () => {
    for (const [distance, share] of [
      [0.03, 1],
      [0.2, 1],
      [0.03, 0.5],
      [0.06, 0.6],
    ]) {
      const g = bendFor(distance, share) as number;
      const { mean, deviation } = bentMoments(g);
      // Quantiles of the bent part crossed with those of the rest: no chance in it.
      const count = 400;
      const normal = Float64Array.from({ length: count }, (_, i) => normalQuantile((i + 0.5) / count));
      const values = new Float64Array(count * count);
      for (let i = 0; i < count; i++) {
        const bent = (Math.sqrt(share) * (Math.exp(g * normal[i]) - mean)) / deviation;
        for (let j = 0; j < count; j++) values[i * count + j] = bent + Math.sqrt(1 - share) * normal[j];
      }
      expect(Math.sqrt(energyDistance(values, null)) / distance).toBeCloseTo(1, 1);
    }
    // Means with a tenth of the variance cannot make a mixture that far from normal.
    expect(bendFor(0.03, 0.1)).toBe(null);
  });

  it('limits follow the distance: wide at few samples, on its two sides at many', () => {
    const design = (size: number) => ({ sizes: [size, size, size, size, size], steps: 0 });
    const few = nearNormalityOf(0.42 / 10, design(2), 0.03, 0.95).distance;
    expect(few.high).toBeGreaterThan(0.2);
    expect([few.value, few.low, few.power]).toEqual([few.value, 0, 0]);
    const many = nearNormalityOf(0.42 / 4000 + 0.06 ** 2, design(800), 0.03, 0.95);
    expect(many.distance.value).toBeCloseTo(0.06, 2);
    expect(many.distance.low).toBeGreaterThan(0.04);
    expect(many.distance.high).toBeLessThan(0.09);
    expect(many.distance.power).toBeGreaterThan(0.99);
    expect(many.p).toBeLessThan(0.01);
  });

  it('the design sees how alike samples of a subclass are', () => {
    const groups = Array.from({ length: 50 }, (_, c) =>
      Int32Array.from({ length: 20 }, (_, i) => 20 * c + i),
    );
    const means = random.normalArray(50);
    const values = Float64Array.from(
      { length: 1000 },
      (_, i) => means[Math.floor(i / 20)] + random.normalNumber(),
    );
    const { between, within } = deviationsOf(designOf(values, groups));
    expect(between ** 2).toBeGreaterThan(0.35);
    expect(between ** 2).toBeLessThan(0.65);
    expect(between ** 2 + within ** 2).toBeCloseTo(1, 12);
    expect(designOf(random.normalArray(1000), groups).steps).toBeLessThan(8);
    const single = Array.from({ length: 9 }, (_, i) => Int32Array.of(i));
    expect(designOf(values, single)).toEqual({ sizes: new Array(9).fill(1), steps: 0 });
  });

  it('rows are cut from the largest subclasses, and parts stay equal', () => {
    const groups = [3, 10, 40].map((size) => Int32Array.from({ length: size }, (_, i) => 100 * size + i));
    expect(limitRows(groups, 53, random)).toBe(groups);
    const cut = limitRows(groups, 20, random);
    expect(cut.map((rows) => rows.length)).toEqual([3, 8, 8]);
    cut.forEach((rows, c) => {
      expect(new Set(rows).size).toBe(rows.length);
      for (const row of rows) expect(groups[c]).toContain(row);
    });
    expect(limitRows(groups, 1, random).map((rows) => rows.length)).toEqual([1, 1, 1]);
    expect([...equalWeights([1, 3])!]).toEqual([1 / 2, 1 / 6, 1 / 6, 1 / 6]);
    expect(equalWeights([4, 4])).toBe(null);
  });
});
