import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  AdditiveCoupling,
  AffineCoupling,
  type Bijector,
  Chain,
  ConfigError,
  Convolution,
  ConvolutionNetwork,
  DiagonalNormal,
  Flatten,
  Flow,
  InvConv1x1,
  Invert,
  LearnedPrior,
  MultilayerPerceptron,
  MultiScale,
  NonFiniteError,
  Permutation,
  RandomStream,
  Split,
  Squeeze,
  StandardNormal,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradientsOf } from '../../src/engine/gradients';
import { leavesNoTensors } from '../support/leaks';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const image = [4, 4, 2];
const perceptron = (inputShape: readonly number[], [units]: readonly number[]) =>
  new MultilayerPerceptron({ inputShape, units, hiddenUnits: [3], seed: 1 });
const inner = () => [new Flatten({ inputShape: [2] })];

/** Every class with options, one of which nobody reads. */
const misspelt: [string, string, () => unknown][] = [
  ['ActNorm', 'inputShape', () => new ActNorm({ inputShape: image, inputshape: image } as never)],
  [
    'AffineCoupling',
    'scale',
    () => new AffineCoupling({ inputShape: [2], network: perceptron, scales: 'exp' } as never),
  ],
  [
    'AdditiveCoupling',
    'passthrough',
    () => new AdditiveCoupling({ inputShape: [2], network: perceptron, pass: 1 } as never),
  ],
  ['Chain', 'bijectors', () => new Chain({ bijectors: inner(), bijector: 1 } as never)],
  [
    'Convolution',
    'kernelSize',
    () => new Convolution({ inputShape: image, filters: 1, kernel_size: 3 } as never),
  ],
  [
    'ConvolutionNetwork',
    'hiddenChannels',
    () => new ConvolutionNetwork({ inputShape: image, filters: 2, hidden_channels: 8 } as never),
  ],
  ['DiagonalNormal', 'eventShape', () => new DiagonalNormal({ eventShape: [2], event_shape: [2] } as never)],
  ['Flatten', 'name', () => new Flatten({ inputShape: image, names: 'a' } as never)],
  [
    'InvConv1x1',
    'parameterization',
    () => new InvConv1x1({ inputShape: image, parametrization: 'lu' } as never),
  ],
  ['Invert', 'bijector', () => new Invert({ bijector: inner()[0], bijectors: 1 } as never)],
  ['LearnedPrior', 'classes', () => new LearnedPrior({ inputShape: image, class: 3 } as never)],
  [
    'MultilayerPerceptron',
    'context',
    () => new MultilayerPerceptron({ inputShape: [1], units: 1, contextSize: 2 } as never),
  ],
  ['MultiScale', 'levels', () => new MultiScale({ levels: inner(), level: 2 } as never)],
  ['Permutation', 'order', () => new Permutation({ inputShape: image, orders: 'shuffle' } as never)],
  ['Split', 'network', () => new Split({ inputShape: image, net: 1 } as never)],
  ['Squeeze', 'inputShape', () => new Squeeze({ inputShape: image, shape: image } as never)],
  ['StandardNormal', 'eventShape', () => new StandardNormal({ eventShape: [2], eventshape: [2] } as never)],
];

describe('constructors', () => {
  it.each(misspelt)('%s refuses an option that it does not read', async (name, near, make) => {
    await leavesNoTensors(() => {
      expect(make).toThrow(ConfigError);
      expect(make).toThrow(`${name}: expected options among`);
      if (name !== 'Squeeze') expect(make).toThrow(`Did you mean '${near}'?`);
    });
  });

  it('let a subclass take more', () => {
    class Named extends ActNorm {
      constructor(options: { inputShape: number[]; note: string }) {
        super(options);
      }
    }
    new Named({ inputShape: [2], note: 'mine' }).dispose();
  });

  it.each<[string, () => unknown]>([
    [
      'a network of other shapes',
      () => new AffineCoupling({ inputShape: [4], network: () => perceptron([1], [2]) }),
    ],
    ['the network of a split', () => new Split({ inputShape: [4], network: () => perceptron([1], [2]) })],
    [
      'a member of a chain',
      () =>
        Chain.from(image, [
          (inputShape) => new ActNorm({ inputShape }),
          (inputShape) => new InvConv1x1({ inputShape, seed: 1 }),
          () => new ActNorm({ inputShape: [3] }),
        ]),
    ],
    [
      'members of a chain that want different contexts',
      () =>
        Chain.from(
          [2],
          [
            (inputShape) => new LearnedPrior({ inputShape, classes: 3 }),
            (inputShape) => new LearnedPrior({ inputShape, classes: 2, name: 'another' }),
          ],
        ),
    ],
    [
      'a log-scale of another length',
      () => new DiagonalNormal({ eventShape: [2], mean: [0, 0], logScale: [0] }),
    ],
  ])('free what they made where they refuse %s', async (_, make) => {
    await leavesNoTensors(() => {
      expect(make).toThrow();
    });
  });

  it('leave a network that was given to them, and refused, to its owner', async () => {
    await leavesNoTensors(() => {
      const network = perceptron([1], [2]);
      expect(() => new AffineCoupling({ inputShape: [4], network })).toThrow(ConfigError);
      expect(network.weights.every(({ variable }) => !variable.isDisposed)).toBe(true);
      network.dispose();
    });
  });

  it.each<[string, () => Bijector]>([
    ['InvConv1x1', () => new InvConv1x1({ inputShape: [4] })],
    ['InvConv1x1, LU', () => new InvConv1x1({ inputShape: [4], parameterization: 'lu' })],
    ['Permutation', () => new Permutation({ inputShape: [64], order: 'shuffle' })],
    [
      'AffineCoupling',
      () =>
        new AffineCoupling({
          inputShape: [4],
          network: ([d], [units]) => new MultilayerPerceptron({ inputShape: [d], units }),
        }),
    ],
    [
      'Split',
      () =>
        new Split({
          inputShape: image,
          network: (inputShape, [, , filters]) =>
            new ConvolutionNetwork({ inputShape, filters, hiddenChannels: 2 }),
        }),
    ],
  ])('without a seed make two that differ: %s, 50 of 50 pairs', (_, make) => {
    const state = (bijector: Bijector) =>
      JSON.stringify([
        bijector.getConfig(),
        bijector.weights.map(({ variable }) => Array.from(variable.dataSync())),
      ]);
    let differ = 0;
    for (let i = 0; i < 50; i++) {
      const pair = [make(), make()];
      if (state(pair[0]) !== state(pair[1])) differ++;
      for (const bijector of pair) bijector.dispose();
    }
    expect(differ).toBe(50);
  });
});

describe.each(['cpu', 'wasm'])('a singular 1x1 matrix on %s', (backend) => {
  beforeAll(async () => {
    if (backend === 'wasm') await prepareWasm({ threads: 1 });
    else await tf.setBackend(backend);
  });

  const singular = (parameterization: 'full' | 'lu') => {
    const layer = new InvConv1x1({ inputShape: [3], parameterization, seed: 1, name: 'mix' });
    const weight = layer.weights.find(
      ({ name }) => name === (parameterization === 'lu' ? 'logScale' : 'kernel'),
    );
    const spoiled =
      parameterization === 'lu' ? tf.tensor1d([0, Number.NEGATIVE_INFINITY, 0]) : tf.ones([3, 3]);
    weight?.variable.assign(spoiled);
    spoiled.dispose();
    return layer;
  };

  it.each(['full', 'lu'] as const)(
    'is a NonFiniteError with the name of the layer, and leaves nothing: %s',
    async (form) => {
      const layer = singular(form);
      const norm = new ActNorm({ inputShape: [3] });
      const chain = new Chain({ bijectors: [norm, layer] });
      const x = new RandomStream(1).normal([2, 3]);
      const passes: [string, () => unknown][] = [
        ['inverse', () => layer.inverse(x)],
        ['conditioning', () => layer.conditioning()],
        ['inverse', () => chain.inverse(x)],
        ['inverse', () => gradientsOf(() => tf.sum(layer.inverse(x).value), [x])],
      ];
      if (form === 'full')
        passes.push(['forward', () => layer.forward(x)], ['forward', () => chain.forward(x)]);
      for (const [method, run] of passes) {
        await leavesNoTensors(async () => {
          let caught: unknown;
          try {
            await run();
          } catch (error) {
            caught = error;
          }
          expect(caught).toBeInstanceOf(NonFiniteError);
          expect(caught).toMatchObject({ layer: 'mix' });
          expect((caught as Error).message).toContain(
            `InvConv1x1.${method}: expected an invertible matrix, got a singular one in 'mix'`,
          );
        });
      }
      if (form === 'lu') {
        const { value, logDet } = layer.forward(x);
        expect(logDet.dataSync()[0]).toBe(Number.NEGATIVE_INFINITY);
        tf.dispose([value, logDet]);
      }
      chain.dispose();
      x.dispose();
    },
  );
});

describe('fit', () => {
  it('puts the last good weights back where a matrix becomes singular', async () => {
    await tf.setBackend('cpu');
    const layer = new InvConv1x1({ inputShape: [2], seed: 1, name: 'mix' });
    const flow = new Flow({ bijector: layer });
    const [{ variable }] = layer.weights;
    const start = Array.from(variable.dataSync());
    const before = tf.memory().numTensors;
    const onBatchEnd = () => tf.tidy(() => variable.assign(tf.zeros([2, 2])));
    const x = Array.from({ length: 8 }, (_, i) => [i, i % 3]);
    const run = flow.fit(x, {
      batchSize: 4,
      learningRate: 1e-3,
      progress: 'none',
      callbacks: { onBatchEnd },
    });
    await expect(run).rejects.toMatchObject({ name: 'NonFiniteError', layer: 'mix' });
    await expect(run).rejects.toThrow('The last good weights are back in place');
    expect(Array.from(variable.dataSync())).toEqual(start);
    expect(tf.memory().numTensors).toBe(before);
    flow.dispose();
  });
});
