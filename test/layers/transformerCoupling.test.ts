import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  AdditiveCoupling,
  AffineCoupling,
  AffineTransformer,
  type Bijector,
  Conditioner,
  type Conditioning,
  ConfigError,
  Elementwise,
  Flow,
  MultilayerPerceptron,
  Permutation,
  RandomStream,
  RationalQuadraticSpline,
  ReversePass,
  type Shape,
  ShapeError,
  TransformerCoupling,
  type TransformerCouplingOptions,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../support/leaks';

beforeAll(() => prepareWasm({ threads: 1 }));
beforeEach(async () => {
  await tf.setBackend('cpu');
});

const network = ([d]: Shape, [units]: Shape) =>
  new MultilayerPerceptron({ inputShape: [d], units, hiddenUnits: [6], activation: 'tanh', seed: 1 });
const relus = ([d]: Shape, [units]: Shape) =>
  new MultilayerPerceptron({ inputShape: [d], units, hiddenUnits: [6], seed: 1 });
const spline = () => new RationalQuadraticSpline({ bins: 4, bound: 3 });
const coupling = (options: Partial<TransformerCouplingOptions> & { inputShape: Shape }) =>
  new TransformerCoupling({ network, transformer: spline(), ...options });
const values = (x: tf.Tensor) => Array.from(x.dataSync());

/** A network that remembers what initialized it. */
class Counting extends Conditioner {
  static className = 'TestCounting';
  seen?: number[];

  constructor(inputShape: Shape, outputShape: Shape) {
    super('network', inputShape, outputShape);
  }

  override get initialized(): boolean {
    return this.seen !== undefined;
  }

  protected compute(x: tf.Tensor): tf.Tensor {
    return tf.fill([x.shape[0], this.outputShape[0]], 0.3);
  }

  protected override computeInitialize(x: tf.Tensor): tf.Tensor {
    this.seen = values(x);
    return this.compute(x);
  }

  getConfig(): tf.serialization.ConfigDict {
    return {};
  }
}

/** Random weights, the same for bijectors of the same weights. */
function moved<T extends Bijector>(bijector: T, by = 1): T {
  const random = new RandomStream(7);
  for (const weight of bijector.trainableWeights)
    weight.assign(tf.tidy(() => random.normal(weight.shape, 0, by)));
  return bijector;
}

const kinds: [string, (passthrough: number | readonly boolean[]) => Bijector][] = [
  ['AffineCoupling', (passthrough) => new AffineCoupling({ inputShape: [5], passthrough, network: relus })],
  [
    'AdditiveCoupling',
    (passthrough) => new AdditiveCoupling({ inputShape: [5], passthrough, network: relus }),
  ],
  ['TransformerCoupling', (passthrough) => coupling({ inputShape: [5], passthrough, passed: spline() })],
];

describe.each(kinds)('%s with channels that pass anywhere', (_, make) => {
  const mask = [false, true, true, false, true];

  it.each(['cpu', 'wasm'])(
    'is the coupling of the first channels in another order, on %s',
    async (backend) => {
      await tf.setBackend(backend);
      tf.tidy(() => {
        const toFront = new Permutation({ inputShape: [5], order: [1, 2, 4, 0, 3] });
        const [scattered, first] = [moved(make(mask)), moved(make(3))];
        const x = new RandomStream(2).normal([20, 5]);
        const there = first.forward(toFront.forward(x).value);
        const received = scattered.forward(x);
        const expected = toFront.inverse(there.value).value;
        values(expected).forEach((value, i) => {
          expect(values(received.value)[i]).toBeCloseTo(value, 5);
        });
        values(there.logDet).forEach((value, i) => {
          expect(values(received.logDet)[i]).toBeCloseTo(value, 5);
        });
        scattered.dispose();
        first.dispose();
      });
    },
  );

  it('is saved as it was given; a mask of the first channels is their number', () => {
    for (const [given, saved] of [
      [mask, mask],
      [3, 3],
      [[true, true, false, false, false], 2],
    ] as const) {
      const bijector = make(given);
      expect(bijector.getConfig().passthrough).toEqual(saved);
      bijector.dispose();
    }
  });

  it('goes back from an input that was kept as it does from the output, and uses it', () => {
    tf.tidy(() => {
      const bijector = moved(make(mask), 0.5);
      const x = new RandomStream(4).normal([6, 5]);
      const { value, logDet } = bijector.forward(x);
      const gradient = new RandomStream(5).normal([6, 5]);
      const results = [new Map<string, tf.Tensor>(), new Map([['kept', tf.keep(tf.clone(x))]])].map(
        (anchors) => {
          const pass = new ReversePass({ logDetGradient: logDet, anchors });
          const before = bijector.reverse({ value, gradient }, pass, 'kept');
          return [before.value, before.gradient, ...pass.takeGradients(bijector.trainableWeights)];
        },
      );
      const [found, kept] = results.map((tensors) => tensors.map((tensor) => values(tensor as tf.Tensor)));
      expect(kept[0]).toEqual(values(x));
      kept.forEach((list, i) => {
        const largest = Math.max(1, ...list.map(Math.abs));
        list.forEach((entry, k) => {
          // The inverse's rounding, at slopes of some tens.
          expect(Math.abs(entry - found[i][k])).toBeLessThan(2e-3 * largest);
        });
      });
      bijector.dispose();
    });
  });

  it.each([
    { pass: 0 },
    { pass: 5 },
    { pass: 1.5 },
    { pass: [true, false] },
    { pass: [true, true, true, true, true] },
    { pass: [false, false, false, false, false] },
    { pass: [1, 0, 1, 0, 1] },
    { pass: 'half' },
  ])('refuses %j', ({ pass }) => {
    const attempt = () => make(pass as never);
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow('passthrough to be 1 .. 4 channels, or 5 booleans of both kinds');
  });
});

describe('TransformerCoupling', () => {
  it('maps what passes by weights of its own, once the network has read it', async () => {
    const { conditioning, expected } = tf.tidy(() => {
      const layer = moved(coupling({ inputShape: [3], passthrough: 2, passed: new AffineTransformer() }));
      const [passed, net] = [layer.children.find(({ name }) => name === 'passed'), layer.network];
      const x = new RandomStream(3).normal([4, 3]);
      const [x1, x2] = tf.split(x, [2, 1], 1);
      const own = new AffineTransformer().forward(
        x1,
        tf.tile(tf.expandDims(passed?.weights[0].variable as tf.Tensor, 0), [4, 1, 1]),
      );
      const steered = spline().forward(x2, tf.reshape(net.apply(x1), [4, 1, spline().parameters]));
      const { value, logDet } = layer.forward(x);
      values(tf.concat([own.value, steered.value], 1)).forEach((expected, i) => {
        expect(values(value)[i]).toBeCloseTo(expected, 5);
      });
      const sums = tf.add(tf.sum(own.logDerivative, 1), tf.sum(steered.logDerivative, 1));
      values(sums).forEach((expected, i) => {
        expect(values(logDet)[i]).toBeCloseTo(expected, 5);
      });
      const logs = [...values(own.logDerivative), ...values(steered.logDerivative)];
      const conditioning = layer.conditioning(x);
      layer.dispose();
      return { conditioning, expected: Math.exp(Math.min(...logs)) } as never;
    }) as { conditioning: Promise<Conditioning>; expected: number };
    expect((await conditioning).smallestScale).toBeCloseTo(expected, 5);
  });

  it.each([
    ['a coupling', () => coupling({ inputShape: [2], network: new Counting([1], [11]), passed: spline() })],
    [
      'a map by a context',
      () =>
        new Elementwise({
          inputShape: [1],
          transformer: spline(),
          context: 2,
          network: new Counting([2], [11]),
        }),
    ],
  ])('%s has its network set by the first batch, of what that reads', (_, make) => {
    tf.tidy(() => {
      const layer = make();
      const size = layer.inputShape[0];
      const context = layer.contextShape && tf.tensor2d([[7, 8]]);
      expect(layer.initialized).toBe(false);
      const value = layer.initialize(tf.fill([1, size], 0.5), context);
      expect(layer.initialized).toBe(true);
      expect((layer.network as Counting).seen).toEqual(size === 2 ? [0.5] : [7, 8]);
      expect(values(value)).toEqual(values(layer.forward(tf.fill([1, size], 0.5), context).value));
      layer.dispose();
    });
  });

  it('refuses what is no transformer, in either place, and leaves nothing', () =>
    leavesNoTensors(() => {
      for (const options of [{ transformer: 'spline' }, { passed: {} }, { passed: null }]) {
        const attempt = () => coupling({ inputShape: [4], ...(options as object) });
        expect(attempt).toThrow(ConfigError);
        expect(attempt).toThrow('TransformerCoupling: expected a transformer');
      }
      const misspelt = () => coupling({ inputShape: [4], passedTransformer: spline() } as never);
      expect(misspelt).toThrow("Did you mean 'passed'?");
    }));

  it('of one value is refused with what to use instead', () => {
    expect(() => coupling({ inputShape: [1] })).toThrow(
      'One channel has no parts: use Elementwise, whose network reads the context.',
    );
  });
});

describe('Elementwise with a context', () => {
  const make = (options: object = {}) =>
    new Elementwise({ inputShape: [1], transformer: spline(), context: 2, network, ...options });

  it('is a conditional flow of one dimension: its density integrates to 1 for every context', () => {
    tf.tidy(() => {
      const flow = new Flow({ bijector: moved(make(), 0.5) });
      const n = 4000;
      const x = tf.reshape(tf.linspace(-12, 12, n), [n, 1]);
      const densities = [
        [0.5, -1],
        [2, 1],
      ].map((context) => tf.exp(flow.logProb(x, { context: tf.tile(tf.tensor2d([context]), [n, 1]) })));
      for (const density of densities) {
        expect(Math.abs(tf.sum(density).dataSync()[0] * (24 / (n - 1)) - 1)).toBeLessThan(1e-3);
      }
      expect(tf.max(tf.abs(tf.sub(densities[0], densities[1]))).dataSync()[0]).toBeGreaterThan(0.05);
      flow.dispose();
    });
  });

  it('tells the smallest scale at its values', async () => {
    const { conditioning, expected } = tf.tidy(() => {
      const layer = moved(make({ inputShape: [2], transformer: new AffineTransformer() }));
      const [x, context] = [new RandomStream(1).normal([30, 2]), new RandomStream(2).normal([30, 2])];
      const { value: above } = layer.forward(tf.add(x, 0.5), context);
      const slopes = tf.sub(above, layer.forward(tf.sub(x, 0.5), context).value);
      const conditioning = layer.conditioning(x, context);
      layer.dispose();
      return { conditioning, expected: Math.min(...values(slopes)) } as never;
    }) as { conditioning: Promise<Conditioning>; expected: number };
    expect((await conditioning).smallestScale).toBeCloseTo(expected, 4);
  });

  it.each([
    [{ context: undefined }, 'a context and a network that reads it, or neither, got a network alone'],
    [{ network: undefined }, 'a context and a network that reads it, or neither, got a context alone'],
    [{ network: () => network([3], [11]) }, 'a network [2] -> [11], got [3] -> [11]'],
    [{ context: 0 }, 'a context of positive integers'],
  ])('refuses %o', (options, message) => {
    expect(() => make(options)).toThrow(ConfigError);
    expect(() => make(options)).toThrow(message);
  });

  it('wants the context that was declared', () => {
    const layer = make();
    const x = tf.zeros([3, 1]);
    expect(() => layer.forward(x)).toThrow(ShapeError);
    expect(() => layer.forward(x, tf.zeros([3, 3]))).toThrow('a context [3, 2]');
    tf.dispose(x);
    layer.dispose();
  });
});
