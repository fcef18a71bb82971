import { DataError, Matrix, RandomStream, ShapeError } from 'tfjs-flows';
import { biasReport, type Labeled, zDelta } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';
import { falsePositivesOf } from '../../bench/attributes/biasNulls';
import { intraclassCorrelations } from '../../src/attributes/bias/differences';
import { permutationTest } from '../../src/attributes/bias/permutation';
import { expectClose } from '../support/golden';

interface Population {
  few: Labeled & { z: Matrix; subclass: number[] };
  reference: Labeled & { z: Matrix; subclass: number[] };
}

interface Planted {
  classes?: number;
  n?: number;
  size?: number;
  d?: number;
  /** Deviation of class c in coordinate j. Default: 1. */
  scale?: (c: number, j: number) => number;
  /** Deviation of the class means. Default: 1. */
  between?: number;
}

function population(random: RandomStream, planted: Planted = {}): Population {
  const { classes = 5, n = 5, size = 40, d = 8, scale = () => 1, between = 1 } = planted;
  const few: number[][] = [];
  const reference: number[][] = [];
  for (let c = 0; c < classes; c++) {
    const mean = random.normalArray(d);
    const draw = () => Array.from(mean, (m, j) => between * m + scale(c, j) * random.normalNumber());
    for (let i = 0; i < n; i++) few.push(draw());
    for (let i = 0; i < size; i++) reference.push(draw());
  }
  const labels = (per: number) => Array.from({ length: classes * per }, (_, i) => Math.floor(i / per));
  return {
    few: { z: Matrix.fromRows(few), subclass: labels(n) },
    reference: { z: Matrix.fromRows(reference), subclass: labels(size) },
  };
}

const quick = { replicates: 99 };

describe('complementarity (H2b)', () => {
  it('is 1 with cosine 0 under independent sampling, and its p-values are those of chance', () => {
    const random = new RandomStream(1);
    let ratio = 0;
    let cosine = 0;
    let rejected = 0;
    const runs = 30;
    for (let r = 0; r < runs; r++) {
      const { few, reference } = population(random, { size: 10, d: 16 });
      const { complementarity } = biasReport(few, reference, { replicates: 199 });
      ratio += complementarity.ratio / runs;
      cosine += complementarity.cosine / runs;
      if (Math.min(complementarity.pShared, complementarity.pComplementary) <= 0.025) rejected++;
    }
    // The ratio of one run spreads by 0.28, the cosine by 0.08: standard errors 0.05 and 0.015.
    expect(Math.abs(ratio - 1)).toBeLessThan(0.15);
    expect(Math.abs(cosine)).toBeLessThan(0.045);
    // Binomial(30, 0.05): 7 or more has probability 0.001.
    expect(rejected).toBeLessThan(7);
  });

  it('sees a bias that the classes share', () => {
    const { few, reference } = population(new RandomStream(2), { d: 16 });
    for (let i = 0; i < few.z.data.length; i++) few.z.data[i] += 0.5;
    const { complementarity, notes } = biasReport(few, reference, { replicates: 499 });
    expect(complementarity.ratio).toBeGreaterThan(2);
    expect(complementarity.cosine).toBeGreaterThan(0.2);
    expect(complementarity.pShared).toBeLessThan(0.01);
    expect(notes[1]).toMatch(/share a bias/);
  });

  it('sees deviations that cancel', () => {
    const { few, reference } = population(new RandomStream(3), { d: 16 });
    const truth = few.subclass.map((c) => meanOf(reference, c));
    const mean = new Float64Array(16);
    few.subclass.forEach((_, i) => {
      for (let j = 0; j < 16; j++) mean[j] += (few.z.at(i, j) - truth[i][j]) / 25;
    });
    for (let i = 0; i < 25; i++) for (let j = 0; j < 16; j++) few.z.row(i)[j] -= 0.7 * mean[j];
    const { complementarity, notes } = biasReport(few, reference, { replicates: 499 });
    expect(complementarity.ratio).toBeLessThan(0.3);
    expect(complementarity.pComplementary).toBeLessThan(0.01);
    expect(notes[1]).toMatch(/cancel over subclasses beyond/);
  });
});

describe('differences (H2a)', () => {
  it('reject at their size when all classes are one (80 runs; Binomial(80, 0.05): 11 or more has probability 0.003)', () => {
    const random = new RandomStream(4);
    const rejected = { location: 0, spread: 0, shape: 0 };
    for (let r = 0; r < 80; r++) {
      const { few, reference } = population(random, { between: 0, size: 8, d: 4 });
      const { differ } = biasReport(few, reference, { replicates: 39 });
      for (const name of ['location', 'spread', 'shape'] as const)
        if (differ[name].p! <= 0.05) rejected[name]++;
    }
    for (const count of Object.values(rejected)) expect(count).toBeLessThan(11);
  });

  it('do not take heavy tails for differences at 8 a subclass (40 runs of t4; Binomial(40, 0.1): 12 or more has probability 0.0003)', () => {
    const { spread, shape, complementarity } = falsePositivesOf('t4', 8, 12, 2, 40, 39);
    for (const share of [spread, shape, complementarity]) expect(share * 40).toBeLessThan(11.5);
  });

  it('tell location, spread and shape apart', () => {
    const random = new RandomStream(5);
    const located = biasReport(...both(population(random, { n: 12 })), quick).differ;
    expect(located.location.p).toBe(0.01);
    expect(located.location.f).toBeGreaterThan(3);
    expect(located.spread.p).toBeGreaterThan(0.05);

    const spread = population(random, { n: 12, between: 0, scale: (c) => 1 + c });
    expect(biasReport(...both(spread), quick).differ.spread.p).toBe(0.01);

    // Equal variances, opposite correlations of the first two coordinates.
    const turned = population(random, { n: 20, between: 0, d: 4 });
    for (const { z, subclass } of [turned.few, turned.reference]) {
      subclass.forEach((c, i) => {
        const row = z.row(i);
        row[1] = (c % 2 === 0 ? 0.95 : -0.95) * row[0] + Math.sqrt(1 - 0.95 ** 2) * row[1];
      });
    }
    const { differ, notes } = biasReport(...both(turned), quick);
    expect(differ.shape.p).toBe(0.01);
    expect(differ.spread.p).toBeGreaterThan(0.05);
    expect(notes[0]).toMatch(/differ in shape/);
  });

  it('give the F of a table by hand and exact ties', () => {
    const rows = Matrix.fromRows([[1], [3], [5], [7]]);
    const groups = [Int32Array.of(0, 1), Int32Array.of(2, 3)];
    // Between: 2 * 2 * 2^2 = 16; within: 4 * 1 = 4 over 2 degrees of freedom.
    expectClose(permutationTest(rows, groups, 19, new RandomStream(0)).f, 8, 1e-12);
    expect(permutationTest(rows, [groups[0]], 19, new RandomStream(0))).toMatchObject({
      f: null,
      p: null,
      reason: expect.stringContaining('two subclasses'),
    });
  });

  it('estimate the share of variance between classes', () => {
    const random = new RandomStream(6);
    const { reference } = population(random, { classes: 60, size: 20, d: 2, between: 2 });
    const groups = Array.from({ length: 60 }, (_, c) =>
      Int32Array.from({ length: 20 }, (_, i) => 20 * c + i),
    );
    // 4 / (4 + 1); standard error of 60 class means about 0.03.
    for (const share of intraclassCorrelations(reference.z, groups))
      expect(Math.abs(share - 0.8)).toBeLessThan(0.1);
  });
});

describe('transfer (H2c) and directions (H2d)', () => {
  it('finds that classes with one covariance inform each other', () => {
    const { few, reference } = population(new RandomStream(7), { scale: (_, j) => 0.3 * (1 + j) });
    const transfer = biasReport(few, reference, quick).transfer!;
    expect(transfer.pooled).toBeGreaterThan(transfer.own);
    expect(transfer.hierarchical).toBeGreaterThan(transfer.own);
    expect(transfer.general).toBeLessThan(transfer.pooled);
    expect(transfer.gapClosed).toBeGreaterThan(0.7);
    expect(transfer.perSubclass.map(({ subclass }) => subclass)).toEqual([0, 1, 2, 3, 4]);
    // The law itself scores -sum ln(scale)/d - ln(2 pi e)/2; the oracle learns it from 20 samples.
    const best =
      -0.5 * Math.log(2 * Math.PI * Math.E) -
      [1, 2, 3, 4, 5, 6, 7, 8].reduce((s, j) => s + Math.log(0.3 * j), 0) / 8;
    expect(Math.abs(transfer.oracle - best)).toBeLessThan(0.25);
  });

  it('finds that classes of their own do not, and says so', () => {
    const scale = (c: number, j: number) => ((c + j) % 5 === 0 ? 20 : 0.05);
    const { few, reference } = population(new RandomStream(8), { n: 30, scale, size: 60, d: 5 });
    const report = biasReport(few, reference, quick);
    const { own, pooled, perSubclass } = report.transfer!;
    expect(pooled).toBeLessThan(own - 1);
    expect(perSubclass).toHaveLength(5);
    expect(report.perSubclass[0].bures).toBeGreaterThan(2 * report.perSubclass[0].buresNull);
  });

  it('is not scored where there is nothing to score with', () => {
    const two = population(new RandomStream(9), { classes: 2 });
    const report = biasReport(two.few, two.reference, quick);
    expect(report.transfer).toBeNull();
    expect(report.notes[2]).toMatch(/not scored/);
    const single = population(new RandomStream(9), { n: 1 });
    const alone = biasReport(single.few, single.reference, quick);
    expect(alone.transfer).toBeNull();
    expect(alone.differ.location).toMatchObject({ f: null, reason: expect.any(String) });
  });

  it('reports the consistency of every attribute as zDelta does', () => {
    const { few, reference } = population(new RandomStream(10));
    const attributes = reference.z.transpose().transpose();
    const report = biasReport(few, { ...reference, attributes }, quick);
    expect(report.directions).toHaveLength(8);
    const direct = zDelta({ ...reference, attributes }, { attribute: 3, mode: 'slope' });
    expect(report.directions[3].consistency).toBe(direct.consistency);
    expect(report.directions[3].consistency).toBeGreaterThan(0.8);
  });
});

describe('biasReport', () => {
  it('describes every class', () => {
    const { few, reference } = population(new RandomStream(11), { d: 64, size: 80 });
    const { perSubclass } = biasReport(few, reference, { ...quick, components: 4 });
    for (const entry of perSubclass) {
      expectClose(entry.expectedBiasNorm, Math.sqrt(1 / 5 + 1 / 80), 1e-12);
      // chi with 64 degrees of freedom: relative spread 0.09.
      expect(entry.biasNorm / entry.expectedBiasNorm).toBeGreaterThan(0.65);
      expect(entry.biasNorm / entry.expectedBiasNorm).toBeLessThan(1.35);
      expectClose(
        entry.bias[3],
        meanOf(few, entry.subclass as number)[3] - meanOf(reference, entry.subclass as number)[3],
        1e-12,
      );
      expect(entry.bures).toBeLessThan(2.5 * entry.buresNull);
    }
  });

  it('refuses few samples that are in the reference too, as copies or views', () => {
    const { few, reference } = population(new RandomStream(14));
    const z = new Float64Array([...few.z.data, ...reference.z.data]);
    const all = { z: new Matrix(z, 225, 8), subclass: [...few.subclass, ...reference.subclass] };
    const view = { z: new Matrix(z.subarray(0, 25 * 8), 25, 8), subclass: few.subclass };
    expect(() => biasReport(all, all, quick)).toThrow('225 of 225 few samples in the reference too');
    expect(() => biasReport(view, all, quick)).toThrow('25 of 25 few samples in the reference too');
    // One row that slipped in, rounded to float32 by a device.
    const slipped = { ...few, z: new Matrix(few.z.data.slice(), 25, 8) };
    slipped.z.row(3).set(Float32Array.from(reference.z.row(7)));
    expect(() => biasReport(slipped, reference, quick)).toThrow(DataError);
    expect(() => biasReport(slipped, reference, quick)).toThrow('1 of 25 few samples');
  });

  it('takes equal values of counts for what they are, unless all are the same list', () => {
    const random = new RandomStream(15);
    const counts = (n: number) => ({
      z: Array.from({ length: 4 * n }, (_, i) => [Math.round(Math.floor(i / n) + 3 * random.normalNumber())]),
      subclass: Array.from({ length: 4 * n }, (_, i) => Math.floor(i / n)),
    });
    const reference = counts(60);
    expect(() => biasReport(counts(6), reference, quick)).not.toThrow();
    expect(() => biasReport(reference, reference, quick)).toThrow(DataError);
    expect(() =>
      biasReport({ ...reference, z: reference.z.map((row) => [...row]) }, reference, quick),
    ).toThrow(DataError);
  });

  it('repeats with the seed', () => {
    const { few, reference } = population(new RandomStream(12));
    const options = { ...quick, seed: 3 };
    expect(biasReport(few, reference, options)).toEqual(biasReport(few, reference, options));
  });

  it('says what is wrong', () => {
    const { few, reference } = population(new RandomStream(13));
    const lacking = { ...reference, subclass: reference.subclass.map((c) => (c === 4 ? 9 : c)) };
    expect(() => biasReport(few, lacking)).toThrow(/at least 2 reference samples of subclass 4, got none/);
    expect(() => biasReport({ ...few, subclass: few.subclass.map(() => 1) }, reference)).toThrow(DataError);
    const narrow = { z: Matrix.zeros(10, 3), subclass: few.subclass.slice(0, 10) };
    expect(() => biasReport(narrow, reference)).toThrow(ShapeError);
    few.z.data[7] = Number.NaN;
    expect(() => biasReport(few, reference)).toThrow(/finite values, got NaN in row 0, column 7/);
  });
});

function both({ few, reference }: Population): [Labeled, Labeled] {
  return [few, reference];
}

function meanOf({ z, subclass }: { z: Matrix; subclass: number[] }, c: number): number[] {
  const rows = [...subclass.keys()].filter((i) => subclass[i] === c);
  return Array.from({ length: z.cols }, (_, j) => rows.reduce((sum, i) => sum + z.at(i, j), 0) / rows.length);
}
