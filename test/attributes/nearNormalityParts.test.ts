import { RandomStream } from 'tfjs-flows';
import { normality } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';
import { bendFor, bentMoments } from '../../src/attributes/mixing/departures';
import { designOf, deviationsOf, equalWeights, limitRows } from '../../src/attributes/mixing/design';
import { energyDistance, POINT_ENERGY } from '../../src/attributes/mixing/energy';
import { nearNormalityOf } from '../../src/attributes/mixing/nearNormality';
import { simulateDistances } from '../../src/attributes/mixing/simulate';
import { judge, type ViewEvidence } from '../../src/attributes/mixing/verdict';
import { normalQuantile } from '../../src/statistics/special';

describe('views together', () => {
  /** Views of one p-value each, none of them near normal for sure. */
  const verdictOf = (ps: number[]) => {
    const views = ps.map(
      (p): ViewEvidence => ({ p, distance: { value: 0.02, low: 0, high: 0.1, power: 0 } }),
    );
    const band = { value: 0, low: 0, high: 0 };
    const rest = { trend: null, gain: band, advantage: band, trainingLatents: false };
    return judge({ ...rest, views, epsilon: 0.03, level: 0.95 }).nearNormal.verdict;
  };

  it('refute by the smallest p times their number, by the k-th smallest where there are many', () => {
    expect(verdictOf([0.04])).toBe('not supported');
    // .04 of four views is nothing special, .0125 is.
    expect(verdictOf([0.04, 0.5, 0.6, 0.7])).toBe('undecided');
    expect(verdictOf([0.0124, 0.5, 0.6, 0.7])).toBe('not supported');
    // Of 32 views the second smallest counts, sixteenfold: one alone tells nothing, two do.
    const others = new Array<number>(30).fill(0.5);
    expect(verdictOf([0, 0.5, ...others])).toBe('undecided');
    expect(verdictOf([0.003, 0.003, ...others])).toBe('not supported');
    expect(verdictOf([0.003, 0.004, ...others])).toBe('undecided');
  });
});

describe('parts of the verdict', () => {
  const random = new RandomStream(3);

  it('energyDistance is the energy of normality (1e-5), whatever place and scale; weights count as repeats', () => {
    const x = random.normalArray(60).map((value) => 5e6 + 3 * value + value ** 2);
    const { value } = normality(x, { tests: [] }).effects.energy;
    expect(energyDistance(x, null)).toBeCloseTo(value, 5);
    expect(energyDistance(x, new Float64Array(60).fill(1 / 60))).toBeCloseTo(energyDistance(x, null), 12);
    // Thrice a sample has the same distribution, and another divisor in its deviation.
    const few = random.normalArray(400);
    const weights = Float64Array.from(few, (_, i) => (i < 200 ? 3 : 1) / 800);
    const repeated = Float64Array.from([...few.slice(0, 200), ...few.slice(0, 200), ...few]);
    expect(energyDistance(few, weights)).toBeCloseTo(energyDistance(repeated, null), 4);
    expect(energyDistance(new Float64Array(5).fill(2), null)).toBe(POINT_ENERGY);
  });

  it('bends put a population at the distance asked for (5 %, as between points of a table)', () => {
    for (const [distance, share] of [
      [0.03, 1],
      [0.2, 1],
      [0.03, 0.5],
      [0.06, 0.6],
    ]) {
      const g = bendFor(distance, share) as number;
      const { mean, deviation } = bentMoments(g);
      // Quantiles of the bent part crossed with those of the rest: no chance in it.
      const count = 400;
      const normal = Float64Array.from({ length: count }, (_, i) => normalQuantile((i + 0.5) / count));
      const values = new Float64Array(count * count);
      for (let i = 0; i < count; i++) {
        const bent = (Math.sqrt(share) * (Math.exp(g * normal[i]) - mean)) / deviation;
        for (let j = 0; j < count; j++) values[i * count + j] = bent + Math.sqrt(1 - share) * normal[j];
      }
      expect(Math.sqrt(energyDistance(values, null)) / distance).toBeCloseTo(1, 1);
    }
    // Means with a tenth of the variance cannot make a mixture that far from normal.
    expect(bendFor(0.03, 0.1)).toBe(null);
  });

  it('limits follow the distance: wide at few samples, on its two sides at many', () => {
    const design = (size: number) => ({ sizes: [size, size, size, size, size], steps: 0 });
    const few = nearNormalityOf(0.42 / 10, design(2), 0.03, 0.95).distance;
    expect(few.high).toBeGreaterThan(0.2);
    expect([few.value, few.low, few.power]).toEqual([few.value, 0, 0]);
    const many = nearNormalityOf(0.42 / 4000 + 0.06 ** 2, design(800), 0.03, 0.95);
    expect(many.distance.value).toBeCloseTo(0.06, 2);
    expect(many.distance.low).toBeGreaterThan(0.04);
    expect(many.distance.high).toBeLessThan(0.09);
    expect(many.distance.power).toBeGreaterThan(0.99);
    expect(many.p).toBeLessThan(0.01);
  });

  it('luck supports nothing: a sample as near as few normal ones are needs that to be rarer still at epsilon', () => {
    const design = { sizes: new Array<number>(10).fill(30), steps: 0 };
    const { normal, bent } = simulateDistances(design, [0.03]);
    const lucky = normal[Math.floor(normal.length / 10)];
    // Rare enough at epsilon for a test at .05, and yet no more than a quarter as rare as it is for normal samples.
    expect(shareUpTo(bent[0], lucky)).toBeLessThan(0.04);
    expect(shareUpTo(bent[0], lucky) / shareUpTo(normal, lucky)).toBeGreaterThan(0.2);
    expect(nearNormalityOf(lucky, design, 0.03, 0.95).distance.high).toBeGreaterThan(0.04);
  });

  it('the upper limit counts means that hide what samples within would show', () => {
    const design = { sizes: new Array<number>(40).fill(20), steps: 22 };
    const { normal, bent, bentMeans } = simulateDistances(design, [0.06]);
    const energy = normal[Math.floor(0.3 * normal.length)];
    const relative = (list: Float64Array) => shareUpTo(list, energy) / shareUpTo(normal, energy);
    expect(relative(bent[0])).toBeLessThan(0.05);
    expect(relative(bentMeans[0]!)).toBeGreaterThan(0.09);
    expect(nearNormalityOf(energy, design, 0.03, 0.95).distance.high).toBeGreaterThan(0.06);
  });

  it('the design sees how alike samples of a subclass are', () => {
    const groups = Array.from({ length: 50 }, (_, c) =>
      Int32Array.from({ length: 20 }, (_, i) => 20 * c + i),
    );
    const means = random.normalArray(50);
    const values = Float64Array.from(
      { length: 1000 },
      (_, i) => means[Math.floor(i / 20)] + random.normalNumber(),
    );
    const { between, within } = deviationsOf(designOf(values, groups));
    expect(between ** 2).toBeGreaterThan(0.35);
    expect(between ** 2).toBeLessThan(0.65);
    expect(between ** 2 + within ** 2).toBeCloseTo(1, 12);
    expect(designOf(random.normalArray(1000), groups).steps).toBeLessThan(8);
    const single = Array.from({ length: 9 }, (_, i) => Int32Array.of(i));
    expect(designOf(values, single)).toEqual({ sizes: new Array(9).fill(1), steps: 0 });
  });

  it('rows are cut from the largest subclasses, and parts stay equal', () => {
    const groups = [3, 10, 40].map((size) => Int32Array.from({ length: size }, (_, i) => 100 * size + i));
    expect(limitRows(groups, 53, random)).toBe(groups);
    const cut = limitRows(groups, 20, random);
    expect(cut.map((rows) => rows.length)).toEqual([3, 8, 8]);
    cut.forEach((rows, c) => {
      expect(new Set(rows).size).toBe(rows.length);
      for (const row of rows) expect(groups[c]).toContain(row);
    });
    expect(limitRows(groups, 1, random).map((rows) => rows.length)).toEqual([1, 1, 1]);
    expect([...equalWeights([1, 3])!]).toEqual([1 / 2, 1 / 6, 1 / 6, 1 / 6]);
    expect(equalWeights([4, 4])).toBe(null);
  });
});

/** Share of values up to t. */
function shareUpTo(list: Float64Array, t: number): number {
  return list.filter((value) => value <= t).length / list.length;
}
