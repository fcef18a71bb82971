import { inspect } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as oracle from 'ml-matrix';
import { ConfigError, DataError, FlowError, RandomStream, ShapeError } from 'tfjs-flows';
import { manipulate, zDelta } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';

/** Classes with means of their own, a shared or own direction per class, and an attribute tied to the class where `confounded`. */
function simulate(
  seed: number,
  options: { shared?: boolean; confounded?: boolean; perSubclass?: number; noise?: number },
) {
  const { shared = true, confounded = false, perSubclass = 40, noise = 1 } = options;
  const random = new RandomStream(seed);
  const d = 8;
  const common = random.normalArray(d);
  const z: number[][] = [];
  const subclass: number[] = [];
  const attributes: number[][] = [];
  const directions: Float64Array[] = [];
  for (let c = 0; c < 6; c++) {
    const mean = random.normalArray(d).map((value) => 3 * value);
    const direction = shared ? common : random.normalArray(d);
    directions.push(direction);
    for (let i = 0; i < perSubclass; i++) {
      const probability = confounded ? (c + 1) / 7 : 0.5;
      const present = i < probability * perSubclass ? 1 : 0;
      const amount = present + 0.3 * random.normalNumber();
      z.push(Array.from(mean, (m, j) => m + present * direction[j] + noise * random.normalNumber()));
      subclass.push(c);
      attributes.push([present, amount, 1]);
    }
  }
  return { z, subclass, attributes, common, directions };
}

const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.hypot(...Array.from(a, (value, j) => value - b[j]));

describe('zDelta', () => {
  it('is the mean with minus the mean without, openai scale and all, when not stratified', () => {
    const z = [
      [0, 0],
      [2, 1],
      [4, 5],
      [6, 1],
    ];
    const labeled = { z, subclass: [0, 1, 0, 1], attributes: [[-1], [-1], [1], [1]] };
    expect([...zDelta(labeled, { stratify: false }).delta]).toEqual([4, 2.5]);
    const published = zDelta(labeled, { stratify: false, scale: 1.6 });
    expect(published.delta[0]).toBeCloseTo(6.4, 12);
    expect(published.attributeDeviation).toBeCloseTo(Math.sqrt(4 / 3) / 2 / 1.6, 12);
    expect([published.positiveCount, published.negativeCount]).toEqual([2, 2]);
    expect([...zDelta(labeled).delta]).toEqual([4, 2.5]);
  });

  it.each(['binary', 'slope'] as const)(
    'equals the regression with one intercept per subclass: %s (1e-9, ml-matrix)',
    (mode) => {
      const data = simulate(1, { confounded: true });
      const column = mode === 'binary' ? 0 : 1;
      const design = data.attributes.map((row, i) => [
        row[column],
        ...Array.from({ length: 6 }, (_, c) => Number(data.subclass[i] === c)),
      ]);
      const solution = oracle.solve(new oracle.Matrix(design), new oracle.Matrix(data.z), true);
      const { delta } = zDelta(data, { mode, attribute: column });
      expect(distance(delta, solution.getRow(0))).toBeLessThan(1e-9);
    },
  );

  it('does not mix in what differs between subclasses', () => {
    const data = simulate(2, { confounded: true });
    expect(distance(zDelta(data).delta, data.common)).toBeLessThan(1);
    expect(distance(zDelta(data, { stratify: false }).delta, data.common)).toBeGreaterThan(2);
  });

  it('states standard errors that cover: 95 % intervals hold the truth in 93..97 % of 1,600 coordinates', () => {
    let covered = 0;
    for (let seed = 0; seed < 200; seed++) {
      const data = simulate(100 + seed, {});
      const { delta, standardError } = zDelta(data);
      delta.forEach((value, j) => {
        if (Math.abs(value - data.common[j]) < 1.96 * standardError![j]) covered++;
      });
    }
    expect(covered / 1600).toBeGreaterThan(0.93);
    expect(covered / 1600).toBeLessThan(0.97);
  });

  it('knows a direction that all subclasses share from ones that are unrelated', () => {
    const shared = Array.from({ length: 8 }, (_, s) => zDelta(simulate(s, {})).consistency!);
    const own = Array.from({ length: 8 }, (_, s) => zDelta(simulate(s, { shared: false })).consistency!);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(shared)).toBeGreaterThan(0.9);
    expect(mean(shared)).toBeLessThan(1.1);
    expect(Math.abs(mean(own))).toBeLessThan(0.15);
  });

  it('reports every subclass with its group sizes, and those that say nothing', () => {
    const z = [[0], [2], [1], [5], [7], [9]];
    const labeled = {
      z,
      subclass: ['a', 'a', 'b', 'b', 'c', 'c'],
      attributes: [[0], [1], [0], [1], [1], [1]],
    };
    const result = zDelta(labeled);
    expect(result.perSubclass.map((entry) => [entry.subclass, entry.delta[0], entry.weight])).toEqual([
      ['a', 2, 0.5],
      ['b', 4, 0.5],
    ]);
    expect(result.skipped).toEqual(['c']);
    expect(result.delta[0]).toBe(3);
    expect(result.standardError).toBeNull();
    expect(result.consistency).toBeNull();
    expect(result.consistencyReason).toContain('2 samples on both sides');
    expect(
      zDelta({ z, subclass: z.map(() => 1), attributes: labeled.attributes }).consistencyReason,
    ).toContain('fewer than 2 subclasses');
  });

  it('compares the upper with the lower third of every subclass', () => {
    const values = [1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60];
    const labeled = {
      z: values.map((value) => [value]),
      subclass: values.map((_, i) => Number(i >= 6)),
      attributes: values.map((value) => [value]),
    };
    const { perSubclass, positiveCount, negativeCount } = zDelta(labeled, { mode: 'tercile' });
    expect(perSubclass.map(({ delta }) => delta[0])).toEqual([4, 40]);
    expect([positiveCount, negativeCount]).toEqual([4, 4]);
  });

  it('takes thirds of all samples together when not stratified', () => {
    const values = [1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60];
    const labeled = { z: values, subclass: values.map((_, i) => Number(i >= 6)), attributes: values };
    const { delta, positiveCount } = zDelta(labeled, { mode: 'tercile', stratify: false });
    expect(delta[0]).toBe(45 - 2.5);
    expect(positiveCount).toBe(4);
  });

  it('rounds thirds down, and leaves out a subclass whose thirds overlap', () => {
    const four = { z: [1, 2, 3, 8], subclass: [0, 0, 0, 0], attributes: [1, 2, 3, 4] };
    expect(zDelta(four, { mode: 'tercile' })).toMatchObject({ positiveCount: 1, negativeCount: 1 });
    expect(zDelta(four, { mode: 'tercile' }).delta[0]).toBe(7);
    const tied = { z: [1, 2, 3, 4, 5, 6], subclass: [0, 0, 0, 0, 0, 0], attributes: [0, 1, 1, 1, 1, 2] };
    expect(() => zDelta(tied, { mode: 'tercile' })).toThrow(DataError);
  });

  it('scales all that is in units of the direction, signs too', () => {
    const data = simulate(6, {});
    const plain = zDelta(data);
    const scaled = zDelta(data, { scale: -2 });
    const times = (values: Float64Array, factor: number) => values.map((value) => factor * value);
    expect(scaled.delta).toEqual(times(plain.delta, -2));
    expect(scaled.perSubclass.map(({ delta }) => delta)).toEqual(
      plain.perSubclass.map(({ delta }) => times(delta, -2)),
    );
    expect(scaled.perSubclass.map(({ weight }) => weight)).toEqual(
      plain.perSubclass.map(({ weight }) => weight),
    );
    expect(scaled.perSubclass.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
    expect(scaled.standardError).toEqual(times(plain.standardError!, 2));
    expect(scaled.attributeDeviation).toBeCloseTo(plain.attributeDeviation / 2, 12);
    expect(scaled.consistency).toBe(plain.consistency);
  });

  it('counts samples at the mean of their subclass as below it', () => {
    const labeled = { z: [1, 2, 3], subclass: [0, 0, 0], attributes: [1, 2, 3] };
    expect(zDelta(labeled, { mode: 'slope' })).toMatchObject({ positiveCount: 1, negativeCount: 2 });
  });

  it('throws on empty groups and says what to do', () => {
    const z = [[1], [2], [3], [4]];
    const subclass = [0, 0, 1, 1];
    const attempt =
      (values: number[], options = {}) =>
      () =>
        zDelta({ z, subclass, attributes: values.map((value) => [value]) }, options);
    expect(attempt([0, 0, 0, 0])).toThrow('0 with and 4 without');
    expect(attempt([0, 0, 0, 0])).toThrow(DataError);
    expect(attempt([1, 2, 3, 4])).toThrow("use mode 'slope' or 'tercile'");
    expect(attempt([0, 0, 1, 1])).toThrow('Attribute and subclass coincide');
    expect(attempt([1, 1, 1, 1], { stratify: false })).toThrow(DataError);
    expect(attempt([1, 1, 2, 2], { mode: 'slope' })).toThrow('varies within a subclass');
    expect(attempt([1, 1, 2, 2], { mode: 'tercile' })).toThrow(DataError);
    expect(attempt([0, 1, 0, 1], { attribute: 1 })).toThrow(ConfigError);
    expect(attempt([0, 1, 0, 1], { attribute: -1 })).toThrow(ConfigError);
    expect(attempt([0, 0, 1, 1])).toThrow('samples with and without the attribute in one subclass, got');
    const alone = { z, subclass: [0, 0, 0, 0], attributes: [0, 0, 0, 0] };
    expect(() => zDelta(alone)).toThrow('samples with and without the attribute, got');
    expect(attempt([0, 1, 0, 1], { scale: 0 })).toThrow(ConfigError);
    expect(attempt([0, Number.NaN, 0, 1])).toThrow('NaN in row 1');
    expect(() => zDelta({ z, subclass })).toThrow('attributes [n, a]');
  });
});

describe('manipulate', () => {
  const z = [
    [0, 0, 0],
    [1, 1, 1],
  ];

  it('sweeps every sample over the strengths', () => {
    const sweep = manipulate(z, [1, 0, 2], [-1, 0, 2]);
    expect([...sweep.z.data]).toEqual([-1, 0, -2, 0, 0, 0, 2, 0, 4, 0, 1, -1, 1, 1, 1, 3, 1, 5]);
    expect([...sweep.source]).toEqual([0, 0, 0, 1, 1, 1]);
    expect([...sweep.step]).toEqual([0, 1, 2, 0, 1, 2]);
  });

  it('moves along several directions at once, orthogonalized on request', () => {
    const deltas = [[2, 0, 0], { delta: [1, 1, 0] }];
    expect([...manipulate([z[0]], deltas, [[1, 1]]).z.data]).toEqual([3, 1, 0]);
    expect([...manipulate([z[0]], deltas, [[1, 1]], { orthogonalize: true }).z.data]).toEqual([2, 1, 0]);
    expect(() =>
      manipulate(
        z,
        [
          [1, 0, 0],
          [2, 0, 0],
        ],
        [[1, 1]],
        { orthogonalize: true },
      ),
    ).toThrow(DataError);
  });

  it('weighs the levels of a layout', () => {
    const layout = [
      { level: 0, offset: 0, size: 1 },
      { level: 1, offset: 1, size: 2 },
    ];
    const { z: moved } = manipulate([z[0]], [1, 1, 1], [2], { layout, levelStrengths: { 1: 0.5 } });
    expect([...moved.data]).toEqual([2, 1, 1]);
    const first = manipulate([z[0]], [1, 1, 1], [2], { layout, levelStrengths: { 0: 0.5 } });
    expect([...first.z.data]).toEqual([1, 2, 2]);
    const broken = { layout, levelStrengths: { 1: Number.NaN } };
    expect(() => manipulate(z, [1, 1, 1], [1], broken)).toThrow('finite strengths');
    expect(() => manipulate(z, [1, 1, 1], [1], { levelStrengths: { 1: 0 } })).toThrow('a layout');
    expect(() => manipulate(z, [1, 1, 1], [1], { layout, levelStrengths: { 7: 0 } })).toThrow('levels 0, 1');
    expect(() =>
      manipulate(z, [1, 1, 1], [1], { layout: layout.slice(1), levelStrengths: { 1: 0 } }),
    ).toThrow(ConfigError);
  });

  it('takes one strength, one latent, and latents of one value', () => {
    expect([...manipulate(z, [1, 0, 2], 0.5).z.data]).toEqual([0.5, 0, 1, 1.5, 1, 2]);
    const one = manipulate(Float64Array.of(1, 2, 3), [1, 0, 2], 0.5);
    expect([one.z.rows, ...one.z.data]).toEqual([1, 1.5, 2, 4]);
    const values = manipulate([5, 6, 7], { delta: [2] }, 0.5);
    expect([values.z.rows, values.z.cols, ...values.z.data]).toEqual([3, 1, 6, 7, 8]);
    const tensor = tf.tensor1d([1, 2, 3]);
    expect([...manipulate(tensor, [1, 0, 2], [0, 1]).z.data]).toEqual([1, 2, 3, 2, 2, 5]);
    tensor.dispose();
    expect([...manipulate([5], [2], 1).z.data]).toEqual([7]);
    expect(() => manipulate([5, 6], [1, 0, 2], 0.5)).toThrow(ShapeError);
    expect(() => manipulate([], [1, 0, 2], 0.5)).toThrow(FlowError);
    expect(() => manipulate([1, 2], [], 0.5)).toThrow(FlowError);
  });

  it('prints itself in a few lines, and so do directions', () => {
    expect(String(manipulate(z, [1, 0, 2], [0, 1]))).toBe('4 latents of 3 values: 2 of them by 2 steps');
    const direction = zDelta(simulate(1, {}));
    const lines = inspect(direction).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^direction of attribute 0: length \d.* in 8 dimensions/);
    expect(lines[1]).toBe('120 samples with and 120 without it, 6 subclasses');
    expect(lines[2]).toMatch(/^consistency [01].*, standard error 0\.\d/);
  });

  it('refuses what does not fit', () => {
    expect(() => manipulate(z, [1, 0], [1])).toThrow(ShapeError);
    expect(() => manipulate(z, [0, 0, 0], [1])).toThrow('zeros only');
    expect(() => manipulate(z, [1, 0, 0], [])).toThrow(ConfigError);
    expect(() => manipulate(z, [1, 0, 0], [Number.NaN])).toThrow('finite values, got NaN at index 0');
    expect(() =>
      manipulate(
        z,
        [
          [1, 0, 0],
          [0, 1, 0],
        ],
        [[1]],
      ),
    ).toThrow('2 strengths per step');
  });
});
