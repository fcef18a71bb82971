import * as tf from '@tensorflow/tfjs-core';
import { MultilayerPerceptron, RandomStream, RationalQuadraticSpline, TransformerCoupling } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { inEveryRow, joinChannels, splitChannels } from '../../src/core/tensors';
import { runKernel } from '../../src/engine/kernels';
import {
  type FusedSpline,
  fusedSplinesOfAll,
  hasFusedSplinesOfAll,
} from '../../src/layers/transformers/fusedTransformer';
import { hasAdapter } from './adapter';
import { activate, dispatchesOf, expectSameOnBoth, valuesOn, withGradients } from './onBoth';

const spline = new RationalQuadraticSpline({ bins: 5, bound: 3 });
const form = spline.fused as FusedSpline;
const { parameters: count } = spline;

/** Value and log-determinant: by the kernel where it is, else by two maps. */
function mapped(x: tf.Tensor, parameters: tf.Tensor, passing: tf.Tensor, kept: number): tf.Tensor[] {
  if (hasFusedSplinesOfAll(form, form))
    return Object.values(fusedSplinesOfAll(form, x, parameters, passing, kept));
  const others = spline.mapEvents(x, parameters, kept, false);
  const [first, changed] = splitChannels(others.value, kept);
  const rows = tf.reshape(first, [x.shape[0], -1]);
  const own = spline.mapEvents(rows, inEveryRow(passing, x.shape[0]), 0, false);
  const value = joinChannels([tf.reshape(own.value, first.shape), changed]);
  return [value, tf.add(others.logDet, own.logDet)];
}

function inputsOf(shape: number[], kept: number): tf.Tensor[] {
  const random = new RandomStream(3);
  const channels = shape[shape.length - 1];
  const positions = shape.slice(1, -1).reduce((product, length) => product * length, 1);
  return [
    random.normal(shape),
    random.normal([...shape.slice(0, -1), (channels - kept) * count], 0, 0.5),
    random.normal([positions * kept, count], 0, 0.5),
  ];
}

describe.skipIf(!hasAdapter)('splines of values that pass and of the others on webgpu', () => {
  // Few values of an example and many, in several parts of the batch; images.
  it.each([
    [[70, 5], 1],
    [[150, 7], 3],
    [[3, 90], 40],
    [[2, 3, 2, 6], 2],
  ])('as on cpu, %j with %d that pass', async (shape, kept) => {
    const compute = () => withGradients((x, a, b) => mapped(x, a, b, kept), inputsOf(shape, kept));
    await expectSameOnBoth(compute, 1e-4);
  });

  it('of no events, with gradients of zeros', async () => {
    const [value, logDet, dx, dParameters, dPassing] = await valuesOn('webgpu', () => {
      const [x, parameters, passing] = inputsOf([0, 5], 2);
      const given = { x, parameters, passing, dy: x, dLogDet: tf.zeros([0]) };
      const attributes = { ...form, kept: 2, inverse: false };
      const gradients = runKernel('FlowSplinesOfAllGradient', given, attributes);
      return [...mapped(x, parameters, passing, 2), ...gradients];
    });
    expect([value, logDet, dx, dParameters].map(({ length }) => length)).toEqual([0, 0, 0, 0]);
    expect([...dPassing]).toEqual(Array(2 * count).fill(0));
  });

  it('NaN stays in its value, or in all that its parameters map', async () => {
    const [value, , ofPassing, logDet] = await valuesOn('webgpu', () => {
      const [x, parameters, passing] = inputsOf([3, 5], 2);
      const broken = (tensor: tf.Tensor, at: number) => {
        const values = tensor.dataSync<'float32'>().slice();
        values[at] = Number.NaN;
        return tf.tensor(values, tensor.shape);
      };
      const [brokenX, brokenPassing] = [broken(x, 5), broken(passing, count + 1)];
      return [
        ...mapped(brokenX, parameters, passing, 2),
        ...mapped(tf.mul(x, 0.1), parameters, brokenPassing, 2),
      ];
    });
    expect(Array.from(value, Number.isNaN)).toEqual(Array.from({ length: 15 }, (_, i) => i === 5));
    expect(Array.from(ofPassing, Number.isFinite)).toEqual(Array.from({ length: 15 }, (_, i) => i % 5 !== 1));
    expect(Array.from(logDet, Number.isNaN)).toEqual([true, true, true]);
  });

  it('are one dispatch of a coupling forward, and two back', async () => {
    await activate('webgpu');
    const coupling = new TransformerCoupling({
      inputShape: [5],
      passthrough: 2,
      transformer: spline,
      passed: new RationalQuadraticSpline(spline.getConfig() as object),
      network: ([d], [units]) => new MultilayerPerceptron({ inputShape: [d], units, seed: 1 }),
    });
    const x = tf.ones([40, 5]);
    tf.tidy(() => void coupling.forward(x));
    // Beside two of the network forward, and two back.
    expect(dispatchesOf(() => coupling.forward(x))).toBe(3);
    const loss = () => coupling.forward(x).value as tf.Scalar;
    expect(dispatchesOf(() => tf.engine().gradients(loss, coupling.trainableWeights, x))).toBe(7);
    tf.dispose(x);
    coupling.dispose();
  });
});
