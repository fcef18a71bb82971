import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { runKernel } from '../../src/engine/kernels';
import { luForm, squareOf } from '../../src/layers/linearForms/luForm';
import { hasAdapter } from './adapter';
import { activate, dispatchesOf, expectSameOnBoth, valuesOn } from './onBoth';

/** Random factors of n channels. What lies on the other side of a diagonal is not 0: nothing is to look at it. */
function draw(n: number) {
  const random = new RandomStream(n);
  const normal = (shape: number[], deviation: number) => random.normal(shape, 0, deviation);
  // A permutation for every n but multiples of 7.
  const rowOf = (column: number) => (column * 7 + 3) % n;
  return {
    permutation: squareOf(n, (row, column) => Number(rowOf(column) === row)),
    lower: normal([n, n], 1 / n),
    upper: normal([n, n], 1 / n),
    sign: tf.sign(normal([n], 1)),
    logScale: normal([n], 0.3),
  };
}

/** The matrix, its log|det|, and the gradients in what is trained. */
function results(n: number): tf.Tensor[] {
  const { permutation, lower, upper, sign, logScale } = draw(n);
  const dy = new RandomStream(5).normal([n, n]);
  const compute = (l: tf.Tensor, u: tf.Tensor, s: tf.Tensor) => {
    const form = luForm({ permutation, lower: l, upper: u, sign, logScale: s }, (held) => held);
    return [form.matrix(), tf.sum(form.logDetTerms(form.matrix())[0])];
  };
  const loss = (...given: tf.Tensor[]) => {
    const [matrix, logDet] = compute(given[0], given[1], given[2]);
    return tf.add(tf.sum(tf.mul(matrix, dy)), tf.mul(logDet, 0.7)) as tf.Scalar;
  };
  const given = [lower, upper, logScale];
  return [...compute(lower, upper, logScale), ...tf.grads(loss)(given)];
}

describe.skipIf(!hasAdapter)('the LU form on webgpu', () => {
  it.each([1, 2, 5, 12, 16, 17, 48, 192])('as on cpu for %i channels', async (n) => {
    await expectSameOnBoth(() => results(n));
  });

  it('takes a dispatch each way', async () => {
    await activate('webgpu');
    const { permutation, ...factors } = draw(12);
    const dLogDet = tf.scalar(1);
    const dy = permutation;
    expect(dispatchesOf(() => runKernel('FlowLuMatrix', { permutation, ...factors }))).toBe(1);
    const gradient = { permutation, factors: factors.lower, dy, dLogDet };
    expect(dispatchesOf(() => runKernel('FlowLuMatrixGradient', gradient))).toBe(1);
    tf.dispose([permutation, factors, dLogDet]);
  });

  it('adds the gradient in log|det| to that of each scale', async () => {
    const [, , ofLogScale] = await valuesOn('webgpu', () => {
      const { permutation, lower } = draw(20);
      const inputs = { permutation, factors: lower, dy: tf.zeros([20, 20]), dLogDet: tf.scalar(0.75) };
      return runKernel('FlowLuMatrixGradient', inputs);
    });
    expect([...ofLogScale]).toEqual(Array(20).fill(0.75));
  });

  it.each(['lower', 'upper', 'logScale'] as const)('shows NaN in %s', async (name) => {
    const [matrix] = await valuesOn('webgpu', () => {
      const given = draw(5);
      return runKernel('FlowLuMatrix', { ...given, [name]: tf.mul(given[name], Number.NaN) });
    });
    expect(matrix.every(Number.isFinite)).toBe(false);
  });
});
