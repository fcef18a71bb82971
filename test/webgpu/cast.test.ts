import * as tf from '@tensorflow/tfjs-core';
import { BackendError, MultilayerPerceptron } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { runKernel } from '../../src/engine/kernels';
import { unscaleChannels } from '../../src/layers/fusedScaleChannels';
import { hasAdapter } from './adapter';
import { activate, expectSameOnBoth } from './onBoth';

/** Classes one in three rows each, as floats that were integers. */
function oneHot(n: number): tf.Tensor {
  const classes = Array.from({ length: n }, (_, i) => i % 3);
  return tf.cast(tf.oneHot(tf.tensor1d(classes, 'int32'), 3), 'float32');
}

describe.skipIf(!hasAdapter)('casts on webgpu', () => {
  it('give kernels floats, from the host and from the device', async () => {
    await expectSameOnBoth(() => {
      const network = new MultilayerPerceptron({
        inputShape: [2],
        units: 2,
        context: 3,
        hiddenUnits: [4],
        seed: 1,
      });
      for (const { variable } of network.weights) variable.assign(tf.fill(variable.shape, 0.3));
      const computed = tf.cast(
        tf.add(tf.tensor2d([[1, 2, 3]], [1, 3], 'int32'), tf.scalar(1, 'int32')),
        'float32',
      );
      const results = [network.apply(tf.ones([6, 2]), oneHot(6)), network.apply(tf.ones([1, 2]), computed)];
      const truth = tf.cast(tf.greater([1, -1], 0), 'float32');
      results.push(
        unscaleChannels(truth, tf.zeros([2]), tf.zeros([2])),
        tf.mul(truth, 2),
        tf.cast([1.7, -2.2], 'int32'),
        tf.cast([0, 2], 'bool'),
      );
      network.dispose();
      return results;
    });
  });

  it('are needed: integers as they are are refused', async () => {
    await activate('webgpu');
    const [input, one] = [tf.ones([2, 1], 'int32'), tf.ones([1])];
    expect(() => runKernel('FlowUnscaleChannels', { input, offset: one, logScale: one })).toThrow(
      BackendError,
    );
    tf.dispose([input, one]);
  });
});
