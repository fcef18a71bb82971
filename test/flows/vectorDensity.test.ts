import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  type ColumnSupport,
  RandomStream,
  StandardNormal,
  twoSampleDistances,
  type VectorFlow,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { chiSquaredSf } from '../../src/statistics/special';
import { columnsFlow, stir } from '../support/vectorModels';

/** First data of a column, of all supports' kinds. */
const data: Record<
  string,
  { support: ColumnSupport; draw: (random: RandomStream) => number; beyond?: number }
> = {
  real: { support: 'real', draw: (random) => 5 + 2 * random.normalNumber() },
  positive: { support: 'positive', draw: (random) => Math.exp(random.normalNumber()) },
  'positive by logarithms': {
    support: { positive: 'log' },
    draw: (random) => Math.exp(2 * random.normalNumber()),
  },
  'above -1': { support: [-1, Infinity], draw: (random) => -1 + Math.exp(random.normalNumber()) },
  'below 10': { support: [-Infinity, 10], draw: (random) => 10 - Math.exp(random.normalNumber()) },
  'between -1 and 2': { support: [-1, 2], draw: (random) => 3 * random.uniformNumber() ** 2 - 0.999 },
  'within 0 and 1, ends too': {
    support: { within: [0, 1], epsilon: 1e-3 },
    draw: (random) => Math.min(1, Math.max(0, 1.2 * random.uniformNumber() - 0.1)),
    // What lies in the margins comes out at the ends.
    beyond: 0.01,
  },
  'heavy-tailed': {
    support: 'heavyTailed',
    draw: (random) => random.normalNumber() / (0.2 + random.uniformNumber()),
  },
  'Yeo-Johnson': { support: 'yeoJohnson', draw: (random) => Math.exp(random.normalNumber()) },
  quantiles: { support: 'quantiles', draw: (random) => Math.exp(random.normalNumber()) },
  circular: { support: 'circular', draw: (random) => Math.PI * Math.tanh(random.normalNumber()) },
  degrees: { support: { circular: [0, 360] }, draw: (random) => 360 * random.uniformNumber() ** 2 },
};

const drawn = (n: number, draw: (random: RandomStream) => number) => {
  const random = new RandomStream(3);
  return tf.tensor2d(Array.from({ length: n }, () => [draw(random)]));
};

const densityOf = (flow: VectorFlow, x: tf.Tensor) =>
  tf.tidy(() => tf.exp(flow.logProb(x)).dataSync<'float32'>());

/** Points along one column and the probability between neighbours, by the trapezium rule. */
function masses(flow: VectorFlow): { points: number[]; mass: number[] } {
  // Evenly spaced latents come from points where the density changes; 1e-9 of it lies beyond.
  const z = tf.linspace(-5, 5, 6001);
  const points = Array.from(flow.decode(tf.reshape(z, [-1, 1])).dataSync()).sort((a, b) => a - b);
  const density = densityOf(flow, tf.tensor2d(points, [points.length, 1]));
  const mass = points.slice(1).map((point, i) => (point - points[i]) * 0.5 * (density[i] + density[i + 1]));
  return { points, mass };
}

/** Events by the density alone: places on the cumulated masses. */
function byDensity({ points, mass }: { points: number[]; mass: number[] }, n: number): number[] {
  const random = new RandomStream(11);
  let sum = 0;
  const cumulated = mass.map((m) => {
    sum += m;
    return sum;
  });
  return Array.from({ length: n }, () => {
    const share = random.uniformNumber() * sum;
    const at = cumulated.findIndex((until) => until >= share);
    const before = at === 0 ? 0 : cumulated[at - 1];
    return points[at] + ((share - before) / mass[at]) * (points[at + 1] - points[at]);
  });
}

/** sqrt(n) times the largest distance of the samples' distribution function from that of the density. */
function kolmogorov(flow: VectorFlow, { points, mass }: { points: number[]; mass: number[] }): number {
  const n = 10_000;
  const samples = Array.from(flow.sample(n, { seed: 4 }).dataSync()).sort((a, b) => a - b);
  const total = mass.reduce((sum, m) => sum + m, 0);
  let [at, below, largest] = [0, 0, 0];
  samples.forEach((x, i) => {
    while (at < mass.length && points[at + 1] <= x) below += mass[at++];
    const part = at < mass.length ? (mass[at] * (x - points[at])) / (points[at + 1] - points[at]) : 0;
    largest = Math.max(largest, Math.abs((below + Math.max(0, part)) / total - (i + 0.5) / n));
  });
  return largest * Math.sqrt(n);
}

/** Share of 199 dealings of two samples anew whose energy distance is at least theirs. */
function energyTest(a: number[], b: number[]): number {
  const random = new RandomStream(12);
  const observed = twoSampleDistances(a, b).energy;
  const all = [...a, ...b];
  let larger = 0;
  for (let i = 0; i < 199; i++) {
    const order = random.permutation(all.length);
    const dealt = Array.from(order, (at) => all[at]);
    if (twoSampleDistances(dealt.slice(0, a.length), dealt.slice(a.length)).energy >= observed) larger++;
  }
  return (1 + larger) / 200;
}

describe('samples and density of one model', () => {
  beforeAll(() => tf.setBackend('cpu'));

  it.each(Object.entries(data))(
    '%s: the density integrates to 1, and samples follow it',
    (_, { support, draw, beyond = 0 }) => {
      const flow = columnsFlow({ dimensions: 1, supports: { 0: support } });
      tf.tidy(() => flow.bijector.initialize(drawn(500, draw)));
      stir(flow, 0.3);
      const { points, mass } = masses(flow);
      expect(Math.abs(mass.reduce((sum, m) => sum + m, 0) - 1)).toBeLessThan(1e-3 + beyond);
      const samples = Array.from(flow.sample(400, { seed: 2 }).dataSync());
      const others = byDensity({ points, mass }, 400);
      // Less than the 200th part of dealings: chance in one of two hundred; seeds are fixed.
      expect(energyTest(samples, others)).toBeGreaterThan(0.005);
      // Many samples against the distribution function: 1.95 is passed in one of a thousand.
      expect(kolmogorov(flow, { points, mass })).toBeLessThan(1.95 + beyond * 100);
      flow.dispose();
    },
  );

  it('whole numbers: probabilities sum to 1, and samples follow them', () => {
    const flow = columnsFlow({ dimensions: 1, supports: { 0: { integer: [0, 8] } } });
    tf.tidy(() =>
      flow.bijector.initialize(drawn(500, (random) => random.integer(9) * random.uniformNumber() + 0.5)),
    );
    stir(flow, 0.3);
    const places = 200;
    const points = tf.add(tf.mul(tf.range(0, 9 * places), 1 / places), 0.5 / places);
    const { value, logDet } = flow.transform(tf.reshape(points, [-1, 1]), { dequantize: 'none' });
    const logProb = tf.add(new StandardNormal({ eventShape: [1] }).logProb(value), logDet);
    const probability = tf
      .sum(tf.reshape(tf.mul(tf.exp(logProb), 1 / places), [9, places]), 1)
      .dataSync<'float32'>();
    expect(probability.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 3);
    const counts = countsOf(Array.from(flow.sample(4000, { seed: 3 }).dataSync()), 9);
    expect(chiSquared(counts, Array.from(probability))).toBeGreaterThan(0.02);
  });

  it('a category, an angle, a share and a bound one together, given a context', () => {
    const flow = columnsFlow(
      {
        columns: ['share', 'kind', 'angle', 'other'],
        supports: { share: [0, 1], kind: { categories: 3 }, angle: 'circular', other: { categories: 2 } },
      },
      2,
    );
    const random = new RandomStream(4);
    const first = Array.from({ length: 300 }, () => {
      const kind = random.integer(3);
      return [
        0.1 + 0.3 * random.uniformNumber() + 0.2 * kind,
        kind + 0.5,
        random.normalNumber() + kind - 1,
        random.integer(2) + 0.5,
      ];
    });
    tf.tidy(() => flow.bijector.initialize(tf.tensor2d(first), random.normal([300, 2])));
    stir(flow, 0.15);
    const given = flow.given([0.5, -1]);
    // Density on a grid: three kinds, two others, 60 angles, 40 shares, each in the middle of its cell.
    const [angles, sharesCount] = [60, 40];
    const grid: number[][] = [];
    for (let kind = 0; kind < 3; kind++)
      for (let other = 0; other < 2; other++)
        for (let a = 0; a < angles; a++)
          for (let s = 0; s < sharesCount; s++)
            grid.push([(s + 0.5) / sharesCount, kind, -Math.PI + (2 * Math.PI * (a + 0.5)) / angles, other]);
    const volume = (2 * Math.PI) / angles / sharesCount;
    const mass = Array.from(tf.exp(given.logProb(tf.tensor2d(grid))).dataSync(), (p) => p * volume);
    expect(mass.reduce((sum, m) => sum + m, 0)).toBeCloseTo(1, 2);
    // Cells: kinds, others, thirds of the circle, halves of the share.
    const cellOf = ([share, kind, angle, other]: number[]) => {
      const third = Math.min(2, Math.floor(((angle + Math.PI) / (2 * Math.PI)) * 3));
      return ((kind * 2 + other) * 3 + third) * 2 + Number(share >= 0.5);
    };
    const expected = new Array(36).fill(0);
    grid.forEach((row, i) => {
      expected[cellOf(row)] += mass[i];
    });
    const samples = given.sample(3000, { seed: 9 }).arraySync() as number[][];
    expect(samples.every(([share]) => share > 0 && share < 1)).toBe(true);
    const counts = countsOf(samples.map(cellOf), 36);
    expect(chiSquared(counts, expected)).toBeGreaterThan(0.02);
  });

  it('shares of a whole and values in order: densities integrate to 1, samples follow them', () => {
    for (const support of ['simplex', 'ordered'] as const) {
      const d = support === 'simplex' ? 3 : 2;
      const flow = columnsFlow({
        dimensions: d,
        supports: Object.fromEntries(Array.from({ length: d }, (_, i) => [i, support])),
      });
      const random = new RandomStream(4);
      const first = Array.from({ length: 300 }, () => {
        const sizes = Array.from({ length: 3 }, () => 0.2 + random.uniformNumber());
        const sum = sizes[0] + sizes[1] + sizes[2];
        return support === 'simplex' ? sizes.map((size) => size / sum) : [sizes[0], sizes[0] + sizes[1]];
      });
      tf.tidy(() => flow.bijector.initialize(tf.tensor2d(first)));
      stir(flow, 0.15);
      // Squares of the first two columns, 100 to a side.
      const [low, high] = support === 'simplex' ? [0, 1] : [-3, 7];
      const step = (high - low) / 100;
      const grid: number[][] = [];
      for (let i = 0; i < 100; i++)
        for (let j = 0; j < 100; j++) {
          const [a, b] = [low + (i + 0.5) * step, low + (j + 0.5) * step];
          if (support === 'ordered' ? b > a : a + b < 1 - 1e-6)
            grid.push(support === 'ordered' ? [a, b] : [a, b, 1 - a - b]);
        }
      const mass = Array.from(tf.exp(flow.logProb(tf.tensor2d(grid))).dataSync(), (p) => p * step * step);
      expect(Math.abs(mass.reduce((sum, m) => sum + m, 0) - 1)).toBeLessThan(5e-3);
      const samples = flow.sample(3000, { seed: 9 }).arraySync() as number[][];
      const [middleA, middleB] = [0, 1].map((k) => samples.map((row) => row[k]).sort((x, y) => x - y)[1500]);
      const cellOf = ([a, b]: number[]) => Number(a > middleA) * 2 + Number(b > middleB);
      const expected = [0, 0, 0, 0];
      grid.forEach((row, i) => {
        expected[cellOf(row)] += mass[i];
      });
      const counts = countsOf(samples.map(cellOf), 4);
      counts.forEach((count, cell) => {
        // Four standard errors, and squares that the cells' sides cut.
        expect(Math.abs(count / 3000 - expected[cell])).toBeLessThan(4 * Math.sqrt(0.25 / 3000));
      });
      flow.dispose();
    }
  });
});

function countsOf(cells: number[], n: number): number[] {
  const counts: number[] = new Array(n).fill(0);
  for (const cell of cells) counts[cell]++;
  return counts;
}

/** p-value of counts under probabilities, cells that expect fewer than five put together. */
function chiSquared(counts: number[], probabilities: number[]): number {
  const n = counts.reduce((sum, count) => sum + count, 0);
  const total = probabilities.reduce((sum, p) => sum + p, 0);
  const cells = probabilities.map((p, i) => ({ expected: (n * p) / total, count: counts[i] }));
  const small = cells.filter(({ expected }) => expected < 5);
  const rest = {
    expected: small.reduce((sum, { expected }) => sum + expected, 0),
    count: small.reduce((sum, { count }) => sum + count, 0),
  };
  const used = [...cells.filter(({ expected }) => expected >= 5), ...(rest.expected > 0 ? [rest] : [])];
  const statistic = used.reduce((sum, { expected, count }) => sum + (count - expected) ** 2 / expected, 0);
  return chiSquaredSf(statistic, used.length - 1);
}
