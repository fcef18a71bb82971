import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { expect, it } from 'vitest';
import { fusedAffineCoupling } from '../../src/layers/fusedCoupling';
import { scaleChannels } from '../../src/layers/fusedScaleChannels';
import { fusedConvolutions } from '../../src/layers/networks/fusedConvolutions';
import { type FusedSpline, fusedEvents } from '../../src/layers/transformers/fusedTransformer';
import { normOfGradients } from '../../src/training/clipping';
import { freshBackend } from './heap';
import { compute, randomTensor, scaledLinearValue } from './helpers';

type Operation = (...tensors: tf.Tensor[]) => tf.Tensor[];

const convolve = (...[x, filter]: tf.Tensor[]) =>
  tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same');
const depthwise = (...[x, filter]: tf.Tensor[]) =>
  tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same');
const squares =
  (f: (...t: tf.Tensor[]) => tf.Tensor) =>
  (...t: tf.Tensor[]) =>
    tf.sum(tf.square(f(...t)));

/** Sizes of many chunks each: their cuts could depend on the threads. */
const cases: [string, number[][], Operation][] = [
  [
    'convolution',
    [
      [4, 17, 15, 6],
      [3, 3, 6, 40],
    ],
    (...t) => [convolve(...t), ...tf.grads(squares(convolve))(t)],
  ],
  [
    'wide convolution',
    [
      [4, 16, 16, 70],
      [3, 3, 70, 12],
    ],
    (...t) => [convolve(...t), ...tf.grads(squares(convolve))(t)],
  ],
  [
    'depthwise',
    [
      [5, 16, 16, 9],
      [3, 3, 9, 2],
    ],
    (...t) => tf.grads(squares(depthwise))(t),
  ],
  [
    'products',
    [
      [700, 90],
      [90, 50],
      [700, 30],
    ],
    (a, b, c) => [tf.matMul(a, b), tf.matMul(a, c, true), tf.matMul(c, tf.transpose(a), true, true)],
  ],
  ['sums', [[300, 200]], (x) => [tf.sum(x), tf.sum(x, 0), tf.mean(x, 1)]],
  ['global norm', [[50_000], [17], [16_385]], (...t) => [normOfGradients(t)]],
  [
    'coupling',
    [
      [9, 6, 6, 10],
      [9, 6, 6, 10],
    ],
    (x, parameters) =>
      Object.values(fusedAffineCoupling(x, parameters, { kept: 5, scale: 'sigmoid', inverse: false })),
  ],
  [
    'splines',
    [
      [300, 5],
      [300, 4 * 23],
    ],
    (...t) => {
      const spline: FusedSpline = { kind: 'spline', bins: 8, bound: 3, tails: 'linear', minimum: 1e-3 };
      return [false, true].flatMap((inverse) => {
        const value = (x: tf.Tensor, p: tf.Tensor) =>
          Object.values(fusedEvents(spline, x, p, { kept: 1, inverse }));
        return [...value(t[0], t[1]), ...tf.grads((x, p) => value(x, p)[0])(t)];
      });
    },
  ],
  [
    'actnorm',
    [[900, 21], [21], [21], [900, 21]],
    (x, offset, logScale, dy) =>
      tf.grads((...t: tf.Tensor[]) => scaleChannels(t[0], t[1], t[2]))([x, offset, logScale], dy),
  ],
  [
    'actnorm with a 1x1 convolution',
    [[2000, 21], [21], [21], [21, 21], [2000, 21]],
    (...given) => {
      const dy = given.pop() as tf.Tensor;
      return [false, true].flatMap((inverse) => {
        const linear = (...t: tf.Tensor[]) => scaledLinearValue(t, inverse);
        return [linear(...given), ...tf.grads(linear)(given, dy)];
      });
    },
  ],
  [
    'coupling network',
    [[4, 16, 16, 6], [3, 3, 6, 40], [40], [40], [3, 3, 40, 12], [12]],
    (...t) => {
      const network = (...[x, a, b, c, d, e]: tf.Tensor[]) =>
        fusedConvolutions(x as tf.Tensor4D, [
          { filter: a as tf.Tensor4D, offset: b, logScale: c as tf.Tensor1D },
          { filter: d as tf.Tensor4D, offset: e },
        ]);
      return [network(...t), ...tf.grads(squares(network))(t)];
    },
  ],
];

it('kernels give the same bits on any number of threads, and every time', async () => {
  const random = new RandomStream(17);
  const inputs = cases.map(([, shapes]) => shapes.map((shape) => randomTensor(random, shape)));
  const runs: Float32Array[][][] = [];
  for (const threads of [1, 2, 2, 3]) {
    await freshBackend(threads);
    runs.push(cases.map(([, , f], i) => compute(inputs[i], f)));
  }
  cases.forEach(([name], i) => {
    for (const run of runs.slice(1)) expect(run[i], name).toEqual(runs[0][i]);
  });
});
