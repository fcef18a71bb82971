import { inspect } from 'node:util';
import { FlowError, RandomStream } from 'tfjs-flows';
import { fitPrior, Prior } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';
import { measureNovelty } from '../../bench/attributes/novelty';
import { Population } from '../../bench/attributes/population';

// Short forms of the report; one base prior's newcomers share its errors, so many bases of few newcomers.
describe('novelty of ordinary and of planted subclasses', () => {
  it.each([
    { dimensions: 1, factors: 0, classes: 20, few: 5, bases: 60 },
    { dimensions: 4, factors: 3, classes: 10, few: 3, bases: 60 },
    { dimensions: 16, factors: 0, classes: 20, few: 10, bases: 40 },
    { dimensions: 64, factors: 3, classes: 10, few: 5, bases: 20 },
    { dimensions: 300, factors: 0, classes: 10, few: 5, bases: 6 },
    { dimensions: 300, factors: 3, classes: 10, few: 5, bases: 6 },
  ])('d $dimensions, $factors factors, $classes subclasses, $few samples', ({ bases, ...setting }) => {
    const { ordinary, widened, planted } = measureNovelty(setting, bases, 20, 7);
    // .05 in long runs; the standard error is .01 to .03 here.
    expect(ordinary).toBeLessThanOrEqual(0.09);
    expect(ordinary).toBeGreaterThan(0);
    expect(widened).toBeLessThanOrEqual(0.1);
    expect(planted).toBeGreaterThanOrEqual(0.9);
  });

  it('gives p values that are uniform where nothing is unusual (4 dimensions, 10 subclasses)', () => {
    const values: number[] = [];
    for (let seed = 0; seed < 40; seed++) {
      const population = new Population({ dimensions: 4, factors: 0, ratio: 1, units: 1, seed });
      const prior = fitPrior(population.base(10, 10), { withinWeight: 10 });
      for (let i = 0; i < 10; i++) {
        values.push(prior.posterior(population.samples(population.ordinary(), 5)).novelty.p as number);
      }
    }
    for (const level of [0.25, 0.5, 0.75]) {
      const share = values.filter((p) => p < level).length / values.length;
      expect(Math.abs(share - level)).toBeLessThan(0.08);
    }
  });

  it('is the t test of the class means in one dimension (6 subclasses, within 25 %)', () => {
    const means = [-3, -1, 0, 0.5, 1, 2.5];
    const shifts = [-1, -0.5, 0, 0.5, 1];
    const z = means.flatMap((mean) => shifts.map((shift) => mean + 0.1 * shift));
    const prior = fitPrior({ z, subclass: z.map((_, i) => Math.floor(i / 5)) });
    // Deviation 1.8974, t = 6 / (1.8974 sqrt(1 + 1 / 6)) = 2.928 with 5 degrees of freedom: two-sided p .0327.
    const { p } = prior.posterior(shifts.map((shift) => 6 + 0.1 * shift)).novelty;
    expect(p as number).toBeGreaterThan(0.0245);
    expect(p as number).toBeLessThan(0.041);
  });

  it('widens W for samples that scatter three times as much as others do', () => {
    const population = new Population({ dimensions: 16, factors: 0, ratio: 1, units: 5, seed: 3 });
    const prior = fitPrior(population.base(10, 20));
    const mean = population.ordinary();
    const wide = population.samples(mean, 6);
    for (let i = 0; i < wide.rows; i++) {
      const row = wide.row(i);
      for (let j = 0; j < row.length; j++) row[j] = mean[j] + Math.sqrt(3) * (row[j] - mean[j]);
    }
    const { inflation } = prior.posterior(wide);
    expect(inflation.lambda).toBeGreaterThan(2);
    expect(inflation.lambda).toBeLessThan(4);
    expect(prior.posterior(wide, { inflate: false }).inflation).toEqual({ lambda: 1, tauSquared: 1 });
  });

  it('is null where there are too few subclasses to leave any out, and chi-squared where T is known', () => {
    const random = new RandomStream(1);
    const z = Array.from({ length: 12 }, () => [random.normalNumber(), random.normalNumber()]);
    const prior = fitPrior({ z, subclass: z.map((_, i) => i % 3) });
    const posterior = prior.posterior([
      [50, 50],
      [51, 50],
    ]);
    expect(posterior.novelty).toEqual({ p: null, novel: false });
    expect(posterior.inflation).toEqual({ lambda: 1, tauSquared: 1 });
    expect(prior.notes.join()).toContain('Of 3 subclasses none can be left out');
    // One sample 3 off, T = W = 1: 9 / 2 at one degree of freedom; scipy chi2.sf(4.5, 1).
    expect(Prior.of([0], [[1]], [[1]], 10).posterior([[3]]).novelty.p).toBeCloseTo(0.033894853524689274, 10);
  });
});

describe('three samples a subclass', () => {
  it('are enough without any option', () => {
    const population = new Population({ dimensions: 4, factors: 0, ratio: 2, units: 3, seed: 5 });
    const prior = fitPrior(population.base(8, 3));
    expect(prior.notes).toEqual([]);
    expect(prior.withinWeight).toBeGreaterThanOrEqual(1);
    // No more than the degrees of freedom that W was estimated with.
    expect(prior.withinWeight).toBeLessThanOrEqual(16);
    const pairs = fitPrior(population.base(8, 2));
    expect(pairs.withinWeight).toBe(8);
    expect(pairs.notes.join()).toContain('No subclass has 3 samples (at most 2)');
  });
});

describe('a prior and its posteriors, as a notebook meets them', () => {
  const population = new Population({ dimensions: 6, factors: 0, ratio: 2, units: 3, seed: 6 });
  const prior = fitPrior(population.base(6, 5));

  it('print themselves in a few lines, without matrices', () => {
    const posterior = prior.posterior(population.samples(population.planted(6), 4));
    for (const shown of [String(prior), String(posterior), inspect(prior), inspect(posterior)]) {
      expect(shown.split('\n').length).toBeLessThanOrEqual(6);
      expect(shown).not.toContain('Float64Array');
    }
    expect(String(prior)).toContain('Prior of 6 dimensions from 6 subclasses, 30 samples');
    expect(String(posterior)).toContain('from 4 samples of 6 dimensions: novel');
    expect(String(prior.posterior(population.samples(population.ordinary(), 4)))).toContain('not unlike');
  });

  it('take { z } and flat lists of one value per sample', () => {
    const few = population.samples(population.ordinary(), 4);
    expect([...prior.posterior({ z: few }).mean]).toEqual([...prior.posterior(few).mean]);
    const z = Array.from({ length: 12 }, (_, i) => (i % 4) + Math.sin(5 * i));
    const line = fitPrior({ z, subclass: z.map((_, i) => i % 4) });
    expect([...line.posterior([1, 2, 2.5]).mean]).toEqual([...line.posterior([[1], [2], [2.5]]).mean]);
    expect(line.posterior({ z: [1, 2] }).count).toBe(2);
    expect(line.logProb([1, 2])).toHaveLength(2);
  });

  it.each<[string, () => unknown]>([
    ['fitPrior()', () => fitPrior(undefined as never)],
    ['fitPrior of latents alone', () => fitPrior([[1], [2]] as never)],
    ['fitPrior without subclasses', () => fitPrior({ z: [[1], [2]] } as never)],
    ['fitPrior of a posterior', () => fitPrior(prior as never)],
    ['posterior()', () => prior.posterior(undefined as never)],
    ['posterior of a prior', () => prior.posterior(prior as never)],
    ['posterior of { z } without z', () => prior.posterior({ z: undefined } as never)],
    ['a flat list for six dimensions', () => prior.posterior([1, 2, 3, 4, 5, 6] as never)],
    ['Prior.of()', () => Prior.of(undefined as never, undefined as never, undefined as never, 1)],
    ['Prior.fromJSON()', () => Prior.fromJSON(undefined as never)],
    ['logProb()', () => prior.logProb(undefined as never)],
    ['units of another name', () => fitPrior(population.base(4, 3), { units: 'own' as never })],
  ])('%s says what is missing or swapped', (_, call) => {
    expect(call).toThrow(FlowError);
  });
});
