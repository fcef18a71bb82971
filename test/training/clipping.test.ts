import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, clipByGlobalNorm, clipByValue, fit, globalNorm } from 'tfjs-flows';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replaceEach } from '../../src/training/clipping';
import { ToyFlow, toyData, weightsOf } from './toys';

let tensors: number;

beforeEach(async () => {
  await tf.setBackend('cpu');
  tensors = tf.memory().numTensors;
});

afterEach(() => {
  expect(tf.memory().numTensors).toBe(tensors);
});

describe('clipping', () => {
  it('scales all tensors by one factor to the given norm, and leaves smaller ones alone', () => {
    const given = [tf.tensor1d([3, 0]), null, tf.tensor2d([[0, 4]])];
    const [norm, clipped, kept] = [
      globalNorm(given),
      clipByGlobalNorm(given, 1),
      clipByGlobalNorm(given, 5.5),
    ];
    expect(norm.dataSync()[0]).toBe(5);
    expect(clipped.map((t) => (t === null ? null : [...t.dataSync()]))).toEqual([
      [Math.fround(3 * Math.fround(0.2)), 0],
      null,
      [0, Math.fround(4 * Math.fround(0.2))],
    ]);
    expect([...(kept[2] as tf.Tensor).dataSync()]).toEqual([0, 4]);
    tf.dispose([given, norm, clipped, kept] as tf.TensorContainer);
  });

  it('limits every entry by value', () => {
    const given = [tf.tensor1d([-3, 0.5, 2]), null];
    const clipped = clipByValue(given, 1);
    expect([...(clipped[0] as tf.Tensor).dataSync()]).toEqual([-1, 0.5, 1]);
    expect(clipped[1]).toBeNull();
    tf.dispose([given, clipped] as tf.TensorContainer);
  });

  it('shows what is not finite in the norm', () => {
    // The last is finite, but the norm of it is not.
    for (const values of [
      [1, Number.NaN],
      [1, Number.POSITIVE_INFINITY],
      [3e38, 3e38],
    ]) {
      const given = [tf.tensor1d(values)];
      const norm = globalNorm(given);
      expect(Number.isFinite(norm.dataSync()[0])).toBe(false);
      // Not zeros, which would pass for gradients.
      const [clipped] = clipByGlobalNorm(given, 1);
      expect([...clipped.dataSync()].some(Number.isFinite)).toBe(false);
      tf.dispose([given, norm, clipped] as tf.TensorContainer);
    }
  });

  it.each([1e20, 1e30, 1e-20, 1e-30])('neither overflows nor vanishes for entries of %s', (size) => {
    const given = [tf.tensor1d([3 * size, 0]), null, tf.tensor2d([[0, -4 * size]])];
    const norm = globalNorm(given);
    expect(norm.dataSync()[0] / size).toBeCloseTo(5, 5);
    const clipped = clipByGlobalNorm(given, size);
    expect([...(clipped[0] as tf.Tensor).dataSync()].map((value) => value / size)).toEqual([
      expect.closeTo(0.6, 5),
      0,
    ]);
    expect((clipped[2] as tf.Tensor).dataSync()[1] / size).toBeCloseTo(-0.8, 5);
    tf.dispose([given, norm, clipped] as tf.TensorContainer);
  });

  it('counts small entries beside large ones, and clips 1e20 to 1', () => {
    const given = [tf.tensor1d([1e20]), tf.tensor1d([1e20])];
    const [a, b] = clipByGlobalNorm(given, 1);
    expect(a.dataSync()[0]).toBeCloseTo(Math.SQRT1_2, 6);
    expect(b.dataSync()[0]).toBeCloseTo(Math.SQRT1_2, 6);
    const mixed = [tf.fill([10_000], 1), tf.tensor1d([100]), tf.tensor1d([0])];
    const norm = globalNorm(mixed);
    expect(norm.dataSync()[0]).toBeCloseTo(100 * Math.SQRT2, 3);
    tf.dispose([given, a, b, mixed, norm] as tf.TensorContainer);
  });

  it('of zeros, of nothing and of an empty tensor is 0, and zeros stay zeros', () => {
    for (const given of [[], [null], [tf.zeros([3])], [tf.zeros([0])], [tf.zeros([2]), tf.zeros([1, 2])]]) {
      const [norm, clipped] = [globalNorm(given), clipByGlobalNorm<tf.Tensor | null>(given, 1)];
      expect(norm.dataSync()[0]).toBe(0);
      for (const tensor of clipped)
        expect([...(tensor?.dataSync() ?? [])].every((value) => value === 0)).toBe(true);
      tf.dispose([given, norm, clipped] as tf.TensorContainer);
    }
  });

  it('reads integers and booleans as numbers', () => {
    const given = [
      tf.tensor1d([3, 0], 'int32'),
      tf.tensor1d([true, false], 'bool'),
      tf.tensor1d([-4], 'int32'),
    ];
    const [norm, byValue, byNorm] = [globalNorm(given), clipByValue(given, 2.5), clipByGlobalNorm(given, 1)];
    expect(norm.dataSync()[0]).toBeCloseTo(Math.sqrt(26), 5);
    expect(byValue.map((tensor) => [...tensor.dataSync()])).toEqual([[2.5, 0], [1, 0], [-2.5]]);
    expect(byNorm[2].dataSync()[0]).toBeCloseTo(-4 / Math.sqrt(26), 5);
    tf.dispose([given, norm, byValue, byNorm] as tf.TensorContainer);
  });

  it('refuses limits that are not positive', () => {
    for (const limit of [0, -1, Number.NaN]) {
      expect(() => clipByValue([], limit)).toThrow(ConfigError);
      expect(() => clipByGlobalNorm([], limit)).toThrow(/clipByGlobalNorm: expected a limit > 0/);
    }
  });

  it('leaves what is there already to nobody where a change throws', () => {
    const given = [tf.tensor1d([1]), null, tf.tensor1d([2])];
    const change = (gradient: tf.Tensor, place: number) => {
      if (place === 2) throw new Error('broken');
      return tf.mul(gradient, 2);
    };
    expect(() => replaceEach(given, change)).toThrow('broken');
    tf.dispose(given[2] as tf.Tensor);
  });

  it('bounds an SGD step of fit: by norm, by value, by value and then norm', async () => {
    // Plain SGD at rate 1 moves the weights by the clipped gradient itself.
    const move = async (options: { clipNorm?: number; clipValue?: number }) => {
      const model = new ToyFlow();
      model.markInitialized();
      const before = Object.values(weightsOf(model)).flat();
      await fit(model, toyData(16), {
        progress: 'none',
        seed: 2,
        steps: 1,
        optimizer: 'sgd',
        learningRate: 1,
        ...options,
      });
      const after = Object.values(weightsOf(model)).flat();
      model.dispose();
      return after.map((value, i) => value - before[i]);
    };
    const norm = (values: number[]) => Math.hypot(...values);
    const free = await move({});
    expect(norm(free)).toBeGreaterThan(2);
    const byNorm = await move({ clipNorm: 0.5 });
    expect(norm(byNorm)).toBeCloseTo(0.5, 5);
    byNorm.forEach((value, i) => {
      expect(value).toBeCloseTo((free[i] * 0.5) / norm(free), 5);
    });
    const byValue = await move({ clipValue: 0.3 });
    byValue.forEach((value, i) => {
      expect(value).toBeCloseTo(Math.max(-0.3, Math.min(0.3, free[i])), 5);
    });
    const both = await move({ clipValue: 0.3, clipNorm: 0.2 });
    both.forEach((value, i) => {
      expect(value).toBeCloseTo((byValue[i] * 0.2) / norm(byValue), 5);
    });
  });
});
