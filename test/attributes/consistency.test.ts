import { Matrix, RandomStream } from 'tfjs-flows';
import { learnableRange, Prior, zDelta } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';
import { attributeData, grantedShare } from '../../bench/attributes/consistencyGate';
import { expectClose } from '../support/golden';

type Data = { z: Matrix; subclass: number[]; attributes: number[] };
const shared = (seed: number, subclasses: number, n: number, d: number) =>
  attributeData(new RandomStream(seed), 'shared', subclasses, n, d) as Data;
const without = ({ z, subclass, attributes }: Data, left: number): Data => {
  const rows = [...subclass.keys()].filter((i) => subclass[i] !== left);
  return {
    z: Matrix.fromRows(rows.map((i) => z.row(i))),
    subclass: rows.map((i) => subclass[i]),
    attributes: rows.map((i) => attributes[i]),
  };
};

describe('consistency of a direction over subclasses', () => {
  it('is that of a table by hand', () => {
    // Differences of means 4, 6 and 8; every group is one pair at distance 2 or 4.
    const z = [0, 2, 4, 6, 0, 2, 6, 8, 0, 4, 8, 12];
    const attributes = z.map((_, i) => (i % 4 < 2 ? 0 : 1));
    const subclass = z.map((_, i) => Math.floor(i / 4));
    const { consistency, consistencyError, consistencyReason } = zDelta({ z, subclass, attributes });
    // Noise of |delta|^2: 2 / 2 + 2 / 2 = 2 for pairs at distance 2, 8 for those at distance 4.
    const [a, b, c] = [16 - 2, 36 - 2, 64 - 8];
    const mean = (4 * 6 + 4 * 8 + 6 * 8) / 3;
    expectClose(consistency!, mean / ((a + b + c) / 3), 1e-12);
    const leftOut = [48 / ((b + c) / 2), 32 / ((a + c) / 2), 24 / ((a + b) / 2)];
    const center = leftOut.reduce((sum, value) => sum + value, 0) / 3;
    const spread = leftOut.reduce((sum, value) => sum + (value - center) ** 2, 0);
    expectClose(consistencyError!, Math.sqrt((2 / 3) * spread), 1e-12);
    expect(consistencyReason).toBeNull();
  });

  it('has the error that leaving every subclass out in turn gives', () => {
    for (const mode of ['binary', 'slope'] as const) {
      const data = shared(3, 6, 20, 5);
      const leftOut = Array.from({ length: 6 }, (_, c) => zDelta(without(data, c), { mode }).consistency!);
      const center = leftOut.reduce((sum, value) => sum + value, 0) / 6;
      const spread = leftOut.reduce((sum, value) => sum + (value - center) ** 2, 0);
      expectClose(zDelta(data, { mode }).consistencyError!, Math.sqrt((5 / 6) * spread), 1e-9);
    }
  });

  it('is free of the bias of noise where both sides differ in spread and in number (400 runs)', () => {
    const random = new RandomStream(8);
    let mean = 0;
    const runs = 400;
    for (let r = 0; r < runs; r++) {
      const rows: number[][] = [];
      const subclass: number[] = [];
      const attributes: number[] = [];
      for (let c = 0; c < 5; c++) {
        for (let i = 0; i < 12; i++) {
          const present = Number(i < 4);
          const deviation = present === 1 ? 2 : 0.5;
          rows.push(Array.from({ length: 4 }, () => 2 * present + deviation * random.normalNumber()));
          subclass.push(c);
          attributes.push(present);
        }
      }
      mean += zDelta({ z: rows, subclass, attributes }).consistency! / runs;
    }
    // One run spreads by 0.1. Taken at face value, |delta|^2 would have noise of a quarter in it, and pooled noise a seventh too little.
    expect(Math.abs(mean - 1)).toBeLessThan(0.02);
  });

  it('spreads over data sets as its error says (300 data sets; within a quarter)', () => {
    const random = new RandomStream(9);
    const values: number[] = [];
    let errors = 0;
    for (let r = 0; r < 300; r++) {
      const { consistency, consistencyError } = zDelta(attributeData(random, 'shared', 8, 20, 4));
      values.push(consistency!);
      errors += consistencyError! ** 2 / 300;
    }
    const center = values.reduce((sum, value) => sum + value, 0) / 300;
    const variance = values.reduce((sum, value) => sum + (value - center) ** 2, 0) / 299;
    expect(errors / variance).toBeGreaterThan(0.75);
    expect(errors / variance).toBeLessThan(1.6);
  });

  it('is null where subclasses have no direction, or leave the noise unknown', () => {
    // One subclass points up, one down, one nowhere: lengths of noise.
    const z = [0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 0, 1];
    const attributes = z.map((_, i) => i % 2);
    const subclass = z.map((_, i) => Math.floor(i / 4));
    const noisy = zDelta({ z, subclass, attributes });
    expect(noisy).toMatchObject({ consistency: null, consistencyError: null });
    expect(noisy.consistencyReason).toContain('does not stand out from noise');
    const single = zDelta({
      z: [0, 1, 5, 0, 1, 5],
      subclass: [0, 0, 0, 1, 1, 1],
      attributes: [0, 0, 1, 0, 0, 1],
    });
    expect(single.consistencyReason).toContain('2 samples on both sides');
    const slope = { z: [0, 1, 5, 0, 1, 5], subclass: [0, 0, 0, 1, 1, 1], attributes: [0, 0, 1, 0, 0, 1] };
    expect(zDelta(slope, { mode: 'slope' }).consistencyReason).toContain('2 samples on both sides');
  });

  it('has no error with two subclasses, and then opens no gate', () => {
    const direction = zDelta(shared(4, 2, 30, 8));
    expect(direction.consistency).toBeGreaterThan(0.7);
    expect(direction.consistencyError).toBeNull();
    expect(direction.consistencyReason).toContain('needs 3 subclasses');
    expect(refusalOf(direction)).toContain('two subclasses are too few');
  });
});

describe('the gate on consistency', () => {
  it('takes the error off', () => {
    const delta = [1];
    expect(refusalOf({ delta, consistency: 0.7, consistencyError: 0.19 })).toBeNull();
    expect(refusalOf({ delta, consistency: 0.7, consistencyError: 0.21 })).toContain(
      'consistency 0.70 less its standard error 0.21 < 0.5',
    );
    expect(refusalOf({ delta, consistency: 0.7 })).toBeNull();
    // A number of your own is not mixed with the error of the direction's.
    expect(refusalOf({ delta, consistency: 0.1, consistencyError: 0.5 }, { consistency: 0.7 })).toBeNull();
    expect(
      refusalOf({ delta, consistency: 0.7, consistencyError: 0.21 }, { minimumConsistency: 0.4 }),
    ).toBeNull();
  });

  // 200 data sets each at a true share of .005 or less: 6 or more have probability .001.
  it.each([
    [3, 10, 1],
    [3, 50, 4],
    [5, 4, 1],
    [10, 4, 1],
    [20, 4, 16],
  ])('refuses coin flips: %i subclasses, n %i, d %i', (subclasses, n, d) => {
    expect(grantedShare('coinFlip', subclasses, n, d, 200)).toBeLessThan(0.03);
  });

  it('passes a direction that all share, not one that each has for itself', () => {
    expect(grantedShare('shared', 3, 20, 16, 40)).toBeGreaterThan(0.9);
    expect(grantedShare('shared', 10, 10, 16, 40)).toBeGreaterThan(0.9);
    expect(grantedShare('unrelated', 5, 30, 16, 40)).toBeLessThan(0.05);
  });
});

function refusalOf(direction: Parameters<typeof learnableRange>[2], options = {}): string | null {
  const d = (direction as { delta: ArrayLike<number> }).delta.length;
  const unit = Array.from({ length: d }, (_, i) => Array.from({ length: d }, (_, j) => Number(i === j)));
  const zero = new Array<number>(d).fill(0);
  const posterior = Prior.of(zero, unit, unit, 30).posterior([zero]);
  return learnableRange(posterior, zero, direction, { assumeNearNormal: true, ...options }).refusal;
}
