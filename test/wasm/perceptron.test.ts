import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { inTrainingStep } from '../../src/core/trainingStep';
import type { Conditioner } from '../../src/layers';
import { activationNames } from '../../src/layers/networks/activations';
import type { FusedPerceptron } from '../../src/layers/networks/fusedPerceptron';
import { kinds, perceptronResults } from '../support/perceptrons';
import { distance } from './helpers';

/** Fused ops must agree with ordinary ones to this, relative to the largest value. */
const TOLERANCE = 1e-5;

beforeAll(async () => {
  await prepareWasm({ threads: 2 });
});

/** Output and the gradients in x, the context and every weight, in a training step on a backend, all weights drawn from a seed. */
async function results(
  backend: string,
  build: () => Conditioner,
  rows: number,
  spread = 0.4,
): Promise<Record<string, Float32Array>> {
  await tf.setBackend(backend);
  const network = build();
  const before = tf.memory().numTensors;
  const values = perceptronResults(network, rows, spread);
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
