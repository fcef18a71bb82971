import '@tensorflow/tfjs-backend-cpu';
import { RandomStream } from 'tfjs-flows';
import { biasReport, fitPrior, type Labeled } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';

/** Normal samples of so many subclasses, and attributes of which one never varies. */
function samplesOf(counts: readonly number[], d: number, random: RandomStream): Labeled {
  const subclass = counts.flatMap((count, c) => new Array<number>(count).fill(c));
  const z = subclass.map((c) => Array.from(random.normalArray(d), (value, j) => value + (j === 0 ? c : 0)));
  const pose = z.map((row) => row[0] + random.normalNumber());
  return { z, subclass, attributes: { pose, flat: pose.map(() => 1) } };
}

/** Every number in a result. */
function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  if (value === null || typeof value !== 'object') return [];
  return Object.values(value).flatMap(numbersIn);
}

describe('the fewest samples that are taken', () => {
  it.each([
    [6, 8, 3, 5],
    [6, 8, 2, 2],
    [6, 8, 1, 3],
    [20, 5, 3, 4],
    [20, 5, 2, 4],
    [40, 4, 2, 3],
    [1, 3, 2, 4],
    [300, 3, 2, 4],
  ])(
    'biasReport in %d dimensions, %d subclasses of %d, reference of %d: figures or null',
    (d, classes, few, many) => {
      const random = new RandomStream(1);
      const of = (count: number) => samplesOf(new Array(classes).fill(count), d, random);
      const report = biasReport(of(few), of(many), { replicates: 39 });
      expect(numbersIn(report).every(Number.isFinite)).toBe(true);
      expect(report.notes.join(' ')).not.toMatch(/NaN|Infinity/);
    },
  );

  it.each([
    [[2, 1], 1],
    [[2, 1, 1], 5],
    [[2, 2], 5],
    [[2, 1, 1], 300],
  ])('fitPrior on subclasses of %j samples in %d dimensions has finite densities', (counts, d) => {
    const random = new RandomStream(2);
    const prior = fitPrior(samplesOf(counts, d, random));
    const few = samplesOf([3], d, random).z;
    expect(prior.posterior(few).logProb(few).every(Number.isFinite)).toBe(true);
  });
});
