import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { ConfigError, DataError, FormatError, Matrix, RandomStream, ShapeError } from 'tfjs-flows';
import { FullCovariance, fitPrior, ledoitWolf, Prior } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';
import { inverse } from '../../src/linalg';
import { golden } from '../support/golden';

interface HierarchicalCase {
  n: number;
  within: number[][];
  between: number[][];
  generalMean: number[];
  sampleMean: number[];
  posteriorMean: number[];
  posteriorMeanCov: number[][];
}

const near = (actual: ArrayLike<number>, expected: ArrayLike<number>, relative: number) => {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(...Array.from(expected, Math.abs));
  for (let i = 0; i < actual.length; i++) {
    expect(Math.abs(actual[i] - expected[i])).toBeLessThanOrEqual(relative * scale);
  }
};

/** n samples with exactly this mean. */
const withMean = (mean: number[], n: number) => {
  const half = Array.from({ length: Math.floor(n / 2) }, (_, i) => i + 1);
  const shifts = [...half, ...half.map((shift) => -shift), ...(n % 2 === 1 ? [0] : [])];
  return shifts.map((shift) => mean.map((value) => value + shift));
};

/** A hierarchical normal: C classes of n samples in d dimensions, class means of standard deviation `spread`. */
function simulate(seed: number, classes: number, n: number, d: number, spread: number) {
  const random = new RandomStream(seed);
  const scales = Array.from({ length: d }, (_, j) => 0.5 + j / d);
  const z: number[][] = [];
  const subclass: number[] = [];
  const means: number[][] = [];
  for (let c = 0; c < classes; c++) {
    means.push(scales.map((scale) => spread * scale * random.normalNumber()));
    for (let i = 0; i < n; i++) {
      z.push(scales.map((scale, j) => means[c][j] + scale * random.normalNumber()));
      subclass.push(c);
    }
  }
  return { z, subclass, means };
}

describe('posterior of a hierarchical normal', () => {
  it.each(golden.hierarchicalPosterior as HierarchicalCase[])(
    'agrees with the reference, case %# (1e-9)',
    (one) => {
      const prior = Prior.of(one.generalMean, one.within, one.between, 4);
      const posterior = prior.posterior(withMean(one.sampleMean, one.n), { inflate: false });
      near(posterior.mean, one.posteriorMean, 1e-9);
      near(posterior.meanCovariance.toMatrix().data, one.posteriorMeanCov.flat(), 1e-9);
      near(prior.between.toMatrix().data, one.between.flat(), 1e-9);
    },
  );

  it('mixes W and the scatter by their degrees of freedom', () => {
    const prior = Prior.of(
      [0, 0],
      [
        [2, 0.5],
        [0.5, 1],
      ],
      [
        [1, 0],
        [0, 1],
      ],
      3,
    );
    const few = [
      [1, 0],
      [3, 0],
      [2, 3],
    ];
    const { covariance, degreesOfFreedom, predictive, meanCovariance } = prior.posterior(few, {
      inflate: false,
    });
    expect(degreesOfFreedom).toBe(5);
    near(covariance.toMatrix().data, [(6 + 2) / 5, 1.5 / 5, 1.5 / 5, (3 + 6) / 5], 1e-12);
    near(predictive.toMatrix().data, covariance.plus(meanCovariance).toMatrix().data, 1e-12);
    const single = prior.posterior([[1, 2]]);
    near(single.covariance.toMatrix().data, [2, 0.5, 0.5, 1], 1e-12);
    expect(single.inflation.lambda).toBe(1);
  });

  it('widens for a novel subclass, and keeps the sample mean where it lies far off', () => {
    const prior = Prior.of(
      [0, 0],
      [
        [1, 0],
        [0, 1],
      ],
      [
        [1, 0],
        [0, 1],
      ],
      50,
    );
    const plain = prior.posterior([
      [1, 0],
      [-1, 0],
    ]);
    expect(plain.inflation.lambda).toBe(1);
    expect(plain.usesSampleMean).toBe(false);
    const wide = prior.posterior([
      [4, 0],
      [-4, 0],
      [0, 4],
      [0, -4],
    ]);
    // tr(W^-1 S) / d = (64 / 3) / 2; the mean is 0, so T is not widened.
    expect(wide.inflation.lambda).toBeCloseTo(64 / 6, 12);
    expect(wide.inflation.tauSquared).toBe(1);
    expect(wide.covariance.variance([1, 0])).toBeCloseTo((50 * (64 / 6) + 32) / 53, 10);
    const far = prior.posterior([
      [10, 0],
      [10, 1],
      [10, -1],
    ]);
    // (T + W / 3)^-1 with lambda = 1: 100 / (4 / 3) / 2.
    expect(far.inflation.tauSquared).toBeCloseTo(37.5, 10);
    expect(far.usesSampleMean).toBe(true);
    near(far.mean, [10, 0], 1e-12);
    near(far.meanCovariance.toMatrix().data, [1 / 3, 0, 0, 1 / 3], 1e-12);
    expect(
      prior.posterior(
        [
          [10, 0],
          [10, 1],
          [10, -1],
        ],
        { inflate: false },
      ).usesSampleMean,
    ).toBe(false);
  });

  it('gives the log-density of its own predictive normal', () => {
    const prior = Prior.of([0], [[1]], [[1]], 10);
    const posterior = prior.posterior([[1], [3]], { inflate: false });
    near(posterior.mean, [4 / 3], 1e-12);
    const variance = (10 + 2) / 11 + 1 / 3;
    const expected = -0.5 * (Math.log(2 * Math.PI * variance) + (2 - 4 / 3) ** 2 / variance);
    expect(posterior.logProb([[2]])[0]).toBeCloseTo(expected, 12);
    expect(prior.logProb([[1]])[0]).toBeCloseTo(-0.5 * (Math.log(4 * Math.PI) + 0.5), 12);
    const draws = posterior.sample(4000, 3);
    const mean = draws.data.reduce((sum, value) => sum + value, 0) / 4000;
    expect(Math.abs(mean - 4 / 3)).toBeLessThan(4 * Math.sqrt(variance / 4000));
    expect([...posterior.sample(3, 7).data]).toEqual([...posterior.sample(3, 7).data]);
  });
});

describe('fitPrior', () => {
  const base = simulate(1, 12, 30, 6, 2);

  it('finds the planted mean, W and T (within sampling error: 348 and 11 degrees of freedom)', () => {
    const prior = fitPrior(base);
    expect(prior.subclasses.map(({ subclass, count }) => [subclass, count])).toEqual(
      Array.from({ length: 12 }, (_, c) => [c, 30]),
    );
    for (let j = 0; j < 6; j++) {
      const variance = (0.5 + j / 6) ** 2;
      expect(prior.within.diagonal()[j] / variance).toBeGreaterThan(0.75);
      expect(prior.within.diagonal()[j] / variance).toBeLessThan(1.3);
      expect(prior.between.diagonal()[j] / variance).toBeGreaterThan(1);
      expect(prior.between.diagonal()[j] / variance).toBeLessThan(9);
    }
    // All classes share one covariance, so the pooled one deserves much weight.
    expect(prior.withinWeight).toBeGreaterThanOrEqual(32);
  });

  it('gives W weight 1 or little where the classes do differ in covariance', () => {
    const random = new RandomStream(9);
    const z: number[][] = [];
    const subclass: string[] = [];
    for (let c = 0; c < 10; c++) {
      const scale = [0.1, 10][c % 2];
      for (let i = 0; i < 40; i++) {
        z.push([scale * random.normalNumber(), scale * random.normalNumber()]);
        subclass.push(`class ${c}`);
      }
    }
    expect(fitPrior({ z, subclass }).withinWeight).toBeLessThanOrEqual(2);
  });

  it('lowers the error of the class mean: posterior mean against sample mean, n = 3 of 40 new classes', () => {
    const prior = fitPrior(simulate(2, 20, 20, 6, 0.7));
    const fresh = simulate(3, 40, 3, 6, 0.7);
    let own = 0;
    let shrunk = 0;
    fresh.means.forEach((truth, c) => {
      const few = fresh.z.filter((_, i) => fresh.subclass[i] === c);
      const { mean, sampleMean } = prior.posterior(few, { inflate: false });
      truth.forEach((value, j) => {
        own += (sampleMean[j] - value) ** 2;
        shrunk += (mean[j] - value) ** 2;
      });
    });
    expect(shrunk / own).toBeLessThan(0.75);
  });

  it('agrees between the full and the low-rank form where the rank is full (1e-9)', () => {
    const options = { withinWeight: 20 };
    const full = fitPrior(base, { ...options, covariance: 'full' });
    const lowRank = fitPrior(base, { ...options, covariance: 'lowRank', rank: 6 });
    near(lowRank.within.toMatrix().data, full.within.toMatrix().data, 1e-9);
    near(lowRank.between.toMatrix().data, full.between.toMatrix().data, 1e-9);
    const few = base.z.slice(0, 4);
    near(lowRank.posterior(few).mean, full.posterior(few).mean, 1e-9);
    near(lowRank.posterior(few).logProb(few), full.posterior(few).logProb(few), 1e-9);
    near(lowRank.logProb(few), full.logProb(few), 1e-9);
  });

  it('keeps every variance of the full form at a lower rank, also with more dimensions than samples', () => {
    const wide = simulate(4, 4, 8, 60, 1);
    const lowRank = fitPrior(wide, { covariance: 'lowRank', rank: 5 });
    const full = fitPrior(wide, { covariance: 'full' });
    near(lowRank.within.diagonal(), full.within.diagonal(), 1e-9);
    expect(lowRank.within.logDet).toBeGreaterThan(full.within.logDet);
    const posterior = lowRank.posterior(wide.z.slice(0, 3));
    for (const value of posterior.logProb(wide.z)) expect(Number.isFinite(value)).toBe(true);
  });

  it('treats coordinates apart in the diagonal form', () => {
    const prior = fitPrior(base, { covariance: 'diagonal', withinWeight: 8 });
    const posterior = prior.posterior(base.z.slice(0, 5), { inflate: false });
    const w = prior.within.diagonal();
    const t = prior.between.diagonal();
    posterior.mean.forEach((value, j) => {
      const gain = t[j] / (t[j] + w[j] / 5);
      const expected = prior.mean[j] + gain * (posterior.sampleMean[j] - prior.mean[j]);
      expect(value).toBeCloseTo(expected, 10);
      expect(posterior.meanCovariance.diagonal()[j]).toBeCloseTo(1 / (1 / t[j] + 5 / w[j]), 10);
    });
    expect(fitPrior(base, { covariance: 'diagonal' }).withinWeight).toBeGreaterThan(8);
  });

  it('treats the levels of a layout as independent blocks', () => {
    const layout = [
      { level: 1, offset: 4, size: 2 },
      { level: 0, offset: 0, size: 4 },
    ];
    const options = { withinWeight: 16, inflate: false };
    const blocks = fitPrior(base, { ...options, layout });
    const alone = fitPrior({ ...base, z: base.z.map((row) => row.slice(4)) }, options);
    const few = base.z.slice(0, 5);
    near(blocks.posterior(few).mean.slice(4), alone.posterior(few.map((row) => row.slice(4))).mean, 1e-10);
    near(blocks.within.block(4, 2).toMatrix().data, alone.within.toMatrix().data, 1e-12);
    expect(fitPrior(base, { layout }).withinWeight).toBeGreaterThanOrEqual(32);
    expect(() => fitPrior(base, { layout: layout.slice(1) })).toThrow(ConfigError);
  });

  it('equals the textbook formula in the full form', () => {
    const prior = fitPrior(base, { withinWeight: 16 });
    const few = base.z.slice(0, 5);
    const posterior = prior.posterior(few, { inflate: false });
    const w = prior.within.toMatrix();
    const t = prior.between.toMatrix();
    const sum = new Matrix(
      t.data.map((value, i) => value + w.data[i] / 5),
      6,
      6,
    );
    const offset = new Matrix(
      posterior.sampleMean.map((value, j) => value - prior.mean[j]),
      6,
      1,
    );
    const expected = t.multiply(inverse(sum)).multiply(offset);
    near(
      posterior.mean.map((value, j) => value - prior.mean[j]),
      expected.data,
      1e-9,
    );
    const total = new FullCovariance(
      new Matrix(
        t.data.map((value, i) => value + w.data[i]),
        6,
        6,
      ),
    );
    expect(prior.logProb(few)[0]).toBeCloseTo(total.logDensity(few[0].map((v, j) => v - prior.mean[j])), 9);
  });

  it.each(['full', 'diagonal', 'lowRank'] as const)('survives JSON without loss: %s', (covariance) => {
    const prior = fitPrior(base, { covariance, rank: 3, withinWeight: 16 });
    const copy = Prior.fromJSON(JSON.parse(JSON.stringify(prior)));
    const few = base.z.slice(0, 4);
    expect([...copy.posterior(few).logProb(few)]).toEqual([...prior.posterior(few).logProb(few)]);
    expect(copy.subclasses).toEqual(prior.subclasses);
    expect(() => Prior.fromJSON({ format: 'other', version: 1 })).toThrow(FormatError);
    expect(() => Prior.fromJSON({ format: 'tfjs-flows/prior', version: 99 })).toThrow('version 99');
  });

  it('is the same for the same seed and takes tensors without keeping any', async () => {
    await tf.setBackend('cpu');
    const z = tf.tensor2d(base.z);
    const before = tf.memory().numTensors;
    const a = fitPrior({ z, subclass: base.subclass }, { seed: 4 });
    const b = fitPrior({ z, subclass: base.subclass }, { seed: 4 });
    expect(JSON.stringify(a)).toBe(JSON.stringify(b));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('says what it cannot use', () => {
    const z = [
      [1, 2],
      [2, 1],
      [3, 5],
    ];
    expect(() => fitPrior({ z, subclass: [1, 1, 1] })).toThrow('at least 2 subclasses');
    expect(() => fitPrior({ z, subclass: [1, 2, 3] })).toThrow('a subclass with at least 2 samples');
    expect(() => fitPrior({ z: [[1], [1], [2], [2]], subclass: [1, 1, 2, 2] })).toThrow(DataError);
    expect(() => fitPrior({ z, subclass: [1, 1, 2] }, { withinWeight: 0 })).toThrow(ConfigError);
    expect(() => fitPrior({ z, subclass: [1, 1, 2] }, { covariance: 'banded' as never })).toThrow(
      ConfigError,
    );
    const prior = fitPrior({ z, subclass: [1, 1, 2] }, { withinWeight: 5 });
    expect(() => prior.posterior([[1, 2, 3]])).toThrow(ShapeError);
    expect(() => prior.posterior([])).toThrow(DataError);
    expect(() => prior.logProb([[Number.NaN, 0]])).toThrow(DataError);
    expect(() =>
      Prior.of(
        [0, 0],
        ledoitWolf(z).covariance,
        [
          [1, 2],
          [2, 1],
        ],
        3,
      ),
    ).toThrow('positive definite');
  });
});
