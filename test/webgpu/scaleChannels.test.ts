import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { hasKernels } from '../../src/engine/kernels';
import { scaleChannels, unscaleChannels } from '../../src/layers/fusedScaleChannels';
import { hasAdapter } from './adapter';
import { activate, expectSameOnBoth } from './onBoth';

/** Value and gradients of both ways, as the ordinary ops of cpu compute them and as the kernels do. */
function results(way: typeof scaleChannels, shape: number[]): tf.Tensor[] {
  const random = new RandomStream(1);
  const channels = shape[shape.length - 1];
  const draw = (size: number[]) => random.normal(size, 0, 0.5);
  const [x, offset, logScale, weights] = [draw(shape), draw([channels]), draw([channels]), draw(shape)];
  const loss = (...given: tf.Tensor[]) =>
    tf.sum(tf.mul(way(given[0], given[1], given[2]), weights)) as tf.Scalar;
  return [way(x, offset, logScale), ...tf.grads(loss)([x, offset, logScale])];
}

describe.skipIf(!hasAdapter)('scaled channels on webgpu', () => {
  it('are the kernels', async () => {
    await activate('webgpu');
    expect(hasKernels('FlowScaleChannels', 'FlowUnscaleChannelsGradient')).toBe(true);
  });

  // One value, fewer and more rows than a workgroup has invocations.
  it.each([[[1, 1]], [[3, 5]], [[2, 7, 5, 12]], [[700, 3]]])('as on cpu, %j', async (shape) => {
    await expectSameOnBoth(() => results(scaleChannels, shape));
    await expectSameOnBoth(() => results(unscaleChannels, shape));
  });

  it('of nothing are nothing', async () => {
    await expectSameOnBoth(() => [scaleChannels(tf.ones([0, 4]), tf.ones([4]), tf.ones([4]))]);
  });
});
