import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  Chain,
  Elementwise,
  type ElementwiseResult,
  Flow,
  MonotoneTransformer,
  RandomStream,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { DeepSigmoids } from '../../support/deepSigmoids';
import { leavesNoTensors } from '../../support/leaks';

beforeAll(() => tf.setBackend('cpu'));

/** A map of its own for each test. */
class GivenMap extends MonotoneTransformer {
  static className = 'TestGivenMap';
  readonly parameters = 1;
  passes = 0;

  constructor(private readonly map: (x: tf.Tensor, parameter: tf.Tensor) => ElementwiseResult) {
    super();
  }

  forward(x: tf.Tensor, parameters: tf.Tensor): ElementwiseResult {
    this.passes++;
    return this.map(x, tf.reshape(parameters, x.shape));
  }

  getConfig(): tf.serialization.ConfigDict {
    return {};
  }
}

const slope = (by: number) =>
  new GivenMap((x) => ({ value: tf.mul(x, by), logDerivative: tf.fill(x.shape, Math.log(by)) }));
const noParameters = (n: number) => tf.zeros([1, n, 1]);
const inverseOf = (map: GivenMap, ys: number[]) => {
  const { value, logDerivative } = map.inverse(tf.tensor2d([ys]), noParameters(ys.length));
  return [Array.from(value.dataSync()), Array.from(logDerivative.dataSync())];
};

describe('MonotoneTransformer', () => {
  it.each([1e-9, 1e-3, 1, 1e3, 1e9])('finds the inverse of slope %d from anywhere', (by) => {
    tf.tidy(() => {
      const ys = [0, 1e-3, -1, 30, -1e6, 1e12];
      const [xs, logs] = inverseOf(slope(by), ys);
      ys.forEach((y, i) => {
        expect(Math.abs(xs[i] - y / by)).toBeLessThanOrEqual(4e-7 * Math.abs(y / by));
        expect(logs[i]).toBeCloseTo(-Math.log(by), 5);
      });
    });
  });

  it('finds it where steps of Newton alone run away, and at kinks', () => {
    tf.tidy(() => {
      // Flat between two cliffs: asinh of large multiples, and a slope that changes a thousandfold at 1.
      const cliffs = new GivenMap((x) => {
        const [left, right] = [tf.mul(tf.add(x, 2), 1e4), tf.mul(tf.sub(x, 2), 1e4)];
        const rate = (z: tf.Tensor) => tf.rsqrt(tf.add(tf.square(z), 1));
        return {
          value: tf.add(tf.asinh(left), tf.asinh(right)),
          logDerivative: tf.log(tf.mul(1e4, tf.add(rate(left), rate(right)))),
        };
      });
      const kink = new GivenMap((x) => {
        const beyond = tf.relu(tf.sub(x, 1));
        const steep = tf.cast(tf.greater(x, 1), 'float32');
        return {
          value: tf.add(x, tf.mul(beyond, 999)),
          logDerivative: tf.mul(steep, Math.log(1000)),
        };
      });
      const xs = [-3, -2.0001, -1.9999, -0.5, 0, 0.1, 1.99, 2.5, 40];
      for (const map of [cliffs, kink]) {
        const { value, logDerivative } = map.forward(tf.tensor2d([xs]), noParameters(xs.length));
        const [found] = inverseOf(map, Array.from(value.dataSync()));
        const slopes = Array.from(logDerivative.dataSync(), Math.exp);
        // A few units in the last place of y, at the slope there.
        found.forEach((x, i) => {
          expect(Math.abs(x - xs[i])).toBeLessThan(1e-6 * (1 + Math.abs(xs[i])) + 1e-5 / slopes[i]);
        });
      }
    });
  });

  it('reads nothing back: the passes are as many for one value as for thousands', () => {
    tf.tidy(() => {
      const counts = [1, 3000].map((n) => {
        const map = slope(3);
        map.inverse(new RandomStream(1).normal([1, n], 0, 50), noParameters(n));
        return map.passes;
      });
      expect(counts[0]).toBe(counts[1]);
      expect(counts[0]).toBeLessThan(60);
    });
  });

  it('has the gradients of the implicit function, in y and in the parameters', () => {
    tf.tidy(() => {
      // y = x + p^2 x^3: dx/dy = 1 / (1 + 3 p^2 x^2), dx/dp = -2 p x^3 / (1 + 3 p^2 x^2).
      const cubic = new GivenMap((x, p) => {
        const bend = tf.square(p);
        return {
          value: tf.add(x, tf.mul(bend, tf.mul(x, tf.square(x)))),
          logDerivative: tf.log1p(tf.mul(tf.mul(bend, 3), tf.square(x))),
        };
      });
      const [x, p] = [1.3, 0.8];
      const y = tf.tensor2d([[x + p * p * x ** 3]]);
      const parameters = tf.tensor3d([[[p]]]);
      const rate = 1 + 3 * p * p * x * x;
      const value = (at: tf.Tensor, given: tf.Tensor) => tf.sum(cubic.inverse(at, given).value) as tf.Scalar;
      const [dy, dp] = tf
        .grads(value)([y, parameters])
        .map((gradient) => gradient.dataSync()[0]);
      expect(dy).toBeCloseTo(1 / rate, 5);
      expect(dp).toBeCloseTo((-2 * p * x ** 3) / rate, 5);
      // Of the log-derivative -log(1 + 3 p^2 x^2), through x too.
      const logs = (at: tf.Tensor, given: tf.Tensor) =>
        tf.sum(cubic.inverse(at, given).logDerivative) as tf.Scalar;
      const [dLogByY, dLogByP] = tf
        .grads(logs)([y, parameters])
        .map((gradient) => gradient.dataSync()[0]);
      const byX = (-6 * p * p * x) / rate;
      expect(dLogByY).toBeCloseTo(byX / rate, 5);
      expect(dLogByP).toBeCloseTo((-6 * p * x * x) / rate + byX * ((-2 * p * x ** 3) / rate), 5);
    });
  });

  it('leaves infinities what they are, and answers with a number and finite gradients what the map does not reach', () => {
    tf.tidy(() => {
      const [xs] = inverseOf(slope(2), [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 4]);
      expect(xs).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2]);
      const bounded = new GivenMap((x) => {
        const value = tf.tanh(x);
        return { value, logDerivative: tf.log(tf.add(tf.sub(1, tf.square(value)), 1e-30)) };
      });
      const [found] = inverseOf(bounded, [0.5, 3]);
      expect(found[0]).toBeCloseTo(Math.atanh(0.5), 5);
      expect(found[1]).toBeGreaterThan(8);
      const sum = (y: tf.Tensor) => tf.sum(bounded.inverse(y, noParameters(1)).value) as tf.Scalar;
      expect(
        Number.isFinite(
          tf
            .grad(sum)(tf.tensor2d([[3]]))
            .dataSync()[0],
        ),
      ).toBe(true);
    });
  });

  it('tells in the account how far its inverse is off, which is nothing for a map that it finds', () =>
    leavesNoTensors(async () => {
      const accountOf = async (transformer: MonotoneTransformer) => {
        const bijector = Chain.from([2], [(inputShape) => new Elementwise({ inputShape, transformer })]);
        const flow = new Flow({ bijector });
        const x = new RandomStream(3).normal([50, 2]);
        const account = await flow.account(x);
        tf.dispose(x);
        flow.dispose();
        return account;
      };
      const good = await accountOf(new DeepSigmoids({ units: 3 }));
      expect(good.rows[0].inverseResidual).toBeLessThan(1e-5);
      expect(good.rows[0].smallestScale).toBeCloseTo(1, 3);
      expect(String(good)).toContain('residual');
      // It falls on [0, 1], so that some values have no inverse by bisection.
      const falling = await accountOf(
        new GivenMap((x) => ({
          value: tf.where(tf.greater(tf.abs(x), 0.5), x, tf.neg(x)),
          logDerivative: tf.zerosLike(x),
        })),
      );
      expect(falling.rows[0].inverseResidual).toBeGreaterThan(0.1);
    }));
});
