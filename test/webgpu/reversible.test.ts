import * as tf from '@tensorflow/tfjs-core';
import {
  Glow,
  type GlowOptions,
  type Gradients,
  RandomStream,
  reversibleGradients,
  storedGradients,
} from 'tfjs-flows';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { relativeDifference } from '../support/agreement';
import { hasAdapter } from './adapter';
import { activate } from './onBoth';

const small: GlowOptions = { imageShape: [8, 8, 2], levels: 2, stepsPerLevel: 2, hiddenChannels: 8, seed: 1 };
type Options = Partial<GlowOptions>;

/** A Glow none of whose weights is where it starts, and a batch. */
function glowOf(options: Options): { glow: Glow; x: tf.Tensor } {
  const glow = new Glow({ ...small, ...options });
  const random = new RandomStream(3);
  glow.markInitialized();
  for (const weight of glow.trainableWeights) {
    tf.tidy(() => weight.assign(tf.add(weight, random.normal(weight.shape, 0, 0.05))));
  }
  return { glow, x: tf.tidy(() => tf.floor(tf.mul(random.uniform([3, 8, 8, 2]), 256))) };
}

/** Values of the gradients of all weights. */
async function valuesOf({ loss, metrics, gradients }: Gradients): Promise<Float32Array[]> {
  const values = await Promise.all(gradients.map((gradient) => (gradient as tf.Tensor).data<'float32'>()));
  tf.dispose([loss, metrics, gradients as tf.Tensor[]]);
  return values;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe.skipIf(!hasAdapter)('reversible gradients on webgpu', () => {
  it.each<[string, Options]>([
    ['LU convolutions', {}],
    ['full convolutions, and offsets that are sums of weights', { lu: false, padding: 'edge', scale: 'exp' }],
    ['a permutation', { permutation: 'shuffle', levels: 1 }],
  ])('are the stored ones, with and without anchors: %s', async (_, options) => {
    await activate('webgpu');
    const { glow, x } = glowOf(options);
    const stored = await valuesOf(storedGradients(glow, { x }, new RandomStream(7)));
    const before = tf.memory().numTensors;
    for (const anchorEvery of [3, 1000]) {
      const gradients = reversibleGradients(glow, { x }, new RandomStream(7), { anchorEvery });
      const received = await valuesOf(gradients);
      // Rounding of a dozen layers in float32.
      stored.forEach((values, i) => {
        expect(relativeDifference(values, received[i]), glow.weights[i].name).toBeLessThan(1e-4);
      });
      expect(tf.memory().numTensors).toBe(before);
    }
    x.dispose();
    glow.dispose();
  });

  it('take 25 dispatches for a step of a Glow, of which 6 are the way there; stored ones take 19', async () => {
    await activate('webgpu');
    const dispatch = vi.spyOn(GPUComputePassEncoder.prototype, 'dispatchWorkgroups');
    const counts = [2, 3].map((stepsPerLevel) => {
      const { glow, x } = glowOf({ levels: 1, stepsPerLevel });
      const counted = [reversibleGradients, storedGradients].map((compute) => {
        dispatch.mockClear();
        tf.tidy(() => void compute(glow, { x }, new RandomStream(1)));
        return dispatch.mock.calls.length;
      });
      x.dispose();
      glow.dispose();
      return counted;
    });
    // Log-determinants of both depths are few enough for one sum.
    expect(counts[1].map((count, i) => count - counts[0][i])).toEqual([25, 19]);
  });
});
