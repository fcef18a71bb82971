import * as tf from '@tensorflow/tfjs-core';
import { Chain, Linear, Permutation, RandomStream } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { gradientsOf } from '../../src/engine/gradients';
import { hasKernels, runKernel } from '../../src/engine/kernels';
import { hasAdapter } from './adapter';
import { activate, dispatchesOf, expectSameOnBoth, valuesOn } from './onBoth';

/** A permutation and a linear map, with weights. */
function build(d: number, bias: boolean): Chain {
  const random = new RandomStream(1);
  const linear = new Linear({ inputShape: [d], bias });
  for (const weight of linear.trainableWeights) {
    weight.assign(random.normal(weight.shape, 0, weight.rank === 2 ? 0.5 / Math.sqrt(d) : 0.3));
  }
  return new Chain({
    bijectors: [new Permutation({ inputShape: [d], order: 'shuffle', seed: 2 }), linear],
  });
}

function gradients(loss: () => tf.Scalar, xs: tf.Tensor[]): tf.Tensor[] {
  return gradientsOf(loss, xs).gradients as tf.Tensor[];
}

/** Value, log-determinant, and the gradients of a weighted sum of both in x and all weights. */
function results(rows: number, d: number, bias: boolean): tf.Tensor[] {
  const layer = build(d, bias);
  const random = new RandomStream(3);
  const [x, ofValue, ofLogDet] = [random.normal([rows, d]), random.normal([rows, d]), random.normal([rows])];
  const { value, logDet } = layer.forward(x);
  const loss = () => {
    const result = layer.forward(x);
    return tf.add(
      tf.sum(tf.mul(result.value, ofValue)),
      tf.sum(tf.mul(result.logDet, ofLogDet)),
    ) as tf.Scalar;
  };
  const found = [value, logDet, ...gradients(loss, [x, ...layer.trainableWeights])];
  layer.dispose();
  return found;
}

describe.skipIf(!hasAdapter)('linear maps of vectors in LU form on webgpu', () => {
  // One value; rows of all lengths of memory, full and not; tiles of rows in as many parts as there are and in more.
  it.each([
    [1, 1],
    [40, 2],
    [33, 18],
    [1100, 8],
    [18, 63],
  ])('as on cpu, %d rows of %d', async (rows, d) => {
    await expectSameOnBoth(() => results(rows, d, true), 2e-5);
  });

  it('as on cpu, without a bias', async () => {
    await expectSameOnBoth(() => results(20, 5, false), 2e-5);
  });

  it('of more values than there is memory for, as on cpu', async () => {
    await expectSameOnBoth(() => results(3, 70, true), 2e-5);
  });

  it('of nothing are nothing, with gradients of zeros', async () => {
    const [value, logDet, dx, ...gradients] = await valuesOn('webgpu', () => {
      const layer = build(4, true);
      const [x, dLogDet] = [tf.zeros([0, 4]), tf.zeros([0])];
      const { value, logDet } = layer.forward(x);
      const [triangles, logScale] = layer.trainableWeights;
      const given = [x, dLogDet, x, triangles, logScale];
      const found = [value, logDet, ...runKernel('FlowLuLinearGradient', given, { biased: true })];
      layer.dispose();
      return found;
    });
    expect([value, logDet, dx].map(({ length }) => length)).toEqual([0, 0, 0]);
    expect(gradients.map(({ length }) => length)).toEqual([16, 4, 4]);
    for (const gradient of gradients) expect(gradient.every((sum) => sum === 0)).toBe(true);
  });

  it('take one dispatch with the permutation before, and two for the gradients', async () => {
    await activate('webgpu');
    expect(hasKernels('FlowLuLinear', 'FlowLuLinearGradient')).toBe(true);
    const layer = build(6, true);
    const x = tf.ones([40, 6]);
    tf.tidy(() => void layer.forward(x));
    expect(dispatchesOf(() => layer.forward(x))).toBe(1);
    const weights = layer.trainableWeights;
    const loss = () => layer.forward(x).value as tf.Scalar;
    expect(dispatchesOf(() => tf.engine().gradients(loss, weights, x))).toBe(3);
    x.dispose();
    layer.dispose();
  });

  it('keep NaN in its row, and hand it on to the gradients of weights', async () => {
    const [value, , dx, ...ofWeights] = await valuesOn('webgpu', () => {
      const layer = build(4, true);
      const x = tf.tensor2d([1, 2, 3, 4, 5, Number.NaN, 7, 8, 9, 10, 11, 12], [3, 4]);
      const { value, logDet } = layer.forward(x);
      const loss = () => tf.sum(layer.forward(x).value) as tf.Scalar;
      const found = [value, logDet, ...gradients(loss, [x, ...layer.trainableWeights])];
      layer.dispose();
      return found;
    });
    const hasNumber = (values: Float32Array) => Array.from(values, (each) => !Number.isNaN(each));
    expect(hasNumber(value)).toEqual([
      ...Array(4).fill(true),
      ...Array(4).fill(false),
      ...Array(4).fill(true),
    ]);
    expect(hasNumber(dx).every(Boolean)).toBe(true);
    for (const gradient of ofWeights.slice(0, 2)) expect(hasNumber(gradient).every(Boolean)).toBe(false);
  });
});
