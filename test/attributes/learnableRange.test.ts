import { ConfigError, Matrix, NotLearnableError, RandomStream, ShapeError } from 'tfjs-flows';
import {
  DiagonalCovariance,
  FullCovariance,
  fitPrior,
  learnableRange,
  mixedNormality,
  Prior,
  positionsAlong,
  type Verdict,
} from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';
import { coverage, settings, shortcut } from '../../bench/attributes/rangeCoverage';
import { expectClose, golden } from '../support/golden';

interface RangeCase {
  cov: number[][];
  mean: number[];
  z: number[];
  delta: number[];
  level: number;
  nu: number | null;
  n: number | null;
  ellipsoid: [number, number];
  marginalProjection: [number, number];
}

const known = (mean: number[]) => ({
  mean: Float64Array.from(mean),
  covariance: new DiagonalCovariance(new Float64Array(mean.length).fill(1)),
  degreesOfFreedom: Number.POSITIVE_INFINITY,
  count: Number.POSITIVE_INFINITY,
});

describe('learnableRange', () => {
  it.each(golden.learnableRange as RangeCase[])('agrees with scipy, case %# (1e-9)', (one) => {
    const summary = {
      mean: Float64Array.from(one.mean),
      covariance: new FullCovariance(Matrix.fromRows(one.cov)),
      degreesOfFreedom: one.nu ?? Number.POSITIVE_INFINITY,
      count: one.n ?? Number.POSITIVE_INFINITY,
    };
    const options = { level: one.level };
    for (const [kind, expected] of [
      ['ellipsoid', one.ellipsoid],
      ['marginal', one.marginalProjection],
    ] as const) {
      const { range } = learnableRange(summary, one.z, one.delta, { ...options, kind });
      expectClose(range![0], expected[0], 1e-9);
      expectClose(range![1], expected[1], 1e-9);
    }
  });

  it.each(
    settings().filter(
      ({ kind, dimensions, count }) => kind !== 'typical' || (dimensions === 16 && count === 5),
    ),
  )(
    'covers .95 in [.93, .97]: $kind, d $dimensions, n $count, nu $degreesOfFreedom (600 to 1,500 draws: standard error .006 to .009)',
    (setting) => {
      const share = coverage(setting, setting.dimensions === 64 ? 600 : 1500, 12);
      expect(share).toBeGreaterThanOrEqual(0.93);
      expect(share).toBeLessThanOrEqual(0.97);
    },
  );

  it('shows the chi-squared shortcut for the mistake it is', () => {
    expect(coverage(shortcut, 1000, 3)).toBeLessThan(0.5);
  });

  it('leaves out the neighbourhood of the mean in the typical set of many dimensions', () => {
    const summary = known(new Array(100).fill(0));
    const direction = new Array(100).fill(0.1);
    const shell = learnableRange(summary, new Array(100).fill(0), direction, { kind: 'typical' });
    expect(shell.prior.length).toBe(2);
    const [[low, inner], [outer, high]] = shell.prior;
    expect([low, inner]).toEqual([-high, -outer]);
    // chi-squared quantiles .025 and .975 at 100 degrees of freedom (scipy): 74.2219, 129.5612.
    expect(outer ** 2).toBeCloseTo(74.2219, 3);
    expect(high ** 2).toBeCloseTo(129.5612, 3);
    expect(
      learnableRange(summary, new Array(100).fill(3), [1, ...new Array(99).fill(0)], { kind: 'typical' })
        .range,
    ).toBe(null);
  });

  it('sorts strengths into own, transferable and outside, and refuses with a reason', () => {
    const summary = {
      ...known([0, 0]),
      samples: Matrix.fromRows([
        [-1, 0],
        [0.5, 3],
      ]),
    };
    const direction = { delta: [2, 0], consistency: 0.8 };
    const range = learnableRange(summary, [0, 0], direction, { assumeNearNormal: true });
    expect(range.own).toEqual([-0.5, 0.25]);
    expect(range.range![1]).toBeCloseTo(1.959964 / 2, 6);
    expect([-0.6, -0.5, 0, 0.3, 1].map((s) => range.status(s))).toEqual([
      'transferable',
      'own',
      'own',
      'transferable',
      'outside',
    ]);
    expect(range.largest()).toBeCloseTo(1.959964 / 2, 6);
    expect(range.largest(0.6)).toBe(0.6);
    expect(() => range.check('f', 1)).toThrow('Neither the samples nor the prior reach so far');
    expect(() => range.check('f', 0.7)).not.toThrow();

    const strict = (options: object) => learnableRange(summary, [0, 0], { delta: [2, 0] }, options);
    expect(strict({}).refusal).toContain('not known whether other subclasses share');
    const alone = { delta: [2, 0], consistency: null, consistencyReason: 'only one subclass has both' };
    expect(learnableRange(summary, [0, 0], alone).refusal).toContain('only one subclass has both');
    expect(strict({ consistency: 0.3, assumeNearNormal: true }).refusal).toContain('consistency 0.30 < 0.5');
    expect(strict({ consistency: 0.3, minimumConsistency: 0.2, assumeNearNormal: true }).refusal).toBe(null);
    expect(strict({ consistency: 0.9 }).refusal).toContain('mixedNormality');
    const report = (nearNormal: Verdict) => ({ nearNormal, along: [-1, 0] });
    expect(strict({ consistency: 0.9, mixing: report('supported') }).refusal).toBe(null);
    expect(strict({ consistency: 0.9, mixing: report('undecided') }).refusal).toContain('is undecided');
    const refused = strict({ consistency: 0.9, mixing: report('not supported') });
    expect(refused.status(0.7)).toBe('outside');
    expect([refused.largest(), refused.largest(-0.1), refused.largest(Number.NEGATIVE_INFINITY)]).toEqual([
      0.25, -0.1, -0.5,
    ]);
    expect(() => refused.check('f', 0.7)).toThrow(NotLearnableError);
    expect(() => refused.check('f', 0.7)).toThrow(
      'Not transferable: that the mixed attribute is near normal is not supported',
    );
  });

  it('asks for a report along its own direction', () => {
    const random = new RandomStream(1);
    const base = {
      z: Matrix.fromRows(Array.from({ length: 40 }, () => random.normalArray(3))),
      subclass: Array.from({ length: 40 }, (_, i) => i % 4),
    };
    const delta = [3, -4, 0.5];
    const quick = { replicates: 19, mixtures: 2 };
    const along = (direction: number[]) => mixedNormality(base, { ...quick, along: direction });
    const call =
      (mixing: object, options: object = {}) =>
      () =>
        learnableRange(known([0, 0, 0]), [0, 0, 0], { delta, consistency: 1 }, {
          mixing,
          ...options,
        } as never);

    // Any length and sign, rounded as float32 rounds, and stored as JSON: the same direction.
    const report = along(delta);
    expect(call(report)).not.toThrow();
    expect(call(along(delta.map((value) => -1e-3 * value)))).not.toThrow();
    expect(call(along(delta.map((value) => Math.fround(value * 1.1))))).not.toThrow();
    const stored = JSON.parse(JSON.stringify({ nearNormal: report.nearNormal, along: [...report.along!] }));
    expect(call(stored)()).toEqual(call(report)());
    expect(call([along([0, 0, 1]), report])()).toEqual(call(report)());

    expect(call(along([3, -4, 0.51]))).toThrow('a report of mixedNormality along this direction');
    expect(call([along([0, 0, 1]), along([1, 0, 0])])).toThrow('along another (cosine 0.5970)');
    expect(call([])).toThrow('along: direction');
    expect(call(mixedNormality(base, quick))).toThrow('one of columns, which remembers none');
    const byHand = mixedNormality({ ...base, z: positionsAlong(base.z, delta) }, quick);
    expect(call(byHand)).toThrow('mixedNormality(labeled, { along: direction })');
    expect(call(report, { assumeNearNormal: true })).toThrow('mixing or assumeNearNormal, got both');
    expect(call({ ...report, along: [3, -4] })).toThrow(ShapeError);
  });

  it('takes samples and prior from a posterior, and compares their spread', () => {
    const prior = Prior.of([0], [[1]], [[1]], 20);
    const posterior = prior.posterior([[-0.1], [0], [0.1], [0.05]], { inflate: false });
    const range = learnableRange(posterior, [0], [1]);
    expect(range.own).toEqual([-0.1, 0.1]);
    // scipy: f = var([-.1, 0, .1, .05], ddof = 1), 2 * f.cdf(f, 3, 20).
    expectClose(range.varianceRatio!.f, 0.00729166666666667, 1e-9);
    expectClose(range.varianceRatio!.p, 0.0017711683192149874, 1e-9);
    expect(String(range)).toContain(
      'own variance along it 0.00729 times the pooled one (p .002, if all subclasses were normal and spread alike)',
    );
    const single = learnableRange(prior.posterior([[1]]), [1], [1]);
    expect(single.own).toEqual([0, 0]);
    expect(single.varianceRatio).toBe(null);
    expect(String(single)).not.toContain('pooled');
  });

  it('refuses joint regions of a fitted prior with fewer than 4 degrees of freedom per dimension', () => {
    const random = new RandomStream(2);
    const z = Array.from({ length: 40 }, () => Array.from(random.normalArray(12)));
    const subclass = z.map((_, i) => i % 5);
    const joint = (withinWeight: number, kind: 'ellipsoid' | 'typical') =>
      learnableRange(fitPrior({ z, subclass }, { withinWeight }).posterior(z.slice(0, 4)), z[0], z[1], {
        kind,
      });
    for (const kind of ['ellipsoid', 'typical'] as const) {
      expect(() => joint(44, kind)).toThrow('at least 48 degrees of freedom');
      expect(() => joint(45, kind)).not.toThrow();
    }
  });

  it('prints itself', () => {
    const range = learnableRange(
      {
        ...known([0, 0]),
        samples: Matrix.fromRows([
          [-1, 0],
          [0.5, 3],
        ]),
      },
      [0, 0],
      [2, 0],
    );
    expect(String(range)).toMatch(
      /^Learnable strengths \(marginal, level 0.95\): own -0.5000 .. 0.2500, transferable none\n {2}prior -0.98/,
    );
    expect(String(range)).toContain('not transferable: it is not known');
  });

  it('refuses what it cannot compute', () => {
    const summary = { ...known([0, 0]), degreesOfFreedom: 1, count: 2 };
    expect(() => learnableRange(summary, [0, 0], [1, 0], { kind: 'ellipsoid' })).toThrow("kind: 'marginal'");
    expect(learnableRange(summary, [0, 0], [1, 0]).range![1]).toBeGreaterThan(12.7);
    expect(() => learnableRange(summary, [0, 0], [1, 0], { level: 1 })).toThrow(ConfigError);
    expect(() => learnableRange(summary, [0, 0], [0, 0])).toThrow('zeros only');
    expect(() => learnableRange(summary, [0], [1, 0])).toThrow(ShapeError);
    expect(() => learnableRange(summary, [0, 0], [1, 0], { own: [[1]] })).toThrow(ShapeError);
  });
});
