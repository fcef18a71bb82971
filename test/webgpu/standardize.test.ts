import * as tf from '@tensorflow/tfjs-core';
import { LearnedPrior, RandomStream, Split } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { runKernel } from '../../src/engine/kernels';
import { standardize } from '../../src/layers/fusedStandardize';
import { hasAdapter } from './adapter';
import { activate, dispatchesOf, expectSameOnBoth, valuesOn, withGradients } from './onBoth';

const draw = (shapes: number[][], spread = 1) => {
  const random = new RandomStream(4);
  return shapes.map((shape) => random.normal(shape, 0, spread));
};
const ways = [false, true];

describe.skipIf(!hasAdapter)('standardizing on webgpu', () => {
  it.each([
    { shape: [60, 2], kept: 1, steering: [60, 2] },
    { shape: [3, 4, 5, 6], kept: 2, steering: [3, 4, 5, 8] },
    { shape: [2, 3, 3, 8], kept: 4, steering: [2, 3, 3, 8] },
    // One for all positions, one for all examples.
    { shape: [2, 3, 3, 5], kept: 0, steering: [2, 1, 1, 10] },
    { shape: [7, 3], kept: 0, steering: [7, 6] },
  ])('as on cpu, %j', async ({ shape, kept, steering }) => {
    for (const inverse of ways) {
      const map = (x: tf.Tensor, parameters: tf.Tensor) =>
        Object.values(standardize(x, parameters, { kept, inverse }));
      await expectSameOnBoth(() => withGradients(map, draw([shape, steering])), 2e-5);
    }
  });

  it('takes one dispatch each way', async () => {
    await activate('webgpu');
    const [x, parameters] = [tf.ones([2, 3, 3, 8]), tf.ones([2, 3, 3, 8])];
    const map = (given: tf.Tensor) => standardize(given, parameters, { kept: 4, inverse: false }).value;
    expect(dispatchesOf(() => map(x))).toBe(1);
    expect(dispatchesOf(() => tf.grad(map)(x))).toBe(2);
    tf.dispose([x, parameters]);
  });

  it.each([Split, LearnedPrior])('as a layer does it, %o', async (Layer) => {
    for (const inverse of ways) {
      // Weights made on one backend cannot be read on another.
      const compute = () => {
        const layer = new Layer({ inputShape: [4, 4, 6] });
        for (const weight of layer.trainableWeights) weight.assign(draw([weight.shape], 0.3)[0]);
        const map = (x: tf.Tensor) => Object.values(inverse ? layer.inverse(x) : layer.forward(x));
        const results = withGradients(map, draw([[2, 4, 4, 6]]));
        layer.dispose();
        return results;
      };
      await expectSameOnBoth(compute, 5e-5);
    }
  });

  it('turns nothing that is no number into one', async () => {
    for (const inverse of ways) {
      const [value, logDet] = await valuesOn('webgpu', () => {
        const parameters = tf.tensor2d([0, Number.NaN, 0, 0], [2, 2]);
        return Object.values(standardize(tf.ones([2, 1]), parameters, { kept: 0, inverse }));
      });
      expect([...value, ...logDet].map(Number.isFinite)).toEqual([false, true, false, true]);
    }
  });

  it('of nothing is nothing', async () => {
    const values = await valuesOn('webgpu', () => {
      const [x, dLogDet] = [tf.ones([0, 4]), tf.ones([0])];
      const options = { kept: 2, inverse: false };
      const inputs = { x, parameters: x, dy: x, dLogDet };
      return [
        ...Object.values(standardize(x, x, options)),
        ...runKernel('FlowStandardizeGradient', inputs, options),
      ];
    });
    expect(values.map(({ length }) => length)).toEqual([0, 0, 0, 0]);
  });
});
