import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { Gpu } from '../../src/webgpu/gpu';
import { sweepCases, sweepLayer, sweepResults } from '../support/sweeps';
import { hasAdapter } from './adapter';
import { activate, expectSameOnBoth, valuesOn } from './onBoth';

describe.skipIf(!hasAdapter)('sweeps on webgpu', () => {
  // Every value is found from those before it, with their rounding.
  it.each(Object.entries(sweepCases))('as on cpu: %s', async (_, what) => {
    await expectSameOnBoth(() => sweepResults(what), 5e-5);
  });

  it('take one dispatch every time', async () => {
    await activate('webgpu');
    const layer = sweepLayer({});
    const y = tf.ones([20, 5]);
    const gpu = Gpu.of(tf.backend() as never);
    const dispatches = () => {
      const before = gpu.dispatches;
      tf.dispose(Object.values(layer.inverse(y)));
      return gpu.dispatches - before;
    };
    expect([dispatches(), dispatches()]).toEqual([1, 1]);
    y.dispose();
    layer.dispose();
  });

  it('of nothing give nothing; NaN comes out where it went in, and in what is found from it', async () => {
    const [nothing, some] = await valuesOn('webgpu', () => {
      const layer = sweepLayer({});
      for (const weight of layer.trainableWeights) weight.assign(tf.fill(weight.shape, 0.1));
      const y = tf.tensor2d([
        [0.1, 0.2, Number.NaN, 0.3, 0.4],
        [0.1, 0.2, 0.5, 0.3, 0.4],
      ]);
      const results = [layer.inverse(tf.zeros([0, 5])).value, layer.inverse(y).value];
      layer.dispose();
      return results;
    });
    expect(nothing).toHaveLength(0);
    expect([...some].map(Number.isNaN)).toEqual([
      ...[false, false, true, true, true],
      ...[false, false, false, false, false],
    ]);
  });
});
