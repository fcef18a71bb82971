import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { fusedAffineCoupling } from '../../src/layers/fusedCoupling';
import { scaleChannels } from '../../src/layers/fusedScaleChannels';
import { fusedConvolutions } from '../../src/layers/networks/fusedConvolutions';
import { normOfGradients } from '../../src/training/clipping';
import { fusedAdaptiveStep } from '../../src/training/fusedAdaptiveStep';
import { convolution, outputShape } from './convolutionReference';
import * as reference from './flowReferences';
import { compute, distance, expectSame, type HostTensor, randomTensor, scaledLinearValue } from './helpers';

const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** The tensor with one value in its middle replaced. */
function poisoned({ shape, values }: HostTensor, value: number): HostTensor {
  const copy = Float32Array.from(values);
  copy[Math.floor(copy.length / 2)] = value;
  return { shape, values: copy };
}

type Operation = (...tensors: tf.Tensor[]) => tf.Tensor[];

/** Entries that are not finite in `exact` but are in `received`. */
function hidden(exact: ArrayLike<number>, received: ArrayLike<number>): number[] {
  return Array.from(exact).filter((value, i) => !Number.isFinite(value) && Number.isFinite(received[i]));
}

/** Ordinary kernels: what is not finite must be so in the same places as on the cpu backend, everything else the same. */
const ordinary: [string, number[][], Operation][] = [
  [
    'depthwise convolution and its gradients',
    [
      [2, 5, 6, 3],
      [3, 3, 3, 2],
      [2, 3, 4, 6],
    ],
    (x, filter, dy) => {
      const convolve = (a: tf.Tensor, b: tf.Tensor) =>
        tf.depthwiseConv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'valid');
      return [convolve(x, filter), ...tf.grads(convolve)([x, filter], dy)];
    },
  ],
  [
    'matrix products',
    [
      [9, 13],
      [13, 10],
      [9, 7],
      [11, 13],
    ],
    (a, b, c, d) => [tf.matMul(a, b), tf.matMul(a, c, true, false), tf.matMul(a, d, false, true)],
  ],
  [
    'relu after a product',
    [[9, 13], [13, 10], [10]],
    (a, b, bias) => [tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias, activation: 'relu' })],
  ],
  [
    'sums and means',
    [[70, 19]],
    (x) => [tf.sum(x), tf.sum(x, 0), tf.sum(x, 1), tf.mean(x), tf.mean(x, 0), tf.mean(x, 1)],
  ],
  [
    'einsum',
    [
      [3, 4, 5],
      [3, 5, 6],
    ],
    (a, b) => [tf.einsum('bij,bjk->bik', a, b)],
  ],
];

describe.each([1, 2])('what is not finite, on %i threads', (threads) => {
  beforeAll(async () => {
    await prepareWasm({ threads });
  });
  const random = new RandomStream(14);

  describe.each(special)('%d', (value) => {
    it.each(ordinary)('%s', async (_, shapes, f) => {
      const inputs = shapes.map((shape) => randomTensor(random, shape));
      for (let i = 0; i < inputs.length; i++) {
        await expectSame(
          inputs.map((input, j) => (i === j ? poisoned(input, value) : input)),
          f,
        );
      }
    });

    it('convolution and its gradients', () => {
      const geometry = {
        batch: 2,
        size: [5, 6] as [number, number],
        channels: [3, 5] as [number, number],
        filter: [3, 3] as [number, number],
        strides: [1, 2] as [number, number],
        pad: 'same' as const,
        dilations: [1, 1] as [number, number],
      };
      const clean = [[2, 5, 6, 3], [3, 3, 3, 5], outputShape(geometry)].map((shape) =>
        randomTensor(random, shape),
      );
      for (let i = 0; i < clean.length; i++) {
        const inputs = clean.map((input, j) => (i === j ? poisoned(input, value) : input));
        const exact = convolution(geometry, inputs[0], inputs[1], inputs[2]);
        const received = compute(inputs, (x, filter, dy) => {
          const convolve = (a: tf.Tensor, b: tf.Tensor) =>
            tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, [1, 2], 'same');
          return [convolve(x, filter), ...tf.grads(convolve)([x, filter], dy)];
        });
        exact.forEach((expected, k) => {
          // Filter and output gradient also meet the zeros around the image, and 0 times infinity is NaN.
          if (i > 0) expect(hidden(expected, received[k]), `input ${i}, result ${k}`).toEqual([]);
          else expect(distance(expected, received[k]), `result ${k}`).toBeLessThan(5e-6);
        });
      }
    });

    it('sums by segment stay in their segment', () => {
      const x = poisoned({ shape: [5, 3], values: new Float32Array(15).fill(1) }, value);
      const [sums] = compute([x], (rows) => [
        tf.unsortedSegmentSum(rows as tf.Tensor2D, tf.tensor1d([0, 0, 2, 1, 0], 'int32'), 3),
      ]);
      expect([...sums]).toEqual([3, 3, 3, 1, 1, 1, 1, value, 1]);
    });

    it.each(['sigmoid', 'exp'] as const)('affine coupling, %s', (scale) => {
      for (const inverse of [false, true]) {
        const options = { kept: 3, scale, inverse };
        const clean = [[2, 3, 10], [2, 3, 14], [2, 3, 10], [2]].map((shape) => randomTensor(random, shape));
        for (let i = 0; i < clean.length; i++) {
          const inputs = clean.map((input, j) => (i === j ? poisoned(input, value) : input));
          const [x, parameters, dy, dLogDet] = inputs;
          const exact = reference.affineCoupling(x, parameters, options, dy.values, dLogDet.values);
          const received = compute(inputs, (a, b, c, d) => {
            const { value: y, logDet } = fusedAffineCoupling(a, b, options);
            const gradients = tf
              .engine()
              .runKernel(
                'FlowAffineCouplingGradient',
                { x: a, parameters: b, dy: c, dLogDet: d },
                options,
              ) as tf.Tensor[];
            return [y, logDet, ...gradients];
          });
          exact.forEach((expected, k) => {
            expect(
              distance(expected, received[k]),
              `input ${i}, result ${k}, inverse ${inverse}`,
            ).toBeLessThan(5e-6);
          });
        }
      }
    });

    it('actnorm', () => {
      const clean = [[5, 10], [10], [10], [5, 10]].map((shape) => randomTensor(random, shape));
      for (let i = 0; i < clean.length; i++) {
        const inputs = clean.map((input, j) => (i === j ? poisoned(input, value) : input));
        const exact = reference.scaleChannels(inputs[0], inputs[1], inputs[2], inputs[3].values);
        const received = compute(inputs, (x, offset, logScale, dy) => {
          const scaled = (...tensors: tf.Tensor[]) => scaleChannels(tensors[0], tensors[1], tensors[2]);
          return [scaled(x, offset, logScale), ...tf.grads(scaled)([x, offset, logScale], dy)];
        });
        exact.forEach((expected, k) => {
          // A factor that is infinite is taken to summand and value apart, so NaN may stand for infinity.
          if (i === 2) expect(hidden(expected, received[k]), `result ${k}`).toEqual([]);
          else expect(distance(expected, received[k]), `input ${i}, result ${k}`).toBeLessThan(5e-6);
        });
      }
    });

    it.each([false, true])('actnorm with a 1x1 convolution hides none of it, inverse %s', (inverse) => {
      const clean = [[35, 10], [10], [10], [10, 10], [35, 10]].map((shape) => randomTensor(random, shape));
      for (let i = 0; i < clean.length; i++) {
        const inputs = clean.map((input, j) => (i === j ? poisoned(input, value) : input));
        const exact = reference.scaledLinear(inputs, inverse, inputs[4].values);
        const received = compute(inputs, (...given) => {
          const dy = given.pop() as tf.Tensor;
          const linear = (...t: tf.Tensor[]) => scaledLinearValue(t, inverse);
          return [linear(...given), ...tf.grads(linear)(given, dy)];
        });
        exact.forEach((expected, k) => {
          // Scale and matrix are multiplied first, and sums meet infinities in another order: NaN may stand for infinity.
          const [whole, ours] = [expected, received[k]].map((values) =>
            values.map((entry) => (Number.isFinite(entry) ? entry : Number.NaN)),
          );
          if (i === 2) expect(hidden(expected, received[k]), `result ${k}`).toEqual([]);
          else expect(distance(whole, ours), `input ${i}, result ${k}`).toBeLessThan(5e-6);
        });
      }
    });

    it('a coupling network hides none of it', () => {
      const shapes = [[1, 6, 6, 3], [3, 3, 3, 9], [9], [9], [3, 3, 9, 4], [4], [1, 6, 6, 4]];
      const clean = shapes.map((shape) => randomTensor(random, shape));
      for (let i = 0; i < clean.length; i++) {
        const inputs = clean.map((input, j) => (i === j ? poisoned(input, value) : input));
        const [x, filter, offset, logScale, lastFilter, lastOffset, dy] = inputs;
        const layers = [
          { filter, offset, logScale },
          { filter: lastFilter, offset: lastOffset },
        ];
        const exact = reference.convolutionChain(x, layers, dy.values);
        const received = compute(inputs, (input, a, b, c, d, e, gradient) => {
          const network = (...t: tf.Tensor[]) =>
            fusedConvolutions(t[0] as tf.Tensor4D, [
              { filter: t[1] as tf.Tensor4D, offset: t[2], logScale: t[3] as tf.Tensor1D },
              { filter: t[4] as tf.Tensor4D, offset: t[5] },
            ]);
          const tensors = [input, a, b, c, d, e];
          return [network(...tensors), ...tf.grads(network)(tensors, gradient)];
        });
        // Winograd's tiles spread it to their neighbours, so more may be NaN than by the definition, never less.
        exact.forEach((expected, k) => {
          expect(hidden(expected, received[k]), `input ${i}, result ${k}`).toEqual([]);
        });
      }
    });

    it.each(['adam', 'adamax'] as const)('a step of %s', async (kind) => {
      const constants = {
        kind,
        learningRate: 0.1,
        beta1: 0.9,
        beta2: 0.99,
        epsilon: 1e-7,
        bias1: 0.1,
        bias2: 0.01,
      };
      const [weight, gradient, first, second] = [0, 1, 2, 3].map(() => randomTensor(random, [21]));
      const inputs = [
        weight,
        poisoned(gradient, value),
        first,
        { ...second, values: second.values.map(Math.abs) },
      ];
      const [moved, m, v] = compute(inputs, (a, b, c, d) => {
        fusedAdaptiveStep({ weight: [a], first: [c], second: [d] }, [b], constants, 1);
        return [a, c, d];
      });
      for (const [at, values] of [moved, m, v].entries()) {
        values.forEach((received, i) => {
          // An infinite step of an infinite size is NaN: shown in any case.
          expect(Number.isFinite(received), `result ${at}, ${i}`).toBe(i !== 10);
        });
      }
    });

    it('global norm', () => {
      const input = poisoned(randomTensor(random, [37]), value);
      const [norm] = compute([input], (x) => [normOfGradients([tf.ones([5]), x])]);
      expect(norm[0]).toBe(Number.isNaN(value) ? Number.NaN : Number.POSITIVE_INFINITY);
    });
  });
});
