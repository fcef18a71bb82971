import * as tf from '@tensorflow/tfjs-core';
import { ActNorm, Chain, Permutation, RandomStream } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { hasKernels } from '../../src/engine/kernels';
import { unscaleChannels } from '../../src/layers/fusedScaleChannels';
import { hasAdapter } from './adapter';
import { activate, dispatchesOf, expectSameOnBoth, valuesOn, withGradients } from './onBoth';

function inputsOf(shape: number[]): tf.Tensor[] {
  const random = new RandomStream(1);
  const channels = shape[shape.length - 1];
  return [shape, [channels], [channels]].map((size) => random.normal(size, 0, 0.5));
}

/** A permutation and an actnorm behind it, whose weights are the inputs. */
function build(channels: number[]): { layer: Chain; weights: tf.Variable[] } {
  const inputShape = channels;
  const actnorm = new ActNorm({ inputShape });
  const permutation = new Permutation({ inputShape, order: 'shuffle', seed: 3 });
  actnorm.markInitialized();
  return {
    layer: new Chain({ bijectors: [permutation, actnorm] }),
    weights: actnorm.weights.map(({ variable }) => variable),
  };
}

/** Value, log-determinant and gradients of an actnorm behind a permutation. */
function normalized(shape: number[]): tf.Tensor[] {
  const { layer, weights } = build(shape.slice(1));
  const [x, ...given] = inputsOf(shape);
  weights.forEach((weight, i) => {
    weight.assign(given[i]);
  });
  const random = new RandomStream(2);
  const [ofValue, ofLogDet] = [random.normal(shape), random.normal([shape[0]])];
  const loss = () => {
    const { value, logDet } = layer.forward(x);
    return tf.add(tf.sum(tf.mul(value, ofValue)), tf.sum(tf.mul(logDet, ofLogDet)));
  };
  const { value, logDet } = layer.forward(x);
  const { grads } = tf.engine().gradients(loss as () => tf.Scalar, [x, ...weights]);
  layer.dispose();
  return [value, logDet, ...grads];
}

describe.skipIf(!hasAdapter)('scaled channels on webgpu', () => {
  it('are the kernels, with the log-determinant and the order one dispatch each way', async () => {
    await activate('webgpu');
    expect(hasKernels('FlowActNormGradient', 'FlowUnscaleChannelsGradient')).toBe(true);
    const { layer } = build([4]);
    const x = tf.ones([7, 4]);
    expect(dispatchesOf(() => layer.forward(x))).toBe(1);
    const loss = () => layer.forward(x).value as tf.Scalar;
    expect(dispatchesOf(() => tf.engine().gradients(loss, [x, ...layer.trainableWeights], x))).toBe(2);
    layer.dispose();
    x.dispose();
  });

  // One value, fewer and more rows than a workgroup has invocations.
  it.each([[[1, 1]], [[3, 5]], [[2, 7, 5, 12]], [[700, 3]]])('as on cpu, %j', async (shape) => {
    await expectSameOnBoth(() => normalized(shape), 2e-5);
    await expectSameOnBoth(() =>
      withGradients((x, offset, logScale) => [unscaleChannels(x, offset, logScale)], inputsOf(shape)),
    );
  });

  it('of nothing are nothing', async () => {
    await expectSameOnBoth(() => {
      const { layer } = build([4]);
      const { value, logDet } = layer.forward(tf.ones([0, 4]));
      layer.dispose();
      return [value, logDet];
    });
    await expectSameOnBoth(() => [unscaleChannels(tf.ones([0, 4]), tf.ones([4]), tf.ones([4]))]);
  });

  it('NaN stays in its value', async () => {
    const [value] = await valuesOn('webgpu', () => {
      const { layer } = build([2]);
      const { value } = layer.forward(tf.tensor2d([1, Number.NaN, 3, 4], [2, 2]));
      layer.dispose();
      return [value];
    });
    expect(Array.from(value, Number.isNaN).filter(Boolean)).toHaveLength(1);
    expect(Array.from(value.slice(2), Number.isNaN)).toEqual([false, false]);
  });
});
