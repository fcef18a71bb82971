import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { fusedAffineCoupling } from '../../src/layers/fusedCoupling';
import { scaleChannels, unscaleChannels } from '../../src/layers/fusedScaleChannels';
import { fusedConvolutions } from '../../src/layers/networks/fusedConvolutions';
import { normOfGradients } from '../../src/training/clipping';
import { fusedAdaptiveStep } from '../../src/training/fusedAdaptiveStep';
import * as reference from './flowReferences';
import {
  compute,
  distance,
  expectSame,
  type HostTensor,
  randomTensor,
  scaledLinear,
  scaledLinearValue,
} from './helpers';

/** Sums of up to some thousand terms in float32, through up to three layers. */
const TOLERANCE = 5e-6;

/** Results of a fused op, then its gradients in every input for given gradients of the results. */
function withGradients(
  f: (...tensors: tf.Tensor[]) => tf.Tensor[],
  inputs: tf.Tensor[],
  weights: tf.Tensor[],
): tf.Tensor[] {
  const objective = (...tensors: tf.Tensor[]) =>
    tf.addN(f(...tensors).map((y, i) => tf.sum(tf.mul(y, weights[i]))));
  return [...f(...inputs), ...tf.grads(objective)(inputs)];
}

function expectExact(exact: Float64Array[], received: Float32Array[]): void {
  expect(received).toHaveLength(exact.length);
  exact.forEach((expected, i) => {
    expect(distance(expected, received[i]), `result ${i}`).toBeLessThan(TOLERANCE);
  });
}

const small = (random: RandomStream, shape: number[], deviation = 0.3): HostTensor => {
  const { values } = randomTensor(random, shape);
  return { shape, values: values.map((value) => value * deviation) };
};

describe.each([1, 2])('fused flow kernels equal float64 on %i threads', (threads) => {
  beforeAll(async () => {
    await prepareWasm({ threads });
  });
  const random = new RandomStream(13);
  const pick = <T>(choices: readonly T[]) => choices[random.integer(choices.length)];

  const networks = Array.from({ length: 16 }, () => ({
    batch: pick([1, 1, 2, 5]),
    size: [1 + random.integer(9), 1 + random.integer(9)],
    channels: [pick([1, 2, 3, 6, 9]), pick([4, 7, 16, 33]), pick([5, 8, 12, 19]), pick([2, 4, 6, 13])],
    scaled: pick([true, false]),
    perPosition: pick([true, false]),
  }));
  it.each(networks)('coupling network %j', ({ batch, size, channels, scaled, perPosition }) => {
    const x = randomTensor(random, [batch, ...size, channels[0]]);
    const layers = [3, 1, 3].map((taps, i) => ({
      filter: small(random, [taps, taps, channels[i], channels[i + 1]]),
      offset: small(random, perPosition && i !== 1 ? [1, ...size, channels[i + 1]] : [channels[i + 1]]),
      logScale: scaled || i === 2 ? small(random, [channels[i + 1]]) : undefined,
    }));
    const dy = randomTensor(random, [batch, ...size, channels[3]]);
    const exact = reference.convolutionChain(x, layers, dy.values);
    const weights = layers.flatMap(({ filter, offset, logScale }) =>
      logScale === undefined ? [filter, offset] : [filter, offset, logScale],
    );
    const received = compute([dy, x, ...weights], (weighting, ...tensors) => {
      const network = (input: tf.Tensor, ...parameters: tf.Tensor[]) => {
        let next = 0;
        return [
          fusedConvolutions(
            input as tf.Tensor4D,
            layers.map(({ logScale }) => ({
              filter: parameters[next++] as tf.Tensor4D,
              offset: parameters[next++],
              logScale: logScale && (parameters[next++] as tf.Tensor1D),
            })),
          ),
        ];
      };
      return withGradients(network, tensors, [weighting]);
    });
    expectExact(exact, received);
  });

  const couplings = Array.from({ length: 20 }, () => {
    const channels = pick([2, 3, 5, 8, 12, 17]);
    return {
      shape: [pick([1, 1, 3, 7]), ...pick([[], [3], [4, 5]]), channels],
      kept: 1 + random.integer(channels - 1),
      scale: pick(['sigmoid', 'exp'] as const),
      inverse: pick([true, false]),
    };
  });
  it.each(couplings)('affine coupling %j', ({ shape, ...options }) => {
    const x = randomTensor(random, shape);
    const parameters = randomTensor(random, [
      ...shape.slice(0, -1),
      2 * (shape[shape.length - 1] - options.kept),
    ]);
    const [dy, dLogDet] = [randomTensor(random, shape), randomTensor(random, [shape[0]])];
    const received = compute([x, parameters, dy, dLogDet], (a, b, ...weights) => {
      const couple = (input: tf.Tensor, given: tf.Tensor) =>
        Object.values(fusedAffineCoupling(input, given, options));
      return withGradients(couple, [a, b], weights);
    });
    expectExact(reference.affineCoupling(x, parameters, options, dy.values, dLogDet.values), received);
  });

  it.each([
    [1, 1, 1, 1],
    [3, 5, 4, 7],
    [2, 9, 9, 12],
    [1, 6, 6, 48],
    [700, 13],
    [1, 3],
  ])('actnorm of [%i, %i, %i, %i]', (...shape) => {
    const sizes = shape.filter((size) => size !== undefined);
    const columns = sizes[sizes.length - 1];
    const inputs = [sizes, [columns], [columns], sizes].map((size) => small(random, size, 1));
    const [x, offset, logScale, dy] = inputs;
    const received = compute(inputs, (a, b, c, weighting) =>
      withGradients(
        (...tensors) => [scaleChannels(tensors[0], tensors[1], tensors[2])],
        [a, b, c],
        [weighting],
      ),
    );
    expectExact(reference.scaleChannels(x, offset, logScale, dy.values), received);
  });

  const linear = [
    ...[1, 3, 12, 48].map((channels) => [2, 5, 7, channels]),
    [1, 16, 16, 12],
    [700, 8],
    ...Array.from({ length: 12 }, () => [1 + random.integer(200), 1 + random.integer(70)]),
    [3, 193],
  ];
  it.each(linear.flatMap((shape) => [false, true].map((inverse) => ({ shape, inverse }))))(
    'actnorm with a 1x1 convolution %j',
    ({ shape, inverse }) => {
      const channels = shape[shape.length - 1];
      const inputs = [shape, [channels], [channels], [channels, channels], shape].map((size) =>
        small(random, size, size === shape ? 1 : 0.3),
      );
      const received = compute(inputs, (x, offset, logScale, matrix, dy) =>
        withGradients((...t) => [scaledLinearValue(t, inverse)], [x, offset, logScale, matrix], [dy]),
      );
      expectExact(reference.scaledLinear(inputs, inverse, inputs[4].values), received);
    },
  );

  it.each([
    [[3, 4, 5, 6], false],
    [[3, 4, 5, 6], true],
    [[7, 2], true],
  ])('log-determinant of an actnorm with a 1x1 convolution of %j, inverse %s', (shape, inverse) => {
    const channels = shape[shape.length - 1];
    const positions = tf.util.sizeFromShape(shape.slice(1)) / channels;
    const inputs = [shape, [channels], [channels], [channels, channels], [], [shape[0]]].map((size) =>
      small(random, size, 1),
    );
    const received = compute(inputs, (...tensors) => {
      const parts = (...t: tf.Tensor[]) => [scaledLinear(t, inverse)[1]];
      return withGradients(parts, tensors.slice(0, 5), [tensors[5]]);
    });
    const [, , logScale, , ofMatrix, weighting] = inputs.map(({ values }) => Float64Array.from(values));
    const factor = inverse ? -positions : positions;
    const logDet = factor * logScale.reduce((sum, entry) => sum + entry, ofMatrix[0]);
    const slope = factor * weighting.reduce((sum, entry) => sum + entry, 0);
    expectExact(
      [
        new Float64Array(shape[0]).fill(logDet),
        new Float64Array(inputs[0].values.length),
        new Float64Array(channels),
        new Float64Array(channels).fill(slope),
        new Float64Array(channels * channels),
        Float64Array.of(slope),
      ],
      received,
    );
  });

  it('actnorm turned back, and its gradients', async () => {
    for (const shape of [
      [3, 5, 4, 7],
      [700, 13],
      [1, 1],
    ]) {
      const columns = shape[shape.length - 1];
      const inputs = [shape, [columns], [columns], shape].map((size) => small(random, size, 1));
      await expectSame(inputs, (y, offset, logScale, weighting) =>
        withGradients(
          (...tensors) => [unscaleChannels(tensors[0], tensors[1], tensors[2])],
          [y, offset, logScale],
          [weighting],
        ),
      );
    }
  });

  it('actnorm with a 1x1 convolution takes the offset first: data far from zero lose nothing', () => {
    const [noise, logScale, matrix, dy] = [[40, 6], [6], [6, 6], [40, 6]].map((size) =>
      small(random, size, 1),
    );
    const x = { shape: noise.shape, values: noise.values.map((value) => value + 4096) };
    const inputs = [x, { shape: [6], values: new Float32Array(6).fill(-4096) }, logScale, matrix, dy];
    const received = compute(inputs, (a, b, c, d, weighting) =>
      withGradients((...t) => [scaledLinearValue(t, false)], [a, b, c, d], [weighting]),
    );
    expectExact(reference.scaledLinear(inputs, false, dy.values), received);
  });

  it.each(['adam', 'adamax'] as const)('one step of %s', (kind) => {
    const constants = {
      kind,
      learningRate: 0.02,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-7,
      bias1: 0.271,
      bias2: 0.003,
      gradientScale: 0.7,
    };
    const shapes = [[1], [3, 5], [16_384], [16_385], [2, 3, 7]];
    const states = shapes.map((shape) => {
      const [weight, gradient, first, second] = Array.from({ length: 4 }, () => randomTensor(random, shape));
      return [weight, gradient, first, { shape, values: second.values.map(Math.abs) }];
    });
    const flat = [0, 1, 2, 3].flatMap((part) => states.map((state) => state[part]));
    const received = compute(flat, (...tensors) => {
      const part = (i: number) => tensors.slice(i * shapes.length, (i + 1) * shapes.length);
      const state = { weight: part(0), first: part(2), second: part(3) };
      fusedAdaptiveStep(state, part(1), constants, constants.gradientScale);
      return [...state.weight, ...state.first, ...state.second];
    });
    const exact = states.map((state) =>
      reference.adaptiveStep(
        state.map(({ values }) => values),
        constants,
      ),
    );
    expectExact(
      [0, 1, 2].flatMap((part) => exact.map((results) => results[part])),
      received,
    );
  });

  it('global norm of none and of empty tensors', () => {
    const empty = { shape: [0, 3], values: new Float32Array(0) };
    const four = { shape: [1], values: Float32Array.of(-4) };
    const [some] = compute([empty, four], (...tensors) => [normOfGradients(tensors)]);
    const [none] = compute([], () => [normOfGradients([])]);
    expect([some[0], none[0]]).toEqual([4, 0]);
  });

  it('empty batches give empty results, and zeros as gradients of the weights', () => {
    const layer = [[0, 4, 4, 3], [3, 3, 3, 5], [5], [5], [0, 4, 4, 5]].map((shape) =>
      randomTensor(random, shape),
    );
    const network = compute(layer, (x, filter, offset, logScale, dy) =>
      withGradients(
        (a, b, c, d) => [
          fusedConvolutions(a as tf.Tensor4D, [
            { filter: b as tf.Tensor4D, offset: c, logScale: d as tf.Tensor1D },
          ]),
        ],
        [x, filter, offset, logScale],
        [dy],
      ),
    );
    expect(network.map(({ length }) => length)).toEqual([0, 0, 135, 5, 5]);
    expect(network.slice(2).every((values) => values.every((value) => value === 0))).toBe(true);

    const coupling = [[0, 6], [0, 8], [0, 6], [0]].map((shape) => randomTensor(random, shape));
    const coupled = compute(coupling, (x, parameters, ...weights) =>
      withGradients(
        (a, b) => Object.values(fusedAffineCoupling(a, b, { kept: 2, scale: 'exp', inverse: false })),
        [x, parameters],
        weights,
      ),
    );
    expect(coupled.every(({ length }) => length === 0)).toBe(true);

    const mixing = [[0, 6], [6], [6], [6, 6], [0, 6]].map((shape) => randomTensor(random, shape));
    for (const inverse of [false, true]) {
      const mixed = compute(mixing, (x, offset, logScale, matrix, dy) =>
        withGradients((...t) => [scaledLinearValue(t, inverse)], [x, offset, logScale, matrix], [dy]),
      );
      expect(mixed.map(({ length }) => length)).toEqual([0, 0, 6, 6, 36]);
      expect(mixed.every((values) => values.every((value) => Math.abs(value) === 0))).toBe(true);
    }

    const norm = [[0, 6], [6], [6], [0, 6]].map((shape) => randomTensor(random, shape));
    const scaled = compute(norm, (x, offset, logScale, dy) =>
      withGradients((a, b, c) => [scaleChannels(a, b, c)], [x, offset, logScale], [dy]),
    );
    expect(scaled.slice(2).map((values) => [...values])).toEqual([
      new Array(6).fill(0),
      new Array(6).fill(0),
    ]);
  });
});
