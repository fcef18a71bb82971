import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ConfigError,
  RandomStream,
  RationalQuadraticSpline,
  type SplineLimits,
  type SplineTails,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(() => tf.setBackend('cpu'));

interface Spline {
  xs: number[];
  ys: number[];
  ds: number[];
}

/** A form of spline, and how its parameters become knots. */
interface Form {
  tails: SplineTails;
  bound: number;
  limits?: SplineLimits;
  minimum?: number;
}

/** The knots in float64, written apart from the layer: partial sums, one piece after another. */
function knotsOf(raw: number[], bins: number, form: Form): Spline {
  const { tails, bound, limits = 'minimum', minimum = 1e-3 } = form;
  const clip = (u: number, limit: number) => u / (1 + Math.abs(u) / limit);
  const isSoft = limits === 'softclip';
  const axis = (values: number[]) => {
    const exponentials = values.map((u) => Math.exp(isSoft ? clip(u, Math.log(1 / minimum) / 2) : u));
    const total = exponentials.reduce((a, b) => a + b, 0);
    const ends = [-bound];
    for (const e of exponentials) {
      const share = isSoft ? e / total : minimum + (1 - bins * minimum) * (e / total);
      ends.push(ends[ends.length - 1] + 2 * bound * share);
    }
    return ends;
  };
  const c = Math.log(Math.exp(1 - minimum) - 1);
  const inner = raw
    .slice(2 * bins)
    .map((u) =>
      isSoft ? Math.exp(clip(u, Math.log(1 / minimum))) : minimum + Math.log(1 + Math.exp(u + c)),
    );
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

const forms: Form[] = [
  { tails: 'linear', bound: 5 },
  { tails: 'circular', bound: Math.PI },
  { tails: 'none', bound: 1 },
  { tails: 'linear', bound: 4, limits: 'softclip' },
  { tails: 'none', bound: 2, limits: 'softclip' },
  { tails: 'linear', bound: 3, minimum: 0.05 },
  { tails: 'circular', bound: 1, limits: 'softclip', minimum: 0.2 },
];

describe.each(forms)('RationalQuadraticSpline %o', (form) => {
  const { tails, bound } = form;
  const bins = 6;
  const spline = new RationalQuadraticSpline({ bins, ...form });
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
        const [y, derivative] = evaluate(knotsOf(raw[i], bins, form), Math.fround(at));
        expect(Math.abs(ys[i] - y)).toBeLessThan(1e-5 * bound);
        expect(Math.abs(logs[i] - Math.log(derivative))).toBeLessThan(2e-4);
      });
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

  it.each([1e-3, 0.02])(
    'in a learned box is the spline of the fixed one, moved and stretched in x and y; straight on outside (minimum %d)',
    (minimum) => {
      tf.tidy(() => {
        const [bins, bound] = [5, 2];
        const spline = new RationalQuadraticSpline({ bins, bound, minimum, box: 'learned' });
        const raw = Array.from(new RandomStream(8).normalArray(3 * bins - 1));
        const [left, bottom, width, height] = [0.3, -0.7, 0.9, -0.6];
        const xs = [-30, -1.5, -1.41, -1, 0, 0.5, 2, 3, 5.9, 7, 50];
        const parameters = tf.tensor3d([xs.map(() => [...raw, left, bottom, width, height])]);
        const { value, logDerivative } = spline.forward(tf.tensor2d([xs]), parameters);
        const [values, logs] = [value.dataSync(), logDerivative.dataSync()];
        const clip = (u: number) => u / (1 + Math.abs(u) / Math.log(1 / minimum));
        const [W, H] = [width, height].map((u) => 2 * bound * Math.exp(clip(u)));
        const [x0, y0] = [bound * (left - 1), bound * (bottom - 1)];
        const knots = knotsOf(raw, bins, { tails: 'linear', bound, minimum });
        xs.forEach((x, i) => {
          const unit = ((x - x0) / W) * 2 * bound - bound;
          const [y, slope] = Math.abs(unit) <= bound ? evaluate(knots, unit) : [unit, 1];
          expect(values[i]).toBeCloseTo(y0 + ((y + bound) / (2 * bound)) * H, 4);
          expect(logs[i]).toBeCloseTo(Math.log((slope * H) / W), 4);
        });
      });
    },
  );

  it('has no density outside of a box without tails', () => {
    tf.tidy(() => {
      const spline = new RationalQuadraticSpline({ bins: 4, bound: 2, tails: 'none' });
      const x = tf.tensor2d([[2.1, 1, -2, -2.1]]);
      const logs = spline.forward(x, tf.zeros([1, 4, spline.parameters])).logDerivative.dataSync();
      expect([...logs].map(Number.isFinite)).toEqual([false, true, true, false]);
      expect(logs[0]).toBe(Number.NEGATIVE_INFINITY);
    });
  });

  it('goes around the circle: turns more or less are the same point, and the derivative has no step at the seam', () => {
    tf.tidy(() => {
      const spline = new RationalQuadraticSpline({ bins: 5, bound: Math.PI, tails: 'circular' });
      const parameters = tf.tile(new RandomStream(6).normal([1, 1, spline.parameters]), [1, 6, 1]);
      const turned = [2, -2, -4].map((halves) => 1 + halves * Math.PI);
      const x = tf.tensor2d([[1, ...turned, Math.PI - 1e-4, -Math.PI + 1e-4]]);
      const { value, logDerivative } = spline.forward(x, parameters);
      const [values, logs] = [value.dataSync(), logDerivative.dataSync()];
      const back = spline.inverse(x, parameters).value.dataSync();
      turned.forEach((_, i) => {
        expect(values[1 + i]).toBeCloseTo(values[0], 5);
        expect(back[1 + i]).toBeCloseTo(back[0], 5);
      });
      expect(logs[4]).toBeCloseTo(logs[5], 2);
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
