import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  Categorical,
  Circular,
  ConfigError,
  Factorized,
  MultilayerPerceptron,
  RandomStream,
  ReversePass,
  reversibleGradients,
  StandardNormal,
  VectorFlow,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../../support/leaks';

const column = (values: ArrayLike<number>) => tf.tensor2d(Array.from(values), [values.length, 1]);
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const network = (inputShape: readonly number[], [units]: readonly number[]) =>
  new MultilayerPerceptron({ inputShape, units, hiddenUnits: [8], activation: 'tanh', seed: 3 });

/** Weights moved away from their starts. */
function stir(module: { trainableWeights: tf.Variable[] }, deviation = 0.5): void {
  const random = new RandomStream(5);
  for (const weight of module.trainableWeights) {
    tf.tidy(() => weight.assign(tf.add(weight, random.normal(weight.shape, 0, deviation))));
  }
}

describe.each(['cpu', 'wasm'])('categories on %s', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
  });

  it('have probabilities that sum to 1, whatever the context, and the same wherever in its bin a category lies', () => {
    const head = new Categorical({ categories: 5, context: 2, network });
    stir(head, 1);
    const base = new StandardNormal({ eventShape: [1] });
    const context = tf.tensor2d([0.3, -2], [1, 2]);
    const logProbOf = (x: tf.Tensor) => {
      const { value, logDet } = head.forward(x, tf.tile(context, [x.shape[0], 1]));
      return tf.add(base.logProb(value), logDet).dataSync<'float32'>();
    };
    const middles = logProbOf(column(range(5).map((c) => c + 0.5)));
    expect(middles.reduce((sum, log) => sum + Math.exp(log), 0)).toBeCloseTo(1, 5);
    expect(Math.max(...middles) - Math.min(...middles)).toBeGreaterThan(1);
    for (const place of [0, 1e-6, 0.1, 0.999999]) {
      const there = logProbOf(column(range(5).map((c) => c + place)));
      // log N(z) is subtracted and added: float32 of z^2 / 2 in the tails.
      there.forEach((log, c) => {
        expect(Math.abs(log - middles[c])).toBeLessThan(1e-5);
      });
    }
  });

  it('come back exactly: many of them, and those that hardly ever occur', () => {
    const many = new Categorical({ categories: 300 });
    const all = column(range(300).map((c) => c + 0.5));
    const back = (head: Categorical, x: tf.Tensor) =>
      Array.from(tf.floor(head.inverse(head.forward(x).value).value).dataSync());
    expect(back(many, all)).toEqual(range(300));
    const rare = new Categorical({ categories: 7 });
    rare.initialize(column(Array.from({ length: 4000 }, (_, i) => (i % 3) * 3 + 0.5)));
    tf.tidy(() => rare.trainableWeights[0].assign(tf.tensor1d([9, -90, -90, 9, -90, -90, 9])));
    expect(back(rare, column(range(7).map((c) => c + 0.5)))).toEqual(range(7));
  });

  it('start with the frequencies of the first data', () => {
    const head = new Categorical({ categories: 3 });
    head.initialize(column([0.5, 0.5, 0.5, 2.5]));
    const { value, logDet } = head.forward(column([0.5, 1.5, 2.5]));
    const logProb = tf.add(new StandardNormal({ eventShape: [1] }).logProb(value), logDet);
    const wanted = [4 / 7, 1 / 7, 2 / 7].map(Math.log);
    logProb.dataSync().forEach((log, c) => {
      expect(Math.abs(log - wanted[c])).toBeLessThan(2e-4);
    });
  });

  it('come of every latent, at most so far out that float32 ends', () => {
    const head = new Categorical({ categories: 3 });
    stir(head);
    const x = head.inverse(column([-30, -13, -6, 0, 6, 13, 30])).value.dataSync();
    expect(Array.from(x, Math.floor)).toEqual([0, 0, 0, 1, 2, 2, 2]);
  });

  it('that are none have log-determinant -Infinity, without NaN', () => {
    const { value, logDet } = new Categorical({ categories: 3 }).forward(column([-0.1, 3, 1.5, 1e9]));
    expect(Array.from(logDet.dataSync(), Number.isFinite)).toEqual([false, false, true, false]);
    expect(Array.from(value.dataSync()).every(Number.isFinite)).toBe(true);
  });
});

describe('circles', () => {
  beforeAll(() => tf.setBackend('cpu'));

  it('have a density that integrates to 1 and goes round without a step, in any units', () => {
    for (const [low, high] of [
      [-Math.PI, Math.PI],
      [0, 360],
    ]) {
      const head = new Circular({ low, high, context: 1, network });
      head.initialize(column([low + 0.1, low + 0.2, high - 0.1]), tf.ones([3, 1]));
      stir(head, 0.25);
      const n = 10_000;
      const step = (high - low) / n;
      const points = Float32Array.from({ length: n }, (_, i) => low + (i + 0.5) * step);
      const { value, logDet } = head.forward(column(points), tf.fill([n, 1], 0.7));
      const logProb = tf.add(new StandardNormal({ eventShape: [1] }).logProb(value), logDet);
      const density = tf.exp(logProb).dataSync<'float32'>();
      expect(density.reduce((sum, p) => sum + p * step, 0)).toBeCloseTo(1, 3);
      expect(Math.max(...density) / Math.min(...density)).toBeGreaterThan(1.5);
      // Neighbours differ by a slope times a step, across the cut and where the circle begins too.
      const jumps = Array.from(density, (p, i) => Math.abs(p - density[(i + 1) % n]));
      expect(Math.max(...jumps)).toBeLessThan(0.02 * Math.max(...density));
    }
  });

  it('are cut opposite the mean of the first data, and other turns are the same point', () => {
    const head = new Circular({ low: 0, high: 24 });
    head.initialize(column([23, 1, 23.5, 0.5]));
    const z = head.forward(column([0, 24, 48, 12.01])).value.dataSync();
    expect(Math.abs(z[0])).toBeLessThan(1e-3);
    expect(Math.abs(z[1] - z[0])).toBeLessThan(1e-5);
    expect(Math.abs(z[2] - z[0])).toBeLessThan(1e-5);
    expect(Math.abs(z[3])).toBeGreaterThan(3);
    const back = head.inverse(column([-30, 0, 30])).value.dataSync();
    expect(Array.from(back).every((x) => x >= 0 && x <= 24)).toBe(true);
  });
});

describe('factors', () => {
  beforeAll(() => tf.setBackend('cpu'));

  const factorized = () =>
    new Factorized({
      inputShape: [3],
      factors: [
        { columns: [2], bijector: new Categorical({ categories: 3, context: 2, network }) },
        { columns: [0], bijector: new Circular({ context: { '': 2, before: 3 }, network }) },
        {
          columns: [1],
          bijector: new Categorical({ categories: 2, context: { '': 2, before: 5 }, network, name: 'last' }),
        },
      ],
    });

  it('read those before them alone, and the context', () => {
    const bijector = factorized();
    stir(bijector, 1);
    const rows = tf.tensor2d([
      [0.1, 0.5, 0.5],
      [0.1, 0.5, 1.5],
      [0.1, 1.5, 0.5],
      [2, 0.5, 0.5],
    ]);
    const latents = (context: number[]) =>
      bijector
        .forward(rows, tf.tensor2d([context, context, context, context]))
        .value.arraySync() as number[][];
    const [first, otherKind, otherLast, otherAngle] = latents([1, 0]);
    expect(otherKind[0]).not.toBeCloseTo(first[0], 2);
    expect(otherKind[1]).not.toBeCloseTo(first[1], 2);
    expect(otherKind[2]).not.toBeCloseTo(first[2], 2);
    expect(otherLast.slice(0, 2)).toEqual(first.slice(0, 2));
    expect(otherAngle[0]).toBe(first[0]);
    expect(otherAngle[2]).not.toBeCloseTo(first[2], 3);
    expect(latents([0, 2])[0][0]).not.toBeCloseTo(first[0], 2);
  });

  it('have reversible gradients that are those of the tape, in an embedding too', () => {
    const embed = new MultilayerPerceptron({
      inputShape: [1],
      units: 2,
      hiddenUnits: [4],
      activation: 'tanh',
      seed: 2,
    });
    const flow = new VectorFlow({ bijector: factorized(), embed, seed: 1 });
    stir(flow);
    const x = tf.tensor2d([
      [0.1, 0.5, 0.5],
      [2, 1.5, 2.5],
      [-3, 0.2, 1.1],
    ]);
    const batch = { x, context: tf.tensor2d([[1], [2], [3]]) };
    const reversed = reversibleGradients(flow, batch, new RandomStream(1));
    const stored = tf.variableGrads(() => flow.loss(batch, new RandomStream(1)).loss).grads;
    flow.trainableWeights.forEach((weight, i) => {
      const gap = tf
        .max(tf.abs(tf.sub(stored[weight.name], reversed.gradients[i] as tf.Tensor)))
        .dataSync()[0];
      expect(gap).toBeLessThan(1e-4);
    });
  });

  it('hear from those after them what gradient their own values have, on the way back', () => {
    const bijector = factorized();
    stir(bijector, 1);
    const x = tf.tensor2d([
      [0.1, 0.5, 0.5],
      [2, 1.5, 2.5],
    ]);
    const context = tf.ones([2, 2]);
    const { value } = bijector.forward(x, context);
    const pass = new ReversePass({ logDetGradient: tf.ones([2]), context });
    const before = bijector.reverse({ value, gradient: tf.onesLike(value) }, pass);
    const expected = tf.grad((at) => {
      const result = bijector.forward(at, context);
      return tf.add(tf.sum(result.value), tf.sum(result.logDet));
    })(x);
    expect(tf.max(tf.abs(tf.sub(before.gradient, expected))).dataSync()[0]).toBeLessThan(1e-3);
    // The angle's part that goes through the last column's network counts.
    const angle = bijector.factors[1].bijector;
    const features = tf.tensor2d([
      [0, 1, 0],
      [0, 0, 1],
    ]);
    const alone = tf.grad((at) => {
      const result = angle.forward(at, { '': context, before: features });
      return tf.add(tf.sum(result.value), tf.sum(result.logDet));
    })(tf.slice(x, [0, 0], [2, 1]));
    expect(Math.abs(alone.dataSync()[0] - expected.dataSync()[0])).toBeGreaterThan(0.02);
    pass.dispose();
  });

  it('show themselves in accounts, whose sum is the log-density', async () => {
    const flow = new VectorFlow({ bijector: factorized(), seed: 1 });
    stir(flow);
    const x = [[0.1, 0.5, 0.5]];
    const account = await flow.account(x, { context: [1, 2] });
    expect(account.rows.map(({ kind }) => kind)).toEqual(['Categorical', 'Circular', 'Categorical']);
    expect(account.rows.every(({ roundTripError }) => roundTripError < 1e-3)).toBe(true);
    expect(account.total.logProb).toBeCloseTo(flow.logProb(x, { context: [1, 2] }).dataSync()[0], 4);
  });

  it('refuse what does not fit, and keep nothing', async () => {
    await leavesNoTensors(() => {
      expect(() => new Factorized({ inputShape: [2], factors: [] })).toThrow(ConfigError);
      const alone = { columns: [0], bijector: new ActNorm({ inputShape: [1] }) };
      expect(() => new Factorized({ inputShape: [2], factors: [alone] })).toThrow(
        'each of the columns 0 .. 1 in one factor',
      );
      alone.bijector.dispose();
      const wide = { columns: [0], bijector: new ActNorm({ inputShape: [2] }) };
      expect(() => new Factorized({ inputShape: [1], factors: [wide] })).toThrow(
        "'actnorm' to take its 1 columns",
      );
      wide.bijector.dispose();
      const reads = {
        columns: [0],
        bijector: new Categorical({ categories: 2, context: { before: 3 }, network }),
      };
      expect(() => new Factorized({ inputShape: [1], factors: [reads] })).toThrow('to read the 0 values');
      reads.bijector.dispose();
      expect(() => new Categorical({ categories: 1 })).toThrow('categories to be an integer >= 2');
      expect(() => new Categorical({ categories: 5000 })).toThrow('at most 4096');
      expect(() => new Categorical({ categories: 3, minimum: 0.5 })).toThrow('a minimum in (0, 1 / 3)');
      expect(() => new Circular({ low: 2, high: 1 })).toThrow('low below high');
    });
  });
});
