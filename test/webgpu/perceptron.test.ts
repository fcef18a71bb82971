import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { describe, expect, it, vi } from 'vitest';
import { inTrainingStep } from '../../src/core/trainingStep';
import type { Conditioner } from '../../src/layers';
import { activationNames } from '../../src/layers/networks/activations';
import type { FusedPerceptron } from '../../src/layers/networks/fusedPerceptron';
import { relativeDifference } from '../support/agreement';
import { kinds, perceptronResults } from '../support/perceptrons';
import { hasAdapter } from './adapter';
import { activate, dispatchesOf, valuesOn } from './onBoth';

async function results(backend: 'cpu' | 'webgpu', build: () => Conditioner, rows: number, spread: number) {
  await activate(backend);
  const network = build();
  let names: string[] = [];
  const values = await valuesOn(backend, () => {
    const found = perceptronResults(network, rows, spread);
    names = Object.keys(found);
    return Object.values(found);
  });
  network.dispose();
  return { names, values };
}

/** Expects the output and all gradients of a network to be those of the ordinary ops on cpu. */
async function expectSame(build: () => Conditioner, rows: number, spread = 0.4): Promise<void> {
  const expected = await results('cpu', build, rows, spread);
  const received = await results('webgpu', build, rows, spread);
  expected.values.forEach((values, i) => {
    expect(relativeDifference(values, received.values[i]), expected.names[i]).toBeLessThan(1e-5);
  });
}

describe.skipIf(!hasAdapter)('perceptrons on webgpu', () => {
  it.each(Object.keys(kinds))('%s', async (kind) => {
    for (const rows of [1, 130]) await expectSame(() => kinds[kind]({}), rows);
  });

  it.each(Object.keys(kinds))('%s, with a context', async (kind) => {
    await expectSame(() => kinds[kind]({ context: 2, activation: 'tanh' }), 19);
  });

  it.each(activationNames)('%s', async (activation) => {
    await expectSame(() => kinds.residual({ activation, context: 3 }), 9);
    // Where activations are flat, or all but linear.
    await expectSame(() => kinds.plain({ activation, context: 1 }), 9, 3);
  });

  it('with a context that shifts', async () => {
    const shifts = { activation: 'tanh', context: 3, contextAs: 'shifts' };
    await expectSame(() => kinds['masked residual'](shifts), 9);
  });

  it('with dropout, of few layers and of many', async () => {
    await expectSame(() => kinds.plain({ dropout: 0.3, activation: 'tanh' }), 21);
    await expectSame(() => kinds.plain({ dropout: 0.3, hiddenUnits: [9, 8, 7, 6] }), 21);
    await expectSame(() => kinds['masked residual']({ dropout: 0.3, context: 2 }), 21);
  });

  it('with dropout, of which a bit is sent for each value', async () => {
    await activate('webgpu');
    const network = kinds.plain({ dropout: 0.3 });
    const x = tf.ones([40, 3]);
    const step = () => inTrainingStep(new RandomStream(1), () => network.apply(x)).dispose();
    step();
    const { queue } = (tf.backend() as WebGPUBackend).device;
    const send = vi.spyOn(queue, 'writeBuffer');
    step();
    // Results of 20 and 9 units, in words of 32.
    const words = Math.ceil((40 * (20 + 9)) / 32);
    expect(send.mock.calls.map(([, , { byteLength }]) => byteLength)).toEqual([4 * words]);
    send.mockRestore();
    x.dispose();
    network.dispose();
  });

  it('wider than what is summed at once', async () => {
    await expectSame(() => kinds.plain({ hiddenUnits: [150, 70], units: 131 }), 10);
  });

  it('more rows than workgroups have records without a tape', async () => {
    const values = (backend: 'cpu' | 'webgpu') =>
      valuesOn(backend, () => {
        const network = kinds.plain({});
        const random = new RandomStream(2);
        for (const weight of network.trainableWeights) weight.assign(random.normal(weight.shape, 0, 0.4));
        const result = network.apply(random.normal([4500, 3]));
        network.dispose();
        return [result];
      });
    const [expected, received] = [await values('cpu'), await values('webgpu')];
    expect(relativeDifference(expected[0], received[0])).toBeLessThan(1e-5);
  });

  it('of no rows give nothing, and gradients of zeros', async () => {
    await activate('webgpu');
    const network = kinds.residual({ context: 2 });
    const [output, ...gradients] = await valuesOn('webgpu', () => {
      const [x, context] = [tf.zeros([0, 5]), tf.zeros([0, 2])];
      const compute = () => network.apply(x, context);
      const { value, grads } = tf.engine().gradients(compute, network.trainableWeights, tf.zeros([0, 23]));
      return [value, ...grads];
    });
    expect(output).toHaveLength(0);
    for (const gradient of gradients) expect(gradient.every((value) => value === 0)).toBe(true);
    network.dispose();
  });

  it('take one dispatch forward and two back, and one more for the weights of three layers', async () => {
    await activate('webgpu');
    const network = kinds.masked({ dropout: 0.3 });
    const x = tf.ones([40, 6]);
    tf.tidy(() => {
      network.apply(x);
      expect(dispatchesOf(() => network.apply(x))).toBe(2);
      const gradient = tf.grad((given: tf.Tensor) => network.apply(given));
      expect(dispatchesOf(() => inTrainingStep(new RandomStream(1), () => gradient(x)))).toBe(4);
    });
    x.dispose();
    network.dispose();
  });

  it('hand NaN on, and nothing through a mask to a weight', async () => {
    await activate('webgpu');
    const network = kinds.masked({});
    const { masks } = Reflect.get(network, 'stack').fused as FusedPerceptron;
    const kernels = network.trainableWeights.filter(({ rank }) => rank === 2);
    const [output, ...values] = await valuesOn('webgpu', () => {
      const x = tf.tensor2d([[1, 2, 3, 4, Number.NaN, 6]]);
      const { grads } = tf.variableGrads(() => tf.sum(network.apply(x)) as tf.Scalar, kernels);
      return [network.apply(x), ...kernels.map(({ name }) => grads[name])];
    });
    expect(output.some((value) => Number.isNaN(value))).toBe(true);
    const shown = await valuesOn('webgpu', () => masks.map((mask) => tf.clone(mask)));
    for (const [i, gradient] of values.entries()) {
      expect(shown[i].some((value) => value === 0)).toBe(true);
      expect(gradient.filter((_, at) => shown[i][at] === 0).every((value) => value === 0)).toBe(true);
    }
    network.dispose();
  });
});
