import * as tf from '@tensorflow/tfjs-core';
import { Matrix, RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { fusedLuMatrix, type LuWeights } from '../../src/layers/fusedLuMatrix';
import { matrixTensor } from '../../src/layers/fusedScaledLinear';
import { distance } from './helpers';

type Values = Record<keyof LuWeights, number[]>;

/** Random factors of n channels. What lies on the other side of a diagonal is not 0: the kernel is not to look at it. */
function draw(n: number): Values {
  const random = new RandomStream(n);
  const array = (size: number) => [...Float32Array.from(random.normalArray(size))];
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => ((a * 7 + 3) % n) - ((b * 7 + 3) % n));
  return {
    permutation: Array.from({ length: n * n }, (_, at) => Number(order[at % n] === Math.floor(at / n))),
    lower: array(n * n).map((value) => value / n),
    upper: array(n * n).map((value) => value / n),
    sign: array(n).map(Math.sign),
    logScale: array(n).map((value) => value / 3),
  };
}

/** P L (U + diag(sign exp(logScale))) in float64. */
function product(values: Values, n: number): number[] {
  const { permutation, lower, upper, sign, logScale } = values;
  const matrix = (entry: (i: number, j: number) => number) =>
    new Matrix(
      Float64Array.from({ length: n * n }, (_, at) => entry(Math.floor(at / n), at % n)),
      n,
      n,
    );
  const left = matrix((i, j) => (i > j ? lower[i * n + j] : Number(i === j)));
  const right = matrix((i, j) => {
    if (i === j) return sign[i] * Math.exp(logScale[i]);
    return i < j ? upper[i * n + j] : 0;
  });
  return [
    ...matrix((i, j) => permutation[i * n + j])
      .multiply(left)
      .multiply(right).data,
  ];
}

/** By central differences of sum(product * dy) + ofLogDet * sum(logScale). */
function slopes(
  values: Values,
  name: 'lower' | 'upper' | 'logScale',
  dy: number[],
  ofLogDet: number,
): number[] {
  const n = values.sign.length;
  const step = 1e-5;
  const objective = (changed: number[]) => {
    const entries = product({ ...values, [name]: changed }, n);
    const logDet = (name === 'logScale' ? changed : values.logScale).reduce((sum, value) => sum + value, 0);
    return entries.reduce((sum, entry, i) => sum + entry * dy[i], ofLogDet * logDet);
  };
  const moved = (at: number, by: number) => values[name].map((value, i) => (i === at ? value + by : value));
  return values[name].map((_, at) => (objective(moved(at, step)) - objective(moved(at, -step))) / (2 * step));
}

function onDevice(values: Values): LuWeights {
  const n = values.sign.length;
  const matrix = (entries: number[]) => tf.tensor2d(entries, [n, n]);
  return {
    permutation: matrix(values.permutation),
    lower: matrix(values.lower),
    upper: matrix(values.upper),
    sign: tf.tensor1d(values.sign),
    logScale: tf.tensor1d(values.logScale),
  };
}

describe('the LU form in a kernel', () => {
  beforeAll(async () => {
    await prepareWasm({ threads: 1 });
  });

  it.each([1, 2, 3, 4, 5, 7, 8, 13, 48, 96, 195])('is the product in float64 for %i channels', (n) => {
    const values = draw(n);
    const received = tf.tidy(() => matrixTensor(fusedLuMatrix(onDevice(values))).dataSync());
    // Rounded to float32 once.
    expect(distance(product(values, n), received)).toBeLessThan(1e-7);
  });

  it.each([1, 2, 3, 5, 8, 13])('has the gradients of central differences for %i channels', (n) => {
    const values = draw(n);
    const dy = [...Float32Array.from(new RandomStream(5).normalArray(n * n))];
    const received = tf.tidy(() => {
      const { needed, gradient } = fusedLuMatrix(onDevice(values)).compute();
      return gradient(tf.tensor2d(dy, [n, n]), tf.scalar(0.7), needed).map((dx) => [...dx.dataSync()]);
    });
    (['lower', 'upper', 'logScale'] as const).forEach((name, i) => {
      // Differences of step 1e-5 in float64 are good to 1e-9, the results to float32.
      expect(distance(slopes(values, name, dy, 0.7), received[i]), name).toBeLessThan(1e-6);
    });
  });

  it('shows NaN and infinity', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      for (const name of ['lower', 'upper', 'logScale'] as const) {
        const values = draw(5);
        values[name][name === 'lower' ? 5 : 1] = bad;
        const received = tf.tidy(() => matrixTensor(fusedLuMatrix(onDevice(values))).dataSync());
        expect(received.every(Number.isFinite), `${bad} in ${name}`).toBe(false);
      }
    }
  });
});
