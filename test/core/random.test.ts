import '@tensorflow/tfjs-backend-cpu';
import { ConfigError, RandomStream } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';

describe('RandomStream', () => {
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
    [Number.NaN, 1],
  ])('uniform refuses [%d, %d), where nothing is', (low, high) => {
    expect(() => new RandomStream(1).uniform([1], low, high)).toThrow(ConfigError);
  });
});
