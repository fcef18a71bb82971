import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  Chain,
  ConfigError,
  DiagonalNormal,
  type Distribution,
  Elementwise,
  encodeLabeled,
  encodeLatents,
  Flow,
  fitPrior,
  Linear,
  manipulate,
  mixedNormality,
  NonFiniteError,
  NormalMixture,
  Permutation,
  RandomStream,
  RationalQuadraticSpline,
  StackedBase,
  StandardNormal,
  StudentT,
  UniformBox,
  zDelta,
} from 'tfjs-flows';
import { beforeEach, describe, expect, it } from 'vitest';
import { affine, valuesOf } from '../support/affineFlow';
import { leavesNoTensors } from '../support/leaks';

beforeEach(async () => {
  await tf.setBackend('cpu');
});

/** z = 2 x on a base of two columns. */
const onBase = (base: Distribution) => new Flow({ bijector: affine([0, 0], [2, 2]), base, seed: 1 });

const bases: [string, boolean, () => Distribution][] = [
  ['StandardNormal', true, () => new StandardNormal({ eventShape: [2] })],
  ['DiagonalNormal', true, () => new DiagonalNormal({ eventShape: [2], mean: [1, -3], logScale: [0.5, -1] })],
  ['NormalMixture', false, () => new NormalMixture({ eventShape: [2], components: 2, seed: 1 })],
  ['StudentT', false, () => new StudentT({ eventShape: [2] })],
  ['UniformBox', false, () => new UniformBox({ eventShape: [2], low: -9, high: 9 })],
  [
    'StackedBase',
    false,
    () =>
      new StackedBase({
        parts: [
          new StandardNormal({ eventShape: [1], name: 'first' }),
          new UniformBox({ eventShape: [1], low: -9, high: 9, name: 'second' }),
        ],
      }),
  ],
];

describe.each(bases)('a flow on a %s', (label, normal, make) => {
  it('has latents that are normal or are not, and verbs that need them refuse', async () => {
    await leavesNoTensors(async () => {
      const flow = onBase(make());
      expect(flow.latentIsNormal).toBe(normal);
      const labeled = {
        events: [
          [0, 1],
          [1, 0],
        ],
        subclass: [0, 1],
      };
      const verbs = [
        () => flow.sample(2, { temperature: 0.5 }),
        () => tf.tidy(() => flow.sampleWithLogProb(2, { temperature: 0.5 }).value),
        () => flow.interpolate([0, 0], [1, 1]),
      ];
      if (normal) {
        for (const verb of verbs) verb().dispose();
        expect((await encodeLabeled(flow, labeled)).z.rows).toBe(2);
      } else {
        const expected = `expected a flow with a normal base, got a ${label}.`;
        for (const verb of verbs) {
          expect(verb).toThrow(ConfigError);
          expect(verb).toThrow(expected);
        }
        expect(verbs[0]).toThrow(`Flow.sample: ${expected} A temperature is a factor`);
        await expect(encodeLabeled(flow, labeled)).rejects.toThrow(`encodeLabeled: ${expected}`);
        flow.sample(2, { temperature: 1 }).dispose();
        flow.sample(2, { temperature: [1] }).dispose();
        expect((await encodeLatents(flow, labeled.events)).rows).toBe(2);
      }
      flow.dispose();
    });
  });

  it('samples what it has a density of, and is given back its latents', () => {
    const flow = onBase(make());
    const { value, logProb } = tf.tidy(() => flow.sampleWithLogProb(50, { seed: 3 }) as never) as unknown as {
      value: tf.Tensor;
      logProb: tf.Tensor1D;
    };
    const again = valuesOf(flow.logProb(value));
    valuesOf(logProb).forEach((nats, i) => void expect(nats).toBeCloseTo(again[i], 4));
    value.dispose();
    flow.dispose();
  });
});

describe('paths between latents', () => {
  it('are measured from the mean of the base in its deviations', () => {
    const flow = onBase(new DiagonalNormal({ eventShape: [2], mean: [1, -3], logScale: [0.5, -1] }));
    const standard = new Flow({ bijector: affine([-0.5, 1.5], [2 / Math.exp(0.5), 2 / Math.exp(-1)]) });
    for (const path of ['linear', 'spherical'] as const) {
      const got = valuesOf(flow.interpolate([0, 0], [1, 2], { steps: 5, path }));
      const expected = valuesOf(standard.interpolate([0, 0], [1, 2], { steps: 5, path }));
      got.forEach((value, i) => void expect(value).toBeCloseTo(expected[i], 5));
    }
    flow.dispose();
    standard.dispose();
  });

  it('of two classes go from the deviations of one to those of the other', () => {
    const base = new DiagonalNormal({ eventShape: [2], classes: 2 });
    const flow = onBase(base);
    const means = tf.tensor2d([
      [0, 0],
      [4, 8],
    ]);
    base.weights[2].variable.assign(means);
    const frames = valuesOf(
      flow.interpolate([0, 0], [2, 4], {
        steps: 3,
        context: [
          [1, 0],
          [0, 1],
        ],
        path: 'linear',
      }),
    );
    // Both ends are the means of their classes, so is the middle: the mean of the mixed labels.
    expect(frames).toEqual([0, 0, 1, 2, 2, 4]);
    means.dispose();
    flow.dispose();
  });
});

describe('training on a box', () => {
  const data = Array.from({ length: 32 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
  const quiet = { epochs: 2, batchSize: 16, progress: 'none', learningRate: 0.01 } as const;
  const box = () => new UniformBox({ eventShape: [2], low: -1, high: 1 });
  const splines = () =>
    new Elementwise({
      inputShape: [2],
      transformer: new RationalQuadraticSpline({ bins: 4, bound: 1, tails: 'none' }),
    });

  it('works where layers map the data into it', async () => {
    const flow = new Flow({ bijector: splines(), base: box(), seed: 1 });
    const history = await flow.fit(data, quiet);
    expect(history.losses.every(Number.isFinite)).toBe(true);
    flow.dispose();
  });

  it('says where latents lie where they do not', async () => {
    const flow = new Flow({ bijector: new ActNorm({ inputShape: [2] }), base: box(), seed: 1 });
    const run = flow.fit(data, quiet);
    await expect(run).rejects.toThrow(NonFiniteError);
    await expect(run).rejects.toThrow(
      "is base. Latents lie outside of the base's box, where its density is 0.",
    );
    flow.dispose();
  });
});

describe('one dimension', () => {
  const chain = (spline: boolean) =>
    Chain.from(
      [1],
      [
        (inputShape) => new ActNorm({ inputShape }),
        (inputShape) => new Linear({ inputShape, name: 'lu' }),
        (inputShape) => new Linear({ inputShape, form: 'householder', seed: 1, name: 'householder' }),
        (inputShape) => new Linear({ inputShape, form: 'rotation', name: 'rotation' }),
        (inputShape) => new Permutation({ inputShape, order: 'shuffle', seed: 1 }),
        (inputShape) =>
          spline
            ? new Elementwise({ inputShape, transformer: new RationalQuadraticSpline({ bins: 6 }) })
            : new Permutation({ inputShape, name: 'reverse' }),
      ],
    );
  const draw = (random: RandomStream) =>
    (random.uniformNumber() < 0.3 ? -2 : 1.5) + 0.4 * random.normalNumber();
  const line = Array.from({ length: 4001 }, (_, i) => -10 + i * 0.005);

  it.each<[string, () => Distribution]>([
    ['StandardNormal', () => new StandardNormal({ eventShape: [1] })],
    [
      'NormalMixture',
      () => new NormalMixture({ eventShape: [1], components: 2, covariance: 'full', seed: 3 }),
    ],
    ['StudentT', () => new StudentT({ eventShape: [1], degreesOfFreedom: 8 })],
  ])(
    'learns two lumps on a %s; its density integrates to 1 (2e-3: tails beyond the line)',
    async (_, make) => {
      const random = new RandomStream(2);
      const data = Array.from({ length: 512 }, () => [draw(random)]);
      const flow = new Flow({ bijector: chain(true), base: make(), seed: 1 });
      const history = await flow.fit(data, {
        epochs: 30,
        batchSize: 128,
        learningRate: 0.03,
        progress: 'none',
        seed: 1,
      });
      expect(history.losses[history.losses.length - 1]).toBeLessThan(1.45);
      const density = valuesOf(flow.logProb(line.map((x) => [x])));
      const total = density.reduce((sum, nats) => sum + Math.exp(nats) * 0.005, 0);
      expect(Math.abs(total - 1)).toBeLessThan(2e-3);
      const rows = flow.sample(7);
      expect(rows.shape).toEqual([7, 1]);
      const back = flow.decode(flow.encode(rows));
      const [given, got] = [valuesOf(rows), valuesOf(back)];
      given.forEach((value, i) => void expect(got[i]).toBeCloseTo(value, 3));
      flow.dispose();
      tf.disposeVariables();
    },
  );

  it('has an account, latents and paths', async () => {
    const flow = new Flow({ bijector: chain(false), seed: 1 });
    const { rows } = await flow.account([[1], [2]]);
    expect(rows.every((row) => row.finite && row.roundTripError < 1e-5)).toBe(true);
    const frames = flow.interpolate([1], [3], { steps: 3 });
    valuesOf(frames).forEach((value, i) => void expect(value).toBeCloseTo(i + 1, 4));
    flow.dispose();
  });

  it('goes through the functions of attributes', async () => {
    const random = new RandomStream(5);
    const flow = new Flow({ bijector: affine([1], [2]), seed: 1 });
    const subclass = Array.from({ length: 60 }, (_, i) => Math.floor(i / 10));
    const attributes = subclass.map((_, i) => i % 2);
    const events = subclass.map((k, i) => [k + attributes[i] + 0.1 * random.normalNumber()]);
    const labeled = await encodeLabeled(flow, { events, subclass, attributes });
    const direction = zDelta(labeled);
    expect(direction.delta[0]).toBeCloseTo(2, 0);
    expect(manipulate(labeled.z, direction, [1]).z.cols).toBe(1);
    const prior = fitPrior({ z: labeled.z, subclass });
    expect(prior.posterior({ z: labeled.z }).mean).toHaveLength(1);
    expect(mixedNormality({ z: labeled.z, subclass }).subclasses).toBeDefined();
    flow.dispose();
  });
});
