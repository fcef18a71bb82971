import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { ConfigError, DataError, RandomStream } from 'tfjs-flows';
import {
  andersonDarling,
  benjaminiHochberg,
  benjaminiYekutieli,
  cramerVonMises,
  dagostinoK2,
  holm,
  jarqueBera,
  kolmogorovSmirnov,
  lilliefors,
  normality,
  type StatisticalTest,
  shapiroWilk,
} from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';
import { cramerVonMisesStatistic, kolmogorovDistance } from '../../src/statistics/normality/empirical';
import { kolmogorovSf } from '../../src/statistics/normality/kolmogorovDistribution';
import { normalCdf } from '../../src/statistics/special';
import { expectClose, golden } from '../support/golden';

interface GoldenCase {
  name: string;
  x: number[];
  out: Record<string, never> & { n: number; degenerate?: boolean };
}

const all: GoldenCase[] = Object.entries(golden.univariate as Record<string, Omit<GoldenCase, 'name'>>).map(
  ([name, entry]) => ({ name, ...entry }),
);
const usable = all.filter(({ out }) => out.n > 0 && !out.degenerate);
const unusable = all.filter((entry) => !usable.includes(entry));

/** Statistics and effect sizes: 1e-9 relative; 1e8 + N(0, 1) has lost 8 digits in the input to scipy's sums. */
const relativeOf = (name: string) => (name === 'offset_1e8_n50' ? 1e-6 : 1e-9);
/** Probabilities: 1e-9 relative down to 1e-300, below which scipy underflows. */
const expectP = (p: number | null, expected: number, relative: number) =>
  expectClose(p, expected, relative, 1e-300);

function expectTest(result: StatisticalTest, statistic: number, p: number | null, relative: number): void {
  expectClose(result.statistic, statistic, relative, 1e-15);
  if (p === null) {
    expect(result.p).toBeNull();
    expect(result.reason).toMatch(/n >= \d/);
  } else {
    expectP(result.p, p, relative);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the fixture is plain JSON
function expectK2(result: StatisticalTest, { skewness, dagostinoK2: expected }: any, relative: number): void {
  if (expected === undefined) {
    expect(result).toMatchObject({ statistic: null, p: null, reason: 'the test needs n >= 8' });
  } else if (skewness === 0) {
    // scipy replaces a skewness of exactly 0 by a made-up one of 1 standard score unit; its score is 0.
    const statistic = expected.kurtZ ** 2;
    expectTest(result, statistic, Math.exp(-statistic / 2), relative);
  } else {
    expectTest(result, expected.K2, expected.p, relative);
  }
}

describe('golden samples (scipy, statsmodels)', () => {
  it('are 47, of which 42 can be tested', () => {
    expect([all.length, usable.length]).toEqual([47, 42]);
  });

  // biome-ignore lint/suspicious/noExplicitAny: the fixture is plain JSON
  it.each(usable)('$name', ({ name, x, out }: { name: string; x: number[]; out: any }) => {
    const relative = relativeOf(name);
    const report = normality(x);
    expect(report.n).toBe(out.n);
    // The mean of scores that cancel is 0 but for rounding.
    expectClose(report.mean, out.mean, relative, 1e-15 * out.sd1);
    expectClose(report.standardDeviation, out.sd1, relative);
    expectClose(report.skewness, out.skewness, relative, 1e-14);
    expectClose(report.excessKurtosis, out.excessKurtosis, relative, 1e-14);

    const { w1, w2Squared, energy, negentropyCumulant, negentropyHyvarinen } = report.effects;
    expectClose(w1.value, out.effect.w1, relative);
    expectClose(w2Squared.value, out.effect.w2sq, relative, 1e-13);
    expectClose(energy.value, out.effect.energy, relative, 1e-13);
    expectClose(negentropyCumulant.value, out.effect.negentropyCumulant, relative);
    expectClose(negentropyHyvarinen.value, out.effect.negentropyHyvarinen, relative, 1e-14);
    expect(w1.excess).toBeCloseTo(w1.value - w1.nullMean, 15);

    // scipy's normal quantile for the weights has fewer digits: W to 1e-8, p to 1e-6.
    expectClose(report.tests.shapiroWilk!.statistic, out.shapiroWilk.W, 0, 1e-8);
    expectClose(report.tests.shapiroWilk!.p, out.shapiroWilk.p, 0, 1e-6);
    expectTest(report.tests.lilliefors!, out.lilliefors.D, out.lilliefors.pDallalWilkinson, relative);
    const { A2, p: pA2 } = out.andersonDarling;
    expectTest(report.tests.andersonDarling!, A2, pA2, relative);
    expectTest(report.tests.cramerVonMises!, out.cramerVonMises.W2, out.cramerVonMises.p, relative);
    expectK2(report.tests.dagostinoK2!, out, relative);
    expectTest(report.tests.jarqueBera!, out.jarqueBera.JB, out.jarqueBera.p, relative);

    const sorted = Float64Array.from(x).sort();
    const probabilities = sorted.map(normalCdf);
    expectClose(kolmogorovDistance(probabilities), out.ksStdNormal.D, relative);
    expectClose(cramerVonMisesStatistic(probabilities), out.cramerVonMisesStdNormal.W2, relative);
    // Exact p-values to 1e-6 relative, but for n = 500, where scipy switches to a series that is off by up to 4e-6.
    const exact = out.n === 500 ? 4e-6 : 1e-6;
    expectP(kolmogorovSf(out.ksStdNormal.D, out.n), out.ksStdNormal.p, exact);
    expectP(kolmogorovSf(out.ksFitted.D, out.n), out.ksFitted.pAsIfKnown, exact);
    if (name !== 'symmetric_n3') {
      const result = kolmogorovSmirnov(x, { mean: 0, standardDeviation: 1 });
      expectClose(result.statistic, out.ksStdNormal.D, relative);
      expectP(result.p, out.ksStdNormal.p, exact);
    }
  });

  it.each(unusable)('$name is refused', ({ x }) => {
    expect(() => normality(x)).toThrow(DataError);
    for (const test of [shapiroWilk, lilliefors, andersonDarling, cramerVonMises, dagostinoK2, jarqueBera]) {
      expect(() => test(x)).toThrow(DataError);
    }
  });

  it.each(Object.entries(golden.adjust as Record<string, Record<string, number[]>>))(
    'corrections: %s',
    (_, { p, holm: byHolm, bh, by }) => {
      const pairs: [Float64Array, number[]][] = [
        [holm(p), byHolm],
        [benjaminiHochberg(p), bh],
        [benjaminiYekutieli(p), by],
      ];
      for (const [actual, expected] of pairs) {
        expect(actual.length).toBe(expected.length);
        expected.forEach((value, i) => {
          expectClose(actual[i], value, 1e-14);
        });
      }
    },
  );
});

describe('Kolmogorov-Smirnov', () => {
  it('agrees with closed forms and among its three methods', () => {
    // n = 1: D = max(u, 1 - u), P(D >= d) = 2 (1 - d).
    expectClose(kolmogorovSf(0.7, 1), 0.6, 1e-14);
    // Ruben and Gambino, d <= 1/n: P(D <= d) = n! (2 d - 1/n)^n.
    expectClose(kolmogorovSf(0.1, 8), 1 - 40320 * (0.2 - 0.125) ** 8, 1e-12);
    // Matrix power in 80-bit floating point, as scipy has it (n = 500).
    expectClose(kolmogorovSf(0.06366926170392317, 500), 0.03320759419540487, 1e-12);
    // Where the matrix power hands over to the sum and to the series: continuous to the stated error.
    for (const n of [20, 300]) {
      const d = Math.sqrt(4 / n);
      expectClose(kolmogorovSf(d * (1 - 1e-12), n), kolmogorovSf(d * (1 + 1e-12), n), 1e-8);
    }
    expectClose(kolmogorovSf(0.02, 2001), kolmogorovSf(0.02, 2000), 2e-3);
    // Kolmogorov's limit 2 sum (-1)^(k-1) exp(-2 k^2 z^2) with its first correction z -> z + 1 / (6 sqrt(n)).
    const z = 1.1 + 1 / (6 * Math.sqrt(1e6));
    const limit = 2 * (Math.exp(-2 * z * z) - Math.exp(-8 * z * z) + Math.exp(-18 * z * z));
    expectClose(kolmogorovSf(1.1e-3, 1e6), limit, 1e-5);
  });

  it('cannot be run with fitted mean and deviation', () => {
    const x = [...new RandomStream(3).normalArray(40)];
    const { mean, standardDeviation } = normality(x);
    expect(() => kolmogorovSmirnov(x, { mean, standardDeviation })).toThrow(/call lilliefors/);
    const biased = standardDeviation * Math.sqrt(39 / 40);
    expect(() => kolmogorovSmirnov(x, { mean, standardDeviation: biased })).toThrow(ConfigError);
    expect(() => kolmogorovSmirnov(x, {} as never)).toThrow(/lilliefors/);
    expect(() => kolmogorovSmirnov(x, undefined as never)).toThrow(ConfigError);
    expect(() => normality(x, { tests: ['kolmogorovSmirnov' as never] })).toThrow(ConfigError);
    expect(kolmogorovSmirnov(x, { mean: 0, standardDeviation: 1 }).p).toBeGreaterThan(0.01);
  });

  it('is run with a mean or a deviation that happens to be the own one, and needs a deviation above 0', () => {
    const x = [...new RandomStream(3).normalArray(40)];
    const { mean, standardDeviation } = normality(x);
    expect(kolmogorovSmirnov(x, { mean: mean + 0.5, standardDeviation }).p).toBeLessThan(0.05);
    expect(kolmogorovSmirnov(x, { mean, standardDeviation: 3 }).p).toBeLessThan(0.05);
    expect(() => kolmogorovSmirnov(x, { mean: 0, standardDeviation: 0 })).toThrow(ConfigError);
    expect(() => kolmogorovSmirnov([], { mean: 0, standardDeviation: 1 })).toThrow(DataError);
  });

  it('cannot be run with fitted ones that were rounded', () => {
    // Standard errors of mean and deviation are 0.16 and 0.11 here: 1 % of them is 0.0016 and 0.0011.
    const x = [...new RandomStream(3).normalArray(40)];
    const { mean, standardDeviation } = normality(x);
    const rounded = {
      mean: Number(mean.toFixed(3)),
      standardDeviation: Number(standardDeviation.toFixed(3)),
    };
    expect(() => kolmogorovSmirnov(x, rounded)).toThrow("the sample's own");
    expect(() => kolmogorovSmirnov(x, { mean: mean + 0.003, standardDeviation })).not.toThrow();
    expect(() => kolmogorovSmirnov(x, { mean, standardDeviation: standardDeviation - 0.002 })).not.toThrow();
    // In a large sample 0.003 is no rounding.
    const many = [...new RandomStream(4).normalArray(4000)];
    const own = normality(many, { tests: [] });
    const near = { mean: own.mean + 0.001, standardDeviation: own.standardDeviation };
    expect(() => kolmogorovSmirnov(many, near)).not.toThrow();
    expect(() => kolmogorovSmirnov(many, { ...near, mean: own.mean + 1e-4 })).toThrow(ConfigError);
  });

  it('refuses a golden sample that happens to have mean 0 and deviation 1', () => {
    expect(() => kolmogorovSmirnov([-1, 0, 1], { mean: 0, standardDeviation: 1 })).toThrow(ConfigError);
  });
});

describe('normality', () => {
  it('takes tensors, leaves the input alone and leaks nothing', () => {
    const values = new RandomStream(1).normalArray(60);
    const before = Float64Array.from(values);
    const tensor = tf.tensor1d(Float32Array.from(values));
    const tensors = tf.memory().numTensors;
    expectClose(normality(tensor).effects.w1.value, normality(values).effects.w1.value, 1e-5);
    expect(tf.memory().numTensors).toBe(tensors);
    tensor.dispose();
    expect(values).toEqual(before);
  });

  it('is affine-invariant, so that one null table serves all', () => {
    const x = new RandomStream(2).normalArray(50).map((value) => Math.exp(value));
    const a = normality(x);
    const b = normality(x.map((value) => 7e5 - 3e3 * value));
    expectClose(b.skewness, -a.skewness, 1e-9);
    for (const effect of ['w1', 'energy', 'negentropyHyvarinen'] as const) {
      expectClose(b.effects[effect].value, a.effects[effect].value, 1e-9);
    }
    for (const test of ['shapiroWilk', 'lilliefors', 'andersonDarling', 'cramerVonMises'] as const) {
      expectClose(b.tests[test]!.statistic, a.tests[test]!.statistic as number, 1e-9);
    }
  });

  it('subtracts the expectation under normality: E[W1] at n = 80 is 0.0909 with spread 0.0212', () => {
    // 2000 replicates: standard error 5e-4 of the mean, 2 % of the spread.
    const { w1 } = normality(new RandomStream(4).normalArray(80)).effects;
    expect(w1.nullMean).toBeCloseTo(0.0909, 2.7);
    expect(w1.nullStandardDeviation).toBeCloseTo(0.0212, 2.7);
  });

  it('has excess near 0 for normal samples at any n, and the same clear excess otherwise', () => {
    const random = new RandomStream(5);
    for (const n of [20, 200]) {
      const mean = (draw: () => number) => {
        let sum = 0;
        for (let r = 0; r < 60; r++) {
          sum += normality(Float64Array.from({ length: n }, draw), { tests: [] }).effects.w1.excess;
        }
        return sum / 60;
      };
      expect(Math.abs(mean(() => random.normalNumber()))).toBeLessThan(0.02);
      expect(mean(() => -Math.log(1 - random.uniformNumber()))).toBeGreaterThan(0.08);
    }
  });

  it('gives Monte Carlo p-values that agree with the fitted ones and repeat with the seed', () => {
    const x = new RandomStream(6).normalArray(30).map((value) => value ** 3);
    const options = { tests: ['shapiroWilk', 'lilliefors', 'jarqueBera'] as const, replicates: 199, seed: 9 };
    const first = normality(x, options);
    expect(normality(x, options).tests).toEqual(first.tests);
    for (const name of options.tests) expect(first.tests[name]!.pMonteCarlo).toBeLessThan(0.05);
    const normal = normality(new RandomStream(8).normalArray(30), { ...options, replicates: 499 });
    // Standard error of 499 draws: at most 0.022.
    const { p, pMonteCarlo } = normal.tests.shapiroWilk!;
    expect(Math.abs((p as number) - (pMonteCarlo as number))).toBeLessThan(0.08);
  });

  it('prints itself', () => {
    const text = String(normality(new RandomStream(6).normalArray(30), { tests: ['shapiroWilk'] }));
    expect(text.split('\n')).toHaveLength(3);
    expect(text).toMatch(/^30 values: mean .*\n {2}distance W1 .*\n {2}shapiroWilk p \.\d{3}$/);
  });

  it('counts the sample itself among the Monte Carlo draws, which its seed decides', () => {
    const extreme = [...new RandomStream(6).normalArray(30), 1e6];
    const { tests } = normality(extreme, { replicates: 19 });
    for (const test of Object.values(tests)) expect(test.pMonteCarlo).toBe(1 / 20);
    const x = new RandomStream(8).normalArray(30);
    const p = (seed: number) =>
      normality(x, { tests: ['lilliefors'], replicates: 99, seed }).tests.lilliefors!.pMonteCarlo;
    expect(p(1)).not.toBe(p(2));
    for (const replicates of [-1, 1.5]) expect(() => normality(x, { replicates })).toThrow(ConfigError);
  });

  it('refuses a p-value from Shapiro-Wilk above n = 5000, with the statistic kept', () => {
    const result = shapiroWilk(new RandomStream(10).normalArray(5001));
    expect(result.statistic).toBeGreaterThan(0.99);
    expect(result).toMatchObject({ p: null, reason: expect.stringContaining('5000') });
  });

  it('scales the null beyond the simulated sizes', () => {
    const { w1, energy } = normality(new RandomStream(11).normalArray(20_000), { tests: [] }).effects;
    const small = normality(new RandomStream(11).normalArray(5000), { tests: [] }).effects;
    expectClose(w1.nullMean, small.w1.nullMean / 2, 1e-12);
    expectClose(energy.nullMean, small.energy.nullMean / 4, 1e-12);
    expectClose(w1.nullStandardDeviation, small.w1.nullStandardDeviation / 2, 1e-12);
    expectClose(energy.nullStandardDeviation, small.energy.nullStandardDeviation / 4, 1e-12);
    expect(Math.abs(w1.excess)).toBeLessThan(5 * w1.nullStandardDeviation);
  });

  it('pairs sorted values with normal scores for the Q-Q plot', () => {
    const { theoretical, observed } = normality([3, 1, 2, 5, 4]).quantilePlot;
    expect([...observed]).toEqual([1, 2, 3, 4, 5]);
    expectClose(theoretical[2], 0, 0, 1e-15);
    expectClose(theoretical[0], -1.1797611176118612, 1e-12);
  });

  it('says what is wrong with the data', () => {
    expect(() => normality([1, 2, Number.NaN])).toThrow(/finite values, got NaN at index 2/);
    expect(() => normality([4, 4, 4, 4])).toThrow(/Constant data/);
    expect(() => normality([1e308, -1e308, 0])).toThrow(DataError);
    expect(() => holm([0.5, 1.5])).toThrow(/1.5 at index 1/);
    // Neither overflow nor underflow of squares.
    for (const scale of [1e300, 1e-300]) {
      const report = normality([1, 2, 3, 5, 8].map((value) => value * scale));
      expectClose(report.effects.w1.value, normality([1, 2, 3, 5, 8]).effects.w1.value, 1e-12);
    }
  });
});
