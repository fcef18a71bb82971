import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { AffineTransformer, type AffineTransformerOptions, ConfigError, RandomStream } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(() => tf.setBackend('cpu'));

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** The scale of every form, written apart from the layer, in float64. */
const scales: [AffineTransformerOptions, (raw: number) => number][] = [
  [{}, (raw) => Math.exp(raw / (1 + Math.abs(raw) / Math.log(1000)))],
  [{ scale: 'softclip', limit: 2 }, (raw) => Math.exp(raw / (1 + Math.abs(raw / 2)))],
  [{ scale: 'softclip', limit: 1e12 }, (raw) => Math.exp(raw)],
  [{ scale: 'exp' }, (raw) => Math.exp(Math.log(1000) * Math.tanh(raw / Math.log(1000)))],
  [{ scale: 'exp', limit: 2 }, (raw) => Math.exp(2 * Math.tanh(raw / 2))],
  [{ scale: 'softplus' }, (raw) => softplus(raw + Math.log(Math.exp(1 - 1e-3) - 1)) + 1e-3],
  [{ scale: 'softplus', minimum: 0.2 }, (raw) => softplus(raw + Math.log(Math.exp(1 - 0.2) - 1)) + 0.2],
  [{ scale: 'sigmoid' }, (raw) => sigmoid(raw + 2) + 1e-3],
  [{ scale: 'sigmoid', minimum: 0.5 }, (raw) => sigmoid(raw + 2) + 0.5],
];

describe('AffineTransformer', () => {
  it.each(scales)('%j: y = s x + shift with the scale that it says', (options, scaleOf) => {
    tf.tidy(() => {
      const raws = [-30, -5, -1, -0.1, 0, 0.1, 1, 5, 20];
      const shifts = Array.from(new RandomStream(1).normalArray(raws.length));
      const x = 1.7;
      const parameters = tf.tensor3d([raws.map((raw, i) => [shifts[i], raw])]);
      const { value, logDerivative } = new AffineTransformer(options).forward(
        tf.fill([1, raws.length], x),
        parameters,
      );
      const [values, logs] = [value.dataSync(), logDerivative.dataSync()];
      raws.forEach((raw, i) => {
        const scale = scaleOf(raw);
        // Rounding of float32, within the exponential too.
        expect(Math.abs(values[i] - (scale * x + shifts[i]))).toBeLessThan(4e-6 * (1 + scale));
        expect(Math.abs(logs[i] - Math.log(scale))).toBeLessThan(4e-6 * (1 + Math.abs(Math.log(scale))));
      });
    });
  });

  it('spans six decades by default, so that columns whose spread changes over some fit', () => {
    tf.tidy(() => {
      const parameters = tf.tensor3d([
        [
          [0, -1e6],
          [0, 1e6],
        ],
      ]);
      const { value } = new AffineTransformer().forward(tf.ones([1, 2]), parameters);
      const [least, most] = value.dataSync();
      expect(least).toBeCloseTo(1e-3, 6);
      expect(most / 1000).toBeCloseTo(1, 4);
    });
  });

  it.each<[object, string]>([
    [{ scale: 'tanh' }, 'scale to be one of softclip, exp, softplus, sigmoid'],
    [{ scale: 'softplus', limit: 2 }, "no limit, which 'softplus' does not have, got 2"],
    [{ minimum: 0.1 }, "no minimum, which 'softclip' does not have, got 0.1"],
    [{ limit: 0 }, 'a limit above 0, got 0'],
    [{ limit: Number.POSITIVE_INFINITY }, 'a limit above 0'],
    [{ scale: 'softplus', minimum: 1 }, 'a minimum in (0, 1), got 1'],
    [{ scale: 'sigmoid', minimum: -0.1 }, 'a minimum above 0'],
    [{ clamp: 3 }, 'AffineTransformer'],
  ])('refuses %j', (options, message) => {
    const make = () => new AffineTransformer(options as AffineTransformerOptions);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
  });
});
