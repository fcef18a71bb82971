import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { inTrainingStep } from '../../src/core/trainingStep';
import {
  type Adjacency,
  type Conditioner,
  MaskedPerceptron,
  MaskedResidualPerceptron,
  MultilayerPerceptron,
  ResidualPerceptron,
} from '../../src/layers';
import { activationNames } from '../../src/layers/networks/activations';
import type { FusedPerceptron } from '../../src/layers/networks/fusedPerceptron';
import { distance } from './helpers';

/** Fused ops must agree with ordinary ones to this, relative to the largest value. */
const TOLERANCE = 1e-5;

beforeAll(async () => {
  await prepareWasm({ threads: 2 });
});

const ordered = (d: number): Adjacency =>
  Array.from({ length: d }, (_, i) => Array.from({ length: d }, (_, j) => j < i));
/** Values that read others in no order, and one that nobody reads. */
const scattered: Adjacency = [
  [0, 0, 1, 0, 0],
  [0, 0, 0, 0, 0],
  [0, 1, 0, 0, 0],
  [1, 1, 1, 0, 0],
  [0, 1, 0, 0, 0],
];

interface Inputs {
  x: tf.Tensor;
  context?: tf.Tensor;
}

/** Output and the gradients in x, the context and every weight, in a training step on a backend, all weights drawn from a seed. */
async function results(
  backend: string,
  build: () => Conditioner,
  rows: number,
  spread = 0.4,
): Promise<Record<string, Float32Array>> {
  await tf.setBackend(backend);
  const network = build();
  const random = new RandomStream(7);
  for (const weight of network.trainableWeights) {
    const noise = random.normal(weight.shape, 0, spread);
    weight.assign(noise);
    noise.dispose();
  }
  const before = tf.memory().numTensors;
  const compute = () => {
    const draw = (shape: readonly number[]) => random.normal([rows, ...shape]);
    const given: Inputs = { x: draw(network.inputShape) };
    if (network.contextShape !== undefined) given.context = draw(network.contextShape as number[]);
    const weighting = draw(network.outputShape);
    const output = network.apply(given.x, given.context);
    const loss = (x: tf.Tensor, context?: tf.Tensor) =>
      tf.sum(tf.mul(network.apply(x, context), weighting)) as tf.Scalar;
    const inputs = given.context === undefined ? [given.x] : [given.x, given.context];
    const ofInputs = tf.grads(loss as never)(inputs);
    const { grads } = tf.variableGrads(() => loss(given.x, given.context));
    return {
      output,
      ...Object.fromEntries(ofInputs.map((tensor, i) => [`input ${i}`, tensor])),
      ...Object.fromEntries(network.trainableWeights.map(({ name }, i) => [`weight ${i}`, grads[name]])),
    };
  };
  const values = tf.tidy(() => inTrainingStep(new RandomStream(5), compute));
  const found = Object.fromEntries(
    Object.entries(values).map(([name, tensor]) => [name, tensor.dataSync<'float32'>().slice()]),
  );
  tf.dispose(values);
  expect(tf.memory().numTensors).toBe(before);
  network.dispose();
  return found;
}

async function expectSame(build: () => Conditioner, rows: number, spread?: number): Promise<void> {
  const run = vi.spyOn(tf.engine(), 'runKernel');
  const received = await results('wasm', build, rows, spread);
  expect(run.mock.calls.map(([name]) => name)).toContain('FlowPerceptronGradient');
  run.mockRestore();
  const expected = await results('cpu', build, rows, spread);
  expect(Object.keys(received)).toEqual(Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    expect(distance(values, received[name]), name).toBeLessThan(TOLERANCE);
  }
}

const kinds: Record<string, (options: object) => Conditioner> = {
  plain: (options) =>
    new MultilayerPerceptron({ inputShape: [3], units: 7, hiddenUnits: [20, 9], seed: 1, ...options }),
  'one layer': (options) =>
    new MultilayerPerceptron({ inputShape: [3], units: 5, hiddenUnits: [], seed: 1, ...options }),
  residual: (options) =>
    new ResidualPerceptron({ inputShape: [5], units: 23, hiddenUnits: 18, seed: 1, ...options }),
  masked: (options) =>
    new MaskedPerceptron({
      adjacency: ordered(6),
      outputsPerValue: 3,
      hiddenUnits: [33, 16],
      seed: 1,
      ...options,
    }),
  scattered: (options) =>
    new MaskedPerceptron({
      adjacency: scattered,
      outputsPerValue: 2,
      hiddenUnits: [24],
      seed: 1,
      ...options,
    }),
  'masked residual': (options) =>
    new MaskedResidualPerceptron({
      adjacency: ordered(4),
      outputsPerValue: 11,
      hiddenUnits: 32,
      seed: 1,
      ...options,
    }),
  'masked residual, plain blocks': (options) =>
    new MaskedResidualPerceptron({ adjacency: scattered, hiddenUnits: 21, blocks: 1, seed: 1, ...options }),
};

describe('fused perceptrons are as ordinary ops', () => {
  it.each(Object.keys(kinds))('%s', async (kind) => {
    for (const rows of [1, 7, 130]) await expectSame(() => kinds[kind]({}), rows);
  });

  it.each(Object.keys(kinds))('%s, with a context', async (kind) => {
    for (const rows of [3, 66]) await expectSame(() => kinds[kind]({ context: 2, activation: 'tanh' }), rows);
  });

  it.each(activationNames)('%s', async (activation) => {
    await expectSame(() => kinds.plain({ activation }), 9);
    await expectSame(() => kinds.residual({ activation, context: 3 }), 9);
    const shifts = { activation, context: 3, contextAs: 'shifts' };
    await expectSame(() => kinds['masked residual'](shifts), 9);
    // Where activations are flat, or all but linear; much further out the slope of tanh is rounding alone.
    await expectSame(() => kinds.plain({ activation }), 9, 3);
  });

  it.each(activationNames)('%s, with dropout', async (activation) => {
    for (const rows of [5, 70]) {
      await expectSame(() => kinds.plain({ activation, dropout: 0.3 }), rows);
      await expectSame(() => kinds['masked residual']({ activation, dropout: 0.3, context: 2 }), rows);
    }
  });

  it('many rows: chunks have sums of their own', async () => {
    await expectSame(() => kinds['masked residual']({ context: 1 }), 1100);
  });

  it('no rows', async () => {
    await tf.setBackend('wasm');
    const network = kinds.residual({ context: 2 });
    const values = tf.tidy(() => {
      const [x, context] = [tf.zeros([0, 5]), tf.zeros([0, 2])];
      expect(network.apply(x, context).shape).toEqual([0, 23]);
      const { grads } = tf.variableGrads(() => tf.sum(network.apply(x, context)) as tf.Scalar);
      return network.trainableWeights.flatMap(({ name }) => [...grads[name].dataSync()]);
    });
    expect(values.every((value) => value === 0)).toBe(true);
    network.dispose();
  });

  it('what a mask hides has no gradient, not even of infinite inputs', async () => {
    await tf.setBackend('wasm');
    const network = kinds.masked({});
    const { masks } = Reflect.get(network, 'stack').fused as FusedPerceptron;
    const kernels = network.trainableWeights.filter(({ rank }) => rank === 2);
    tf.tidy(() => {
      const x = tf.tensor2d([[1, 2, 3, 4, Number.POSITIVE_INFINITY, 6]]);
      const { grads } = tf.variableGrads(() => tf.sum(network.apply(x)) as tf.Scalar, kernels);
      for (const [i, kernel] of kernels.entries()) {
        const [gradient, mask] = [grads[kernel.name].dataSync(), masks[i].dataSync()];
        expect(mask.some((shown) => shown === 0)).toBe(true);
        expect(gradient.filter((_, at) => mask[at] === 0).every((value) => value === 0)).toBe(true);
      }
    });
    network.dispose();
  });

  it('what drops in training runs fused there too, and other numbers come of it', async () => {
    await tf.setBackend('wasm');
    const network = kinds.residual({ dropout: 0.5 });
    const x = tf.ones([4, 5]);
    const run = vi.spyOn(tf.engine(), 'runKernel');
    const fused = (compute: () => tf.Tensor) => {
      run.mockClear();
      const result = compute();
      expect(run.mock.calls.map(([name]) => name)).toContain('FlowPerceptron');
      const values = [...result.dataSync()];
      result.dispose();
      return values;
    };
    for (const weight of network.trainableWeights) weight.assign(tf.tidy(() => tf.fill(weight.shape, 0.1)));
    const outside = fused(() => network.apply(x));
    const inside = [1, 1, 2].map((seed) =>
      fused(() => inTrainingStep(new RandomStream(seed), () => network.apply(x))),
    );
    expect(inside[0]).toEqual(inside[1]);
    expect(inside[0]).not.toEqual(inside[2]);
    expect(inside[0]).not.toEqual(outside);
    run.mockRestore();
    x.dispose();
    network.dispose();
  });
});
