import { describe, expect, it } from 'vitest';
import { heldOutLogDensity } from '../../src/attributes/prior/heldOutDensity';
import { Matrix, RandomStream } from '../../src/index';
import { DiagonalCovariance, LowRankCovariance } from '../../src/statistics/covariance';
import { meanOfRows, subtractFromRows } from '../../src/statistics/rows';

describe('heldOutLogDensity', () => {
  it.each([
    ['full', 6],
    ['full', 2],
    ['diagonal', 6],
  ] as const)(
    'is the mean log-density under (nu0 I + scatter) / (nu0 + n - 1), %s in %i dimensions',
    (form, d) => {
      const random = new RandomStream(d);
      const few = new Matrix(
        random.normalArray(4 * d).map((value) => value + 2),
        4,
        d,
      );
      const heldOut = new Matrix(random.normalArray(9 * d), 9, d);
      const logDensity = heldOutLogDensity(few, heldOut, form);
      const centred = subtractFromRows(few, meanOfRows('test', few));
      for (const withinWeight of [1, 8, 300]) {
        const weight = withinWeight + 3;
        const noise = new Float64Array(d).fill(withinWeight / weight);
        const scatter = new Matrix(
          centred.data.map((value) => value / Math.sqrt(weight)),
          4,
          d,
        );
        const covariance =
          form === 'full'
            ? new LowRankCovariance(noise, scatter)
            : new DiagonalCovariance(noise).plusScatter(scatter);
        let expected = (d / 2) * Math.log(2 * Math.PI);
        for (let i = 0; i < 9; i++) expected += covariance.logDensity(heldOut.row(i)) / 9;
        expect(logDensity(withinWeight)).toBeCloseTo(expected, 10);
      }
    },
  );
});
