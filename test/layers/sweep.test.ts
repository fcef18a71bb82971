import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  type Adjacency,
  Chain,
  Flow,
  Invert,
  MaskedAutoregressive,
  type MaskedAutoregressiveOptions,
  type MaskedNetwork,
  MaskedPerceptron,
  MaskedResidualPerceptron,
  RandomStream,
  RationalQuadraticSpline,
  reversibleGradients,
  storedGradients,
  type Transformer,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { inTrainingStep } from '../../src/core/trainingStep';
import { graph, sets } from '../support/sweeps';
import { distance, perturb } from './networks/helpers';

beforeAll(() => tf.setBackend('cpu'));

type Build = (adjacency: Adjacency, outputsPerValue: number) => MaskedNetwork;
const plain =
  (options: object): Build =>
  (adjacency, outputsPerValue) =>
    new MaskedPerceptron({
      adjacency,
      outputsPerValue,
      hiddenUnits: [12, 9],
      activation: 'tanh',
      seed: 1,
      ...options,
    });
const residual =
  (options: object): Build =>
  (adjacency, outputsPerValue) =>
    new MaskedResidualPerceptron({
      adjacency,
      outputsPerValue,
      hiddenUnits: 12,
      activation: 'silu',
      seed: 1,
      ...options,
    });

const networks: Record<string, Build> = {
  plain: plain({}),
  'plain, no hidden layer': plain({ hiddenUnits: [] }),
  'plain, fewer units than values': plain({ hiddenUnits: [2, 3] }),
  'plain, context': plain({ context: { a: 1, b: [1, 1] } }),
  'plain, shifts': plain({ context: { a: 1, b: [1, 1] }, contextAs: 'shifts' }),
  'plain, periodic, dropout': plain({ periodic: 5, dropout: 0.3 }),
  residual: residual({}),
  'residual, everything': residual({
    context: { a: 1, b: [1, 1] },
    periodic: 5,
    dropout: 0.3,
    activation: 'gelu',
  }),
  'residual, shifts': residual({ context: { a: 1, b: [1, 1] }, contextAs: 'shifts', dropout: 0.3 }),
  'residual, zuko': residual({ context: { a: 1, b: [1, 1] }, contextAs: 'inputs', preactivated: false }),
};

const orders: Record<string, Partial<MaskedAutoregressiveOptions>> = {
  'one after another': {},
  'another order': { order: [2, 0, 4, 3, 1] },
  'two passes': { passes: 2 },
  'three passes, another order': { passes: 3, order: [4, 1, 0, 3, 2] },
  'a graph': { adjacency: graph },
};

const layerOf = (network: Build, options: Partial<MaskedAutoregressiveOptions> = {}, d = 5) =>
  perturb(
    new MaskedAutoregressive({
      inputShape: [d],
      transformer: new RationalQuadraticSpline({ bins: 3, bound: 4 }),
      network,
      ...options,
    }),
  );

/** Latents and, where the layer reads one, a context. */
function inputs({ contextShape }: MaskedAutoregressive, n: number, d = 5) {
  const random = new RandomStream(2);
  const y = random.normal([n, d]);
  const context = { b: random.normal([n, 1, 1]), a: random.normal([n, 1]) };
  return { y, context: contextShape && context };
}

describe('the sweep of a masked network', () => {
  describe.each(Object.entries(orders))('%s', (_, options) => {
    it.each(Object.entries(networks))(
      '%s: finds what passes of the network find, in a training step too',
      (_, network) => {
        const layer = layerOf(network, options);
        tf.tidy(() => {
          const { y, context } = inputs(layer, 7);
          const both = () => {
            const bySweep = layer.inverse(y, context);
            const apply = vi.spyOn(layer.network, 'apply');
            const byPasses = layer.inverse(y, context);
            expect(apply).toHaveBeenCalledTimes(layer.steps.inverse);
            apply.mockRestore();
            // The same sums of products in another order, through a spline of slopes up to ten.
            expect(distance(bySweep.value, byPasses.value)).toBeLessThan(1e-4);
            expect(distance(bySweep.logDet, byPasses.logDet)).toBeLessThan(1e-4);
            return bySweep.value;
          };
          const outside = both();
          const inside = inTrainingStep(new RandomStream(3), both);
          const drops = (layer.network.getConfig().dropout ?? 0) !== 0;
          expect(distance(outside, inside) > 0.01).toBe(drops);
        });
        layer.dispose();
      },
    );
  });

  it('with units in any order', () => {
    for (const network of [
      plain({ hiddenUnits: [6, 6], unitSets: [sets, [...sets].reverse()], context: { a: 1, b: [1, 1] } }),
      residual({ hiddenUnits: 6, unitSets: sets, context: { a: 1, b: [1, 1] }, dropout: 0.3 }),
    ]) {
      const layer = layerOf(network, { adjacency: graph });
      tf.tidy(() => {
        const { y, context } = inputs(layer, 5);
        inTrainingStep(new RandomStream(3), () => {
          const back = layer.forward(layer.inverse(y, context).value, context).value;
          // Rounding of one value comes through the network to the next ones.
          expect(distance(back, y)).toBeLessThan(1e-4);
        });
      });
    }
  });

  it('one value: from biases, or from the context', () => {
    for (const network of Object.values(networks)) {
      const layer = layerOf(network, {}, 1);
      tf.tidy(() => {
        const { y, context } = inputs(layer, 4, 1);
        const { value, logDet } = layer.inverse(y, context);
        const there = layer.forward(value, context);
        // Rounding, times slopes up to some tens.
        expect(distance(there.value, y)).toBeLessThan(3e-4);
        expect(distance(there.logDet, tf.neg(logDet))).toBeLessThan(1e-4);
        if (context === undefined) return;
        const other = { a: tf.neg(context.a), b: context.b };
        expect(distance(layer.inverse(y, other).value, value)).toBeGreaterThan(1e-3);
      });
      layer.dispose();
    }
  });

  it('multiplies little more than one pass of the network does', () => {
    const layer = layerOf(plain({ hiddenUnits: [32, 32] }), {}, 8);
    let products = 0;
    const runKernel = tf.engine().runKernel.bind(tf.engine());
    const spy = vi.spyOn(tf.engine(), 'runKernel').mockImplementation((name, given, attributes) => {
      if (name === 'BatchMatMul') products += (given.a.shape.at(-1) as number) * given.b.size;
      return runKernel(name, given, attributes);
    });
    const count = (body: () => tf.TensorContainer) => {
      products = 0;
      tf.tidy(() => void body());
      return products;
    };
    const y = tf.zeros([1, 8]);
    const pass = count(() => layer.forward(y).value);
    const sweep = count(() => layer.inverse(y).value);
    spy.mockRestore();
    expect(pass).toBeGreaterThan(0);
    expect(sweep).toBeLessThan(pass);
    y.dispose();
  });

  it('an infinity in a value that is found last reaches no other', () => {
    const layer = layerOf(residual({}), { order: [2, 4, 0, 3, 1] });
    tf.tidy(() => {
      const { y } = inputs(layer, 1);
      const finite = layer.inverse(y).value.dataSync();
      const last = tf.tensor2d([[0, 1, 0, 0, 0]], [1, 5], 'bool');
      const found = layer.inverse(tf.where(last, Number.POSITIVE_INFINITY, y)).value.dataSync();
      for (const i of [0, 2, 3, 4]) expect(found[i]).toBe(finite[i]);
      expect(found[1]).toBe(Number.POSITIVE_INFINITY);
    });
  });

  it.each([
    ['residual, everything', {}],
    ['plain, shifts', { adjacency: graph }],
  ])('%s: gradients through it are those of finite differences', (name, options) => {
    const layer = layerOf(networks[name], options);
    tf.tidy(() => {
      const { y, context } = inputs(layer, 3);
      const weighing = new RandomStream(9).normal([3, 5]);
      const loss = (latents: tf.Tensor) =>
        inTrainingStep(new RandomStream(3), () => {
          const { value, logDet } = layer.inverse(latents, context);
          return tf.add(tf.sum(tf.mul(value, weighing)), tf.sum(logDet)) as tf.Scalar;
        });
      const slopeOf = (at: (step: number) => number) => (at(1e-2) - at(-1e-2)) / 2e-2;
      const check = (gradient: tf.Tensor, along: tf.Tensor, at: (step: number) => number) => {
        const slope = tf.sum(tf.mul(gradient, along)).dataSync()[0];
        // Central differences in float32: 1e-7 of values near 10 over 2e-2, and the third derivative.
        expect(Math.abs(slope - slopeOf(at))).toBeLessThan(0.02 * (1 + Math.abs(slope)));
      };
      const direction = new RandomStream(5).normal([3, 5], 0, 0.3);
      check(tf.grad(loss)(y), direction, (step) => loss(tf.add(y, tf.mul(direction, step))).dataSync()[0]);
      const { grads } = tf.variableGrads(() => loss(y), layer.trainableWeights);
      for (const weight of layer.trainableWeights) {
        const along = new RandomStream(6).normal(weight.shape, 0, 1 / Math.sqrt(weight.size));
        check(grads[weight.name], along, (step) => {
          const start = tf.clone(weight);
          weight.assign(tf.add(weight, tf.mul(along, step)));
          const value = loss(y).dataSync()[0];
          weight.assign(start);
          return value;
        });
      }
    });
    layer.dispose();
  });

  it('leaves no tensor behind', () => {
    for (const [name, network] of Object.entries(networks)) {
      const layer = layerOf(network, { order: [2, 0, 4, 3, 1] });
      const { y, context } = inputs(layer, 2);
      const before = tf.memory().numTensors;
      tf.dispose({ ...layer.inverse(y, context) });
      expect(tf.memory().numTensors, name).toBe(before);
    }
  });
});

describe('inverse autoregressive flows', () => {
  it('have the same gradients stored and reversible, through the sweep, and never run it to go back', () => {
    const layers = Array.from(
      { length: 3 },
      (_, i) => new Invert({ bijector: layerOf(residual({ dropout: 0.2 })), name: `layer${i}` }),
    );
    const flow = new Flow({ bijector: new Chain({ bijectors: layers }) });
    const sweeps = layers.map(({ bijector }) => vi.spyOn(bijector, 'inverse'));
    tf.tidy(() => {
      const x = new RandomStream(2).normal([6, 5]);
      const stored = storedGradients(flow, { x }, new RandomStream(1));
      for (const sweep of sweeps) expect(sweep).toHaveBeenCalledTimes(1);
      const reversible = reversibleGradients(flow, { x }, new RandomStream(1), { anchorEvery: 100 });
      // Once forward, once to differentiate.
      for (const sweep of sweeps) expect(sweep).toHaveBeenCalledTimes(3);
      stored.gradients.forEach((gradient, i) => {
        const size = 1 + tf.max(tf.abs(gradient as tf.Tensor)).dataSync()[0];
        expect(distance(gradient as tf.Tensor, reversible.gradients[i] as tf.Tensor)).toBeLessThan(
          1e-3 * size,
        );
      });
    });
    flow.dispose();
  });
});

it('a transformer is asked for the values of one level at a time', () => {
  const layer = layerOf(plain({}), { passes: 2 });
  const { transformer } = layer as unknown as { transformer: Transformer };
  const inverse = vi.spyOn(transformer, 'inverse');
  tf.tidy(() => layer.inverse(tf.zeros([2, 5])).value);
  expect(inverse.mock.calls.map(([y]) => y.shape)).toEqual([
    [2, 3],
    [2, 2],
  ]);
  inverse.mockRestore();
});
