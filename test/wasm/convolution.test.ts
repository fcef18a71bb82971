import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { prepareWasm, wasmReport } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Geometry, outputShape, convolution as reference } from './convolutionReference';
import { compute, distance, randomTensor } from './helpers';

/** float32 sums of up to some thousand terms against float64: rounding grows with the root of their number. */
const TOLERANCE = 5e-6;

function geometry(random: RandomStream): Geometry {
  const pick = <T>(choices: readonly T[]) => choices[random.integer(choices.length)];
  const strides: [number, number] = [1 + random.integer(3), 1 + random.integer(3)];
  const strided = strides[0] * strides[1] > 1;
  return {
    batch: pick([1, 1, 2, 3]),
    size: [4 + random.integer(9), 4 + random.integer(9)],
    channels: [pick([1, 2, 3, 5, 6, 12, 31, 37, 40]), pick([1, 3, 4, 7, 8, 12, 13, 18, 40])],
    filter: [1 + random.integer(3), 1 + random.integer(4)],
    strides,
    pad: pick<Geometry['pad']>([
      'same',
      'valid',
      1,
      [
        [0, 0],
        [1, 0],
        [2, 1],
        [0, 0],
      ],
    ]),
    dilations: strided
      ? [1, 1]
      : pick([
          [1, 1],
          [2, 1],
          [1, 2],
        ]),
  };
}

describe.each([1, 2])('convolutions on %i threads', (threads) => {
  beforeAll(async () => {
    await prepareWasm({ threads });
  });

  it('reports what is active', () => {
    const report = wasmReport();
    expect(report.threads).toBe(threads);
    expect(report.kernels).toContain('Conv2DBackpropFilter');
  });

  const random = new RandomStream(11);
  it.each(Array.from({ length: 40 }, () => geometry(random)))('%j equals float64', (g) => {
    const x = randomTensor(random, [g.batch, ...g.size, g.channels[0]]);
    const filter = randomTensor(random, [...g.filter, ...g.channels]);
    const dy = randomTensor(random, outputShape(g));
    const [y, dx, dFilter] = reference(g, x, filter, dy);
    const convolve = (a: tf.Tensor, b: tf.Tensor) =>
      tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, g.strides, g.pad, 'NHWC', g.dilations);
    const [result] = compute([x, filter], (a, b) => [convolve(a, b)]);
    expect(distance(y, result)).toBeLessThan(TOLERANCE);
    // tfjs has no gradients of dilated convolutions.
    if (g.dilations[0] * g.dilations[1] > 1) return;
    const gradients = compute([x, filter, dy], (a, b, d) => tf.grads(convolve)([a, b], d));
    expect(distance(dx, gradients[0])).toBeLessThan(TOLERANCE);
    expect(distance(dFilter, gradients[1])).toBeLessThan(TOLERANCE);
  });

  it('covers deep products and wide images', () => {
    const g: Geometry = {
      batch: 2,
      size: [9, 33],
      channels: [530, 12],
      filter: [3, 3],
      strides: [1, 1],
      pad: 'same',
      dilations: [1, 1],
    };
    const x = randomTensor(random, [2, 9, 33, 530]);
    const filter = randomTensor(random, [3, 3, 530, 12]);
    const dy = randomTensor(random, outputShape(g));
    const [y, dx, dFilter] = reference(g, x, filter, dy);
    const convolve = (a: tf.Tensor, b: tf.Tensor) => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'same');
    expect(distance(y, compute([x, filter], (a, b) => [convolve(a, b)])[0])).toBeLessThan(TOLERANCE);
    const gradients = compute([x, filter, dy], (a, b, d) => tf.grads(convolve)([a, b], d));
    expect(distance(dx, gradients[0])).toBeLessThan(TOLERANCE);
    expect(distance(dFilter, gradients[1])).toBeLessThan(TOLERANCE);
  });

  it('adds bias and relu in the same pass', () => {
    const inputs = [[2, 5, 5, 3], [3, 3, 3, 13], [13]].map((shape) => randomTensor(random, shape));
    const [plain, fused] = compute(inputs, (x, filter, bias) => [
      tf.relu(tf.add(tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same'), bias)),
      tf.fused.conv2d({
        x: x as tf.Tensor4D,
        filter: filter as tf.Tensor4D,
        strides: 1,
        pad: 'same',
        bias,
        activation: 'relu',
      }),
    ]);
    expect(distance(plain, fused)).toBe(0);
  });

  it('carries NaN and infinity to the outputs that see them, and to no others', () => {
    const x = new Float32Array(36).fill(1);
    x[14] = Number.NaN;
    x[35] = Number.POSITIVE_INFINITY;
    const filter = new Float32Array(9 * 5).fill(1);
    const [y] = compute(
      [
        { shape: [1, 6, 6, 1], values: x },
        { shape: [3, 3, 1, 5], values: filter },
      ],
      (a, b) => [tf.relu(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'same'))],
    );
    for (let i = 0; i < 6; i++) {
      for (let j = 0; j < 6; j++) {
        const value = y[(i * 6 + j) * 5];
        const seesNaN = Math.abs(i - 2) <= 1 && Math.abs(j - 2) <= 1;
        if (seesNaN) expect(value).toBeNaN();
        else expect(Number.isFinite(value)).toBe(i < 4 || j < 4);
      }
    }
  });

  it('takes an empty batch', () => {
    const inputs = [
      [0, 5, 5, 2],
      [3, 3, 2, 4],
      [0, 5, 5, 4],
    ].map((shape) => randomTensor(random, shape));
    const convolve = (a: tf.Tensor, b: tf.Tensor) => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'same');
    const [dx, dFilter] = compute(inputs, (x, filter, dy) => tf.grads(convolve)([x, filter], dy));
    expect(dx.length).toBe(0);
    expect([...dFilter]).toEqual(new Array(72).fill(0));
  });

  it('leaves what it does not take to the stock kernel', () => {
    const inputs = [
      [1, 4, 4, 2],
      [1, 1, 2, 3],
    ].map((shape) => randomTensor(random, shape));
    const before = wasmReport().fallbacks.FusedConv2D ?? 0;
    compute(inputs, (x, filter) => [
      tf.fused.conv2d({
        x: x as tf.Tensor4D,
        filter: filter as tf.Tensor4D,
        strides: 1,
        pad: 'same',
        activation: 'sigmoid',
      }),
    ]);
    expect(wasmReport().fallbacks.FusedConv2D).toBe(before + 1);
  });
});
