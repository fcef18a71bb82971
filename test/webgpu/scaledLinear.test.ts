import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { linearChannels } from '../../src/core/tensors';
import { hasKernels, runKernel } from '../../src/engine/kernels';
import { repeatSum } from '../../src/layers/logDets';
import { scaledLinear as fused } from '../wasm/helpers';
import { hasAdapter } from './adapter';
import { activate, dispatchesOf, expectSameOnBoth, valuesOn } from './onBoth';

/** Value and logDet of x, offset, logScale, the matrix and its logDet: by the kernels where they are, else by ordinary ops. */
function scaledLinear([x, offset, logScale, matrix, ofMatrix]: tf.Tensor[], inverse: boolean): tf.Tensor[] {
  if (!hasKernels('FlowScaledLinear')) {
    const positions = x.size / (Math.max(x.shape[0], 1) * offset.size);
    const logDet = repeatSum([logScale, ofMatrix], inverse ? -positions : positions, x.shape[0]);
    if (!inverse) return [linearChannels(tf.mul(tf.add(x, offset), tf.exp(logScale)), matrix), logDet];
    return [tf.sub(tf.mul(linearChannels(x, matrix), tf.exp(tf.neg(logScale))), offset), logDet];
  }
  return fused([x, offset, logScale, matrix, ofMatrix], inverse);
}

function inputs(shape: number[]): tf.Tensor[] {
  const random = new RandomStream(1);
  const channels = shape[shape.length - 1];
  const draw = (size: number[], deviation: number) => random.normal(size, 0, deviation);
  const matrix = draw([channels, channels], 1 / Math.sqrt(channels));
  return [draw(shape, 1), draw([channels], 1), draw([channels], 0.3), matrix, tf.scalar(0.7)];
}

/** Both results, and the gradients in everything given. */
function results(shape: number[], inverse: boolean): tf.Tensor[] {
  const given = inputs(shape);
  const random = new RandomStream(2);
  const [weights, ofLogDets] = [random.normal(shape), random.normal([shape[0]])];
  const loss = (...tensors: tf.Tensor[]) => {
    const [value, logDet] = scaledLinear(tensors, inverse);
    return tf.add(tf.sum(tf.mul(value, weights)), tf.sum(tf.mul(logDet, ofLogDets))) as tf.Scalar;
  };
  return [...scaledLinear(given, inverse), ...tf.grads(loss)(given)];
}

describe.skipIf(!hasAdapter)('actnorm and linear map on webgpu', () => {
  // One value; tiles of 16, 32 and 64 channels, full and not, by whole quads and not; rows in one part and in several.
  it.each([[[1, 1]], [[150, 2, 2, 5]], [[2, 9, 7, 12]], [[700, 21]], [[70, 65]], [[9, 192]]])(
    'as on cpu, %j',
    async (shape) => {
      // Gradients of weights are sums over all rows.
      await expectSameOnBoth(() => results(shape, false), 2e-5);
      await expectSameOnBoth(() => results(shape, true), 2e-5);
    },
  );

  it('of more examples than one workgroup tells', async () => {
    await expectSameOnBoth(() => scaledLinear(inputs([5000, 2]), false));
  });

  it('of nothing are nothing', async () => {
    const [value, logDet, ...gradients] = await valuesOn('webgpu', () => {
      const [input, offset, logScale, matrix, ofMatrix] = inputs([0, 2, 4]);
      const dLogDet = tf.zeros([0]);
      const given = { dy: input, dLogDet, input, offset, logScale, matrix };
      const gradient = runKernel('FlowScaledLinearGradient', given, { inverse: false });
      return [...scaledLinear([input, offset, logScale, matrix, ofMatrix], false), ...gradient];
    });
    expect([value, logDet].map(({ length }) => length)).toEqual([0, 0]);
    // dx; sums of nothing.
    expect(gradients.map(({ length }) => length)).toEqual([0, 4, 4, 16, 1]);
    for (const sums of gradients) expect(sums.every((sum) => sum === 0)).toBe(true);
  });

  it('take one dispatch, and two for the gradients', async () => {
    await activate('webgpu');
    const given = inputs([2, 4, 4, 12]);
    const [input, offset, logScale, matrix] = given;
    expect(dispatchesOf(() => scaledLinear(given, false))).toBe(1);
    const dLogDet = tf.ones([2]);
    const gradient = { dy: input, dLogDet, input, offset, logScale, matrix };
    expect(dispatchesOf(() => runKernel('FlowScaledLinearGradient', gradient, { inverse: true }))).toBe(2);
    tf.dispose([given, dLogDet]);
  });

  it.each([0, 1, 2, 3])('shows NaN in input %i', async (place) => {
    const [value] = await valuesOn('webgpu', () => {
      const given = inputs([3, 5]);
      given[place] = tf.mul(given[place], Number.NaN);
      return scaledLinear(given, false);
    });
    expect(value.some(Number.isFinite)).toBe(false);
  });
});
