import { checkOptions, type OptionNames } from '../../core/options';
import { figure, pFigure, printable } from '../../core/printable';
import { RandomStream, type Seed } from '../../core/random';
import { checkChoice, checkInteger } from '../../core/shapes';
import type { VectorInput } from '../inputs';
import { andersonDarlingOf } from './andersonDarling';
import { cramerVonMisesOf } from './cramerVonMises';
import { dagostinoK2Of } from './dagostinoK2';
import { EFFECT_NAMES, type EffectName, effectSizes } from './effectSizes';
import { jarqueBeraOf } from './jarqueBera';
import { lillieforsOf } from './lilliefors';
import { nullEffects } from './nullEffects';
import { type QuantilePlot, quantilePlot } from './quantilePlot';
import { describe, printableTest, type Sample, type StatisticalTest, toSample } from './sample';
import { shapiroWilkOf } from './shapiroWilk';

/** Tests of normality with unknown mean and deviation. */
export type NormalityTestName =
  | 'shapiroWilk'
  | 'lilliefors'
  | 'andersonDarling'
  | 'cramerVonMises'
  | 'dagostinoK2'
  | 'jarqueBera';

interface NormalityTest {
  run: (sample: Sample) => StatisticalTest;
  /** Which end of the statistic speaks against normality. */
  extreme: 'low' | 'high';
}

const TESTS: Record<NormalityTestName, NormalityTest> = {
  shapiroWilk: { run: shapiroWilkOf, extreme: 'low' },
  lilliefors: { run: lillieforsOf, extreme: 'high' },
  andersonDarling: { run: andersonDarlingOf, extreme: 'high' },
  cramerVonMises: { run: cramerVonMisesOf, extreme: 'high' },
  dagostinoK2: { run: dagostinoK2Of, extreme: 'high' },
  jarqueBera: { run: jarqueBeraOf, extreme: 'high' },
};

const TEST_NAMES = Object.keys(TESTS) as NormalityTestName[];

/** Options of `normality`. */
export interface NormalityOptions {
  /** Which tests to run. Default: all six. */
  tests?: readonly NormalityTestName[];
  /** Normal samples of the same n to draw for `pMonteCarlo`; 999 is usual. Default: 0, none. */
  replicates?: number;
  /** Seed of those samples. Default: 0. */
  seed?: Seed;
}

const OPTIONS: OptionNames<NormalityOptions> = { tests: true, replicates: ['monteCarlo'], seed: true };

/** Result of one test within `normality`. */
export interface NormalityTestResult extends StatisticalTest {
  /** (1 + normal samples at least as extreme) / (1 + samples drawn); valid at every n. Only with `replicates`. */
  pMonteCarlo?: number;
}

/** A distance from the normal distribution, and how much of it a normal sample of this n would show as well. */
export interface EffectSize {
  value: number;
  /** Mean over normal samples of the same n. */
  nullMean: number;
  /** Standard deviation over normal samples of the same n. */
  nullStandardDeviation: number;
  /** value - nullMean: the part to compare, and only at equal n. */
  excess: number;
}

/** What `normality` found: effect sizes first, then tests. */
export interface NormalityReport {
  n: number;
  mean: number;
  /** Divisor n - 1. */
  standardDeviation: number;
  /** Third standardized moment, divisor n. */
  skewness: number;
  /** Fourth standardized moment minus 3, divisor n. */
  excessKurtosis: number;
  /** How far from normal: the primary result, stable in n. */
  effects: Record<EffectName, EffectSize>;
  /** Whether that distance could be chance: secondary, since every real sample is rejected when large enough. */
  tests: Partial<Record<NormalityTestName, NormalityTestResult>>;
  quantilePlot: QuantilePlot;
}

/**
 * How far one sample is from a normal distribution with its own mean and deviation, and whether chance explains it.
 *
 * Effect sizes (W1, W2^2, energy, negentropy) come with their expectation under normality subtracted; tests are Shapiro-Wilk,
 * Lilliefors, Anderson-Darling, Cramer-von Mises, D'Agostino K^2 and Jarque-Bera. A Kolmogorov-Smirnov test is not among them:
 * it needs a mean and deviation from elsewhere, see `kolmogorovSmirnov`.
 *
 * @param x n >= 3 values. Where a test needs more, its `statistic` or `p` is null and `reason` says why
 * @throws DataError for fewer than 3 values, values that are not finite, or all equal; ConfigError for an unknown test
 * Source: the single tests name theirs; `effectSizes` those of the distances.
 * @example
 * const report = normality([2.1, 3.4, 1.9, 2.8, 3.0, 2.2, 2.6, 2.9], { tests: ['shapiroWilk'] });
 * report.tests.shapiroWilk?.p; // about 0.9
 * report.effects.w1.excess; // standard deviations beyond what 8 normal values show
 */
export function normality(x: VectorInput, options: NormalityOptions = {}): NormalityReport {
  checkOptions('normality', options, OPTIONS);
  const { tests = TEST_NAMES, replicates = 0, seed = 0 } = options;
  for (const name of tests) checkChoice('normality', 'tests', name, TEST_NAMES);
  checkInteger('normality', 'replicates', replicates, 0);
  const sample = toSample('normality', x);
  const results: NormalityReport['tests'] = {};
  for (const name of tests) results[name] = printableTest(TESTS[name].run(sample));
  if (replicates > 0) addMonteCarlo(results, sample.n, replicates, new RandomStream(seed));
  const report: NormalityReport = {
    n: sample.n,
    mean: sample.mean,
    standardDeviation: sample.standardDeviation,
    skewness: sample.skewness,
    excessKurtosis: sample.excessKurtosis,
    effects: effectsOf(sample),
    tests: results,
    quantilePlot: quantilePlot(sample.sorted),
  };
  return printable(report, lines);
}

function lines({
  n,
  mean,
  standardDeviation,
  skewness,
  excessKurtosis,
  effects,
  tests,
}: NormalityReport): string[] {
  const shown = Object.entries(tests).map(
    ([name, { p, pMonteCarlo }]) => `${name} ${pFigure(pMonteCarlo ?? p)}`,
  );
  const { value, excess } = effects.w1;
  return [
    `${n} values: mean ${figure(mean)}, deviation ${figure(standardDeviation)}, skewness ${figure(skewness)}, excess kurtosis ${figure(excessKurtosis)}`,
    `  distance W1 from normal ${figure(value)} deviations, ${figure(excess)} beyond what ${n} normal values show`,
    ...(shown.length === 0 ? [] : [`  ${shown.join(', ')}`]),
  ];
}

function effectsOf(sample: Sample): Record<EffectName, EffectSize> {
  const values = effectSizes(sample);
  const expected = nullEffects(sample.n);
  const entry = (name: EffectName): EffectSize => ({
    value: values[name],
    nullMean: expected[name].mean,
    nullStandardDeviation: expected[name].standardDeviation,
    excess: values[name] - expected[name].mean,
  });
  return Object.fromEntries(EFFECT_NAMES.map((name) => [name, entry(name)])) as Record<
    EffectName,
    EffectSize
  >;
}

function addMonteCarlo(
  results: NormalityReport['tests'],
  n: number,
  replicates: number,
  random: RandomStream,
): void {
  const names = (Object.keys(results) as NormalityTestName[]).filter(
    (name) => results[name]?.statistic !== null,
  );
  const beyond = new Map(names.map((name) => [name, 0]));
  for (let r = 0; r < replicates; r++) {
    const drawn = describe(random.normalArray(n));
    for (const name of names) {
      const { run, extreme } = TESTS[name];
      const observed = results[name]?.statistic as number;
      const simulated = run(drawn).statistic as number;
      if (extreme === 'low' ? simulated <= observed : simulated >= observed) {
        beyond.set(name, (beyond.get(name) as number) + 1);
      }
    }
  }
  for (const name of names) {
    (results[name] as NormalityTestResult).pMonteCarlo =
      (1 + (beyond.get(name) as number)) / (1 + replicates);
  }
}
