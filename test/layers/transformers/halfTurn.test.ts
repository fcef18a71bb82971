import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { AffineTransformer, ConfigError, HalfTurn, RationalQuadraticSpline } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(() => tf.setBackend('cpu'));

describe('HalfTurn', () => {
  const spline = new RationalQuadraticSpline({ bins: 4, bound: 2, tails: 'none' });
  const turned = new HalfTurn({ transformer: spline, bound: 2 });

  it('turns before the map, brings values of other turns into the box, and never leaves it', () => {
    tf.tidy(() => {
      const x = [0, 0.5, -0.5, 3.5, -4.5, -2, -1e-9, 1e-9, 5e6];
      const { value, logDerivative } = turned.forward(tf.tensor2d(x, [1, 9]), tf.zeros([1, 9, 13]));
      const expected = [-2, -1.5, 1.5, 1.5, 1.5, 0, 2, -2, -2];
      value.dataSync().forEach((y, i) => {
        expect(y).toBeCloseTo(expected[i], 5);
      });
      // Beyond the box this spline's would be -Infinity.
      expect(tf.max(tf.abs(logDerivative)).dataSync()[0]).toBeLessThan(1e-5);
    });
  });

  it('is refused without a transformer or a positive bound', () => {
    expect(() => new HalfTurn({ transformer: {} as never })).toThrow(ConfigError);
    expect(() => new HalfTurn({ transformer: new AffineTransformer(), bound: 0 })).toThrow(
      'HalfTurn: expected a positive bound, got 0',
    );
  });
});
