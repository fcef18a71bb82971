import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import {
  type Activation,
  ConfigError,
  MultilayerPerceptron,
  RandomStream,
  ResidualPerceptron,
  ShapeError,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { activationNames, activations } from '../../../src/layers/networks/activations';
import { leavesNoTensors } from '../../support/leaks';
import { distance, perturb, weightsByName } from './helpers';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
/** The error function by its series, in float64. */
const erf = (x: number) => {
  let [term, sum] = [x, x];
  for (let k = 1; k < 80; k++) {
    term *= -(x * x) / k;
    sum += term / (2 * k + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
};
const formulas: Record<Activation, (x: number) => number> = {
  relu: (x) => Math.max(x, 0),
  tanh: Math.tanh,
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  softplus: (x) => Math.log1p(Math.exp(x)),
  silu: (x) => x * sigmoid(x),
  gelu: (x) => (x * (1 + erf(x / Math.SQRT2))) / 2,
  leakyRelu: (x) => (x > 0 ? x : 0.01 * x),
};

describe.each(['cpu', 'wasm'])('activations on %s', (backend) => {
  beforeAll(async () => {
    await (backend === 'wasm' ? prepareWasm({ threads: 1 }) : tf.setBackend(backend));
  });

  it.each(activationNames)('%s: value and gradient', (name) => {
    const at = [-4, -1.5, -0.3, 0.4, 1, 3.5];
    const formula = formulas[name];
    tf.tidy(() => {
      const x = tf.tensor1d(at);
      // The error function of tfjs is right to 1.5e-7 (Abramowitz and Stegun 7.1.26).
      const expected = at.map(formula);
      expect(distance(activations[name](x), tf.tensor1d(expected))).toBeLessThan(2e-6);
      const slopes = at.map((value) => (formula(value + 1e-5) - formula(value - 1e-5)) / 2e-5);
      const gradient = tf.grad((input) => tf.sum(activations[name](input)))(x);
      expect(distance(gradient, tf.tensor1d(slopes))).toBeLessThan(1e-5);
    });
  });
});

describe('perceptrons of every kind', () => {
  beforeAll(() => tf.setBackend('cpu'));

  const kinds = {
    MultilayerPerceptron: (options: object) =>
      new MultilayerPerceptron({ inputShape: [3], units: 2, hiddenUnits: [5, 4], seed: 1, ...options }),
    ResidualPerceptron: (options: object) =>
      new ResidualPerceptron({ inputShape: [3], units: 2, hiddenUnits: 5, blocks: 2, seed: 1, ...options }),
  };

  it('MultilayerPerceptron: what its formula says', () => {
    const network = perturb(kinds.MultilayerPerceptron({ activation: 'silu', context: { b: [2, 1], a: 1 } }));
    tf.tidy(() => {
      const random = new RandomStream(2);
      const [x, b, a] = [
        [4, 3],
        [4, 2, 1],
        [4, 1],
      ].map((shape) => random.normal(shape));
      const w = weightsByName(network);
      const input = tf.concat([x, tf.reshape(b, [4, 2]), a], 1) as tf.Tensor2D;
      const layer = (h: tf.Tensor, i: number) =>
        tf.add(tf.matMul(h as tf.Tensor2D, w[`kernel${i}`] as tf.Tensor2D), w[`bias${i}`]);
      const expected = layer(activations.silu(layer(activations.silu(layer(input, 0)), 1)), 2);
      expect(distance(network.apply(x, { a, b }), expected)).toBeLessThan(1e-6);
    });
  });

  it('ResidualPerceptron: what its formula says', () => {
    const network = perturb(kinds.ResidualPerceptron({ activation: 'tanh', context: 2 }));
    tf.tidy(() => {
      const random = new RandomStream(2);
      const [x, c] = [random.normal([4, 3]), random.normal([4, 2])];
      const w = weightsByName(network);
      const linear = (h: tf.Tensor, kernel: string, bias: string) =>
        tf.add(tf.matMul(h as tf.Tensor2D, w[kernel] as tf.Tensor2D), w[bias]);
      let h = linear(tf.concat([x, c], 1), 'kernel0', 'bias0');
      for (const i of [1, 3]) {
        const inner = linear(tf.tanh(h), `kernel${i}`, `bias${i}`);
        const t = linear(tf.tanh(inner), `kernel${i + 1}`, `bias${i + 1}`);
        h = tf.add(h, tf.mul(t, tf.sigmoid(linear(c, `contextKernel${i + 1}`, `contextBias${i + 1}`))));
      }
      expect(distance(network.apply(x, c), linear(h, 'kernel5', 'bias5'))).toBeLessThan(1e-6);
    });
  });

  it.each(Object.entries(kinds))('%s starts at zero and reads what it is given', (_, make) => {
    const network = make({ activation: 'elu', context: 1 });
    tf.tidy(() => {
      const x = new RandomStream(1).normal([4, 3]);
      expect(tf.max(tf.abs(network.apply(x, tf.ones([4, 1])))).dataSync()[0]).toBe(0);
      perturb(network);
      const before = network.apply(x, tf.ones([4, 1]));
      expect(distance(network.apply(x, tf.zeros([4, 1])), before)).toBeGreaterThan(0.01);
      expect(distance(network.apply(tf.mul(x, 2), tf.ones([4, 1])), before)).toBeGreaterThan(0.01);
    });
  });

  it.each(Object.entries(kinds))('%s takes gradients to every weight, to values and context', (_, make) => {
    const network = perturb(make({ activation: 'softplus', context: 2, periodic: 3 }));
    tf.tidy(() => {
      const random = new RandomStream(1);
      const [x, c] = [random.normal([4, 3]), random.normal([4, 2])];
      const loss = () => tf.sum(tf.square(network.apply(x, c))) as tf.Scalar;
      const { grads } = tf.variableGrads(loss, network.trainableWeights);
      for (const weight of network.trainableWeights) {
        const size = Math.sqrt(tf.sum(tf.square(weight)).dataSync()[0]);
        const along = tf.div(weight, size);
        const slope = tf.sum(tf.mul(grads[weight.name], along)).dataSync()[0];
        const at = (step: number) => {
          const start = tf.clone(weight);
          weight.assign(tf.add(weight, tf.mul(along, step)));
          const value = loss().dataSync()[0];
          weight.assign(start);
          return value;
        };
        // Central differences in float32.
        const difference = (at(0.02) - at(-0.02)) / 0.04;
        expect(Math.abs(slope - difference)).toBeLessThan(0.02 * (1 + Math.abs(difference)));
      }
    });
  });

  it.each(Object.entries(kinds))('%s with a period cannot tell values a period apart', (_, make) => {
    const network = perturb(make({ periodic: 2.5, activation: 'tanh' }));
    tf.tidy(() => {
      const x = new RandomStream(1).normal([4, 3]);
      const value = network.apply(x);
      // Rounding of sine and cosine.
      expect(distance(network.apply(tf.add(x, [[2.5, -5, 0]])), value)).toBeLessThan(1e-5);
      expect(distance(network.apply(tf.add(x, 1.25)), value)).toBeGreaterThan(0.01);
    });
  });

  it.each([
    ['a series', [8, 2]],
    ['an image', [4, 4, 3]],
    ['images in time', [2, 2, 2, 1]],
  ])('read %s', (_, inputShape) => {
    for (const make of Object.values(kinds)) {
      const network = perturb(make({ inputShape }));
      const flat = perturb(make({ inputShape: [inputShape.reduce((a, b) => a * b)] }));
      tf.tidy(() => {
        const x = new RandomStream(1).normal([3, ...inputShape]);
        expect(network.apply(x).shape).toEqual([3, 2]);
        expect(distance(network.apply(x), flat.apply(tf.reshape(x, [3, -1])))).toBe(0);
        expect(() => network.apply(tf.reshape(x, [3, -1]))).toThrow(ShapeError);
      });
    }
  });

  it.each(Object.entries(kinds))('%s leaves no tensor behind', async (_, make) => {
    await leavesNoTensors(() => {
      const network = make({ context: 2, dropout: 0.2, periodic: 2 });
      const [x, c] = [tf.ones([2, 3]), tf.ones([2, 2])];
      tf.dispose([network.apply(x, c), x, c]);
      network.dispose();
      for (const options of [{ units: 0 }, { dropout: 1 }, { activation: 'swish' }, { context: 0 }])
        expect(() => make(options)).toThrow(ConfigError);
    });
  });

  it.each([
    [{ dropout: 1 }, 'dropout of at least 0 and below 1, got 1'],
    [{ dropout: -0.1 }, 'dropout of at least 0 and below 1'],
    [{ dropout: '0.1' }, 'dropout of at least 0 and below 1'],
    [{ periodic: '2' }, 'periodic to be a period'],
    [{ periodic: 0 }, 'periodic to be a period'],
    [{ periodic: Number.POSITIVE_INFINITY }, 'periodic to be a period'],
    [
      { activation: 'swish' },
      'activation to be one of relu, tanh, elu, softplus, silu, gelu, leakyRelu, got swish',
    ],
    [{ inputShape: [] }, 'inputShape'],
    [{ inputShape: [2, 0] }, 'inputShape'],
    [{ nonlinearity: 'tanh' }, "Did you mean 'activation'?"],
  ])('refuse %j', (options, message) => {
    for (const make of Object.values(kinds)) {
      expect(() => make(options)).toThrow(ConfigError);
      expect(() => make(options)).toThrow(message);
    }
  });

  it.each([
    [{ hiddenUnits: [4] }, 'hiddenUnits to be an integer >= 1'],
    [{ blocks: 0 }, 'blocks to be an integer >= 1'],
  ])('ResidualPerceptron refuses %j', (options, message) => {
    expect(() => kinds.ResidualPerceptron(options)).toThrow(message);
  });
});
