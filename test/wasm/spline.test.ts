import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { fusedEvents } from '../../src/layers/transformers/fusedTransformer';
import { DERIVATIVES } from '../../src/layers/transformers/splineKnots';
import { compute, distance, type HostTensor, randomTensor } from './helpers';
import { type SplineEvents, splineEvents } from './splineReference';

const random = new RandomStream(31);
const pick = <T>(choices: readonly T[]) => choices[random.integer(choices.length)];

function parametersOf(
  shape: readonly number[],
  { bins, tails, kept }: SplineEvents,
  deviation: number,
): HostTensor {
  const perValue = 3 * bins + DERIVATIVES[tails];
  const values = [...shape.slice(0, -1), (shape[shape.length - 1] - kept) * perValue];
  const tensor = randomTensor(random, values);
  return { ...tensor, values: tensor.values.map((value) => value * deviation) };
}

/** Value and logDet, then the gradients in both inputs. */
function fused(inputs: HostTensor[], options: SplineEvents): Float32Array[] {
  return compute(inputs, (x, parameters, dy, dLogDet) => {
    const results = (given: tf.Tensor, steering: tf.Tensor) => fusedEvents(options, given, steering, options);
    const objective = (given: tf.Tensor, steering: tf.Tensor) => {
      const { value, logDet } = results(given, steering);
      return tf.add(tf.sum(tf.mul(value, dy)), tf.sum(tf.mul(logDet, dLogDet))) as tf.Scalar;
    };
    return [...Object.values(results(x, parameters)), ...tf.grads(objective)([x, parameters])];
  });
}

const names = ['value', 'logDet', 'gradient in x', 'gradient in parameters'];

/** Of numbers about 1: what rounding makes of three divisions by sizes of pieces, and in gradients of an inverse of one by a slope of 1/20. */
const TOLERANCE = { value: 2e-5, gradient: 2e-4 };

describe.each([1, 2])('fused splines equal float64 on %i threads', (threads) => {
  beforeAll(async () => {
    await prepareWasm({ threads });
  });

  const cases = Array.from({ length: 24 }, (_, i) => {
    const channels = pick([1, 2, 3, 5, 8, 11]);
    const tails = (['linear', 'circular', 'none'] as const)[i % 3];
    const shape = pick([[1], [3], [19], [70], [3, 3, 2]]);
    return {
      kind: 'spline' as const,
      shape: [...shape, channels],
      kept: random.integer(channels),
      bins: pick([2, 3, 8, 11]),
      tails,
      bound: tails === 'circular' ? Math.PI : pick([1, 3]),
      minimum: pick([1e-3, 1e-2]),
      inverse: i % 2 === 1,
    };
  });
  it.each(cases)('%j', ({ shape, ...options }) => {
    const x = randomTensor(random, shape);
    const { bound, tails } = options;
    if (tails === 'none') x.values.set(x.values.map((value) => Math.tanh(value) * bound));
    const parameters = parametersOf(shape, options, 0.5);
    const [dy, dLogDet] = [randomTensor(random, shape), randomTensor(random, [shape[0]])];
    const exact = splineEvents(x, parameters, options, dy.values, dLogDet.values);
    fused([x, parameters, dy, dLogDet], options).forEach((received, i) => {
      expect(distance(exact[i], received), names[i]).toBeLessThan(
        i < 2 ? TOLERANCE.value : TOLERANCE.gradient,
      );
    });
  });
});

describe('fused splines at their limits', () => {
  beforeAll(async () => {
    await prepareWasm({ threads: 1 });
  });
  const linear = { kind: 'spline', bins: 8, bound: 3, tails: 'linear', minimum: 1e-3, kept: 0 } as const;
  const ones = (shape: number[]): HostTensor => {
    return { shape, values: new Float32Array(tf.util.sizeFromShape(shape)).fill(1) };
  };

  it.each([false, true])('the ends of the box stay where they are, inverse %s', (inverse) => {
    const shape = [2, 50];
    const values = Float32Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 3 : -3));
    for (const tails of ['linear', 'none'] as const) {
      const options = { ...linear, tails, inverse };
      const parameters = parametersOf(shape, options, 2);
      const inputs = [{ shape, values }, parameters, ones(shape), ones([2])];
      const [value, ...others] = fused(inputs, options);
      expect([...value]).toEqual([...values]);
      for (const tensor of others) expect(tensor.every(Number.isFinite)).toBe(true);
    }
  });

  it.each([false, true])('a batch in the tails passes, inverse %s', (inverse) => {
    const shape = [3, 4];
    const x = randomTensor(random, shape);
    x.values.set(x.values.map((value) => Math.sign(value) * (4 + 1e6 * value * value)));
    x.values[0] = Number.POSITIVE_INFINITY;
    const dy = randomTensor(random, shape);
    const parameters = parametersOf(shape, { ...linear, inverse }, 50);
    const [value, logDet, dx, dParameters] = fused([x, parameters, dy, ones([3])], { ...linear, inverse });
    expect([...value]).toEqual([...x.values]);
    expect([...logDet]).toEqual([0, 0, 0]);
    expect([...dx]).toEqual([...dy.values]);
    expect(dParameters.every((gradient) => gradient === 0)).toBe(true);
  });

  it.each([false, true])('nothing lies outside of a box without tails, inverse %s', (inverse) => {
    const options = { ...linear, tails: 'none', inverse } as const;
    const x = { shape: [2, 2], values: Float32Array.of(0.5, 3.5, 0.5, 1) };
    const results = fused([x, parametersOf([2, 2], options, 1), ones([2, 2]), ones([2])], options);
    expect(results[1][0]).toBe(Number.NEGATIVE_INFINITY);
    expect(results[1][1]).toBeGreaterThan(-10);
    for (const gradient of results.slice(2)) expect(gradient.every(Number.isFinite)).toBe(true);
  });

  it.each(['linear', 'circular', 'none'] as const)('parameters of +-50, %s', (tails) => {
    const options = { ...linear, tails };
    const shape = [300, 3];
    const parameters = parametersOf(shape, { ...options, inverse: false }, 1);
    parameters.values.set(parameters.values.map((value) => 50 * Math.sign(value)));
    const x = randomTensor(random, shape);
    x.values.set(x.values.map((value) => 3 * Math.tanh(value)));
    const given = [x, parameters, ones(shape), ones([300])];
    const forward = fused(given, { ...options, inverse: false });
    const exact = splineEvents(
      x,
      parameters,
      { ...options, inverse: false },
      ones(shape).values,
      ones([300]).values,
    );
    // Pieces of 0.006, slopes up to 1000.
    expect(distance(exact[0], forward[0])).toBeLessThan(1e-3);
    const back = fused([{ shape, values: forward[0] }, ...given.slice(1)], { ...options, inverse: true });
    for (const tensor of [...forward, ...back]) expect(tensor.every(Number.isFinite)).toBe(true);
    // Where a slope is 1/1000, a value of float32 stands for many.
    const again = fused([{ shape, values: back[0] }, ...given.slice(1)], { ...options, inverse: false });
    // The ends of a circle are one point.
    const turns = (values: Float32Array) =>
      tails === 'circular' ? values.map((value) => Math.cos((value * Math.PI) / 3)) : values;
    expect(distance(turns(forward[0]), turns(again[0]))).toBeLessThan(1e-3);
  });

  it('an inverse is mapped back to within the rounding of what was given', () => {
    const shape = [200, 4];
    const y = randomTensor(random, shape);
    const parameters = parametersOf(shape, { ...linear, inverse: true }, 2);
    const [dy, dLogDet] = [ones(shape), ones([200])];
    const [x] = fused([y, parameters, dy, dLogDet], { ...linear, inverse: true });
    const [again] = splineEvents(
      { shape, values: x },
      parameters,
      { ...linear, inverse: false },
      dy.values,
      dLogDet.values,
    );
    // x stands for y to within its rounding, 1e-7, times the slope there, of up to some thousand.
    expect(distance(y.values, again)).toBeLessThan(1e-3);
  });

  it.each([false, true])('NaN stays in its value, inverse %s', (inverse) => {
    const options = { ...linear, inverse };
    const shape = [4, 3];
    const x = randomTensor(random, shape);
    const parameters = parametersOf(shape, options, 1);
    const given = [x, parameters, ones(shape), ones([4])];
    const clean = fused(given, options);
    x.values[4] = Number.NaN;
    parameters.values[7 * (parameters.values.length / 12)] = Number.NaN;
    const results = fused(given, options);
    for (const at of [4, 7]) expect(results[0][at]).toBeNaN();
    expect(results[1][2]).toBeNaN();
    const others = (values: Float32Array) => values.filter((_, i) => i !== 4 && i !== 7);
    expect(others(results[0])).toEqual(others(clean[0]));
  });

  it('no events', () => {
    const options = { ...linear, inverse: false };
    const results = fused(
      [randomTensor(random, [0, 3]), randomTensor(random, [0, 69]), ones([0, 3]), ones([0])],
      options,
    );
    expect(results.map(({ length }) => length)).toEqual([0, 0, 0, 0]);
  });
});
