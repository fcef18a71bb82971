import { ConfigError, RandomStream } from 'tfjs-flows';
import { directionSignal, orderAlong, zDelta } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';

/** Share of all orders of the positions within subclasses that put at least as many pairs in order. */
function byEnumeration(subclass: number[], attributes: number[], along: number[]): number {
  const count = (positions: number[]) =>
    positions.reduce(
      (sum, p, i) =>
        sum +
        positions.filter((q, j) => subclass[i] === subclass[j] && attributes[i] > attributes[j] && p > q)
          .length,
      0,
    );
  const observed = count(along);
  let [all, asMany] = [0, 0];
  const permute = (positions: number[], at: number): void => {
    if (at === positions.length) {
      all++;
      if (count(positions) >= observed) asMany++;
      return;
    }
    for (let i = at; i < positions.length; i++) {
      if (subclass[i] !== subclass[at]) continue;
      const next = [...positions];
      [next[at], next[i]] = [next[i], next[at]];
      permute(next, at + 1);
    }
  };
  permute(along, 0);
  return asMany / all;
}

describe('orderAlong', () => {
  it.each<[string, number[]]>([
    ['two values', [1, 0, 1, 0, 1, 1, 0, 0]],
    ['distinct values', [3, 1, 4, 1.5, 9, 2, 6, 5]],
    ['ties', [2, 2, 1, 3, 1, 1, 5, 1]],
  ])('its p is that of all orders within subclasses: %s', (_, attributes) => {
    const subclass = [0, 0, 0, 0, 0, 1, 1, 1];
    const random = new RandomStream(5);
    for (let r = 0; r < 4; r++) {
      const along = Array.from(random.normalArray(8));
      const { p } = orderAlong({ z: along, subclass, attributes }, [2]);
      expect(p).toBeCloseTo(byEnumeration(subclass, attributes, along), 12);
    }
  });

  it('counts the pairs in order, within subclasses or over all', () => {
    const labeled = {
      z: [
        [1, 0],
        [2, 0],
        [0, 9],
        [5, 9],
      ],
      subclass: ['a', 'a', 'b', 'b'],
      attributes: [0, 1, 1, 0],
    };
    expect(orderAlong(labeled, [1, 0])).toMatchObject({ pairs: 2, ordered: 1, share: 0.5 });
    expect(orderAlong(labeled, [-1, 0])).toMatchObject({ pairs: 2, ordered: 1, share: 0.5 });
    const all = orderAlong(labeled, [1, 0], { stratify: false });
    expect(all).toMatchObject({ pairs: 4, ordered: 1, share: 0.25 });
    expect(orderAlong({ ...labeled, attributes: [1, 1, 0, 0] }, [1, 0])).toEqual({
      pairs: 0,
      ordered: 0,
      share: null,
      p: 1,
    });
  });

  it('beyond 3,000 pairs agrees with the law that it stands for', () => {
    const random = new RandomStream(2);
    const at = (count: number) => {
      const attributes = Array.from({ length: count }, (_, i) => i % 2);
      const z = attributes.map((value) => 0.5 * value + random.normalNumber());
      return { z, subclass: attributes.map(() => 0), attributes };
    };
    // 54 of each, 2,916 pairs: exact; one more of each, 3,025 pairs: normal.
    const exact = at(108);
    const { p } = orderAlong(exact, [1]);
    const more = orderAlong(
      {
        z: [...exact.z, 99, 98],
        subclass: [...exact.subclass, 0, 0],
        attributes: [...exact.attributes, 1, 0],
      },
      [1],
    );
    expect(more.pairs).toBe(3025);
    // One of the two has all pairs in order, the other none: p is nearly the same, .084 and .089.
    expect(Math.abs(more.p - p)).toBeLessThan(0.01);
    expect(p).toBeGreaterThan(0.05);
  });

  it('chance is called an order as often as its level says', () => {
    const random = new RandomStream(9);
    let called = 0;
    for (let r = 0; r < 400; r++) {
      const subclass = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
      const attributes = subclass.map(() => Number(random.uniformNumber() < 0.5));
      if (orderAlong({ z: random.normalArray(10), subclass, attributes }, [1]).p <= 0.05) called++;
    }
    // Exact tests of few values are conservative; 5 % of 400 and three standard errors are 33.
    expect(called).toBeLessThanOrEqual(33);
    expect(called).toBeGreaterThan(3);
  });

  it('an attribute that is not there is an error', () => {
    const labeled = { z: [1, 2], subclass: [0, 0], attributes: [0, 1] };
    expect(() => orderAlong(labeled, [1], { attribute: 1 })).toThrow(ConfigError);
    expect(() => orderAlong(labeled, [1], { stratified: true } as object)).toThrow(ConfigError);
  });
});

describe('directionSignal', () => {
  it('is 1 where the attribute does nothing, and the mean squared t where it does', () => {
    const random = new RandomStream(4);
    const d = 200;
    const attributes = Array.from({ length: 80 }, (_, i) => i % 2);
    const z = attributes.map((value) =>
      Array.from(random.normalArray(d), (noise, j) => noise + (j < 100 ? 0 : value)),
    );
    const subclass = attributes.map((_, i) => i % 4 < 2);
    const half = (from: number) => ({
      z: z.map((row) => row.slice(from, from + 100)),
      subclass: subclass.map(Number),
      attributes,
    });
    // A mean of 100 squared t values: 1 with a standard error of sqrt(2 / 100).
    expect(Math.abs(directionSignal(zDelta(half(0)))! - 1)).toBeLessThan(0.45);
    // An effect of one deviation with 40 against 40: 1 + 20.
    expect(Math.abs(directionSignal(zDelta(half(100)))! - 21)).toBeLessThan(4);
    const { delta, standardError, ...rest } = zDelta(half(100));
    expect(directionSignal({ ...rest, delta, standardError: null })).toBe(null);
    expect(directionSignal({ ...rest, delta, standardError: standardError!.fill(0) })).toBe(1);
  });
});
