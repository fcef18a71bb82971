import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { constantLogDet, zeroLogDet } from '../../src/core/tensors';
import { addLogDets, repeatSum, sumOf } from '../../src/layers/logDets';
import { hasAdapter } from './adapter';
import { activate, dispatchesOf, expectSameOnBoth, valuesOn, withGradients } from './onBoth';

const draw = (shapes: number[][]) => {
  const random = new RandomStream(2);
  return shapes.map((shape) => random.normal(shape));
};
const sumOfAll = (...terms: tf.Tensor[]) => [addLogDets(terms as tf.Tensor1D[])];

describe.skipIf(!hasAdapter)('log-determinants on webgpu', () => {
  // Fewer and more than one dispatch reads.
  it.each([1, 2, 7, 8, 20])('%i of them are added as on cpu', async (count) => {
    const terms = () => draw(Array.from({ length: count }, () => [300]));
    await expectSameOnBoth(() => withGradients(sumOfAll, terms()));
    const withConstants = (...given: tf.Tensor[]) =>
      sumOfAll(zeroLogDet(300), ...given, constantLogDet(300, -2.5));
    await expectSameOnBoth(() => withGradients(withConstants, terms()));
  });

  it('take one dispatch for seven of them, and none in gradients', async () => {
    await activate('webgpu');
    const [first, ...others] = [1, 2, 3, 4, 5, 6, 7].map((value) => tf.fill([3], value));
    const sum = (term: tf.Tensor) => sumOfAll(zeroLogDet(3), term, ...others)[0];
    expect(dispatchesOf(() => sum(first))).toBe(1);
    expect(dispatchesOf(() => tf.grad(sum)(first))).toBe(1);
    expect(dispatchesOf(() => sumOfAll(zeroLogDet(3), first))).toBe(0);
    tf.dispose([first, ...others]);
  });

  it('that are constants are one', async () => {
    const [sum] = await valuesOn('webgpu', () => sumOfAll(zeroLogDet(2), constantLogDet(2, 3)));
    expect([...sum]).toEqual([3, 3]);
  });

  it.each([[[[5]]], [[[4, 4], [1], [700]]], [Array.from({ length: 9 }, () => [3])]])(
    'a sum for every example as on cpu, %j',
    async (shapes) => {
      const repeated = (...terms: tf.Tensor[]) => [repeatSum(terms, -2, 300)];
      await expectSameOnBoth(() => withGradients(repeated, draw(shapes)));
      await expectSameOnBoth(() => [sumOf(draw(shapes)[0])]);
    },
  );

  it('a sum for every example takes one dispatch each way', async () => {
    await activate('webgpu');
    const weight = tf.ones([12]);
    expect(dispatchesOf(() => repeatSum([weight], 4, 16))).toBe(1);
    expect(dispatchesOf(() => tf.grad((x) => repeatSum([x], 4, 16))(weight))).toBe(2);
    weight.dispose();
  });

  it('keep what is no number', async () => {
    const broken = () => tf.tensor1d([1, Number.NaN]);
    const [sum, repeated] = await valuesOn('webgpu', () => [
      ...sumOfAll(broken(), tf.ones([2])),
      repeatSum([broken()], 1, 2),
    ]);
    expect([...sum]).toEqual([2, Number.NaN]);
    expect([...repeated]).toEqual([Number.NaN, Number.NaN]);
  });

  it('of nothing are nothing', async () => {
    await expectSameOnBoth(() => [
      ...sumOfAll(tf.ones([0]), tf.ones([0])),
      repeatSum([tf.ones([3])], 1, 0),
      repeatSum([tf.ones([0])], 1, 2),
    ]);
  });
});
