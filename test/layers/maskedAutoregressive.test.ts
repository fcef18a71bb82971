import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  type Adjacency,
  AffineTransformer,
  Chain,
  type Conditioning,
  ConfigError,
  Elementwise,
  Flow,
  Invert,
  MaskedAutoregressive,
  type MaskedAutoregressiveOptions,
  MaskedPerceptron,
  MultilayerPerceptron,
  RandomStream,
  RationalQuadraticSpline,
  reversibleGradients,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { levelsOf } from '../../src/layers/networks/masks';

beforeAll(() => tf.setBackend('cpu'));

type Masked = { hiddenUnits?: number[]; context?: number };

const masked = (options: Masked) => (adjacency: Adjacency, outputsPerValue: number) =>
  new MaskedPerceptron({
    hiddenUnits: [16, 16],
    activation: 'tanh',
    seed: 3,
    ...options,
    adjacency,
    outputsPerValue,
  });

const layerOf = (
  options: Partial<MaskedAutoregressiveOptions> & { inputShape: number[] },
  network?: Masked,
) =>
  new MaskedAutoregressive({
    transformer: new RationalQuadraticSpline({ bins: 3, bound: 4 }),
    network: masked(network ?? {}),
    ...options,
  });

/** All weights away from where they start. */
function perturb<T extends { trainableWeights: tf.Variable[] }>(module: T): T {
  const random = new RandomStream(7);
  for (const weight of module.trainableWeights) {
    weight.assign(tf.tidy(() => tf.add(weight, random.normal(weight.shape, 0, 0.4))));
  }
  return module;
}

/** Which outputs change where one input does. */
function dependence(d: number, outputs: number, compute: (x: tf.Tensor) => tf.Tensor): boolean[][] {
  return tf.tidy(() => {
    const at = new RandomStream(1).normal([1, d]);
    const start = compute(at).dataSync();
    const changed = Array.from({ length: d }, (_, j) => {
      const moved = compute(tf.add(at, tf.oneHot([j], d))).dataSync();
      return Array.from({ length: outputs }, (_, o) => moved[o] !== start[o]);
    });
    return Array.from({ length: outputs }, (_, o) => changed.map((row) => row[o])) as never;
  }) as unknown as boolean[][];
}

describe('MaskedPerceptron', () => {
  it.each([
    [
      'an order',
      [
        [0, 0, 0, 0],
        [1, 0, 0, 0],
        [1, 1, 0, 0],
        [1, 1, 1, 0],
      ],
    ],
    [
      'a graph',
      [
        [0, 0, 1, 0],
        [1, 0, 0, 1],
        [0, 0, 0, 0],
        [0, 0, 1, 0],
      ],
    ],
    [
      'nothing',
      [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
      ],
    ],
  ])('outputs read what the adjacency allows, all of it and nothing else: %s', (_, adjacency) => {
    const network = perturb(masked({})(adjacency, 2) as MaskedPerceptron);
    const expected = adjacency.flatMap((row) => [row, row]).map((row) => row.map(Boolean));
    expect(dependence(4, 8, (x) => network.apply(x))).toEqual(expected);
    network.dispose();
  });

  it('every output reads the context, those that read nothing else too', () => {
    const adjacency = [
      [0, 0],
      [1, 0],
    ];
    const network = perturb(masked({ context: 1 })(adjacency, 1));
    const [a, b] = [1, 2].map((value) => network.apply(tf.ones([1, 2]), tf.tensor2d([[value]])).dataSync());
    expect([a[0] !== b[0], a[1] !== b[1]]).toEqual([true, true]);
    expect(dependence(2, 2, (x) => network.apply(x, tf.ones([1, 1])))).toEqual([
      [false, false],
      [true, false],
    ]);
  });

  it('starts with hidden units as wide as those of a network of the inputs that they read', () => {
    const adjacency = Array.from({ length: 8 }, (_, i) => Array.from({ length: 8 }, (_, j) => j < i));
    const network = masked({ hiddenUnits: [700] })(adjacency, 1);
    tf.tidy(() => {
      const kernel = network.weights[0].variable;
      // A hundred units each stand for 1 .. 7 inputs: their weights are uniform within sqrt(6 / inputs), a variance of 2 / inputs.
      const squares = tf.square(kernel).arraySync() as number[][];
      for (const inputs of [1, 4, 7]) {
        const mine = Array.from({ length: 100 }, (_, k) => 100 * (inputs - 1) + k);
        const mean = mine.reduce((sum, h) => sum + squares[0][h], 0) / mine.length;
        // A mean of 100 squares of uniform numbers: standard error 9 %.
        expect(Math.abs(mean / (2 / inputs) - 1)).toBeLessThan(0.36);
      }
    });
  });

  it.each([
    [[[0, 0]], '1 rows of 1 booleans, got [0,0] as row 0'],
    [[[0, 0], [1]], '2 rows of 2 booleans, got [1] as row 1'],
    [
      [
        [0, 0],
        [2, 0],
      ],
      '2 rows of 2 booleans, got [2,0] as row 1',
    ],
    ['order', "a row of booleans for each value, got the text 'order'"],
    [[], 'a row of booleans for each value, got an array'],
    [
      [
        [0, 1],
        [1, 0],
      ],
      'an adjacency without circles, got one among the values 0, 1',
    ],
  ])('refuses the adjacency %j', (adjacency, message) => {
    const make = () => new MaskedPerceptron({ adjacency: adjacency as Adjacency });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
  });
});

describe('MaskedAutoregressive', () => {
  it('tells the smallest scale at its values', async () => {
    const { conditioning, expected } = tf.tidy(() => {
      const layer = perturb(
        layerOf({ inputShape: [3], transformer: new AffineTransformer() }, { context: 2 }),
      );
      const [x, context] = [new RandomStream(1).normal([40, 3]), new RandomStream(2).normal([40, 2])];
      const slopes = [0, 1, 2].flatMap((i) => {
        const by = (sign: number) => tf.add(x, tf.mul(tf.oneHot([i], 3), 0.5 * sign));
        const difference = tf.sub(layer.forward(by(1), context).value, layer.forward(by(-1), context).value);
        return Array.from(tf.slice(difference, [0, i], [-1, 1]).dataSync());
      });
      const conditioning = layer.conditioning(x, context);
      layer.dispose();
      return { conditioning, expected: Math.min(...slopes) } as never;
    }) as { conditioning: Promise<Conditioning>; expected: number };
    expect((await conditioning).smallestScale).toBeCloseTo(expected, 4);
  });

  it.each([
    [
      'one value after another',
      {},
      4,
      [
        [0, 0, 0, 0],
        [1, 0, 0, 0],
        [1, 1, 0, 0],
        [1, 1, 1, 0],
      ],
    ],
    [
      'another order',
      { order: [2, 0, 3, 1] },
      4,
      [
        [0, 0, 1, 0],
        [1, 0, 1, 1],
        [0, 0, 0, 0],
        [1, 0, 1, 0],
      ],
    ],
    [
      'two passes',
      { passes: 2 },
      2,
      [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [1, 1, 0, 0],
        [1, 1, 0, 0],
      ],
    ],
    [
      'three passes',
      { passes: 3 },
      2,
      [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [1, 1, 0, 0],
        [1, 1, 0, 0],
      ],
    ],
    [
      'a graph',
      {
        adjacency: [
          [0, 0, 1, 0],
          [0, 0, 0, 0],
          [0, 0, 0, 0],
          [1, 0, 0, 0],
        ],
      },
      3,
      [
        [0, 0, 1, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [1, 0, 0, 0],
      ],
    ],
  ])('%s: reads as it says, and takes so many passes back', (_, options, passes, adjacency) => {
    const layer = perturb(layerOf({ inputShape: [4], ...options }));
    const expected = adjacency.map((row, i) => row.map((reads, j) => reads === 1 || i === j));
    expect(dependence(4, 4, (x) => layer.forward(tf.clipByValue(x, -3, 3)).value)).toEqual(expected);
    expect(layer.cost).toEqual({ forward: 1, inverse: 1 });
    expect(layer.steps).toEqual({ forward: 1, inverse: passes });
    tf.tidy(() => {
      const y = new RandomStream(3).normal([6, 4]);
      const bySweep = layer.inverse(y);
      // Somebody's hook on one object: the sweep no longer stands for the network, which runs once for each group.
      const network = vi.spyOn(layer.network, 'apply');
      expect(layer.cost).toEqual({ forward: 1, inverse: passes });
      const byPasses = layer.inverse(y);
      expect(network).toHaveBeenCalledTimes(passes);
      for (const name of ['value', 'logDet'] as const) {
        // Sums of few terms in another order.
        expect(tf.max(tf.abs(tf.sub(bySweep[name], byPasses[name]))).dataSync()[0]).toBeLessThan(1e-4);
      }
      network.mockClear();
      layer.forward(y);
      expect(network).toHaveBeenCalledTimes(1);
    });
  });

  it('takes its steps the other way where it is turned round, and a chain as many as its slowest member', () => {
    const invert = new Invert({ bijector: layerOf({ inputShape: [3] }) });
    expect(invert.steps).toEqual({ forward: 3, inverse: 1 });
    const chain = new Chain({ bijectors: [invert, layerOf({ inputShape: [3], passes: 2 })] });
    expect(chain.steps).toEqual({ forward: 3, inverse: 2 });
    expect(chain.cost).toEqual({ forward: 1, inverse: 1 });
    chain.dispose();
  });

  it('goes back exactly where values far from the data make infinities on the way (float32 rounding)', () => {
    const layer = perturb(layerOf({ inputShape: [5] }));
    tf.tidy(() => {
      const x = tf.tensor2d([[1e30, -1e30, 0.5, 3, -2]]);
      const back = layer.inverse(layer.forward(x).value).value.dataSync();
      const there = x.dataSync();
      back.forEach((value, i) => {
        expect(Math.abs(value - there[i])).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(there[i])));
      });
    });
    layer.dispose();
  });

  it('goes back to ordinary values, each of which steers the next', () => {
    const layer = perturb(layerOf({ inputShape: [5] }));
    tf.tidy(() => {
      const x = tf.tensor2d([[1, -0.5, 0.5, 3, -2]]);
      const back = layer.inverse(layer.forward(x).value).value;
      // The rounding of one value comes through the network to the next ones; 1e-4 was seen.
      expect(tf.max(tf.abs(tf.sub(back, x))).dataSync()[0]).toBeLessThan(1e-3);
    });
    layer.dispose();
  });

  it('reversible gradients never run its sequential inverse, and are the stored ones', () => {
    const bijectors = Array.from({ length: 6 }, (_, i) => layerOf({ inputShape: [3], name: `layer${i}` }));
    const flow = perturb(new Flow({ bijector: new Chain({ bijectors }), seed: 1 }));
    const inverses = bijectors.map((layer) => vi.spyOn(layer, 'inverse'));
    tf.tidy(() => {
      const x = new RandomStream(2).normal([8, 3]);
      const { gradients } = reversibleGradients(flow, { x }, new RandomStream(1), { anchorEvery: 100 });
      for (const inverse of inverses) expect(inverse).not.toHaveBeenCalled();
      const { grads } = tf.variableGrads(
        () => tf.neg(tf.mean(flow.logProb(x))) as tf.Scalar,
        flow.trainableWeights,
      );
      flow.trainableWeights.forEach((weight, i) => {
        const difference = tf
          .max(tf.abs(tf.sub(grads[weight.name], gradients[i] as tf.Tensor)))
          .dataSync()[0];
        expect(difference).toBeLessThan(1e-5 * (1 + tf.max(tf.abs(grads[weight.name])).dataSync()[0]));
      });
    });
    flow.dispose();
  });

  it.each([
    [{ order: [0, 1, 1] }, 'an order of the values 0 .. 2'],
    [{ order: [0, 1] }, 'an order of the values 0 .. 2'],
    [{ passes: 1 }, 'passes to be an integer >= 2'],
    [{ passes: 4 }, 'passes of at most 3'],
    [
      {
        adjacency: [
          [0, 1, 0],
          [1, 0, 0],
          [0, 0, 0],
        ],
      },
      'an adjacency without circles, got one among the values 0, 1',
    ],
    [
      {
        adjacency: [
          [1, 0, 0],
          [0, 0, 0],
          [0, 0, 0],
        ],
      },
      'an adjacency without circles, got one among the values 0',
    ],
    [
      {
        adjacency: [
          [0, 0, 0],
          [0, 0, 0],
          [0, 0, 0],
        ],
        passes: 2,
      },
      'adjacency, or order and passes, got both',
    ],
    [{ transformer: {} }, 'a transformer, such as'],
    [
      { network: () => new MultilayerPerceptron({ inputShape: [3], units: 24 }) },
      'a masked network with this adjacency',
    ],
    [
      {
        network: masked({})(
          [
            [0, 0, 0],
            [0, 0, 0],
            [0, 0, 0],
          ],
          8,
        ),
      },
      'with this adjacency and 8 outputs per value, got another',
    ],
    [{ inputShape: [2, 2, 1] }, 'inputShape [d]'],
    [{ depth: 3 }, "got 'depth'"],
  ])('refuses %j', (options, message) => {
    const make = () => layerOf({ inputShape: [3], ...options } as never);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
  });
});

it('Elementwise refuses what is no transformer', () => {
  const make = () => new Elementwise({ inputShape: [2], transformer: 'spline' as never });
  expect(make).toThrow(
    new ConfigError(
      "Elementwise: expected a transformer, such as new RationalQuadraticSpline(), got the text 'spline'.",
    ),
  );
});

it('levelsOf: what reads nothing is known first, the rest after all that it reads', () => {
  const reads = [[1, 2], [2], [], [0]].map((row) => [0, 1, 2, 3].map((j) => row.includes(j)));
  expect(levelsOf('f', reads)).toEqual([2, 1, 0, 3]);
});
