import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { ChannelOrder } from '../../src/layers/channelOrder';
import { hasAdapter } from './adapter';
import { activate, dispatchesOf, expectSameOnBoth, valuesOn, withGradients } from './onBoth';

describe.skipIf(!hasAdapter)('orders of channels on webgpu', () => {
  it.each([[[1, 1]], [[90, 5]], [[2, 3, 3, 12]]])('as on cpu, %j', async (shape) => {
    const channels = shape[shape.length - 1];
    const order = new ChannelOrder(Int32Array.from(new RandomStream(6).permutation(channels)));
    const x = () => new RandomStream(7).normal(shape);
    await expectSameOnBoth(() => withGradients((given) => [order.apply(given), order.undo(given)], [x()]));
  });

  it('take one dispatch each way, keep what is no number, and none', async () => {
    await activate('webgpu');
    const order = new ChannelOrder(Int32Array.of(2, 0, 1));
    const x = tf.tensor2d([1, 2, Number.NaN], [1, 3]);
    expect(dispatchesOf(() => order.apply(x))).toBe(1);
    expect(dispatchesOf(() => tf.grad((given) => order.apply(given))(x))).toBe(2);
    const [ordered, none] = await valuesOn('webgpu', () => [order.apply(x), order.apply(tf.ones([0, 3]))]);
    expect([...ordered]).toEqual([Number.NaN, 1, 2]);
    expect(none.length).toBe(0);
    x.dispose();
  });
});
