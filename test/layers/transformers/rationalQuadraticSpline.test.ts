import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, RandomStream, RationalQuadraticSpline, type SplineTails } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../../support/leaks';

beforeAll(() => tf.setBackend('cpu'));

interface Spline {
  xs: number[];
  ys: number[];
  ds: number[];
}

/** The knots in float64, written apart from the layer: partial sums, one piece after another. */
function knotsOf(raw: number[], bins: number, bound: number, tails: SplineTails): Spline {
  const minimum = 1e-3;
  const axis = (values: number[]) => {
    const exponentials = values.map(Math.exp);
    const total = exponentials.reduce((a, b) => a + b, 0);
    const ends = [-bound];
    for (const e of exponentials) {
      ends.push(ends[ends.length - 1] + 2 * bound * (minimum + (1 - bins * minimum) * (e / total)));
    }
    return ends;
  };
  const c = Math.log(Math.exp(1 - minimum) - 1);
  const inner = raw.slice(2 * bins).map((u) => minimum + Math.log(1 + Math.exp(u + c)));
  const ds = { linear: [1, ...inner, 1], circular: [...inner, inner[0]], none: inner }[tails];
  return { xs: axis(raw.slice(0, bins)), ys: axis(raw.slice(bins, 2 * bins)), ds };
}

/** y and dy/dx as Durkan et al. (2019) write them, in float64. */
function evaluate({ xs, ys, ds }: Spline, x: number): [y: number, derivative: number] {
  let k = 0;
  while (k < xs.length - 2 && x >= xs[k + 1]) k++;
  const [w, h] = [xs[k + 1] - xs[k], ys[k + 1] - ys[k]];
  const t = (x - xs[k]) / w;
  const s = h / w;
  const den = s + (ds[k + 1] + ds[k] - 2 * s) * t * (1 - t);
  const y = ys[k] + (h * (s * t * t + ds[k] * t * (1 - t))) / den;
  const top = s * s * (ds[k + 1] * t * t + 2 * s * t * (1 - t) + ds[k] * (1 - t) ** 2);
  return [y, top / den ** 2];
}

const kinds: [SplineTails, number][] = [
  ['linear', 5],
  ['circular', Math.PI],
  ['none', 1],
];

describe.each(kinds)('RationalQuadraticSpline, tails %s, bound %d', (tails, bound) => {
  const bins = 6;
  const spline = new RationalQuadraticSpline({ bins, bound, tails });
  const n = 300;
  const random = new RandomStream(4);
  const raw = Array.from({ length: n }, () => Array.from(random.normalArray(spline.parameters)));
  const xs = Array.from({ length: n }, () => bound * (2 * random.uniformNumber() - 1));
  const tensors = () => ({ x: tf.tensor2d(xs, [n, 1]), parameters: tf.tensor3d(raw.map((row) => [row])) });

  it('says what the published formula says in float64 (rounding: 1e-5 of the box, 1e-4 in the log)', () => {
    tf.tidy(() => {
      const { x, parameters } = tensors();
      const { value, logDerivative } = spline.forward(x, parameters);
      const [ys, logs] = [value.dataSync(), logDerivative.dataSync()];
      xs.forEach((at, i) => {
        const [y, derivative] = evaluate(knotsOf(raw[i], bins, bound, tails), Math.fround(at));
        expect(Math.abs(ys[i] - y)).toBeLessThan(1e-5 * bound);
        expect(Math.abs(logs[i] - Math.log(derivative))).toBeLessThan(2e-4);
      });
    });
  });

  it('goes back to where it came from, with the opposite log-derivative', () => {
    tf.tidy(() => {
      const { x, parameters } = tensors();
      const there = spline.forward(x, parameters);
      const back = spline.inverse(there.value, parameters);
      const [values, sums] = [
        back.value.dataSync(),
        tf.add(there.logDerivative, back.logDerivative).dataSync(),
      ];
      const slopes = there.logDerivative.dataSync();
      xs.forEach((at, i) => {
        // One unit in the last place of y, at the slope there.
        expect(Math.abs(values[i] - at)).toBeLessThan(bound * 1e-6 * (4 + Math.exp(-slopes[i])));
        expect(Math.abs(sums[i])).toBeLessThan(1e-3);
      });
    });
  });

  it('zeros are the identity', () => {
    tf.tidy(() => {
      const x = tf.tensor2d(xs, [n, 1]);
      const { value, logDerivative } = spline.forward(x, tf.zeros([n, 1, spline.parameters]));
      expect(tf.max(tf.abs(tf.sub(value, x))).dataSync()[0]).toBeLessThan(2e-6 * bound);
      expect(tf.max(tf.abs(logDerivative)).dataSync()[0]).toBeLessThan(2e-5);
    });
  });

  it('sends the ends of the box to its ends, exactly', () => {
    tf.tidy(() => {
      const { parameters } = tensors();
      for (const end of [-bound, bound]) {
        const x = tf.fill([n, 1], end);
        const pulled = tf.abs(tf.sub(spline.forward(x, parameters).value, x));
        const back = tf.abs(tf.sub(spline.inverse(x, parameters).value, x));
        // On a circle both ends are one point.
        const apart = tails === 'circular' ? [0, 2 * Math.fround(bound)] : [0];
        for (const distance of [...pulled.dataSync(), ...back.dataSync()]) {
          expect(Math.min(...apart.map((value) => Math.abs(distance - value)))).toBeLessThan(1e-6);
        }
      }
    });
  });

  it.each([1, 20, 60])(
    'gives no NaN, and no NaN gradient, for parameters of size %d anywhere on the line',
    (size) =>
      leavesNoTensors(() => {
        tf.tidy(() => {
          const points = [
            -1e30,
            -1e4,
            -bound * 1.5,
            -bound,
            -bound * (1 - 1e-7),
            -1e-20,
            0,
            0.3 * bound,
            bound,
            2 * bound,
            1e30,
          ];
          const x = tf.tensor2d(Array.from({ length: 20 }, () => points));
          const parameters = tf.mul(
            new RandomStream(size).normal([20, points.length, spline.parameters]),
            size,
          );
          for (const direction of ['forward', 'inverse'] as const) {
            const { value, logDerivative } = spline[direction](x, parameters);
            for (const result of [value, logDerivative])
              expect(tf.any(tf.isNaN(result)).dataSync()[0]).toBe(0);
            const loss = (a: tf.Tensor, b: tf.Tensor) => {
              const { value, logDerivative } = spline[direction](a, b);
              const finite = tf.where(tf.isFinite(logDerivative), logDerivative, tf.zerosLike(logDerivative));
              return tf.add(tf.sum(tf.clipByValue(value, -10, 10)), tf.sum(finite)) as tf.Scalar;
            };
            for (const gradient of tf.grads(loss)([x, parameters])) {
              expect(tf.any(tf.isNaN(gradient)).dataSync()[0]).toBe(0);
            }
          }
        });
      }),
  );

  it.each(['forward', 'inverse'] as const)('%s has the gradients of finite differences', (direction) => {
    tf.tidy(() => {
      const few = 12;
      const x = tf.tensor2d(xs.slice(0, few), [few, 1]);
      const mild = tf.mul(tf.tensor3d(raw.slice(0, few).map((row) => [row])), 0.3);
      const weights = new RandomStream(2).normal([few, 1]);
      const loss = (a: tf.Tensor, b: tf.Tensor) => {
        const { value, logDerivative } = spline[direction](a, b);
        return tf.sum(tf.mul(weights, tf.add(value, tf.mul(logDerivative, 0.7)))) as tf.Scalar;
      };
      const [dx, dp] = tf.grads(loss)([x, mild]);
      const step = 1e-2;
      const numeric = (perturbed: (sign: number) => tf.Scalar) =>
        (perturbed(1).dataSync()[0] - perturbed(-1).dataSync()[0]) / (2 * step);
      for (let i = 0; i < few; i += 3) {
        const bump = tf.mul(tf.reshape(tf.oneHot([i], few), [few, 1]), step);
        const atX = numeric((sign) => loss(tf.add(x, tf.mul(bump, sign)), mild));
        // The differences cut corners at knots: 3 % and the rounding of float32 sums.
        expect(Math.abs(dx.dataSync()[i] - atX)).toBeLessThan(0.05 + 0.05 * Math.abs(atX));
        for (const p of [0, bins + 1, 2 * bins + 1]) {
          const at = tf.reshape(
            tf.mul(tf.oneHot([i * spline.parameters + p], few * spline.parameters), step),
            mild.shape,
          );
          const atP = numeric((sign) => loss(x, tf.add(mild, tf.mul(at, sign))));
          expect(Math.abs(dp.dataSync()[i * spline.parameters + p] - atP)).toBeLessThan(
            0.02 + 0.05 * Math.abs(atP),
          );
        }
      }
    });
  });
});

describe('RationalQuadraticSpline', () => {
  it('is the identity in linear tails, for whole batches too, and its gradient by parameters is zero there', () => {
    tf.tidy(() => {
      const spline = new RationalQuadraticSpline({ bins: 4, bound: 2 });
      const x = tf.tensor2d([[2.0001, -3, 1e20]]);
      const parameters = new RandomStream(1).normal([1, 3, spline.parameters]);
      for (const direction of ['forward', 'inverse'] as const) {
        const { value, logDerivative } = spline[direction](x, parameters);
        expect([...value.dataSync()]).toEqual([...x.dataSync()]);
        expect([...logDerivative.dataSync()]).toEqual([0, 0, 0]);
        const loss = (p: tf.Tensor) => tf.sum(spline[direction](x, p).value) as tf.Scalar;
        expect(Math.max(...tf.grad(loss)(parameters).dataSync())).toBe(0);
      }
    });
  });

  it('has no density outside of a box without tails', () => {
    tf.tidy(() => {
      const spline = new RationalQuadraticSpline({ bins: 4, bound: 2, tails: 'none' });
      const x = tf.tensor2d([[2.1, 1, -2, -2.1]]);
      const logs = spline.forward(x, tf.zeros([1, 4, spline.parameters])).logDerivative.dataSync();
      expect([...logs].map(Number.isFinite)).toEqual([false, true, true, false]);
      expect(logs[0]).toBe(Number.NEGATIVE_INFINITY);
    });
  });

  it('goes around the circle: one turn more is the same point, and the derivative has no step at the seam', () => {
    tf.tidy(() => {
      const spline = new RationalQuadraticSpline({ bins: 5, bound: Math.PI, tails: 'circular' });
      const parameters = tf.tile(new RandomStream(6).normal([1, 1, spline.parameters]), [1, 4, 1]);
      const x = tf.tensor2d([[1, 1 + 2 * Math.PI, Math.PI - 1e-4, -Math.PI + 1e-4]]);
      const { value, logDerivative } = spline.forward(x, parameters);
      const [values, logs] = [value.dataSync(), logDerivative.dataSync()];
      expect(values[1]).toBeCloseTo(values[0], 5);
      expect(logs[2]).toBeCloseTo(logs[3], 2);
    });
  });

  it.each([
    [{ bins: 1 }, 'bins to be an integer >= 2'],
    [{ bound: 0 }, 'a positive bound'],
    [{ bound: Number.POSITIVE_INFINITY }, 'a positive bound'],
    [{ bins: 10, minimum: 0.1 }, 'a minimum in [0.000001, 0.1)'],
    [{ minimum: 0 }, 'a minimum in'],
    [{ minimum: 1e-7 }, 'a minimum in [0.000001, 0.125)'],
    [{ limits: 'softclip', minimum: 4e-6 }, 'a minimum in [0.000008, 1)'],
    [{ box: 'learned', tails: 'circular' }, "tails 'linear' for a learned box"],
    [{ box: 'free' }, 'box to be one of'],
    [{ limits: 'none' }, 'limits to be one of'],
    [{ tails: 'cubic' }, 'tails to be one of'],
    [{ numBins: 3 }, "Did you mean 'bins'?"],
  ])('refuses %j', (options, message) => {
    expect(() => new RationalQuadraticSpline(options as never)).toThrow(ConfigError);
    expect(() => new RationalQuadraticSpline(options as never)).toThrow(message);
  });
});
