import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  AffineCoupling,
  Chain,
  Conditioner,
  ConfigError,
  type Context,
  DataError,
  DiagonalNormal,
  decodeLatents,
  encodeLatents,
  Flow,
  type FlowError,
  Glow,
  LearnedPrior,
  loadFlow,
  MultilayerPerceptron,
  RandomStream,
  realNvp,
  registerModule,
  reversibleGradients,
  ShapeError,
  storedGradients,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { affine, valuesOf } from '../support/affineFlow';
import { leavesNoTensors } from '../support/leaks';
import { memoryHandler, weightsOf } from '../training/toys';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Moves weights off where they start, so that everything given makes a difference. */
function stir<T extends Flow>(flow: T): T {
  const random = new RandomStream(5);
  flow.markInitialized();
  for (const weight of flow.trainableWeights) {
    tf.tidy(() => weight.assign(tf.add(weight, random.normal(weight.shape, 0, 0.2))));
  }
  return flow;
}

const x = [
  [1, 2],
  [0.5, -1],
  [-2, 0],
];
const pairs = [
  [1, 0],
  [0.5, -1],
  [2, 3],
];

describe('a context', () => {
  const flow = stir(realNvp({ dimensions: 2, layers: 2, hiddenUnits: [8], context: 2, seed: 1 }));
  const single = stir(realNvp({ dimensions: 2, layers: 2, hiddenUnits: [8], context: 1, seed: 1 }));

  const forms: [string, () => Context][] = [
    ['a tensor', () => tf.tensor2d(pairs)],
    ['nested arrays', () => pairs],
    ['rows as typed arrays', () => pairs.map((row) => Float64Array.from(row))],
    ['one typed array', () => Float32Array.from(pairs.flat())],
  ];

  it.each(forms)('is taken as %s, row i for event i', async (_, make) => {
    await leavesNoTensors(() => {
      const context = make();
      const together = valuesOf(flow.logProb(x, { context }));
      x.forEach((event, i) => {
        // Each event alone with its own row: nothing reaches another event.
        expect(valuesOf(flow.logProb([event], { context: [pairs[i]] }))[0]).toBeCloseTo(together[i], 5);
        expect(valuesOf(flow.logProb([event], { context: [pairs[(i + 1) % 3]] }))[0]).not.toBeCloseTo(
          together[i],
          2,
        );
      });
      if (context instanceof tf.Tensor) context.dispose();
    });
  });

  const rows: [string, () => Context][] = [
    ['without a batch axis', () => [0.5, -1]],
    ['with one', () => [[0.5, -1]]],
    ['as typed array', () => Float32Array.of(0.5, -1)],
    ['as tensor [1, 2]', () => tf.tensor2d([[0.5, -1]])],
    ['as tensor [2]', () => tf.tensor1d([0.5, -1])],
  ];

  it.each(rows)('of one row, %s, serves any number of events', (_, make) => {
    tf.tidy(() => {
      const context = make();
      const repeated = {
        context: [
          [0.5, -1],
          [0.5, -1],
          [0.5, -1],
        ],
        seed: 3,
      };
      expect(valuesOf(flow.sample(3, { context, seed: 3 }))).toEqual(valuesOf(flow.sample(3, repeated)));
      expect(valuesOf(flow.logProb(x, { context }))).toEqual(
        valuesOf(flow.logProb(x, { context: repeated.context })),
      );
    });
  });

  it('of one number may be that number, or a list of one per event', () => {
    const each = valuesOf(single.logProb(x, { context: [[2], [2], [-1]] }));
    expect(valuesOf(single.logProb(x, { context: [2, 2, -1] }))).toEqual(each);
    expect(valuesOf(single.logProb(x, { context: Float32Array.of(2, 2, -1) }))).toEqual(each);
    expect(valuesOf(single.logProb(x.slice(0, 2), { context: 2 }))).toEqual(each.slice(0, 2));
  });

  const plain = new Flow({ bijector: affine([0], [1]) });
  const named = stir(
    new Flow({
      bijector: new AffineCoupling({
        inputShape: [2],
        network: ([d], [units]) =>
          new MultilayerPerceptron({
            inputShape: [d],
            units,
            hiddenUnits: [4],
            context: { pose: 2, light: 1 },
            seed: 1,
          }),
      }),
    }),
  );
  const wrong: [string, () => unknown, new (...args: never[]) => FlowError, string][] = [
    ['missing', () => flow.logProb(x), ConfigError, 'Flow.logProb: expected a context [2], got none.'],
    [
      'unwanted',
      () => plain.encode([[1]], { context: [1] }),
      ConfigError,
      'Flow.encode: expected no context, got one.',
    ],
    ['unwanted in a sample', () => plain.sample(1, { context: 3 }), ConfigError, 'expected no context'],
    [
      'of three values',
      () => flow.decode(x, { context: [1, 2, 3] }),
      ShapeError,
      'the context to be [batch, 2], or one row [2], got [3]',
    ],
    [
      'of two rows for three events',
      () => flow.encode(x, { context: pairs.slice(1) }),
      ShapeError,
      'of 1 or 3 rows, one per event or one for all, got 2',
    ],
    [
      'of names that nobody reads',
      () => flow.sample(1, { context: { pose: [1, 2] } }),
      ConfigError,
      'expected a context [2]',
    ],
    [
      'without names',
      () => named.sample(1, { context: [1, 2] }),
      ConfigError,
      'expected a context { pose: [2], light: [1] }, got one without names',
    ],
    [
      'that lacks a part',
      () => named.sample(1, { context: { pose: [1, 2] } }),
      ConfigError,
      "got no part 'light'",
    ],
    [
      'with a part too many',
      () => named.sample(1, { context: { pose: [1, 2], light: 1, wind: 2 } }),
      ConfigError,
      "got a part 'wind'",
    ],
    [
      'with a misshapen part',
      () => named.sample(1, { context: { pose: [1], light: 1 } }),
      ShapeError,
      "part 'pose' to be [batch, 2]",
    ],
    ['of text', () => flow.sample(1, { context: ['a', 'b'] as never }), DataError, "the text 'a'"],
    [
      'that is a promise',
      () => flow.sample(1, { context: Promise.resolve([1, 2]) as never }),
      DataError,
      'await it first',
    ],
    [
      'beyond float32',
      () => flow.sample(1, { context: [1, 1e39] }),
      DataError,
      'float32 holds values up to 3.4e38',
    ],
    ['with NaN', () => flow.sample(1, { context: [1, Number.NaN] }), DataError, 'finite'],
    ['of null', () => flow.sample(1, { context: null as never }), ConfigError, 'got none'],
    ['to bind where nothing reads one', () => plain.given(1), ConfigError, 'expected no context'],
    [
      'beside a bound one',
      () => flow.given([1, 2]).logProb(x, { context: [1, 2] } as never),
      ConfigError,
      'no context beside the bound one',
    ],
  ];

  it.each(wrong)('%s is refused by name', async (_, run, error, message) => {
    await leavesNoTensors(() => {
      let caught: unknown;
      try {
        run();
      } catch (thrown) {
        caught = thrown;
      }
      expect(caught).toBeInstanceOf(error);
      expect((caught as Error).message).toContain(message);
    });
  });

  it('by names reaches the part of that name, in whatever order it is given', () => {
    const context = { pose: pairs, light: [1, 2, 3] };
    const whole = valuesOf(named.logProb(x, { context }));
    const turned = { light: [1, 2, 3], pose: pairs };
    expect(valuesOf(named.logProb(x, { context: turned }))).toEqual(whole);
    const other = valuesOf(named.logProb(x, { context: { pose: pairs, light: [1, 2, 4] } }));
    expect(other.slice(0, 2)).toEqual(whole.slice(0, 2));
    expect(other[2]).not.toBeCloseTo(whole[2], 3);
    // A part may have one row for all where another has one per event.
    const mixed = valuesOf(named.logProb(x, { context: { pose: pairs, light: 2 } }));
    expect(mixed[1]).toBeCloseTo(whole[1], 6);
  });

  it('has gradients: those of central differences, for rows and for one row of all', () => {
    tf.tidy(() => {
      const events = tf.tensor2d(x);
      const loss = (context: tf.Tensor) => tf.sum(flow.logProb(events, { context })) as tf.Scalar;
      for (const given of [tf.tensor2d(pairs), tf.tensor2d([[0.5, -1]])]) {
        const gradient = tf.grad(loss)(given).arraySync() as number[][];
        const values = given.arraySync() as number[][];
        values.forEach((row, i) => {
          row.forEach((_, j) => {
            const moved = (by: number) => {
              const copy = values.map((each) => [...each]);
              copy[i][j] += by;
              return loss(tf.tensor2d(copy)).dataSync()[0];
            };
            const step = 1e-2;
            // 2e-2: float32 differences of a log-density over a step of 1e-2.
            expect(Math.abs((moved(step) - moved(-step)) / (2 * step) - gradient[i][j])).toBeLessThan(2e-2);
          });
        });
      }
    });
  });
});

describe('class numbers', () => {
  const means = [
    [0, 0],
    [10, 20],
    [-5, 7],
  ];
  const make = () => {
    const flow = new Flow({
      bijector: affine([0, 0], [1, 1]),
      base: new DiagonalNormal({ eventShape: [2], classes: 3 }),
      seed: 1,
    });
    const target = flow.weights.find(({ name }) => name.endsWith('classMean'));
    tf.tidy(() => target?.variable.assign(tf.tensor2d(means)));
    return flow;
  };

  const forms: [string, () => Context][] = [
    ['a list', () => [1, 2, 1]],
    ['an int32 array', () => Int32Array.of(1, 2, 1)],
    ['a float32 array', () => Float32Array.of(1, 2, 1)],
    ['BigInts', () => BigInt64Array.of(1n, 2n, 1n)],
    ['an int32 tensor', () => tf.tensor1d([1, 2, 1], 'int32')],
    ['a float32 tensor', () => tf.tensor1d([1, 2, 1])],
    ['a column', () => [[1], [2], [1]]],
    ['an int32 column', () => tf.tensor2d([[1], [2], [1]], [3, 1], 'int32')],
    [
      'rows of labels',
      () => [
        [0, 1, 0],
        [0, 0, 1],
        [0, 1, 0],
      ],
    ],
    [
      'int32 labels',
      () =>
        tf.tensor2d(
          [
            [0, 1, 0],
            [0, 0, 1],
            [0, 1, 0],
          ],
          [3, 3],
          'int32',
        ),
    ],
  ];

  it.each(forms)('are taken as %s wherever labels are declared', (_, form) => {
    tf.tidy(() => {
      const flow = make();
      const context = form();
      const modes = flow.sample(3, { context, temperature: 0 }).arraySync();
      expect(modes).toEqual([means[1], means[2], means[1]]);
      expect(
        valuesOf(
          flow.logProb(
            [
              [10, 20],
              [-5, 7],
              [0, 0],
            ],
            { context },
          ),
        )[1],
      ).toBeCloseTo(-Math.log(2 * Math.PI), 5);
      flow.dispose();
    });
  });

  it('of one number serve all events', () => {
    tf.tidy(() => {
      const flow = make();
      for (const context of [2, [2], tf.scalar(2, 'int32'), Int32Array.of(2)] as Context[]) {
        expect(flow.sample(2, { context, temperature: 0 }).arraySync()).toEqual([means[2], means[2]]);
      }
      flow.dispose();
    });
  });

  it('that are none are refused', () => {
    const flow = make();
    expect(() => flow.sample(1, { context: 3 })).toThrow('Flow.sample: expected classes 0 .. 2, got 3.');
    expect(() => flow.sample(1, { context: 0.5 })).toThrow('expected classes 0 .. 2, got 0.5.');
    expect(() => flow.sample(1, { context: tf.tensor1d([-1], 'int32') })).toThrow('got -1');
    expect(() => flow.sample(3, { context: [0, 1] })).toThrow('of 1 or 3 rows');
    expect(() => flow.sample(1, { context: [[0, 1]] })).toThrow('[batch, 3]');
    flow.dispose();
  });

  it('train the means of their own classes', async () => {
    const flow = make();
    const random = new RandomStream(3);
    const classes = Array.from({ length: 96 }, (_, i) => i % 3);
    const centers = [
      [0, 0],
      [2, -2],
      [-3, 1],
    ];
    const data = classes.map((c) => centers[c].map((mean) => mean + 0.1 * random.normalNumber()));
    const target = flow.weights.find(({ name }) => name.endsWith('classMean'));
    tf.tidy(() => target?.variable.assign(tf.zeros([3, 2])));
    await flow.fit(
      { x: data, y: classes },
      { steps: 200, batchSize: 32, learningRate: 0.05, seed: 1, progress: 'none' },
    );
    const modes = tf.tidy(
      () => flow.sample(3, { context: [0, 1, 2], temperature: 0 }).arraySync() as number[][],
    );
    modes.forEach((mode, c) => {
      mode.forEach((value, j) => {
        // 0.3: noise of 200 steps.
        expect(Math.abs(value - centers[c][j])).toBeLessThan(0.3);
      });
    });
    flow.dispose();
  });

  it('reach the right event in batches', async () => {
    const flow = new Flow({
      bijector: new LearnedPrior({ inputShape: [2], kind: 'constant', classes: 3 }),
      seed: 1,
    });
    // Mean of class c: [c, 10 c]; the log scales stay 0.
    tf.tidy(() => flow.trainableWeights[0].assign(tf.tensor2d([0, 1, 2].map((c) => [c, 10 * c, 0, 0]))));
    const events = Array.from({ length: 7 }, (_, i) => [i + 1, -1 - i]);
    const classes = [0, 1, 2, 0, 0, 2, 1];
    const latents = classes.flatMap((c, i) => [i + 1 - c, -1 - i - 10 * c]);
    await leavesNoTensors(async () => {
      for (const context of [classes, Int32Array.from(classes), classes.map((c) => [c])] as Context[]) {
        const z = await encodeLatents(flow, events, { batchSize: 3, context });
        expect([...z.data]).toEqual(latents);
        expect(valuesOf(await decodeLatents(flow, z, { batchSize: 2, context }))).toEqual(events.flat());
      }
      const tensor = tf.tensor1d(classes, 'int32');
      expect([...(await encodeLatents(flow, events, { batchSize: 2, context: tensor })).data]).toEqual(
        latents,
      );
      tensor.dispose();
      const same = await encodeLatents(flow, events, { batchSize: 2, context: 1 });
      expect([...same.data]).toEqual(events.flatMap(([a, b]) => [a - 1, b - 10]));
    });
    flow.dispose();
  });

  it('and rows of numbers reach the right event in batches', async () => {
    const events = Array.from({ length: 7 }, (_, i) => [i + 1, -1 - i]);
    const conditional = stir(realNvp({ dimensions: 2, layers: 2, hiddenUnits: [4], context: 2, seed: 1 }));
    const rows = [0, 1, 2, 0, 0, 2, 1].map((c) => [c, 1 - c]);
    await leavesNoTensors(async () => {
      const z = await encodeLatents(conditional, events, { batchSize: 3, context: rows });
      for (const [i, event] of events.entries()) {
        const alone = valuesOf(conditional.encode([event], { context: rows[i] }));
        alone.forEach((value, j) => {
          expect(z.at(i, j)).toBeCloseTo(value, 5);
        });
      }
      const tensor = tf.tensor2d(rows);
      expect((await encodeLatents(conditional, events, { batchSize: 3, context: tensor })).data).toEqual(
        z.data,
      );
      tensor.dispose();
      const back = valuesOf(await decodeLatents(conditional, z, { batchSize: 2, context: rows }));
      back.forEach((value, i) => {
        expect(value).toBeCloseTo(events.flat()[i], 3);
      });
      await expect(encodeLatents(conditional, events, { context: rows.slice(1) })).rejects.toThrow(
        'of 1 or 7 rows',
      );
      await expect(encodeLatents(conditional, events)).rejects.toThrow(
        'encodeLatents: expected a context [2], got none',
      );
    });
    conditional.dispose();
  });

  it('are labels of a part by name beside the context of networks', async () => {
    const flow = stir(
      new Flow({
        bijector: new Chain({
          bijectors: [
            new AffineCoupling({
              inputShape: [2],
              network: ([d], [units]) =>
                new MultilayerPerceptron({
                  inputShape: [d],
                  units,
                  hiddenUnits: [4],
                  context: { pose: 2 },
                  seed: 1,
                }),
            }),
            new LearnedPrior({ inputShape: [2], classes: { labels: 3 } }),
          ],
        }),
        seed: 2,
      }),
    );
    expect(flow.contextShape).toEqual({ pose: [2], labels: [3] });
    const context = { pose: pairs, labels: [0, 2, 1] };
    const z = await encodeLatents(flow, x, { batchSize: 2, context });
    const one = valuesOf(flow.encode([x[2]], { context: { pose: pairs[2], labels: [[0, 1, 0]] } }));
    expect([z.at(2, 0), z.at(2, 1)]).toEqual(one);
    const history = await flow.fit({ x, context }, { steps: 2, batchSize: 2, seed: 1, progress: 'none' });
    expect(history.losses.every(Number.isFinite)).toBe(true);
    const account = await flow.account(x, { context });
    expect(account.rows.map((row) => row.context)).toEqual(['pose [2]', 'labels [3]']);
    expect(String(account)).toMatch(/coupling +AffineCoupling +pose \[2\]/);
    const lines: string[] = [];
    flow.summary((text) => lines.push(...text.split('\n')));
    expect(lines[0]).toMatch(/layer +kind +context +output +parameters/);
    expect(lines.find((line) => line.includes('LearnedPrior'))).toContain('labels [3]');
    flow.dispose();
  });
});

describe('interpolation', () => {
  const flow = stir(realNvp({ dimensions: 2, layers: 2, hiddenUnits: [8], context: 1, seed: 1 }));
  const [from, to] = [
    [1, 2],
    [0.5, -1],
  ];

  /** The frames by hand: latents of each end under its context, mixed, decoded under each frame's. */
  const frames = (contexts: number[]) => {
    const ends = [
      valuesOf(flow.encode([from], { context: contexts[0] })),
      valuesOf(flow.encode([to], { context: contexts[4] })),
    ];
    return contexts.flatMap((context, i) => {
      const z = ends[0].map((value, j) => value * (1 - i / 4) + ends[1][j] * (i / 4));
      return valuesOf(flow.decode([z], { context }));
    });
  };

  it.each([
    ['one context for all frames', 3, [3, 3, 3, 3, 3]],
    ['one context per frame', [3, 1, 4, 1, 5], [3, 1, 4, 1, 5]],
    ['one context per end', [3, 5], [3, 3.5, 4, 4.5, 5]],
  ])('takes %s', (_, context, contexts) => {
    const got = valuesOf(flow.interpolate(from, to, { context, steps: 5 }));
    frames(contexts).forEach((value, i) => {
      expect(got[i]).toBeCloseTo(value, 4);
    });
    // The ends come back, each under its own context.
    [...from, ...to].forEach((value, i) => {
      expect([...got.slice(0, 2), ...got.slice(8)][i]).toBeCloseTo(value, 3);
    });
  });

  it('refuses another number of contexts', () => {
    expect(() => flow.interpolate(from, to, { context: [1, 2, 3], steps: 5 })).toThrow('of 1 or 2 or 5 rows');
  });
});

describe('given', () => {
  it('binds a context for every verb, without a tensor of its own', async () => {
    const flow = stir(realNvp({ dimensions: 2, layers: 2, hiddenUnits: [8], context: 2, seed: 1 }));
    await leavesNoTensors(async () => {
      const context = [0.5, -1];
      const bound = flow.given(context);
      const pairsOf = [
        [bound.logProb(x), flow.logProb(x, { context })],
        [bound.encode(x), flow.encode(x, { context })],
        [bound.decode(x), flow.decode(x, { context })],
        [
          bound.sample(2, { seed: 1, temperature: 0.5 }),
          flow.sample(2, { context, seed: 1, temperature: 0.5 }),
        ],
        [bound.interpolate(x[0], x[1], { steps: 3 }), flow.interpolate(x[0], x[1], { context, steps: 3 })],
      ];
      for (const [one, other] of pairsOf) expect(valuesOf(one)).toEqual(valuesOf(other));
      const [transformed, drawn] = [bound.transform(x), bound.sampleWithLogProb(2, { seed: 1 })];
      expect(valuesOf(transformed.value)).toEqual(valuesOf(flow.encode(x, { context })));
      expect(valuesOf(drawn.value)).toEqual(valuesOf(flow.sample(2, { context, seed: 1 })));
      tf.dispose([transformed.logDet, drawn.logProb]);
      expect((await bound.account(x)).total).toEqual((await flow.account(x, { context })).total);
    });
    expect(() => flow.given([1, 2, 3])).toThrow('Flow.given: expected the context to be [batch, 2]');
    flow.dispose();
  });

  it('of an image flow has bitsPerDim; weights that change meanwhile count, and gradients go through', () => {
    tf.tidy(() => {
      const glow = new Glow({
        imageShape: [4, 4, 1],
        levels: 1,
        stepsPerLevel: 1,
        hiddenChannels: 4,
        classes: 2,
        seed: 1,
      });
      const images = tf.fill([2, 4, 4, 1], 7);
      const bound = glow.given([0, 1]);
      const before = valuesOf(bound.bitsPerDim(images, { seed: 1 }));
      expect(before).toEqual(valuesOf(glow.bitsPerDim(images, { seed: 1, context: [0, 1] })));
      const prior = glow.weights.find(({ name }) => name.endsWith('classWeights'));
      prior?.variable.assign(tf.fill(prior.variable.shape, 0.5));
      expect(valuesOf(bound.bitsPerDim(images, { seed: 1 }))).not.toEqual(before);
      const flow = stir(realNvp({ dimensions: 2, layers: 2, hiddenUnits: [8], context: 2, seed: 1 }));
      const context = tf.tensor1d([0.5, -1]);
      const through = (read: (c: tf.Tensor) => tf.Tensor) =>
        tf
          .grad((c) => tf.sum(read(c)))(context)
          .dataSync();
      const direct = through((c) => flow.logProb(x, { context: c }));
      expect(through((c) => flow.given(c).logProb(x))).toEqual(direct);
      expect(direct.some((value) => Math.abs(value) > 1e-3)).toBe(true);
      glow.dispose();
      flow.dispose();
    });
  });
});

/** A linear map behind an actnorm: a network whose start depends on data. */
class NormalizedEmbed extends Conditioner {
  static className = 'TestNormalizedEmbed';
  readonly norm: ActNorm;
  private readonly kernel: tf.Variable;

  constructor({ inputs, outputs }: { inputs: number; outputs: number }) {
    super('network', [inputs], [outputs]);
    this.norm = this.addChild(new ActNorm({ inputShape: [inputs] }));
    this.kernel = this.addWeight('kernel', tf.fill([inputs, outputs], 0.5));
  }

  protected compute(c: tf.Tensor): tf.Tensor {
    return tf.matMul(this.norm.forward(c).value as tf.Tensor2D, this.kernel as tf.Tensor as tf.Tensor2D);
  }

  protected override computeInitialize(c: tf.Tensor): tf.Tensor {
    this.norm.initialize(c);
    return this.compute(c);
  }

  getConfig() {
    return { inputs: this.inputShape[0], outputs: this.outputShape[0] };
  }
}
registerModule(NormalizedEmbed);

describe('an embedding of the flow', () => {
  const make = (seed?: number) =>
    realNvp({
      dimensions: 2,
      layers: 2,
      hiddenUnits: [8],
      context: 3,
      embed: new NormalizedEmbed({ inputs: 3, outputs: 4 }),
      seed,
    });
  const contexts = [
    [1, 2, 3],
    [3, 2, 1],
    [0, 5, -5],
  ];

  it('stands between the context and the layers, and counts as part of the flow', () => {
    const flow = make(1);
    expect(flow.contextShape).toEqual([3]);
    expect(flow.bijector.contextShape).toEqual([4]);
    const plain = realNvp({ dimensions: 2, layers: 2, hiddenUnits: [8], context: 4, seed: 1 });
    expect(flow.parameterCount - plain.parameterCount).toBe(3 * 4 + 2 * 3);
    expect(flow.weights.map(({ name }) => name).filter((name) => name.startsWith('embed'))).toEqual([
      'embed/network/kernel',
      'embed/network/actnorm/bias',
      'embed/network/actnorm/logScale',
    ]);
    let text = '';
    flow.summary((shown) => {
      text = shown;
    });
    expect(text).toMatch(/embed\/network +TestNormalizedEmbed +\[4\] +18/);
    plain.dispose();
    flow.dispose();
  });

  it('is initialized on the context of the first batch, trained, saved and loaded', async () => {
    const flow = make(1);
    const data = { x, context: contexts };
    await flow.fit(data, { steps: 1, learningRate: 1e-12, seed: 1, progress: 'none' });
    // Actnorm's bias is minus the mean of what it saw: the rows of the context.
    const [bias] = Object.entries(weightsOf(flow)).filter(([name]) => name === 'embed/network/actnorm/bias');
    [-4 / 3, -3, 1 / 3].forEach((mean, i) => {
      expect(bias[1][i]).toBeCloseTo(mean, 5);
    });
    const before = weightsOf(flow)['embed/network/kernel'];
    await flow.fit(data, { steps: 20, learningRate: 0.01, seed: 1, progress: 'none' });
    expect(weightsOf(flow)['embed/network/kernel']).not.toEqual(before);
    const file = memoryHandler();
    await flow.save(file);
    const copy = await loadFlow(file);
    expect(copy.contextShape).toEqual([3]);
    expect(valuesOf(copy.logProb(x, { context: contexts }))).toEqual(
      valuesOf(flow.logProb(x, { context: contexts })),
    );
    flow.dispose();
    copy.dispose();
  });

  it('has the same gradients by both methods, and by the context itself', async () => {
    const flow = stir(make(1));
    await leavesNoTensors(() => {
      tf.tidy(() => {
        const batch = { x: tf.tensor2d(x), context: tf.tensor2d(contexts) };
        const stored = storedGradients(flow, batch, new RandomStream(1)).gradients;
        const reversible = reversibleGradients(flow, batch, new RandomStream(1)).gradients;
        stored.forEach((gradient, i) => {
          const [a, b] = [gradient, reversible[i]].map((each) => each?.dataSync() ?? new Float32Array());
          expect(a.length).toBeGreaterThan(0);
          a.forEach((value, j) => {
            // 1e-4: float32 through two couplings and their inverses.
            expect(Math.abs(value - b[j])).toBeLessThan(1e-4 * (1 + Math.abs(value)));
          });
        });
        const byContext = tf.grad((c) => tf.sum(flow.logProb(batch.x, { context: c })))(batch.context);
        expect(tf.max(tf.abs(byContext)).dataSync()[0]).toBeGreaterThan(1e-3);
      });
    });
    flow.dispose();
  });

  it('may be one network per part; parts without one pass', async () => {
    const network =
      (context: Record<string, number>) =>
      ([d]: readonly number[], [units]: readonly number[]) =>
        new MultilayerPerceptron({ inputShape: [d], units, hiddenUnits: [4], context, seed: 1 });
    const flow = stir(
      new Flow({
        bijector: new AffineCoupling({ inputShape: [2], network: network({ pose: 4, light: 1 }) }),
        embed: { pose: new NormalizedEmbed({ inputs: 3, outputs: 4 }) },
      }),
    );
    expect(flow.contextShape).toEqual({ pose: [3], light: [1] });
    const context = { pose: contexts, light: 2 };
    const file = memoryHandler();
    await flow.save(file);
    const copy = await loadFlow(file);
    expect(valuesOf(copy.logProb(x, { context }))).toEqual(valuesOf(flow.logProb(x, { context })));
    expect(Object.keys(weightsOf(flow))).toContain('embed/pose/network/kernel');
    flow.dispose();
    copy.dispose();
  });

  it('that does not fit is refused at construction', async () => {
    const embed = new NormalizedEmbed({ inputs: 3, outputs: 4 });
    await leavesNoTensors(() => {
      expect(() => realNvp({ dimensions: 2, context: 2, embed })).toThrow(
        'realNvp: expected an embed that reads [2] and is conditioned on nothing, got [3] -> [4].',
      );
      expect(() => realNvp({ dimensions: 2, embed })).toThrow('a context for `embed`');
      expect(() => realNvp({ dimensions: 2, context: { pose: 3 }, embed })).toThrow(
        'one network without a name',
      );
      expect(() => realNvp({ dimensions: 2, context: { pose: 3 }, embed: { light: embed } })).toThrow(
        "a network for 'light'",
      );
    });
    const bijector = affine([0], [1]);
    expect(() => new Flow({ bijector, embed })).toThrow('a context for `embed`');
    bijector.dispose();
    embed.dispose();
  });
});
