import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  type Adjacency,
  ConfigError,
  MaskedNetwork,
  MaskedPerceptron,
  MaskedResidualPerceptron,
  RandomStream,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { inTrainingStep } from '../../../src/core/trainingStep';
import { activations } from '../../../src/layers/networks/activations';
import { leavesNoTensors } from '../../support/leaks';
import { distance, perturb, weightsByName } from './helpers';

beforeAll(() => tf.setBackend('cpu'));

const order: Adjacency = [
  [0, 0, 0, 0],
  [1, 0, 0, 0],
  [1, 1, 0, 0],
  [1, 1, 1, 0],
];
/** Known one after another as 2, then 0 and 3, then 1. */
const graph: Adjacency = [
  [0, 0, 1, 0],
  [1, 0, 0, 1],
  [0, 0, 0, 0],
  [0, 0, 1, 0],
];
const nothing: Adjacency = [
  [0, 0],
  [0, 0],
];
const adjacencies: Record<string, Adjacency> = { order, graph, nothing, 'one value': [[0]] };

const plain = (options: object) => (adjacency: Adjacency) =>
  new MaskedPerceptron({
    adjacency,
    outputsPerValue: 2,
    hiddenUnits: [11, 9],
    activation: 'tanh',
    seed: 1,
    ...options,
  });
const residual = (options: object) => (adjacency: Adjacency) =>
  new MaskedResidualPerceptron({
    adjacency,
    outputsPerValue: 2,
    hiddenUnits: 11,
    activation: 'silu',
    seed: 1,
    ...options,
  });

const networks: Record<string, (adjacency: Adjacency) => MaskedNetwork> = {
  'layers one after another': plain({}),
  'no hidden layer': plain({ hiddenUnits: [] }),
  'with context': plain({ context: 2 }),
  'with a context that shifts': plain({ context: 2, contextAs: 'shifts' }),
  'of periodic values': plain({ periodic: 5 }),
  'with dropout': plain({ dropout: 0.2 }),
  residual: residual({}),
  'residual, with gates': residual({ context: 2 }),
  'residual, with shifts': residual({ context: 2, contextAs: 'shifts' }),
  'residual, with the context at the input': residual({
    context: 2,
    contextAs: 'inputs',
    preactivated: false,
  }),
  'residual, everything': residual({ context: 2, dropout: 0.2, periodic: 5, blocks: 3, activation: 'gelu' }),
};

/** For each output the gradients by x, of all examples together in absolute value: [outputs][d]. */
function jacobian(network: MaskedNetwork, n = 8): number[][] {
  return tf.tidy(() => {
    const random = new RandomStream(3);
    const x = random.normal([n, network.inputShape[0]]);
    const context = network.contextShape === undefined ? undefined : random.normal([n, 2]);
    // In a step, so that dropout works where there is any; what is dropped in one example is there in another.
    const output = (input: tf.Tensor, i: number) =>
      inTrainingStep(new RandomStream(4), () =>
        tf.sum(tf.slice(network.apply(input, context), [0, i], [n, 1])),
      );
    const rows = Array.from({ length: network.outputShape[0] }, (_, i) =>
      tf.sum(tf.abs(tf.grad((input) => output(input, i))(x)), 0),
    );
    return tf.stack(rows).arraySync() as never;
  }) as unknown as number[][];
}

describe.each(Object.entries(adjacencies))('a masked network: %s', (_, adjacency) => {
  it.each(Object.entries(networks))(
    '%s: gradients are exactly 0 where nothing may be read, and not elsewhere',
    (_, make) => {
      const network = perturb(make(adjacency));
      const found = jacobian(network).map((row) => row.map((gradient) => gradient !== 0));
      expect(found).toEqual(
        adjacency.flatMap((row) => [row, row]).map((row) => row.map((reads) => reads === 1)),
      );
      network.dispose();
    },
  );

  it.each(Object.entries(networks).filter(([name]) => name !== 'of periodic values'))(
    '%s: every output depends on what else there is',
    (_, make) => {
      const network = perturb(make(adjacency));
      const inputs = (context: tf.Tensor) =>
        [tf.zeros([1, adjacency.length]), network.contextShape && context] as const;
      tf.tidy(() => {
        const [x, context] = inputs(tf.ones([1, 2]));
        const before = network.apply(x, context).dataSync();
        if (context !== undefined) {
          const after = network.apply(...inputs(tf.fill([1, 2], -1))).dataSync();
          before.forEach((value, i) => {
            expect(value === after[i]).toBe(false);
          });
        }
        // Biases of the last layer, at the least.
        expect(before.every((value) => value !== 0)).toBe(true);
      });
      network.dispose();
    },
  );
});

describe('a masked network computes what its formula says', () => {
  const random = new RandomStream(2);
  const [x, c] = [random.normal([5, 4]), random.normal([5, 2])];

  /** Linear maps by the numbers of the layers, with weights as they are after the masks. */
  function maps(network: MaskedNetwork) {
    const w = weightsByName(network);
    const linear = (h: tf.Tensor, kernel: string, bias: string) =>
      tf.add(tf.matMul(h as tf.Tensor2D, w[kernel] as tf.Tensor2D), w[bias]);
    return {
      layer: (i: number, h: tf.Tensor) => linear(h, `kernel${i}`, `bias${i}`),
      ofContext: (i: number) => linear(c, `contextKernel${i}`, `contextBias${i}`),
    };
  }
  /** Scaled weights of the start keep their zeros, so that masks need not be known here. */
  function scaled<T extends MaskedNetwork>(network: T): T {
    for (const { name, variable } of network.weights) {
      variable.assign(
        tf.tidy(() => {
          const draws = new RandomStream(name).normal(variable.shape, 0, 0.5);
          return name.startsWith('kernel') ? tf.mul(tf.step(tf.abs(variable)), draws) : draws;
        }),
      );
    }
    return network;
  }
  /** The last layer starts at zero: all of it counts, for an output that may read everything a unit may. */
  const opened = (make: (adjacency: Adjacency) => MaskedNetwork) => {
    const network = make(order);
    const last = network.weights.filter(({ name }) => name.startsWith('kernel')).at(-1)
      ?.variable as tf.Variable;
    last.assign(tf.tidy(() => tf.ones(last.shape)));
    return scaled(network);
  };
  /** Outputs of the last value, which reads all units. */
  const ofLast = (y: tf.Tensor) => tf.slice(y, [0, 6], [5, 2]);
  const a = activations.silu;

  it('shifts of plain layers, as nflows: h = W x + b + a(C), layers after that without the context', () => {
    const network = opened(plain({ context: 2, contextAs: 'shifts', activation: 'silu' }));
    tf.tidy(() => {
      const { layer, ofContext } = maps(network);
      const h = tf.add(layer(0, x), a(ofContext(0)));
      const expected = layer(2, a(layer(1, a(h))));
      expect(distance(ofLast(network.apply(x, c)), ofLast(expected))).toBeLessThan(1e-5);
    });
  });

  it('shifts of blocks, as nflows: h = W x + b + a(C), t = W_1 a(W_0 a(h) + b_0 + C) + b_1', () => {
    const network = opened(residual({ context: 2, contextAs: 'shifts', blocks: 2 }));
    tf.tidy(() => {
      const { layer, ofContext } = maps(network);
      let h = tf.add(layer(0, x), a(ofContext(0)));
      for (const i of [1, 3]) h = tf.add(h, layer(i + 1, a(tf.add(layer(i, a(h)), ofContext(i)))));
      expect(distance(ofLast(network.apply(x, c)), ofLast(layer(5, h)))).toBeLessThan(1e-5);
    });
  });

  it('gates of blocks, as normflows: h = W [x, c] + b, h += t sigmoid(C)', () => {
    const network = opened(residual({ context: 2, blocks: 1 }));
    tf.tidy(() => {
      const { layer, ofContext } = maps(network);
      const h = layer(0, tf.concat([x, c], 1));
      const t = tf.mul(layer(2, a(layer(1, a(h)))), tf.sigmoid(ofContext(2)));
      expect(distance(ofLast(network.apply(x, c)), ofLast(layer(3, tf.add(h, t))))).toBeLessThan(1e-5);
    });
  });

  it('blocks without an activation before them, as zuko: h += W_1 a(W_0 h + b_0) + b_1', () => {
    const network = opened(residual({ context: 2, blocks: 1, contextAs: 'inputs', preactivated: false }));
    tf.tidy(() => {
      const { layer } = maps(network);
      const h = layer(0, tf.concat([x, c], 1));
      const expected = layer(3, tf.add(h, layer(2, a(layer(1, h)))));
      expect(distance(ofLast(network.apply(x, c)), ofLast(expected))).toBeLessThan(1e-5);
    });
  });
});

describe('sets of units', () => {
  it('are those of the outputs, shared out evenly, what is known first in front', () => {
    const network = plain({ hiddenUnits: [8], context: 1 })(graph) as MaskedPerceptron;
    const kernel = weightsByName(network).kernel0.arraySync() as number[][];
    const reads = Array.from({ length: 8 }, (_, h) => kernel.map((row) => Number(row[h] !== 0)).join(''));
    // Values and the context: nothing but the context; value 2; values 0 and 3.
    expect(reads).toEqual(['00001', '00001', '00001', '00101', '00101', '00101', '10011', '10011']);
  });

  it('given ones say who reads whom, in every layer', () => {
    const sets = [
      [0, 0, 0, 0],
      [0, 0, 0, 1],
      [1, 1, 1, 0],
    ];
    const open = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
    const adjacency = [...open.slice(0, 3), [1, 1, 1, 0]];
    for (const network of [
      plain({ hiddenUnits: [3, 3], unitSets: [sets, sets] })(adjacency),
      residual({ hiddenUnits: 3, unitSets: sets, blocks: 1 })(adjacency),
    ]) {
      const { kernel0, kernel1 } = weightsByName(network);
      const pattern = (kernel: tf.Variable) =>
        (kernel.arraySync() as number[][]).map((row) => row.map((weight) => Number(weight !== 0)));
      expect(pattern(kernel0)).toEqual([
        [0, 0, 1],
        [0, 0, 1],
        [0, 0, 1],
        [0, 1, 0],
      ]);
      expect(pattern(kernel1)).toEqual([
        [1, 1, 1],
        [0, 1, 0],
        [0, 0, 1],
      ]);
      perturb(network);
      const found = jacobian(network).map((row) => row.map((gradient) => gradient !== 0));
      // Of the units that read anything, the outputs of the last value may read the one of values 0 to 2.
      expect(found.slice(6)).toEqual([1, 2].map(() => [true, true, true, false]));
      expect(found.slice(0, 6).flat().some(Boolean)).toBe(false);
    }
  });

  it.each([
    [plain({ hiddenUnits: [2], unitSets: [] }), 'unitSets of 1 hidden layers, got 0'],
    [
      plain({ hiddenUnits: [2], unitSets: [[[0, 0, 0, 0]]] }),
      'unitSets[0] to be 2 rows of 4 booleans, got 1 rows',
    ],
    [
      residual({ hiddenUnits: 1, unitSets: [[0, 0]] }),
      'unitSets to be 1 rows of 4 booleans, got [0,0] as row 0',
    ],
    [residual({ hiddenUnits: 1, unitSets: 'all' }), 'unitSets to be 1 rows of 4 booleans'],
    [plain({ contextAs: 'gates' }), 'contextAs to be one of inputs, shifts, got gates'],
    [residual({ contextAs: 'added' }), 'contextAs to be one of gates, shifts, inputs'],
    [residual({ preactivated: 'no' }), 'preactivated to be true or false'],
    [residual({ outputsPerValue: 0 }), 'outputsPerValue to be an integer >= 1'],
    [residual({ hidden: 2 }), "Did you mean 'hiddenUnits'?"],
  ])('refuse what cannot be (%#)', (make, message) => {
    expect(() => make(order)).toThrow(ConfigError);
    expect(() => make(order)).toThrow(message);
  });
});

it('masked networks leave no tensor behind, where they are refused neither', async () => {
  await leavesNoTensors(() => {
    for (const make of Object.values(networks)) make(order).dispose();
    for (const options of [{ outputsPerValue: 0 }, { contextAs: 'added' }, { dropout: 2 }]) {
      expect(() => residual(options)(order)).toThrow(ConfigError);
      expect(() => plain(options)(order)).toThrow(ConfigError);
    }
    expect(() => residual({})([[1]])).toThrow('an adjacency without circles, got one among the values 0');
  });
});

it('masksAs compares what may be read, in booleans or numbers', () => {
  const network = plain({})(order);
  expect(network.masksAs(order.map((row) => row.map(Boolean)))).toBe(true);
  expect(network.masksAs(graph)).toBe(false);
  expect(network).toBeInstanceOf(MaskedNetwork);
  network.dispose();
});
