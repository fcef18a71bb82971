import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { scaleChannels } from '../../src/layers/fusedScaleChannels';
import { fusedAdaptiveStep } from '../../src/training/fusedAdaptiveStep';
import { hasAdapter } from './adapter';
import { activate } from './onBoth';

describe.skipIf(!hasAdapter)('what programs bind on webgpu', () => {
  it('is told apart where it lies in one buffer', async () => {
    await activate('webgpu');
    const weight = [1, 2].map((value) => tf.variable(tf.tensor1d([value])));
    const [first, second] = [0, 0].map(() => weight.map(() => tf.variable(tf.tensor1d([0]))));
    const gradients = weight.map(() => tf.tensor1d([0]));
    const step = {
      kind: 'adam',
      learningRate: 0,
      beta1: 0.9,
      beta2: 0.9,
      epsilon: 1,
      bias1: 1,
      bias2: 1,
    } as const;
    // Brings the weights side by side into one buffer.
    fusedAdaptiveStep({ weight, first, second }, gradients, step, 1);
    const [x, logScale] = [tf.zeros([1, 1]), tf.zeros([1])];
    // One after the other and more than once, so that all else that is bound becomes the same.
    for (const i of [0, 1, 0, 1, 0, 1]) {
      const result = scaleChannels(x, weight[i], logScale);
      expect((await result.data())[0]).toBe(i + 1);
      result.dispose();
    }
    tf.dispose([weight, first, second, gradients, x, logScale]);
  });
});
