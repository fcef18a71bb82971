import '@tensorflow/tfjs-backend-cpu';
import seedrandom from 'seedrandom';
import { ConfigError, RandomStream } from 'tfjs-flows';
import { describe, expect, it, vi } from 'vitest';

describe('RandomStream', () => {
  it('gives the same normal numbers one by one, in arrays and in tensors', () => {
    const draw = (stream: RandomStream, lengths: number[]) =>
      lengths.flatMap((n) => [...stream.normalArray(n)]);
    const one = new RandomStream(5);
    const expected = Array.from({ length: 9 }, () => one.normalNumber());
    // Written down: a seed says the same in every version.
    expect(expected[0]).toBeCloseTo(-0.6595844061322381, 12);
    expect(draw(new RandomStream(5), [9])).toEqual(expected);
    expect(draw(new RandomStream(5), [1, 2, 0, 3, 3])).toEqual(expected);
    const tensor = new RandomStream(5).normal([3, 3]);
    expect([...tensor.dataSync()]).toEqual(expected.map(Math.fround));
    tensor.dispose();
  });

  it('gives the same numbers for the same seed, and others for another', () => {
    const a = new RandomStream(3).normalArray(8);
    expect(new RandomStream(3).normalArray(8)).toEqual(a);
    expect(new RandomStream(4).normalArray(8)).not.toEqual(a);
  });

  it('continues from a saved state, the spare normal number included', () => {
    const stream = new RandomStream(5);
    stream.normalArray(3);
    const saved = JSON.parse(JSON.stringify(stream.state()));
    const expected = stream.normalArray(5);
    const other = new RandomStream(99);
    other.restore(saved);
    expect(other.normalArray(5)).toEqual(expected);
  });

  it('draws standard normal numbers (mean, variance and fourth moment of 20,000, within 4 standard errors)', () => {
    const n = 20_000;
    const values = new RandomStream(1).normalArray(n);
    const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / n;
    expect(Math.abs(moment(1))).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
  });

  it('hands on what the generator gives', () => {
    const stream = new RandomStream(8);
    const alea = seedrandom.alea('8');
    for (let i = 0; i < 5; i++) expect(stream.uniformNumber()).toBe(alea.quick());
    expect(stream.integer(1000)).toBe(Math.floor(alea.double() * 1000));
  });

  it('gives every order of three things about as often (four standard errors of 100 of 600)', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 600; seed++) {
      const order = new RandomStream(seed).permutation(3).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThan(4 * Math.sqrt(600 / 7.2));
  });

  it('moves and scales a tensor of normal numbers', () => {
    const plain = new RandomStream(9).normal([6]).dataSync();
    const moved = new RandomStream(9).normal([6], 5, 2).dataSync();
    // Rounded to float32 once more: within one unit of its last place at 8.
    plain.forEach((value, i) => {
      expect(Math.abs(moved[i] - (5 + 2 * value))).toBeLessThanOrEqual(2 ** -20);
    });
  });

  it('the least and the largest child seed are seeds to tfjs, too', () => {
    const stream = new RandomStream(1);
    const draws = vi.spyOn(stream, 'integer');
    draws.mockReturnValueOnce(0);
    expect(stream.childSeed()).toBe(1);
    draws.mockImplementationOnce((limit) => limit - 1);
    expect(stream.childSeed()).toBe(2 ** 31 - 2);
  });

  it('permutes, and its child seeds are never 0', () => {
    const stream = new RandomStream(2);
    expect([...stream.permutation(50)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 50 }, (_, i) => i),
    );
    for (let i = 0; i < 100; i++) expect(stream.childSeed()).toBeGreaterThan(0);
  });

  it.each([Number.NaN, null, true])('refuses the seed %s', (seed) => {
    expect(() => new RandomStream(seed as never)).toThrow(
      new ConfigError(`RandomStream: expected a finite number or a text as seed, got ${seed}.`),
    );
  });

  it('streams without a seed differ, however fast they are made', () => {
    const first = Array.from({ length: 200 }, () => new RandomStream().uniformNumber());
    expect(new Set(first).size).toBe(200);
  });

  it.each([
    [0, 1],
    [0.5, 0.5 + 2 ** -20],
    [-1e6, 1e6],
    [1 - 2 ** -24, 1],
  ])('uniform on [%d, %d) stays below its end in float32', (low, high) => {
    const values = new RandomStream(1).uniform([50_000], low, high).dataSync();
    expect(values.every((value) => value >= low && value < high)).toBe(true);
  });

  it('uniform reaches over all of its range', () => {
    const values = new RandomStream(2).uniform([10_000], 2, 5).dataSync<'float32'>();
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    // Four standard errors of a mean of 10,000.
    expect(Math.abs(mean - 3.5)).toBeLessThan((4 * 3) / Math.sqrt(12 * 10_000));
    expect(Math.min(...values)).toBeLessThan(2.01);
    expect(Math.max(...values)).toBeGreaterThan(4.99);
  });

  it.each([
    [1, 1],
    [2, 1],
    // float32 has no number between these.
    [1.0000001, 1.00000011],
    [Number.NaN, 1],
  ])('uniform refuses [%d, %d), where nothing is', (low, high) => {
    expect(() => new RandomStream(1).uniform([1], low, high)).toThrow(ConfigError);
  });
});
