import { ConfigError, DataError, Matrix, NotLearnableError, RandomStream, ShapeError } from 'tfjs-flows';
import {
  BlockCovariance,
  DiagonalCovariance,
  FullCovariance,
  ledoitWolf,
  otMap,
  Prior,
  transferDelta,
  transferPairs,
} from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';

const random = new RandomStream(8);
const normals = (rows: number, cols: number) => new Matrix(random.normalArray(rows * cols), rows, cols);
const covariance = (d: number) => new FullCovariance(ledoitWolf(normals(3 * d, d)).covariance);

describe('transferDelta', () => {
  const from = covariance(4);
  const to = covariance(4);
  const delta = [1, 2, 0, -1];

  it('carries a direction plainly, by standard deviations or by optimal transport', () => {
    expect([...transferDelta(delta, to, { strength: 2 }).delta]).toEqual([2, 4, 0, -2]);
    const diagonal = transferDelta(delta, to, { from, match: 'diagonal' });
    diagonal.delta.forEach((value, j) => {
      expect(value).toBeCloseTo(delta[j] * Math.sqrt(to.diagonal()[j] / from.diagonal()[j]), 12);
    });
    const full = transferDelta(delta, to, { from, match: 'full' });
    const expected = otMap(from.matrix, to.matrix).multiply(new Matrix(Float64Array.from(delta), 4, 1));
    full.delta.forEach((value, j) => {
      expect(value).toBeCloseTo(expected.data[j], 12);
    });
    expect(full.range).toBe(null);
  });

  it('colours block by block, and diagonal forms by their ratio', () => {
    const blocks = (a: FullCovariance, b: DiagonalCovariance) => new BlockCovariance([a, b]);
    const narrow = new DiagonalCovariance(Float64Array.of(1, 4));
    const wide = new DiagonalCovariance(Float64Array.of(4, 9));
    const result = transferDelta([...delta, 1, 1], blocks(to, wide), {
      from: { within: blocks(from, narrow) },
      match: 'full',
    });
    const alone = transferDelta(delta, to, { from, match: 'full' });
    [...alone.delta, 2, 1.5].forEach((value, j) => {
      expect(result.delta[j]).toBeCloseTo(value, 12);
    });
  });

  it('finds the largest learnable strength of a latent, at most 2 attribute deviations', () => {
    const prior = Prior.of(
      [0, 0],
      [
        [1, 0],
        [0, 1],
      ],
      [
        [1, 0],
        [0, 1],
      ],
      30,
    );
    const few = [
      [-0.5, 0],
      [0, 0.2],
      [0.7, 0],
    ];
    const posterior = prior.posterior(few);
    const direction = { delta: [1, 0], consistency: 0.9, attributeDeviation: 0.5 };
    const own = transferDelta(direction, posterior, { z: [0, 0.2] });
    expect(own.strength).toBeCloseTo(0.7, 12);
    const transferred = transferDelta(direction, posterior, {
      z: [0, 0.2],
      assumeNearNormal: true,
    } as never);
    expect(transferred.strength).toBe(1);
    expect([...transferred.delta]).toEqual([1, 0]);
    const unlimited = transferDelta({ delta: [1, 0], consistency: 0.9 }, posterior, {
      z: [0, 0.2],
      assumeNearNormal: true,
    });
    expect(unlimited.strength).toBeGreaterThan(2);
  });

  it('starts at the prior of the posterior, unless told from where', () => {
    const prior = Prior.of([0], [[4]], [[1]], 30);
    const posterior = prior.posterior([[-3], [0], [3]]);
    const ratio = Math.sqrt(posterior.covariance.diagonal()[0] / 4);
    for (const match of ['diagonal', 'full'] as const) {
      expect(transferDelta([1], posterior, { match }).delta[0]).toBeCloseTo(ratio, 12);
      expect(transferDelta([1], posterior, { match, from: prior }).delta[0]).toBeCloseTo(ratio, 12);
      const narrow = new DiagonalCovariance(Float64Array.of(1));
      expect(transferDelta([1], posterior, { match, from: narrow }).delta[0]).toBeCloseTo(2 * ratio, 12);
    }
  });

  it('goes towards the attribute by itself, and backwards only when told to', () => {
    const posterior = Prior.of([0], [[1]], [[1]], 30).posterior([[-3], [0], [1]]);
    // The samples reach farther backwards than forwards, and nothing but them is learnable.
    const own = transferDelta({ delta: [1] }, posterior, { z: [0] });
    expect(own.strength).toBe(1);
    expect(own.range!.largest(Number.NEGATIVE_INFINITY)).toBe(-3);
    expect(transferDelta([1], posterior, { z: [0], strength: -3 }).strength).toBe(-3);
    expect(() => transferDelta([1], posterior, { z: [1] })).toThrow(NotLearnableError);
    expect(() => transferDelta([1], posterior, { z: [1] })).toThrow(
      'Backwards, a strength down to -4.00 is.',
    );
  });

  it('prints itself in a few lines', () => {
    const posterior = Prior.of([0], [[1]], [[1]], 30).posterior([[-3], [0], [1]]);
    const own = transferDelta([2], posterior, { z: [0] });
    expect(String(own).split('\n')).toEqual([
      'strength 0.5, which moves by 1 in 1 dimensions: own',
      own.range!.refusal,
    ]);
    expect(String(transferDelta([2], posterior))).toContain('not checked against a range');
  });

  it('refuses what is not learnable unless told otherwise', () => {
    const prior = Prior.of([0], [[1]], [[1]], 30);
    const posterior = prior.posterior([[-0.5], [0.5]]);
    const attempt = (options: object) => () => transferDelta([1], posterior, { z: [0], ...options });
    expect(attempt({ strength: 1 })).toThrow(NotLearnableError);
    expect(attempt({ strength: 9, consistency: 1, assumeNearNormal: true })).toThrow(
      'Neither the samples nor the prior',
    );
    expect(attempt({ strength: 9, allowOutside: true })).not.toThrow();
    expect(() => transferDelta([1], prior.posterior([[1]]), { z: [1] })).toThrow('a strength above 0');
    expect(() => transferDelta([1], posterior, { from, match: 'full' })).toThrow(ShapeError);
    expect(() => transferDelta([1], posterior, { strength: 'auto' })).toThrow('z, the latent');
    expect(() => transferDelta([1], prior.within, { z: [0] })).toThrow('Prior.posterior');
    expect(() => transferDelta([1], posterior, { strength: Number.NaN })).toThrow(ConfigError);
    expect(() => transferDelta([1], posterior, { match: 'half' as never })).toThrow(ConfigError);
  });
});

describe('transferPairs', () => {
  const d = 8;
  const few = normals(5, d);
  const donors = { z: normals(60, d), subclass: Array.from({ length: 60 }, (_, i) => `class ${i % 3}`) };

  it('adds 0.6 times the difference of two samples of one donor class', () => {
    const { z, source, donor } = transferPairs(few, donors, { seed: 4 });
    expect([...source]).toEqual([0, 1, 2, 3, 4]);
    for (let k = 0; k < 5; k++) {
      const move = Array.from(z.row(k), (value, j) => (value - few.at(k, j)) / 0.6);
      const group = Array.from({ length: 60 }, (_, i) => i).filter((i) => donors.subclass[i] === donor[k]);
      const found = group.some((a) =>
        group.some(
          (b) =>
            a !== b &&
            move.every((value, j) => Math.abs(value - donors.z.at(a, j) + donors.z.at(b, j)) < 1e-9),
        ),
      );
      expect(found).toBe(true);
    }
  });

  it('moves the share of channels that is asked for, channel by channel', () => {
    const changed = (options: object) => {
      const { z, source } = transferPairs(few, donors, { count: 40, ...options });
      return Array.from({ length: 40 }, (_, k) =>
        Array.from(z.row(k), (value, j) => Number(value !== few.at(source[k], j))),
      );
    };
    for (const row of changed({ activeShare: 0.25 })) expect(row.reduce((a, b) => a + b)).toBe(2);
    for (const row of changed({ activeShare: 0.5, channels: 2 })) {
      expect(row.reduce((a, b) => a + b)).toBe(4);
      row.forEach((value, j) => {
        expect(value).toBe(row[j % 2]);
      });
    }
    const layout = [
      { level: 0, offset: 0, size: 4, shape: [2, 1, 2] },
      { level: 1, offset: 4, size: 4, shape: [1, 1, 4] },
    ];
    for (const row of changed({ activeShare: 0.5, layout })) {
      expect([row.slice(0, 4), row.slice(4)].map((part) => part.reduce((a, b) => a + b))).toEqual([2, 2]);
      expect([row[0], row[1]]).toEqual([row[2], row[3]]);
    }
  });

  it('adds 2 p^2 W to the covariance, or keeps it (within 10 %: 6,000 draws)', () => {
    const many = normals(3000, d);
    const base = { z: normals(3000, d), subclass: new Array(3000).fill(1) };
    const spread = (options: object) => {
      const { z } = transferPairs(many, base, { count: 6000, ...options });
      return z.data.reduce((sum, value) => sum + value * value, 0) / z.data.length;
    };
    expect(Math.abs(spread({}) - 1.72)).toBeLessThan(0.17);
    expect(Math.abs(spread({ activeShare: 3 / 8 }) - 1 - 0.27)).toBeLessThan(0.12);
    expect(Math.abs(spread({ variancePreserving: true }) - 1)).toBeLessThan(0.1);
  });

  it('is seeded and refuses what it cannot do', () => {
    expect(transferPairs(few, donors, { seed: 2 })).toEqual(transferPairs(few, donors, { seed: 2 }));
    expect(() => transferPairs(few, { z: [new Array(d).fill(0)], subclass: [1] })).toThrow(DataError);
    expect(() => transferPairs(few, { z: [[1], [2]], subclass: [1, 1] })).toThrow(ShapeError);
    expect(() => transferPairs(few, donors, { strength: 0.8, variancePreserving: true })).toThrow(
      '1 / sqrt(2)',
    );
    expect(() => transferPairs(few, donors, { strength: 0 })).toThrow(ConfigError);
    expect(() => transferPairs(few, donors, { activeShare: 0 })).toThrow(ConfigError);
    expect(() => transferPairs(few, donors, { channels: 3 })).toThrow('channels that divide');
  });
});
