import { Matrix, RandomStream } from 'tfjs-flows';
import { fitPrior, learnableRange, type Prior } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';

const [classes, perClass, d] = [8, 10, 6];
const random = new RandomStream(5);
const means = Array.from({ length: classes }, () => random.normalArray(d).map((value) => 1.5 * value));
const common = random.normalArray(d);
const rows = means.flatMap((mean) =>
  Array.from({ length: perClass }, () => {
    const shared = random.normalNumber();
    return mean.map((value, j) => value + random.normalNumber() + shared * common[j]);
  }),
);
const subclass = rows.map((_, i) => Math.floor(i / perClass));
const few = means[0].map((value, j) => value + (j % 2 === 0 ? 0.7 : -0.4));
const fewRows = Array.from({ length: 4 }, () => few.map((value) => value + random.normalNumber()));
const units = [1000, 1, 0.01, 7, 1e-5, 40];

const inUnits = (points: readonly Float64Array[]) =>
  points.map((point) => point.map((value, j) => value * units[j]));

/** |actual - expected| / |expected|, the largest over the entries that are not rounding beside the largest of their row and column. */
function expectScaled(actual: Matrix, expected: Matrix): void {
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) {
      const size = Math.sqrt(expected.at(i, i) * expected.at(j, j));
      const factor = units[i] * units[j];
      expect(Math.abs(actual.at(i, j) / factor - expected.at(i, j)) / size).toBeLessThan(1e-9);
    }
  }
}

describe('units have no say in a prior', () => {
  const layout = [
    { level: 0, offset: 0, size: 2 },
    { level: 1, offset: 2, size: 4 },
  ];
  it.each([
    ['full', { covariance: 'full' }],
    ['diagonal', { covariance: 'diagonal' }],
    ['low rank', { covariance: 'lowRank', rank: 2 }],
    ['full with a layout', { covariance: 'full', layout }],
    ['diagonal with a layout', { covariance: 'diagonal', layout }],
    ['low rank with a layout', { covariance: 'lowRank', rank: 1, layout }],
  ] as const)(
    '%s: mean, covariances, ranges, novelty and withinWeight follow the columns (1e-9)',
    (_, options) => {
      const fit = (z: readonly Float64Array[]): Prior => fitPrior({ z, subclass }, options);
      const [plain, scaled] = [fit(rows), fit(inUnits(rows))];
      expect(scaled.withinWeight).toBe(plain.withinWeight);
      expectScaled(scaled.within.toMatrix(), plain.within.toMatrix());
      expectScaled(scaled.between.toMatrix(), plain.between.toMatrix());
      const [before, after] = [plain.posterior(fewRows), scaled.posterior(inUnits(fewRows))];
      const deviations = before.covariance.diagonal().map(Math.sqrt);
      before.mean.forEach((value, j) => {
        expect(Math.abs(after.mean[j] / units[j] - value) / deviations[j]).toBeLessThan(1e-9);
      });
      expectScaled(after.covariance.toMatrix(), before.covariance.toMatrix());
      expectScaled(after.meanCovariance.toMatrix(), before.meanCovariance.toMatrix());
      expect(after.novelty.p).toBeCloseTo(before.novelty.p as number, 9);
      expect(after.inflation.lambda).toBeCloseTo(before.inflation.lambda, 9);
      expect(after.inflation.tauSquared).toBeCloseTo(before.inflation.tauSquared, 9);
      for (const axis of [0, 2, 4]) {
        const direction = Array.from({ length: d }, (_, j) => Number(j === axis));
        const [low, high] = learnableRange(before, fewRows[0], direction).range as [number, number];
        const wide = learnableRange(after, inUnits(fewRows)[0], direction).range as [number, number];
        expect(Math.abs(wide[0] / units[axis] - low)).toBeLessThan(1e-9 * (high - low));
        expect(Math.abs(wide[1] / units[axis] - high)).toBeLessThan(1e-9 * (high - low));
      }
    },
  );

  it('a column 100 times as wide as another does not lend it its width', () => {
    const noise = new RandomStream(2);
    const z = Matrix.zeros(100, 2);
    for (let i = 0; i < 100; i++) z.row(i).set([100 * noise.normalNumber(), noise.normalNumber()]);
    const prior = fitPrior({ z, subclass: Array.from({ length: 100 }, (_, i) => i % 10) });
    // 90 degrees of freedom: standard error 15 %.
    expect(prior.within.variance([0, 1])).toBeGreaterThan(0.6);
    expect(prior.within.variance([0, 1])).toBeLessThan(1.5);
  });

  it('a column without variance gets the width of the others, and the prior says so', () => {
    const z = rows.map((row) => [...row.slice(0, 3), 0.1, 5]);
    for (const covariance of ['full', 'diagonal', 'lowRank'] as const) {
      const prior = fitPrior({ z, subclass }, { covariance, rank: 2 });
      const variances = prior.within.diagonal();
      const others = (variances[0] + variances[1] + variances[2]) / 3;
      expect(variances[3] / others).toBeCloseTo(1, 6);
      expect(variances[4] / others).toBeCloseTo(1, 6);
      expect(prior.notes.join()).toContain('column 3, 4');
      for (const value of prior.posterior(z.slice(0, 3)).logProb(z))
        expect(Number.isFinite(value)).toBe(true);
    }
  });
});
