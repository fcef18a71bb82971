import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  AffineCoupling,
  type Bijector,
  Chain,
  type ConditionerBuilder,
  Linear,
  MaskedAutoregressive,
  MaskedPerceptron,
  MultilayerPerceptron,
  Permutation,
  RandomStream,
  RationalQuadraticSpline,
  TransformerCoupling,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../support/leaks';
import { stir } from '../support/vectorModels';

const inputShape = [5];
const mask = [false, true, false, false, true];
const spline = () => new RationalQuadraticSpline({ bins: 4, bound: 3 });
const network =
  (context?: number): ConditionerBuilder =>
  ([d], [units]) =>
    new MultilayerPerceptron({ inputShape: [d], units, hiddenUnits: [7], context, seed: 1 });

const layers: Record<string, { layer: () => Bijector; orders: number }> = {
  'an affine coupling': {
    layer: () => new AffineCoupling({ inputShape, passthrough: 2, network: network() }),
    orders: 0,
  },
  'an affine coupling by a mask': {
    layer: () => new AffineCoupling({ inputShape, passthrough: mask, network: network() }),
    orders: 0,
  },
  'an affine coupling with a context': {
    layer: () => new AffineCoupling({ inputShape, passthrough: mask, network: network(2), scale: 'exp' }),
    orders: 0,
  },
  'a spline coupling': {
    layer: () =>
      new TransformerCoupling({ inputShape, passthrough: 2, transformer: spline(), network: network() }),
    orders: 1,
  },
  'a spline coupling by a mask': {
    layer: () =>
      new TransformerCoupling({
        inputShape,
        passthrough: mask,
        transformer: spline(),
        passed: spline(),
        network: network(),
      }),
    // Into one order, and out of the coupling's own.
    orders: 2,
  },
  'an autoregressive layer': {
    layer: () =>
      new MaskedAutoregressive({
        inputShape,
        transformer: spline(),
        network: (adjacency, outputsPerValue) =>
          new MaskedPerceptron({ adjacency, outputsPerValue, hiddenUnits: [9], seed: 1 }),
      }),
    orders: 1,
  },
  'a linear map': { layer: () => new Linear({ inputShape }), orders: 1 },
};
const names = Object.keys(layers);

const permutation = () => new Permutation({ inputShape, order: [3, 0, 4, 1, 2] });
const chainOf = (layer: Bijector) => {
  const chain = new Chain({ bijectors: [permutation(), layer] });
  tf.tidy(() => void chain.initialize(tf.zeros([1, 5]), contextFor(layer, 1)));
  stir(chain, 0.3);
  return chain;
};
const contextFor = (layer: Bijector, rows: number) =>
  layer.contextShape && new RandomStream(4).normal([rows, 2]);

/** Results of a pass and the gradients of a sum over them, in the input and every weight. */
function withGradients(
  chain: Chain,
  x: tf.Tensor,
  pass: (x: tf.Tensor) => { value: tf.Tensor; logDet: tf.Tensor },
) {
  const steering = new RandomStream(5).normal(x.shape);
  const objective = (given: tf.Tensor) => {
    const { value, logDet } = pass(given);
    return tf.add(tf.sum(tf.mul(value, steering)), tf.sum(logDet)) as tf.Scalar;
  };
  const { grads } = tf.variableGrads(() => objective(x), chain.trainableWeights);
  const { value, logDet } = pass(x);
  return [value, logDet, tf.grad(objective)(x), ...Object.values(grads)];
}

/** Both of values around 1, the sum of fewer than ten of them in another order. */
const ROUNDING = 2e-5;

describe.each(['cpu', 'wasm'])('a permutation goes along with the layer behind it, on %s', (backend) => {
  beforeAll(async () => {
    await prepareWasm({ threads: 1 });
    await tf.setBackend(backend);
  });

  it.each(names)('%s', (name) =>
    leavesNoTensors(() => {
      const layer = layers[name].layer();
      const chain = chainOf(layer);
      const [first, second] = chain.bijectors;
      tf.tidy(() => {
        const x = new RandomStream(3).normal([6, 5]);
        const context = contextFor(layer, 6);
        const forward = (given: tf.Tensor) => second.forward(first.forward(given).value, context);
        const inverse = (given: tf.Tensor) => {
          const { value, logDet } = second.inverse(given, context);
          return { value: first.inverse(value).value, logDet };
        };
        for (const [joined, apart] of [
          [
            withGradients(chain, x, (given) => chain.forward(given, context)),
            withGradients(chain, x, forward),
          ],
          [
            withGradients(chain, x, (given) => chain.inverse(given, context)),
            withGradients(chain, x, inverse),
          ],
        ]) {
          joined.forEach((tensor, i) => {
            const furthest = tf.max(tf.abs(tf.sub(tensor, apart[i]))).dataSync()[0];
            expect(furthest, `result ${i}`).toBeLessThan(ROUNDING);
          });
        }
      });
      chain.dispose();
    }),
  );
});

describe('orders on wasm', () => {
  beforeAll(async () => {
    await prepareWasm({ threads: 1 });
  });

  const ordersIn = async (run: () => void) => {
    const { kernels } = await tf.profile(() => tf.tidy(run));
    return kernels.filter(({ name }) => name === 'FlowOrderChannels').length;
  };

  it.each(names)('of %s', async (name) => {
    const layer = layers[name].layer();
    const chain = chainOf(layer);
    const x = tf.zeros([2, 5]);
    const context = contextFor(layer, 2);
    expect(await ordersIn(() => void chain.forward(x, context))).toBe(layers[name].orders);
    tf.dispose([x, context ?? []]);
    chain.dispose();
  });

  it('stay where a subclass computes something of its own, and what is disposed says so', async () => {
    class Doubled extends Permutation {
      protected override computeForward(x: tf.Tensor) {
        const { value, logDet } = super.computeForward(x);
        return { value: tf.mul(value, 2), logDet: tf.add(logDet, 5 * Math.LN2) as tf.Tensor1D };
      }
    }
    const coupling = () => layers['an affine coupling'].layer();
    const chain = new Chain({ bijectors: [new Doubled({ inputShape }), coupling()] });
    const x = tf.ones([1, 5]);
    tf.tidy(() => void expect(chain.forward(x).value.dataSync()[0]).toBe(2));
    chain.dispose();
    const broken = new Chain({ bijectors: [permutation(), coupling()] });
    broken.bijectors[0].dispose();
    expect(() => broken.forward(x)).toThrow("'permutation' was disposed");
    broken.dispose();
    const empty = new Chain({ bijectors: [permutation(), coupling()] });
    empty.bijectors[1].dispose();
    expect(() => empty.forward(x)).toThrow("'coupling' was disposed");
    empty.dispose();
    x.dispose();
  });
});
