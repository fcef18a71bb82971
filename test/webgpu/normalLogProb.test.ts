import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { normalLogProb } from '../../src/distributions/fusedNormal';
import { hasAdapter } from './adapter';
import { activate, dispatchesOf, expectSameOnBoth, valuesOn, withGradients } from './onBoth';

describe.skipIf(!hasAdapter)('log-densities of the standard normal on webgpu', () => {
  // A value, some, many in each example, and so many that it is cut into shares.
  it.each([[[9, 1]], [[70, 13]], [[3, 4, 4, 12]], [[2, 40000]]])('as on cpu, %j', async (shape) => {
    const z = () => new RandomStream(5).normal(shape);
    await expectSameOnBoth(() => withGradients((x) => [normalLogProb(x)], [z()]));
  });

  it('take one dispatch each way', async () => {
    await activate('webgpu');
    const z = tf.ones([3, 5]);
    expect(dispatchesOf(() => normalLogProb(z))).toBe(1);
    expect(dispatchesOf(() => tf.grad((x) => normalLogProb(x))(z))).toBe(2);
    z.dispose();
  });

  it('keep what is no number, and none', async () => {
    const [broken, none] = await valuesOn('webgpu', () => [
      normalLogProb(tf.tensor2d([1, Number.NaN, 1, 1], [2, 2])),
      normalLogProb(tf.ones([0, 3])),
    ]);
    expect([...broken].map(Number.isNaN)).toEqual([true, false]);
    expect(none.length).toBe(0);
  });
});
