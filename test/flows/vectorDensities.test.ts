import * as tf from '@tensorflow/tfjs-core';
import { type Flow, maskedAutoregressiveFlow, neuralSplineFlow, RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { valuesOf } from '../support/affineFlow';

beforeAll(async () => {
  await prepareWasm({ threads: 1 });
});

/** Two clusters, one of them thin. */
function clusters(n: number, d: number): number[][] {
  const random = new RandomStream(3);
  return Array.from({ length: n }, (_, i) => {
    const [center, width] = i % 3 === 0 ? [2, 0.2] : [-1, 0.7];
    return Array.from({ length: d }, () => center + width * random.normalNumber());
  });
}

/** Density at the middles of cells of a square grid over [-half, half]^d. */
function gridOf(
  flow: Flow,
  d: number,
  cells: number,
  half: number,
): { points: number[][]; density: Float64Array; volume: number } {
  const width = (2 * half) / cells;
  const axis = Array.from({ length: cells }, (_, i) => (i + 0.5) * width - half);
  const points = d === 1 ? axis.map((x) => [x]) : axis.flatMap((x) => axis.map((y) => [x, y]));
  const density = Float64Array.from(
    tf.tidy(() => valuesOf(flow.logProb(points))),
    Math.exp,
  );
  return { points, density, volume: width ** d };
}

const flows: [string, number, number, (d: number) => Flow][] = [
  [
    'spline coupling, 1',
    1,
    2000,
    (d) => neuralSplineFlow({ dimensions: d, layers: 2, hiddenUnits: 16, seed: 1 }),
  ],
  [
    'spline coupling, 2',
    2,
    200,
    (d) => neuralSplineFlow({ dimensions: d, layers: 2, hiddenUnits: 16, seed: 1 }),
  ],
  [
    'autoregressive splines, 2',
    2,
    200,
    (d) => neuralSplineFlow({ dimensions: d, form: 'autoregressive', layers: 2, hiddenUnits: 16, seed: 1 }),
  ],
  [
    'affine autoregressive, 2',
    2,
    200,
    (d) => maskedAutoregressiveFlow({ dimensions: d, layers: 2, hiddenUnits: 16, seed: 1 }),
  ],
];

describe.each(flows)('the density of %s', (_, d, cells, build) => {
  it('integrates to 1, and samples follow it', async () => {
    const flow = build(d);
    await flow.fit(clusters(1000, d), {
      steps: 100,
      batchSize: 200,
      learningRate: 5e-3,
      clipNorm: 5,
      seed: 1,
      progress: 'none',
    });
    const { points, density, volume } = gridOf(flow, d, cells, 5);
    const mass = density.reduce((sum, value) => sum + value, 0) * volume;
    // Cells of 0.05 in two dimensions, a quarter of the thin cluster's deviation: the middle rule is exact to 1e-8 there.
    expect(Math.abs(mass - 1)).toBeLessThan(1e-3);
    const drawn = drawFrom(points, density, volume ** (1 / d), 250);
    const samples = tf.tidy(() => flow.sample(250, { seed: 7 }).arraySync() as number[][]);
    // The level of the test is 1 %; with other seeds than these it rejects as often.
    expect(energyTest(drawn, samples)).toBeGreaterThan(0.01);
    // It would tell samples that lie off by a third of a deviation.
    expect(
      energyTest(
        drawn,
        samples.map((row) => row.map((value) => value + 0.6)),
      ),
    ).toBeLessThan(0.01);
    flow.dispose();
  });
});

/** Points in cells by their density, uniform within. */
function drawFrom(points: number[][], density: Float64Array, width: number, n: number): number[][] {
  const random = new RandomStream(11);
  const total = density.reduce((sum, value) => sum + value, 0);
  return Array.from({ length: n }, () => {
    let left = random.uniformNumber() * total;
    let cell = 0;
    while (cell < density.length - 1 && left >= density[cell]) left -= density[cell++];
    return points[cell].map((middle) => middle + (random.uniformNumber() - 0.5) * width);
  });
}

/** p-value of the energy distance of two samples under 199 permutations (Székely and Rizzo 2004). */
function energyTest(a: number[][], b: number[][]): number {
  const all = [...a, ...b];
  const n = all.length;
  const distances = Float64Array.from({ length: n * n }, (_, at) => {
    const [x, y] = [all[Math.floor(at / n)], all[at % n]];
    return Math.hypot(...x.map((value, j) => value - y[j]));
  });
  const statistic = (order: ArrayLike<number>) => {
    // Between less within, up to a factor, as the groups are of one size.
    let sum = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < i; j++) {
        const apart = i < a.length !== j < a.length;
        sum += (apart ? 1 : -1) * distances[order[i] * n + order[j]];
      }
    }
    return sum;
  };
  const seen = statistic(Int32Array.from({ length: n }, (_, i) => i));
  const random = new RandomStream(13);
  const larger = Array.from({ length: 199 }, () => statistic(random.permutation(n))).filter(
    (value) => value >= seen,
  );
  return (1 + larger.length) / 200;
}
