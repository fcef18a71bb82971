import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { AffineCoupling, MultilayerPerceptron, RandomStream } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { hasKernels, runKernel } from '../../src/engine/kernels';
import { type FusedCouplingOptions, fusedAffineCoupling } from '../../src/layers/fusedCoupling';
import type { ScaleMap } from '../../src/layers/scaleMaps';
import type { Transformed } from '../../src/layers/transformed';
import { Gpu } from '../../src/webgpu/gpu';
import { hasAdapter } from './adapter';
import { activate, expectSameOnBoth, valuesOn } from './onBoth';

/** The coupling of layers, where the fused one is not. */
class Ordinary extends AffineCoupling {
  static override className = 'TestOrdinaryCoupling';

  steered(x: tf.Tensor, parameters: tf.Tensor, inverse: boolean): Transformed {
    return this.couple(x, parameters, inverse);
  }
}

function ordinary(x: tf.Tensor, parameters: tf.Tensor, { kept, scale, inverse }: FusedCouplingOptions) {
  const inputShape = x.shape.slice(1);
  const network = ([d]: readonly number[], [units]: readonly number[]) =>
    new MultilayerPerceptron({ inputShape: [d], units, seed: 1 });
  // The network is not run; its shapes are those of vectors.
  const coupling = new Ordinary({ inputShape: inputShape.slice(-1), network, passthrough: kept, scale });
  const result = coupling.steered(x, parameters, inverse);
  coupling.dispose();
  return result;
}

const couple: typeof ordinary = (x, parameters, options) =>
  hasKernels('FlowAffineCoupling')
    ? fusedAffineCoupling(x, parameters, options)
    : ordinary(x, parameters, options);

/** Value, log-determinant and the gradients in x and in the parameters. */
function results(shape: number[], options: FusedCouplingOptions, spread = 1): tf.Tensor[] {
  const random = new RandomStream(1);
  const changed = shape[shape.length - 1] - options.kept;
  const x = random.normal(shape);
  const parameters = random.normal([...shape.slice(0, -1), 2 * changed], 0, spread);
  const [weights, ofLogDet] = [random.normal(shape), random.normal([shape[0]])];
  const loss = (a: tf.Tensor, b: tf.Tensor) => {
    const { value, logDet } = couple(a, b, options);
    return tf.add(tf.sum(tf.mul(value, weights)), tf.sum(tf.mul(logDet, ofLogDet))) as tf.Scalar;
  };
  const { value, logDet } = couple(x, parameters, options);
  return [value, logDet, ...tf.grads(loss)([x, parameters])];
}

const ways = (['sigmoid', 'exp'] as ScaleMap[]).flatMap((scale) =>
  [false, true].map((inverse) => ({ scale, inverse })),
);

describe.skipIf(!hasAdapter)('affine coupling on webgpu', () => {
  // Vectors that one invocation, eight and more take; images of one, two and four channels at once; one that is cut into shares.
  const shapes: [shape: number[], kept: number][] = [
    [[700, 2], 1],
    [[5, 37], 20],
    [[3, 100], 50],
    [[2, 7, 5, 12], 6],
    [[3, 4, 4, 8], 4],
    [[2, 9, 11, 3], 1],
    [[2, 70, 80, 4], 2],
  ];

  it.each(shapes)('as on cpu, %j with %d kept', async (shape, kept) => {
    for (const way of ways) await expectSameOnBoth(() => results(shape, { ...way, kept }), 2e-5);
  });

  it('keeps its digits where scales are near 0 or 1', async () => {
    for (const way of ways) await expectSameOnBoth(() => results([40, 6], { ...way, kept: 2 }, 8), 2e-5);
  });

  it('takes one dispatch for both results, and one for both gradients', async () => {
    await activate('webgpu');
    const gpu = Gpu.of(tf.backend() as WebGPUBackend);
    const options: FusedCouplingOptions = { kept: 6, scale: 'sigmoid', inverse: false };
    tf.tidy(() => {
      const [x, parameters] = [tf.ones([2, 4, 4, 12]), tf.zeros([2, 4, 4, 12])];
      const before = gpu.dispatches;
      fusedAffineCoupling(x, parameters, options);
      expect(gpu.dispatches - before).toBe(1);
      tf.grad((given) => fusedAffineCoupling(given, parameters, options).value)(x);
      expect(gpu.dispatches - before).toBe(3);
    });
  });

  // exp of what is no number is Infinity on some devices.
  const broken = (values: Float32Array) => [...values].map((value) => !Number.isFinite(value));

  it('turns nothing that is no number into one', async () => {
    const data = () => tf.tensor2d([1, 1, Number.NaN, 1, 1, 1, 1, 1], [2, 4]);
    const steering = () => tf.tensor2d([0, 0, 0, Number.NaN, 0, 0, 0, 0, 0, 0, 0, 0], [2, 6]);
    for (const way of ways) {
      const options = { ...way, kept: 1 };
      const [value, logDet] = await valuesOn('webgpu', () => {
        const result = couple(data(), tf.zeros([2, 6]), options);
        return [result.value, result.logDet];
      });
      expect(broken(value)).toEqual([false, false, true, false, false, false, false, false]);
      expect(broken(logDet)).toEqual([false, false]);
      const [steered, ofSteered, dx, dParameters] = await valuesOn('webgpu', () => {
        const result = couple(tf.ones([2, 4]), steering(), options);
        const loss = (x: tf.Tensor, parameters: tf.Tensor) =>
          tf.sum(couple(x, parameters, options).value) as tf.Scalar;
        return [result.value, result.logDet, ...tf.grads(loss)([tf.ones([2, 4]), steering()])];
      });
      const second = [false, true, false, false, false, false, false, false];
      expect([broken(steered), broken(dx)]).toEqual([second, second]);
      expect(broken(ofSteered)).toEqual([true, false]);
      expect(broken(dParameters)[3]).toBe(true);
    }
  });

  it('of nothing is nothing', async () => {
    const options: FusedCouplingOptions = { kept: 2, scale: 'sigmoid', inverse: false };
    const values = await valuesOn('webgpu', () => {
      const [x, parameters, dLogDet] = [tf.ones([0, 4]), tf.ones([0, 4]), tf.ones([0])];
      const inputs = { x, parameters, dy: x, dLogDet };
      const { value, logDet } = couple(x, parameters, options);
      return [value, logDet, ...runKernel('FlowAffineCouplingGradient', inputs, options)];
    });
    expect(values.map(({ length }) => length)).toEqual([0, 0, 0, 0]);
  });
});
