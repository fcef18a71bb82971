import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { ConfigError, DataError, FlowError, Matrix, RandomStream } from 'tfjs-flows';
import { multivariateNormality, normality } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';
import { rejectionRates } from '../../bench/attributes/multivariateTests';
import { atOnce } from '../../src/core/longWork';
import { nullTable } from '../../src/statistics/multivariate/nullTable';
import { royston } from '../../src/statistics/multivariate/royston';
import { expectClose, golden } from '../support/golden';

/** float64 throughout; the worst case is two nearly equal columns. */
const relative = 1e-9;

// biome-ignore lint/suspicious/noExplicitAny: the fixture is plain JSON
const cases = Object.entries(golden.multivariate as Record<string, any>);

describe('multivariate golden samples (numpy, scipy)', () => {
  it.each(cases)('%s', async (_, { X, out }) => {
    const { mardia, henzeZirkler, energy, royston, n, dimension } = await multivariateNormality(X, {
      replicates: 0,
    });
    expect([n, dimension]).toEqual(out.shape);
    expectClose(mardia.skewness, out.mardia.b1p, relative);
    expectClose(mardia.kurtosis, out.mardia.b2p, relative);
    expectClose(mardia.asymptotic.skewnessStatistic, out.mardia.skewStat, relative);
    expectClose(mardia.asymptotic.skewnessP, out.mardia.skewP, relative);
    expectClose(mardia.asymptotic.skewnessStatisticSmallSample, out.mardia.skewStatSmall, relative);
    expectClose(mardia.asymptotic.skewnessPSmallSample, out.mardia.skewPSmall, relative);
    expectClose(mardia.asymptotic.kurtosisStatistic, out.mardia.kurtZ, relative);
    expectClose(mardia.asymptotic.kurtosisP, out.mardia.kurtP, relative);
    expectClose(henzeZirkler.statistic, out.henzeZirkler.stat, relative);
    expectClose(henzeZirkler.asymptoticP, out.henzeZirkler.p, relative);
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

  it('is affine-invariant', async () => {
    const x = normalRows(50, 3);
    const map = normalRows(3, 3);
    const a = await multivariateNormality(x, { replicates: 0 });
    const b = await multivariateNormality(x.multiply(map), { replicates: 0 });
    expectClose(b.mardia.skewness, a.mardia.skewness, 1e-9);
    expectClose(b.henzeZirkler.statistic, a.henzeZirkler.statistic, 1e-9);
    expectClose(b.energy.statistic, a.energy.statistic, 1e-9);
  });

  it('in one dimension is n times the energy distance of the univariate report', async () => {
    const x = normalRows(40, 1);
    const { value } = normality(x.data, { tests: [] }).effects.energy;
    expectClose((await multivariateNormality(x, { replicates: 0 })).energy.statistic, 40 * value, 1e-10);
  });

  it('keeps its energy statistic finite with an outlier far beyond exp(700)', async () => {
    const x = normalRows(1500, 1);
    x.data[0] = 1e6;
    const { value } = normality(x.data, { tests: [] }).effects.energy;
    expectClose((await multivariateNormality(x, { replicates: 0 })).energy.statistic, 1500 * value, 1e-9);
  });

  it('accepts normal rows, rejects a mixture of shells, repeats with the seed, and leaks nothing', async () => {
    const shells = normalRows(60, 3);
    for (let i = 0; i < 60; i++) {
      const row = shells.row(i);
      const length = Math.hypot(...row);
      for (let j = 0; j < 3; j++) row[j] *= (i % 2 === 0 ? 0.2 : 3) / length;
    }
    expect((await multivariateNormality(shells)).energy.p).toBeLessThan(0.02);
    const tensor = tf.tensor2d(Float32Array.from(normalRows(60, 3).data), [60, 3]);
    const tensors = tf.memory().numTensors;
    const report = await multivariateNormality(tensor, { replicates: 99, seed: 5 });
    expect(tf.memory().numTensors).toBe(tensors);
    expect(report).toEqual(await multivariateNormality(tensor, { replicates: 99, seed: 5 }));
    for (const p of [report.henzeZirkler.p, report.energy.p, report.royston.p, report.mardia.kurtosisP]) {
      expect(p).toBeGreaterThan(0.01);
    }
    tensor.dispose();
  });

  it('counts the sample itself among the Monte Carlo draws, which its seed decides', async () => {
    const far = normalRows(30, 2);
    far.row(0).fill(1e6);
    expect((await multivariateNormality(far, { replicates: 19 })).energy.p).toBe(1 / 20);
    const rows = normalRows(30, 2);
    const p = async (seed: number) => (await multivariateNormality(rows, { replicates: 49, seed })).energy.p;
    expect(await p(1)).not.toBe(await p(2));
    for (const replicates of [-1, 1.5])
      await expect(multivariateNormality(rows, { replicates })).rejects.toThrow(ConfigError);
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

  it.each([
    [20, 16],
    [60, 8],
  ])(
    'has 5 %% false positives in each test (400 normal samples of %i x %i; 99.9 %% band of the binomial: +- 0.036)',
    async (n, p) => {
      const rates = await rejectionRates(n, p, 400, 499);
      expect(Object.keys(rates)).toHaveLength(5);
      for (const [test, rate] of Object.entries(rates)) {
        // 499 replicates move the true rate by up to 0.03 (three standard errors).
        expect(Math.abs(rate - 0.05), test).toBeLessThan(0.047);
      }
    },
  );

  it('carries its table on beyond 200 rows: 5 % false positives there too', async () => {
    const rates = await rejectionRates(400, 4, 150, 499);
    for (const [test, rate] of Object.entries(rates)) expect(rate, test).toBeLessThan(0.12);
  });

  it('draws its table once per n, p, replicates and seed', () => {
    const table = atOnce(nullTable(40, 3, 99, 'kept'));
    expect(nullTable(40, 3, 99, 'kept').next()).toEqual({ done: true, value: table });
    for (const other of [
      nullTable(41, 3, 99, 'kept'),
      nullTable(40, 2, 99, 'kept'),
      nullTable(40, 3, 98, 'kept'),
      nullTable(40, 3, 99, 'other'),
    ]) {
      expect(atOnce(other).energy).not.toEqual(table.energy);
    }
  });

  it('carries a table on to what the same size gives (quantiles at 399 replicates spread by a fifth of the deviation)', () => {
    const carried = atOnce(nullTable(600, 2, 399, 'carried'));
    const own = atOnce(nullTable(200, 2, 399, 'own'));
    const middle = (values: Float64Array) => values[200];
    const spread = (values: Float64Array) => values[335] - values[64];
    // Skewness falls like 1/n, kurtosis narrows like 1/sqrt(n), energy stays.
    expect(middle(own.skewness) / middle(carried.skewness)).toBeCloseTo(3, 0);
    expect(spread(own.kurtosis) / spread(carried.kurtosis)).toBeCloseTo(Math.sqrt(3), 0);
    expect(Math.abs(middle(carried.kurtosis) - 8)).toBeLessThan(0.2);
    expect(Math.abs(middle(own.energy) - middle(carried.energy))).toBeLessThan(0.2 * spread(own.energy));
  });

  it('carries kurtosis on to a normal law, and energy further the way that it went from half the size', () => {
    const carried = atOnce(nullTable(1_000_000, 16, 399, 'far'));
    const own = atOnce(nullTable(200, 16, 399, 'far'));
    const skew = (values: Float64Array) => (values[379] - values[199]) / (values[199] - values[19]);
    // The kurtosis of 200 samples is skewed to the right; of a million it is not.
    expect(Math.abs(skew(carried.kurtosis) - 1)).toBeLessThan(0.05);
    // 2.081 at 200 samples, about 2.087 in the limit; the standard error of the median is 0.002.
    expect(carried.energy[199] - own.energy[199]).toBeGreaterThan(0.001);
    expect(carried.energy[199] - own.energy[199]).toBeLessThan(0.015);
  });

  it('tells its progress in turns, and ends by its signal', async () => {
    const rows = normalRows(150, 3);
    const seen: number[] = [];
    const ended = new AbortController();
    const options = { replicates: 400, seed: 'progress', signal: ended.signal };
    const onProgress = (done: number, total: number) => {
      seen.push(done);
      expect(total).toBe(400);
      if (done > 0) ended.abort(new Error('enough'));
    };
    await expect(multivariateNormality(rows, { ...options, onProgress })).rejects.toThrow('enough');
    expect(seen[seen.length - 1]).toBeLessThan(400);
    await expect(
      multivariateNormality(rows, { signal: AbortSignal.abort(new Error('before')) }),
    ).rejects.toThrow('before');
    const done: number[] = [];
    await multivariateNormality(rows, { replicates: 19, onProgress: (parts) => done.push(parts) });
    expect(done[done.length - 1]).toBe(19);
  });

  it('refuses gaps, options that nothing reads, and what are no rows', async () => {
    const gap = [
      [1, 2],
      [null, 3],
    ] as never;
    await expect(multivariateNormality(gap)).rejects.toThrow('a missing value (null) in row 1, column 0');
    await expect(multivariateNormality(normalRows(9, 2), { montecarlo: 9 } as never)).rejects.toThrow(
      "Did you mean 'replicates'?",
    );
    for (const other of [undefined, null, 'table.csv', 7, [1, 2]]) {
      await expect(multivariateNormality(other as never)).rejects.toThrow(FlowError);
    }
  });

  it('prints itself', async () => {
    const text = String(await multivariateNormality(normalRows(30, 3), { replicates: 0 }));
    expect(text).toContain('30 samples of 3 values');
    expect(text).toMatch(/Henze-Zirkler [\d.]+, no p; energy [\d.]+, no p/);
  });

  it('says what is wrong with the data', async () => {
    await expect(multivariateNormality(normalRows(5, 4))).rejects.toThrow(/more than 5 samples of 4 values/);
    const x = normalRows(20, 3);
    for (let i = 0; i < 20; i++) x.row(i)[2] = 2 * x.row(i)[0] - x.row(i)[1];
    await expect(multivariateNormality(x)).rejects.toThrow(/column 2 a combination of earlier ones/);
    for (let i = 0; i < 20; i++) x.row(i)[1] = 7;
    await expect(multivariateNormality(x)).rejects.toThrow(/column 1 constant/);
    await expect(multivariateNormality([[1, Number.NaN]])).rejects.toThrow(DataError);
  });
});
