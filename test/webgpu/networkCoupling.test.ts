import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { AffineCoupling, ConvolutionNetwork, RandomStream, ReversePass } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import type { Padding } from '../../src/layers/networks/convolution';
import type { ScaleMap } from '../../src/layers/scaleMaps';
import { Gpu } from '../../src/webgpu/gpu';
import { hasAdapter } from './adapter';
import { activate, expectSameOnBoth, inTiles, valuesOn } from './onBoth';

/** What is coupled, and how. */
interface Case {
  shape: number[];
  kept: number;
  hidden: number;
  scale: ScaleMap;
  inverse: boolean;
  padding?: Padding;
}

/** The coupling with weights drawn at random, and a batch. */
function couplingOf({ shape, kept, hidden, scale, padding }: Case) {
  const random = new RandomStream(3);
  const coupling = new AffineCoupling({
    inputShape: shape.slice(1),
    passthrough: kept,
    scale,
    network: (inputShape, [, , filters]) =>
      new ConvolutionNetwork({ inputShape, filters, hiddenChannels: hidden, padding, seed: 1 }),
  });
  const { trainableWeights } = coupling;
  for (const weight of trainableWeights) {
    const noise = random.normal(weight.shape, 0, 0.2);
    weight.assign(noise);
    noise.dispose();
  }
  return { coupling, weights: trainableWeights, x: random.normal(shape), random };
}

/** Value, log-determinant, and the gradients in x and in every weight. */
function results(given: Case): tf.Tensor[] {
  const { coupling, weights, x, random } = couplingOf(given);
  const apply = (input: tf.Tensor) => (given.inverse ? coupling.inverse(input) : coupling.forward(input));
  const [ofValue, ofLogDet] = [random.normal(given.shape), random.normal([given.shape[0]])];
  const loss = (input: tf.Tensor) => {
    const { value, logDet } = apply(input);
    return tf.add(tf.sum(tf.mul(value, ofValue)), tf.sum(tf.mul(logDet, ofLogDet))) as tf.Scalar;
  };
  const { value, logDet } = apply(x);
  const { grads } = tf.variableGrads(() => loss(x), weights);
  const gradients = [tf.grad(loss)(x), ...weights.map(({ name }) => grads[name])];
  coupling.dispose();
  return [value, logDet, ...gradients];
}

/** From values at the output to those at the input, and the gradients there and in every weight. */
function back(given: Case): tf.Tensor[] {
  const { coupling, weights, x: value, random } = couplingOf(given);
  const [gradient, logDetGradient] = [random.normal(given.shape), random.normal([given.shape[0]])];
  const pass = new ReversePass({ logDetGradient });
  const before = coupling.reverse({ value, gradient }, pass);
  const results = [before.value, before.gradient, ...(pass.takeGradients(weights) as tf.Tensor[])];
  coupling.dispose();
  return results;
}

const cases: [name: string, given: Case][] = [
  ['fours', { shape: [3, 6, 5, 8], kept: 4, hidden: 16, scale: 'sigmoid', inverse: false }],
  ['fours turned back', { shape: [2, 4, 4, 16], kept: 8, hidden: 12, scale: 'exp', inverse: true }],
  ['odd channels', { shape: [2, 5, 7, 5], kept: 2, hidden: 9, scale: 'sigmoid', inverse: false }],
  [
    'kept channels in fours of others',
    { shape: [2, 4, 6, 6], kept: 4, hidden: 8, scale: 'exp', inverse: false },
  ],
  [
    'an edge indicator',
    { shape: [2, 4, 3, 12], kept: 6, hidden: 8, scale: 'sigmoid', inverse: true, padding: 'edge' },
  ],
];

describe.skipIf(!hasAdapter)('couplings by convolutions on webgpu', () => {
  // Gradients go through three layers.
  it.each(cases)('as on cpu, %s', async (_, given) => {
    await expectSameOnBoth(() => results(given), 5e-5);
  });

  it.each(cases)('from output to input as on cpu, %s', async (_, given) => {
    await expectSameOnBoth(() => back(given), 5e-5);
  });

  it('from output to input, of no examples', async () => {
    const [[, given]] = cases;
    const shape = [0, ...given.shape.slice(1)];
    const [value, gradient, ...ofWeights] = await valuesOn('webgpu', () => back({ ...given, shape }));
    expect([value.length, gradient.length]).toEqual([0, 0]);
    for (const values of ofWeights) expect(values.every((entry) => entry === 0)).toBe(true);
  });

  it('in tiles as on cpu', async () => {
    const given: Case = { shape: [2, 9, 8, 24], kept: 16, hidden: 16, scale: 'sigmoid', inverse: false };
    await inTiles(() => expectSameOnBoth(() => results(given), 5e-5));
  });

  it('take a dispatch per layer and one for the coupling, and ten back', async () => {
    await activate('webgpu');
    const { coupling, x } = couplingOf(cases[0][1]);
    const gpu = Gpu.of(tf.backend() as WebGPUBackend);
    tf.tidy(() => {
      const before = gpu.dispatches;
      coupling.forward(x);
      expect(gpu.dispatches - before).toBe(4);
      tf.grad((given) => coupling.forward(given).value)(x, tf.ones(x.shape));
      expect(gpu.dispatches - before).toBe(4 + 4 + 10);
      const pass = new ReversePass({ logDetGradient: tf.ones([x.shape[0]]) });
      const start = gpu.dispatches;
      coupling.reverse({ value: x, gradient: x }, pass);
      // The layers once, value and gradients of the coupling in one.
      expect(gpu.dispatches - start).toBe(3 + 10);
      pass.dispose();
    });
    x.dispose();
    coupling.dispose();
  });
});
