import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { ConfigError, DataError, Matrix, RandomStream } from 'tfjs-flows';
import { multivariateNormality, normality } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';
import { royston } from '../../src/statistics/multivariate/royston';
import { expectClose, golden } from '../support/golden';

/** float64 throughout; the worst case is two nearly equal columns. */
const relative = 1e-9;

// biome-ignore lint/suspicious/noExplicitAny: the fixture is plain JSON
const cases = Object.entries(golden.multivariate as Record<string, any>);

describe('multivariate golden samples (numpy, scipy)', () => {
  it.each(cases)('%s', (_, { X, out }) => {
    const { mardia, henzeZirkler, energy, royston, n, dimension } = multivariateNormality(X, {
      monteCarlo: 0,
    });
    expect([n, dimension]).toEqual(out.shape);
    expectClose(mardia.skewness, out.mardia.b1p, relative);
    expectClose(mardia.kurtosis, out.mardia.b2p, relative);
    expectClose(mardia.skewnessStatistic, out.mardia.skewStat, relative);
    expectClose(mardia.skewnessP, out.mardia.skewP, relative);
    expectClose(mardia.skewnessStatisticSmallSample, out.mardia.skewStatSmall, relative);
    expectClose(mardia.skewnessPSmallSample, out.mardia.skewPSmall, relative);
    expectClose(mardia.kurtosisStatistic, out.mardia.kurtZ, relative);
    expectClose(mardia.kurtosisP, out.mardia.kurtP, relative);
    expectClose(henzeZirkler.statistic, out.henzeZirkler.stat, relative);
    expectClose(henzeZirkler.p, out.henzeZirkler.p, relative);
    expectClose(energy.statistic, out.energyNormal, relative);
    expect(energy.p).toBeNull();
    if (out.roystonH === undefined) {
      expect(royston).toMatchObject({
        statistic: null,
        p: null,
        reason: expect.stringContaining('shapiroWilk'),
      });
    } else {
      // Through Shapiro-Wilk, so with its tolerances: 1e-8 in W is up to 1e-6 in H.
      expectClose(royston.statistic, out.roystonH.H, 1e-6);
      expectClose(royston.equivalentDegrees, out.roystonH.edf, 1e-9);
      expectClose(royston.p, out.roystonH.p, 0, 1e-6);
    }
  });
});

describe('multivariateNormality', () => {
  const random = new RandomStream(21);
  const normalRows = (n: number, p: number) => new Matrix(random.normalArray(n * p), n, p);

  it('is affine-invariant', () => {
    const x = normalRows(50, 3);
    const map = normalRows(3, 3);
    const a = multivariateNormality(x, { monteCarlo: 0 });
    const b = multivariateNormality(x.multiply(map), { monteCarlo: 0 });
    expectClose(b.mardia.skewness, a.mardia.skewness, 1e-9);
    expectClose(b.henzeZirkler.statistic, a.henzeZirkler.statistic, 1e-9);
    expectClose(b.energy.statistic, a.energy.statistic, 1e-9);
  });

  it('in one dimension is n times the energy distance of the univariate report', () => {
    const x = normalRows(40, 1);
    const { value } = normality(x.data, { tests: [] }).effects.energy;
    expectClose(multivariateNormality(x, { monteCarlo: 0 }).energy.statistic, 40 * value, 1e-10);
  });

  it('keeps its energy statistic finite with an outlier far beyond exp(700)', () => {
    const x = normalRows(1500, 1);
    x.data[0] = 1e6;
    const { value } = normality(x.data, { tests: [] }).effects.energy;
    expectClose(multivariateNormality(x, { monteCarlo: 0 }).energy.statistic, 1500 * value, 1e-9);
  });

  it('accepts normal rows, rejects a mixture of shells, repeats with the seed, and leaks nothing', () => {
    const shells = normalRows(60, 3);
    for (let i = 0; i < 60; i++) {
      const row = shells.row(i);
      const length = Math.hypot(...row);
      for (let j = 0; j < 3; j++) row[j] *= (i % 2 === 0 ? 0.2 : 3) / length;
    }
    expect(multivariateNormality(shells).energy.p).toBeLessThan(0.02);
    const tensor = tf.tensor2d(Float32Array.from(normalRows(60, 3).data), [60, 3]);
    const tensors = tf.memory().numTensors;
    const report = multivariateNormality(tensor, { monteCarlo: 99, seed: 5 });
    expect(tf.memory().numTensors).toBe(tensors);
    expect(report).toEqual(multivariateNormality(tensor, { monteCarlo: 99, seed: 5 }));
    for (const p of [report.henzeZirkler.p, report.energy.p, report.royston.p, report.mardia.kurtosisP]) {
      expect(p).toBeGreaterThan(0.01);
    }
    tensor.dispose();
  });

  it('counts the sample itself among the Monte Carlo draws, which its seed decides', () => {
    const far = normalRows(30, 2);
    far.row(0).fill(1e6);
    expect(multivariateNormality(far, { monteCarlo: 19 }).energy.p).toBe(1 / 20);
    const rows = normalRows(30, 2);
    const p = (seed: number) => multivariateNormality(rows, { monteCarlo: 49, seed }).energy.p;
    expect(p(1)).not.toBe(p(2));
    for (const monteCarlo of [-1, 1.5])
      expect(() => multivariateNormality(rows, { monteCarlo })).toThrow(ConfigError);
  });

  it('gives no H where its scores were not fitted, with the reason', () => {
    for (const [n, p] of [
      [3, 2],
      [5001, 2],
    ]) {
      expect(royston(normalRows(n, p))).toEqual({
        statistic: null,
        p: null,
        equivalentDegrees: null,
        reason: 'the scores were fitted for 4 <= n <= 5000',
      });
    }
    expect(royston(normalRows(4, 2)).p).not.toBeNull();
    expect(royston(normalRows(5000, 2)).p).not.toBeNull();
  });

  it('has about 5 % false positives (200 normal samples of 30 x 3; 99.9 % band of the binomial: +- 0.051)', () => {
    let henzeZirkler = 0;
    let skewness = 0;
    for (let r = 0; r < 200; r++) {
      const report = multivariateNormality(normalRows(30, 3), { monteCarlo: 0 });
      if (report.henzeZirkler.p < 0.05) henzeZirkler++;
      if (report.mardia.skewnessPSmallSample < 0.05) skewness++;
    }
    expect(Math.abs(henzeZirkler / 200 - 0.05)).toBeLessThan(0.051);
    expect(Math.abs(skewness / 200 - 0.05)).toBeLessThan(0.051);
  });

  it('says what is wrong with the data', () => {
    expect(() => multivariateNormality(normalRows(5, 4))).toThrow(/more than 5 samples of 4 values/);
    const x = normalRows(20, 3);
    for (let i = 0; i < 20; i++) x.row(i)[2] = 2 * x.row(i)[0] - x.row(i)[1];
    expect(() => multivariateNormality(x)).toThrow(/column 2 a combination of earlier ones/);
    for (let i = 0; i < 20; i++) x.row(i)[1] = 7;
    expect(() => multivariateNormality(x)).toThrow(/column 1 constant/);
    expect(() => multivariateNormality([[1, Number.NaN]])).toThrow(DataError);
  });
});
