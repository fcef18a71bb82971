import { ConfigError, DataError, Matrix, RandomStream } from 'tfjs-flows';
import { type MixedNormalityOptions, mixedNormality, normality } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';
import { decomposeCumulants } from '../../src/attributes/mixing/cumulants';
import { drawMixtures, permuteSubclasses, resampleSubclasses } from '../../src/attributes/mixing/mixtures';
import { expectClose } from '../support/golden';

/** Classes of one number; `makeClass` returns the sampler of a fresh class. */
function population(
  classes: number,
  size: number,
  makeClass: (random: RandomStream, c: number) => () => number,
  seed = 1,
) {
  const random = new RandomStream(seed);
  const values: number[] = [];
  const subclass: number[] = [];
  for (let c = 0; c < classes; c++) {
    const draw = makeClass(random, c);
    for (let i = 0; i < size; i++) {
      values.push(draw());
      subclass.push(c);
    }
  }
  return { z: new Matrix(Float64Array.from(values), values.length, 1), subclass };
}

/** Few replicates: bands and p-values are coarse, verdicts of planted effects are not. */
const quick: MixedNormalityOptions = { replicates: 59, mixtures: 5, counts: [1, 3, 12] };

describe('mixedNormality on planted populations', () => {
  it('supports: skewed classes around many normal means', () => {
    const data = population(200, 40, (random) => {
      const mean = 3 * random.normalNumber();
      return () => mean - Math.log(1 - random.uniformNumber());
    });
    const report = mixedNormality(data, { ...quick, counts: [1, 4, 40], n: 40, epsilon: 0.1, level: 0.9 });
    expect(report.statements).toMatchObject({
      trend: { verdict: 'supported' },
      gain: { verdict: 'supported' },
      nearNormal: { verdict: 'supported' },
    });
    expect(report.mixingHelps).toBe('supported');
    // The same figures can support nothing when they are the flow's own training data.
    const training = mixedNormality(data, {
      ...quick,
      counts: [1, 4, 40],
      n: 40,
      epsilon: 0.1,
      level: 0.9,
      trainingLatents: true,
    });
    expect([report.nearNormal, training.nearNormal]).toEqual(['supported', 'undecided']);
    expect(training.curve).toEqual(report.curve);
    expect(training.mixingHelps).toBe('undecided');
    expect(training.notes).toContainEqual(expect.stringContaining('training data'));
  });

  it('does not support: class means in two clumps', () => {
    const data = population(12, 60, (random, c) => () => (c % 2 === 0 ? 3 : -3) + random.normalNumber());
    const report = mixedNormality(data, quick);
    expect(report.mixingHelps).toBe('not supported');
    expect(report.nearNormal).toBe('not supported');
    expect(report.views[0].cumulants.excessKurtosis.means).toBeLessThan(-1);
    expect(report.views[0].cumulants.betweenShare).toBeCloseTo(0.9, 1);
  });

  it('does not support: scale that grows with location, and the decomposition names it', () => {
    const data = population(12, 60, (random, c) => {
      const scale = Math.exp((c - 6) / 3);
      return () => scale * (1 + 0.3 * random.normalNumber());
    });
    const report = mixedNormality(data, quick);
    expect(report.mixingHelps).toBe('not supported');
    const { skewness, excessKurtosis } = report.views[0].cumulants;
    expect(skewness.meanVariance).toBeGreaterThan(3 * Math.abs(skewness.within));
    expect(excessKurtosis.meanVariance).toBeGreaterThan(3 * Math.abs(excessKurtosis.within));
  });

  it('is undecided where mixing changes nothing, and the trend has p-values of chance', () => {
    const report = mixedNormality(
      population(12, 60, (random) => () => random.normalNumber()),
      quick,
    );
    expect(report.mixingHelps).toBe('undecided');
    expect(report.trend!.p).toBeGreaterThan(0.05);
    expect(report.trend!.pRising).toBeGreaterThan(0.05);
    expect(report.notes).toEqual([expect.stringContaining('trainingLatents')]);
  });

  it('suspects training latents by pooled moments and normal classes, not by the moments alone', () => {
    const notes = (draw: (random: RandomStream) => number) =>
      mixedNormality(
        population(12, 60, (random) => () => draw(random)),
        quick,
      ).notes;
    expect(notes((random) => -Math.log(1 - random.uniformNumber()) - 1)).toEqual([]);
    expect(notes((random) => 2 * random.normalNumber())).toEqual([]);
    expect(notes((random) => random.normalNumber())).toEqual([expect.stringContaining('trainingLatents')]);
  });

  it('calls equal classes of any shape exchangeable: p of the trend is uniform (20 runs, least below 0.2)', () => {
    const below = (limit: number) =>
      Array.from({ length: 20 }, (_, seed) => {
        const data = population(6, 30, (random) => () => -Math.log(1 - random.uniformNumber()), seed);
        const options = { ...quick, counts: [1, 2, 6], replicates: 19, seed };
        return mixedNormality(data, options).trend!.p;
      }).filter((p) => p <= limit).length;
    // Binomial(20, 0.2): 12 or more has probability 1e-4.
    expect(below(0.2)).toBeLessThan(12);
  });

  it('has a control without the shapes of the classes', () => {
    const report = mixedNormality(
      population(12, 60, (random) => () => -Math.log(1 - random.uniformNumber())),
      quick,
    );
    for (const point of report.curve) {
      // 0.2 is that of an exponential distribution.
      expect(point.excess).toBeGreaterThan(0.15);
      expect(point.w1Excess).toBeGreaterThan(0.15);
      expect(Math.abs(point.control)).toBeLessThan(0.06);
    }
    expect(report.statements.control.verdict).toBe('not supported');
  });
});

describe('mixedNormality', () => {
  const data = population(6, 40, (random, c) => () => c + random.normalNumber());

  it('repeats with the seed and changes with it', () => {
    const options = { ...quick, counts: [1, 6], seed: 4 };
    expect(mixedNormality(data, options)).toEqual(mixedNormality(data, options));
    expect(mixedNormality(data, { ...options, seed: 5 }).curve).not.toEqual(
      mixedNormality(data, options).curve,
    );
  });

  it('keeps n for every K and measures what normality measures', () => {
    const report = mixedNormality(data, { ...quick, counts: [1, 4, 6], n: 30 });
    expect(report.n).toBe(30);
    // All rows of two equal classes: the only mixture there is.
    const two = { z: data.z, subclass: data.subclass.map((c) => (c < 3 ? 'a' : 'b')) };
    const { curve, distance } = mixedNormality(two, { ...quick, counts: [2], n: 240 });
    const { w1, energy } = normality(data.z.data, { tests: [] }).effects;
    expectClose(curve[0].w1Excess, w1.excess, 1e-9);
    expectClose(Math.sign(curve[0].excess) * curve[0].excess ** 2, energy.excess, 1e-9);
    // The same but for what two subclasses add to the distance of normal samples.
    expect(distance.value).toBeLessThan(Math.abs(curve[0].excess) + 0.01);
    expect(report.henzeZirkler.map(({ subclasses }) => subclasses)).toEqual([1, 4, 6]);
  });

  it('looks at coordinates, components or projections', () => {
    const random = new RandomStream(2);
    const wide = { z: new Matrix(random.normalArray(60 * 20), 60, 20), subclass: data.subclass.slice(0, 60) };
    const names = (projections?: MixedNormalityOptions['projections']) =>
      mixedNormality(wide, {
        ...quick,
        counts: [1, 2],
        n: 16,
        replicates: 19,
        projections,
      }).views.map(({ name }) => name);
    expect(names('axes')).toHaveLength(20);
    expect(names('pca')).toHaveLength(8);
    expect(names(3)).toEqual(['projection 0', 'projection 1', 'projection 2']);
    expect(names()).toHaveLength(16);
  });

  it('counts classes without spread as single points, and says so', () => {
    const sparse = population(6, 40, (random, c) => () => (c === 0 ? 0 : random.normalNumber()));
    const report = mixedNormality(sparse, { ...quick, counts: [1, 6] });
    expect(report.notes.join()).toMatch(/mixtures had no spread/);
    expect(Number.isFinite(report.curve[0].excess)).toBe(true);
  });

  it('says what is wrong', () => {
    expect(() => mixedNormality({ z: data.z, subclass: data.subclass.map(() => 1) })).toThrow(DataError);
    expect(() => mixedNormality(data, { counts: [1], n: 60 })).toThrow(
      /60 samples of every subclass to mix 1 at n = 60, got 40 of subclass 0/,
    );
    expect(() => mixedNormality(data, { counts: [7] })).toThrow(/counts up to the 6 subclasses, got 7/);
    expect(() => mixedNormality(data, { n: 5 })).toThrow(ConfigError);
    expect(() => mixedNormality(data, { epsilon: 0 })).toThrow(ConfigError);
    expect(() => mixedNormality(data, { epsilon: 0.3 })).toThrow('epsilon in (0, 0.2]');
    expect(() => mixedNormality(data, { level: 95 })).toThrow(ConfigError);
    expect(() => mixedNormality(data, { projections: 'umap' as never })).toThrow(ConfigError);
  });
});

describe('parts of the protocol', () => {
  it('the cumulant parts sum to the cumulants of the equal mixture', () => {
    const { z, subclass } = population(
      5,
      30,
      (random, c) => () => c * c + (1 + c) * random.normalNumber() ** 2,
      3,
    );
    const groups = [0, 1, 2, 3, 4].map((c) =>
      Int32Array.from(subclass.keys()).filter((i) => subclass[i] === c),
    );
    const { skewness, excessKurtosis } = decomposeCumulants(z.data, groups);
    const pooled = normality(z.data, { tests: [] });
    expectClose(skewness.total, pooled.skewness, 1e-10);
    expectClose(excessKurtosis.total, pooled.excessKurtosis, 1e-10);
  });

  it('mixtures take equal parts without replacement, from every class about equally often', () => {
    const groups = [0, 1, 2, 3].map((c) => Int32Array.from({ length: 10 }, (_, i) => 10 * c + i));
    const mixtures = drawMixtures(groups, 3, 20, 8, new RandomStream(1));
    for (const rows of mixtures) {
      expect(new Set(rows).size).toBe(20);
      const shares = [0, 1, 2, 3].map((c) => rows.filter((row) => Math.floor(row / 10) === c).length);
      expect(shares.filter((share) => share > 0).sort()).toEqual([6, 7, 7]);
    }
    const single = drawMixtures(groups, 1, 10, 8, new RandomStream(1)).map((rows) =>
      Math.floor(rows[0] / 10),
    );
    expect(single.sort()).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  it('resampling repeats classes and rows; permuting keeps sizes and rows', () => {
    const groups = [Int32Array.of(0, 1, 2), Int32Array.of(3, 4), Int32Array.of(5, 6, 7, 8)];
    const permuted = permuteSubclasses(groups, new RandomStream(1));
    expect(permuted.map((rows) => rows.length)).toEqual([3, 2, 4]);
    expect(permuted.flatMap((rows) => [...rows]).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    for (const rows of resampleSubclasses(groups, new RandomStream(1))) {
      const source = groups.find((group) => group.includes(rows[0]))!;
      expect(rows.length).toBe(source.length);
      for (const row of rows) expect(source).toContain(row);
    }
  });
});
