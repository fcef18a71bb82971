import * as tf from '@tensorflow/tfjs-core';
import {
  type Flow,
  type FlowError,
  loadFlow,
  MultilayerPerceptron,
  maskedAutoregressiveFlow,
  NormalMixture,
  neuralSplineFlow,
  RandomStream,
  RationalQuadraticSpline,
  realNvp,
  ShapeError,
  StandardNormal,
  type SupportsOption,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { valuesOf } from '../support/affineFlow';
import { leavesNoTensors } from '../support/leaks';
import { memoryHandler } from '../training/toys';

beforeAll(async () => {
  await prepareWasm({ threads: 1 });
});

type Common = {
  dimensions?: number;
  columns?: string[];
  supports?: SupportsOption;
  context?: number;
  embed?: MultilayerPerceptron;
  base?: NormalMixture;
  seed?: number;
};

const small = { layers: 2, hiddenUnits: 8 };
const recipes: [string, (options: Common) => Flow][] = [
  ['spline couplings', (options) => neuralSplineFlow({ ...small, bins: 4, ...options })],
  [
    'autoregressive splines',
    (options) => neuralSplineFlow({ ...small, bins: 4, form: 'autoregressive', ...options }),
  ],
  ['affine autoregressive', (options) => maskedAutoregressiveFlow({ ...small, ...options })],
  [
    'plain networks',
    (options) =>
      maskedAutoregressiveFlow({
        ...small,
        hiddenUnits: [8],
        permutation: 'shuffle',
        linear: false,
        ...options,
      }),
  ],
  ['Real NVP', (options) => realNvp({ ...small, ...options })],
  ['Real NVP with linear maps', (options) => realNvp({ ...small, linear: true, actnorm: false, ...options })],
];

const quiet = { progress: 'none', learningRate: 1e-2, batchSize: 64 } as const;

/** Correlated, bent, of other means and scales in every column, [n, d]. */
function bent(n: number, d: number, seed = 1): number[][] {
  const random = new RandomStream(seed);
  return Array.from({ length: n }, () => {
    const common = random.normalNumber();
    return Array.from(
      { length: d },
      (_, j) => 10 * j + (1 + j) * (common * common * 0.5 + 0.4 * random.normalNumber()),
    );
  });
}

describe.each(recipes)('%s', (_, build) => {
  it.each([1, 2, 3])('trains, samples and comes back exactly in %i dimensions', async (d) => {
    const x = bent(256, d);
    await leavesNoTensors(async () => {
      const flow = build({ dimensions: d, seed: 1 });
      const history = await flow.fit(x, { ...quiet, steps: 30, seed: 1 });
      // One value under affine maps cannot be told better than by its mean and deviation.
      if (d > 1) expect(history.losses.at(-1)).toBeLessThan(history.losses[0]);
      await leavesNoTensors(() => {
        tf.tidy(() => {
          expect(flow.sample(5, { seed: 1 }).shape).toEqual([5, d]);
          const back = flow.decode(flow.encode(x));
          // In units of the last column, whose values reach 10 d: float32 through two layers.
          expect(valuesOf(tf.max(tf.abs(tf.sub(back, x))))[0]).toBeLessThan(2e-3);
          const { value, logProb } = flow.sampleWithLogProb(20, { seed: 2 });
          const again = valuesOf(flow.logProb(value));
          valuesOf(logProb).forEach((nats, i) => {
            expect(again[i]).toBeCloseTo(nats, 2);
          });
        });
      });
      flow.dispose();
    });
  });

  it('reads its context, through an embedding of its own, and refuses one of another size', async () => {
    await leavesNoTensors(async () => {
      const embed = new MultilayerPerceptron({ inputShape: [3], units: 2, hiddenUnits: [4], seed: 3 });
      const flow = build({ dimensions: 1, context: 3, embed, seed: 1 });
      expect(flow.contextShape).toEqual([3]);
      const random = new RandomStream(4);
      const context = Array.from({ length: 256 }, () =>
        Array.from({ length: 3 }, () => random.normalNumber()),
      );
      const x = context.map(([a]) => [2 * a + 0.1 * random.normalNumber()]);
      await flow.fit({ x, context }, { ...quiet, steps: 60, seed: 1 });
      const nats = (given: number[]) => valuesOf(flow.logProb([[2]], { context: given }))[0];
      expect(nats([1, 0, 0])).toBeGreaterThan(nats([-1, 0, 0]) + 1);
      await leavesNoTensors(() => {
        expect(() => flow.logProb([[2]], { context: [1, 2] })).toThrow(ShapeError);
      });
      flow.dispose();
    });
  });

  it('comes back from a file, with another base', async () => {
    const base = new NormalMixture({ eventShape: [2], components: 3, seed: 2 });
    const flow = build({ dimensions: 2, base, seed: 1 });
    await flow.fit(bent(64, 2), { ...quiet, steps: 3, seed: 1 });
    const handler = memoryHandler();
    await flow.save(handler);
    const copy = await loadFlow<Flow>(handler);
    const x = bent(5, 2, 9);
    expect(valuesOf(copy.logProb(x))).toEqual(valuesOf(flow.logProb(x)));
    expect(copy.latentIsNormal).toBe(false);
  });

  it('takes columns of every kind, and gives them back', async () => {
    const random = new RandomStream(6);
    const rows = Array.from({ length: 128 }, (_, i) => {
      const kind = i % 2;
      return [
        kind,
        Math.exp(random.normalNumber() + kind),
        random.uniformNumber(),
        3 * random.normalNumber(),
      ];
    });
    const columns = ['kind', 'size', 'share', 'height'];
    const supports = { kind: { categories: 2 }, size: 'positive', share: [0, 1] } as const;
    await leavesNoTensors(async () => {
      const base = new NormalMixture({ eventShape: [3], components: 2, seed: 2 });
      const flow = build({ columns, supports, base, seed: 1 });
      await flow.fit(rows, { ...quiet, steps: 5, seed: 1 });
      const nats = valuesOf(flow.logProb([...rows.slice(0, 3), [0, -1, 0.5, 0]]));
      expect(nats.slice(0, 3).every(Number.isFinite)).toBe(true);
      expect(nats[3]).toBe(Number.NEGATIVE_INFINITY);
      const samples = tf.tidy(() => flow.sample(50, { seed: 3 }).arraySync() as number[][]);
      for (const [kind, size, share] of samples) {
        expect([0, 1]).toContain(kind);
        expect(size).toBeGreaterThan(0);
        expect(share > 0 && share < 1).toBe(true);
      }
      flow.dispose();
    });
  });

  it('resumes to the same numbers', async () => {
    const data = bent(256, 2);
    const options = { ...quiet, seed: 5 };
    const whole = build({ dimensions: 2, seed: 1 });
    await whole.fit(data, { ...options, steps: 8 });
    const half = build({ dimensions: 2, seed: 1 });
    const handler = memoryHandler();
    await half.fit(data, { ...options, steps: 5, checkpoint: { location: handler } });
    const resumed = build({ dimensions: 2, seed: 1 });
    await resumed.fit(data, { ...options, steps: 8, resume: handler });
    const x = bent(5, 2, 9);
    expect(valuesOf(resumed.logProb(x))).toEqual(valuesOf(whole.logProb(x)));
  });

  it('makes the same flow of the same seed, another of another', () => {
    const weightsOf = (seed: number) => {
      const flow = build({ dimensions: 3, seed });
      const values = flow.weights.flatMap(({ variable }) => Array.from(variable.dataSync()));
      flow.dispose();
      return values;
    };
    expect(weightsOf(1)).toEqual(weightsOf(1));
    expect(weightsOf(1)).not.toEqual(weightsOf(2));
  });
});

describe('options of recipes', () => {
  const refused: [string, () => unknown, RegExp][] = [
    ['no dimensions', () => neuralSplineFlow({}), /neuralSplineFlow.*dimensions, or columns/],
    [
      'a misspelt option',
      () => neuralSplineFlow({ dimensions: 2, tailBound: 3 } as never),
      /'tailBound'.*'bound'/,
    ],
    [
      'an unknown form',
      () => neuralSplineFlow({ dimensions: 2, form: 'residual' as never }),
      /form.*coupling/,
    ],
    [
      'no layers',
      () => maskedAutoregressiveFlow({ dimensions: 2, layers: 0 }),
      /maskedAutoregressiveFlow.*layers/,
    ],
    [
      'an order of its own',
      () => maskedAutoregressiveFlow({ dimensions: 2, permutation: 'up' as never }),
      /permutation.*reverse/,
    ],
    [
      'no transformer',
      () => maskedAutoregressiveFlow({ dimensions: 2, transformer: 'affine' as never }),
      /transformer/,
    ],
    ['too much dropout', () => neuralSplineFlow({ dimensions: 2, dropout: 1 }), /dropout/],
    [
      'an unknown column',
      () => neuralSplineFlow({ columns: ['height'], supports: { heigt: 'positive' } }),
      /'heigt'.*'height'/,
    ],
    [
      'an unknown support',
      () => realNvp({ dimensions: 2, supports: { 0: 'positiv' as never } }),
      /'positiv'.*'positive'/,
    ],
    [
      'a base of another size',
      () => realNvp({ dimensions: 2, base: new StandardNormal({ eventShape: [3] }) }),
      /base/,
    ],
  ];

  it.each(refused)('%s: says which', (_, build, message) => {
    const before = tf.memory().numTensors;
    let error: FlowError | undefined;
    try {
      build();
    } catch (thrown) {
      error = thrown as FlowError;
    }
    expect(error).toBeInstanceOf(Error);
    expect(error?.message).toMatch(message);
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before);
  });

  it('reads dropout: steps with it differ, densities do not', async () => {
    const weightsAfter = async (dropout: number) => {
      const flow = neuralSplineFlow({ dimensions: 2, ...small, dropout, seed: 1 });
      const before = valuesOf(flow.logProb(bent(5, 2)));
      expect(valuesOf(flow.logProb(bent(5, 2)))).toEqual(before);
      await flow.fit(bent(64, 2), { ...quiet, steps: 3, seed: 1 });
      return valuesOf(flow.logProb(bent(5, 2)));
    };
    expect(await weightsAfter(0.5)).not.toEqual(await weightsAfter(0));
  });

  it('puts together the layers that it is told', () => {
    const layersOf = (flow: Flow) => {
      const names = new Set(flow.weights.map(({ name }) => name.split('/').slice(1, -1).join('/')));
      const config = JSON.stringify(flow.getConfig());
      flow.dispose();
      return { names: [...names].join(' '), config };
    };
    const spline = layersOf(neuralSplineFlow({ dimensions: 2, ...small, seed: 1 }));
    expect(spline.names).toMatch(
      /^standardize layers\/linear0 layers\/coupling0.* layers\/coupling1.* layers\/linear2$/,
    );
    const autoregressive = layersOf(
      neuralSplineFlow({ dimensions: 2, ...small, form: 'autoregressive', seed: 1 }),
    );
    expect(autoregressive.names).toMatch(/autoregressive0/);
    expect(autoregressive.names).not.toMatch(/coupling/);
    const maf = (options: object) =>
      layersOf(maskedAutoregressiveFlow({ dimensions: 5, ...small, seed: 1, ...options }));
    expect(maf({}).names).toMatch(/linear0.*linear2/);
    expect(maf({ linear: false }).names).not.toMatch(/linear/);
    expect(maf({ permutation: 'shuffle' }).config).not.toBe(maf({}).config);
    const nvp = (options: object) => layersOf(realNvp({ dimensions: 2, ...small, seed: 1, ...options }));
    expect(nvp({}).names).not.toMatch(/standardize|linear/);
    expect(nvp({}).names).toMatch(/actnorm0.*actnorm1/);
    expect(nvp({ linear: true, actnorm: false }).names).not.toMatch(/actnorm/);
    expect(nvp({ supports: { 0: 'positive' } }).names).toMatch(/standardize/);
    expect(nvp({ scale: 'sigmoid' }).config).not.toBe(nvp({}).config);
  });

  it('has networks as it is told, in every form', () => {
    const forms: [(options: object) => Flow, number][] = [
      [(options) => neuralSplineFlow({ dimensions: 3, layers: 1, ...options }), 0.1],
      [(options) => neuralSplineFlow({ dimensions: 3, layers: 1, form: 'autoregressive', ...options }), 0.1],
      [(options) => maskedAutoregressiveFlow({ dimensions: 3, layers: 1, ...options }), 0.1],
      [(options) => realNvp({ dimensions: 3, layers: 1, ...options }), 0],
    ];
    for (const [build, dropout] of forms) {
      const networkOf = (options: object) => {
        const flow = build(options);
        const text = JSON.stringify(flow.getConfig());
        flow.dispose();
        return text;
      };
      const usual = networkOf({});
      expect(usual).toContain('"hiddenUnits":[64,64]');
      expect(usual).toContain('"activation":"relu"');
      // None is not written down.
      expect(usual.match(/"dropout":[^,}]*/)?.[0]).toBe(dropout === 0 ? undefined : `"dropout":${dropout}`);
      const other = networkOf({ hiddenUnits: 8, blocks: 3, activation: 'tanh', dropout: 0.3 });
      for (const told of ['"hiddenUnits":8', '"blocks":3', '"activation":"tanh"', '"dropout":0.3']) {
        expect(other).toContain(told);
      }
      const plain = networkOf({ hiddenUnits: [5], activation: 'elu', dropout: 0.4 });
      for (const told of ['"hiddenUnits":[5]', '"activation":"elu"', '"dropout":0.4']) {
        expect(plain).toContain(told);
      }
    }
  });

  it('turns two values round before every autoregressive layer: a shuffle leaves them as they are every other time', () => {
    const flow = neuralSplineFlow({
      dimensions: 2,
      layers: 4,
      hiddenUnits: [4],
      form: 'autoregressive',
      seed: 1,
    });
    const orders = JSON.stringify(flow.getConfig()).match(/"order":\[[01],[01]\]/g);
    expect(orders).toEqual(new Array(4).fill('"order":[1,0]'));
    flow.dispose();
  });

  it('bends by its splines as it is told', () => {
    const parameters = (options: object) =>
      neuralSplineFlow({ dimensions: 2, layers: 1, hiddenUnits: 4, ...options }).parameterCount;
    // One value is transformed and one passed by a spline each of 3 K - 1 numbers; the network's last layer gives one of them for 4 + 1 inputs.
    expect(parameters({ bins: 8 }) - parameters({ bins: 4 })).toBe(12 * 5 + 12);
    const at = (bound: number) => {
      const spline = new RationalQuadraticSpline({ bound });
      return maskedAutoregressiveFlow({
        dimensions: 1,
        layers: 1,
        linear: false,
        transformer: spline,
        seed: 1,
      });
    };
    expect(at(3).getConfig()).not.toEqual(at(4).getConfig());
  });
});
