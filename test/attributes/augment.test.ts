import { ConfigError, DataError, NotLearnableError, RandomStream, ShapeError } from 'tfjs-flows';
import { augment, fitPrior, synthesize, zDelta } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';

const d = 6;
const random = new RandomStream(31);

/** Classes far apart, with an attribute along the first coordinate. */
function classes(count: number, n: number, spread: number) {
  const z: number[][] = [];
  const subclass: number[] = [];
  const attributes: number[][] = [];
  for (let c = 0; c < count; c++) {
    const mean = Array.from({ length: d }, () => spread * random.normalNumber());
    for (let i = 0; i < n; i++) {
      const amount = random.normalNumber();
      z.push(mean.map((m, j) => m + (j === 0 ? 2 * amount : 0) + random.normalNumber()));
      subclass.push(c);
      attributes.push([amount]);
    }
  }
  return { z, subclass, attributes };
}

const base = classes(8, 30, 4);
const prior = fitPrior(base);
const direction = zDelta(base, { mode: 'slope' });
const novel = classes(1, 6, 4).z;
const posterior = prior.posterior(novel);
const distances = (rows: ArrayLike<number>[], sources: Int32Array) =>
  rows.map((row, i) => Math.hypot(...Array.from(row, (value, j) => value - novel[sources[i]][j])));

describe('synthesize', () => {
  it('moves along attributes within the learnable strengths and half a prior deviation', () => {
    const made = synthesize(posterior, {
      count: 200,
      method: 'attribute',
      directions: [direction],
      assumeNearNormal: true,
    });
    const length = Math.hypot(...direction.delta);
    const limit = (0.5 * Math.sqrt(prior.within.variance(direction.delta))) / length ** 2;
    let largest = 0;
    for (let i = 0; i < 200; i++) {
      const strength = made.strengths!.at(i, 0);
      largest = Math.max(largest, Math.abs(strength));
      made.z.row(i).forEach((value, j) => {
        expect(value).toBeCloseTo(novel[made.source[i]][j] + strength * direction.delta[j], 10);
      });
    }
    expect(largest).toBeLessThanOrEqual(limit);
    expect(largest).toBeGreaterThan(0.8 * limit);
    const ownOnly = synthesize(posterior, { count: 200, method: 'attribute', directions: [direction.delta] });
    const projections = novel.map((row) =>
      row.reduce((sum, value, j) => sum + value * direction.delta[j], 0),
    );
    for (let i = 0; i < 200; i++) {
      const at = ownOnly.z.row(i).reduce((sum, value, j) => sum + value * direction.delta[j], 0);
      expect(at).toBeGreaterThanOrEqual(Math.min(...projections) - 1e-9);
      expect(at).toBeLessThanOrEqual(Math.max(...projections) + 1e-9);
    }
  });

  it('uses every source equally and states the predictive log-density of what it made', () => {
    for (const method of ['mixup', 'posterior', 'pair'] as const) {
      const made = synthesize(posterior, { count: 12, method, donors: base, seed: 2 });
      expect([...made.logProb]).toEqual([...posterior.logProb(made.z)]);
      expect(made.strengths).toBe(null);
      if (method !== 'pair') expect([...made.source].sort()).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
      expect(synthesize(posterior, { count: 12, method, donors: base, seed: 2 })).toEqual(made);
      expect(synthesize(posterior, { count: 12, method, donors: base, seed: 3 }).z).not.toEqual(made.z);
    }
  });

  it('mixes within the segment between two samples', () => {
    const { z, source } = synthesize(posterior, { count: 60, method: 'mixup', strength: 0.3 });
    for (let i = 0; i < 60; i++) {
      const origin = novel[source[i]];
      const onSegment = novel.some((other) => {
        const weights = Array.from(z.row(i), (value, j) => (value - origin[j]) / (other[j] - origin[j]));
        return weights.every((w) => w >= 0 && w <= 0.3 && Math.abs(w - weights[0]) < 1e-9);
      });
      expect(onSegment).toBe(true);
    }
  });

  it('draws plainly from the posterior at strength 1 and stays nearer below', () => {
    const plain = synthesize(posterior, { count: 3000, method: 'posterior', strength: 1 });
    expect(new Set(plain.source)).toEqual(new Set([-1]));
    const variances = posterior.predictive.diagonal();
    for (let j = 0; j < d; j++) {
      const column = plain.z.column(j);
      const mean = column.reduce((a, b) => a + b) / 3000;
      expect(Math.abs(mean - posterior.mean[j])).toBeLessThan(4 * Math.sqrt(variances[j] / 3000));
      const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3000;
      expect(Math.abs(variance / variances[j] - 1)).toBeLessThan(4 * Math.sqrt(2 / 3000));
    }
    const average = (strength: number) => {
      const { z, source } = synthesize(posterior, { count: 300, method: 'posterior', strength });
      const all = distances(
        Array.from({ length: 300 }, (_, i) => z.row(i)),
        source,
      );
      return all.reduce((a, b) => a + b) / 300;
    };
    expect(average(0.1)).toBeLessThan(average(0.5));
  });

  it('never sells a sample over again as a new one', () => {
    // Half of the donors' pairs do not differ.
    const twins = { z: [...base.z.slice(0, 2), base.z[0], base.z[0]], subclass: [0, 0, 1, 1] };
    const { z: rows, source } = synthesize(posterior, { count: 40, method: 'pair', donors: twins });
    expect([rows.rows, source.length]).toEqual([40, 40]);
    for (const row of Array.from({ length: 40 }, (_, i) => [...rows.row(i)])) {
      for (const sample of novel) expect(row).not.toEqual(sample);
    }
    // One sample of its own shows no strength but 0, and nobody vouches for more.
    const alone = prior.posterior([novel[0]]);
    const moves = { count: 3, method: 'attribute', directions: [direction.delta] } as const;
    expect(() => synthesize(alone, moves)).toThrow(NotLearnableError);
    expect(() => synthesize(alone, moves)).toThrow('No strength but 0 is learnable');
    expect(() => augment([novel[0]], prior, moves)).toThrow(NotLearnableError);
    const equal = prior.posterior([novel[0], novel[0], novel[0]]);
    expect(() => synthesize(equal, { count: 3, method: 'mixup' })).toThrow('3 copies of them');
    const choice = { count: 3, others: { z: novel.slice(1), subclass: novel.slice(1).map(() => 'rival') } };
    expect(augment([novel[0], novel[0], novel[0]], prior, choice).method).toBe('none');
  });

  it('refuses what it lacks', () => {
    const attempt = (options: object) => () =>
      synthesize(posterior, { count: 3, method: 'mixup', ...options });
    expect(attempt({ method: 'attribute' })).toThrow('directions');
    expect(attempt({ method: 'pair' })).toThrow('donors');
    expect(attempt({ method: 'magic' })).toThrow(ConfigError);
    expect(attempt({ count: 0 })).toThrow(ConfigError);
    expect(attempt({ strength: 1.5 })).toThrow(ConfigError);
    expect(() => synthesize(prior.posterior([novel[0]]), { count: 3, method: 'mixup' })).toThrow(DataError);
  });
});

describe('augment', () => {
  const rivals = classes(3, 5, 4);

  it('keeps what stays in its subclass and counts what it refused', () => {
    const all = augment(novel, prior, { count: 40, method: 'posterior', strength: 1, filter: 'none' });
    expect([all.z.rows, all.rejected, all.method, all.reason]).toEqual([40, 0, 'posterior', null]);
    const even = augment(novel, prior, {
      count: 40,
      method: 'mixup',
      filter: (z) => Array.from({ length: z.rows }, (_, i) => i % 2 === 0),
    });
    expect(even.z.rows).toBe(40);
    expect(even.rejected).toBe(40);
    const none = augment(novel, prior, {
      count: 4,
      method: 'mixup',
      filter: (z) => new Array(z.rows).fill(false),
    });
    expect([none.z.rows, none.rejected]).toEqual([0, 80]);
  });

  it('refuses samples nearer to another subclass', () => {
    // A rival on top of a sample: what lands there is not kept.
    const rival = { z: [novel[0]], subclass: ['twin'] };
    const kept = augment(novel, prior, { count: 60, method: 'mixup', others: rival });
    expect(kept.rejected).toBeGreaterThan(0);
    const twin = augment(novel, prior, { count: 60, method: 'mixup', others: rival, subclass: 'twin' });
    expect(twin.rejected).toBe(0);
  });

  it('may answer none, and says why', () => {
    expect(augment(novel, prior, { count: 5 }).reason).toContain('others');
    expect(augment(novel.slice(0, 2), prior, { count: 5, others: rivals }).reason).toContain('too few');
    const far = augment(novel, prior, { count: 5, others: rivals, directions: [direction] });
    // Classes this far apart are told apart without help.
    expect([far.method, far.z.rows]).toEqual(['none', 0]);
    expect(far.reason).toContain('mixup +0.000');
    expect(far.reason).toContain('attribute +0.000');
  });

  it('takes the method that helps where samples are sparse along a line and rivals stand beside them', () => {
    const own = Array.from({ length: 8 }, (_, i) => [10 * i, 0, 0, 0, 0, 0]);
    const others = {
      z: own.flatMap(([x]) => [
        [x, 3, 0, 0, 0, 0],
        [x, 3.1, 0, 0, 0, 0],
      ]),
      subclass: own.flatMap(() => ['rival', 'rival']),
    };
    const chosen = augment(own, prior, { count: 200, others, filter: 'none' });
    expect(chosen.method).toBe('mixup');
    expect(chosen.z.rows).toBe(200);
    expect(chosen.reason).toMatch(/mixup \+0\.\d{3} \(standard error 0\.\d{3}\)/);
    expect(augment(own, prior, { count: 200, others, filter: 'none' })).toEqual(chosen);
  });

  it('refuses what does not fit', () => {
    expect(() => augment([[1, 2]], prior, { count: 3 })).toThrow(ShapeError);
    expect(() => augment(novel, prior, { count: 3, filter: 'sometimes' as never, method: 'mixup' })).toThrow(
      ConfigError,
    );
    expect(() => augment(novel, prior, { count: 3, method: 'magic' as never })).toThrow(ConfigError);
    expect(() => augment(novel, prior, { count: -1 })).toThrow(ConfigError);
    expect(() => augment([], prior, { count: 3 })).toThrow(DataError);
  });
});
