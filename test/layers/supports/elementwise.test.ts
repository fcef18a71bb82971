import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import {
  type Bijector,
  Bounded,
  ConfigError,
  HeavyTails,
  MarginalQuantiles,
  Ordered,
  RandomStream,
  Simplex,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../../support/leaks';

/** Values far from 1, at ends and beyond, and what float64 says of them. */
interface Case {
  make: () => Bijector;
  /** Inside of the support. */
  values: number[];
  toLine: (x: number) => number;
  logDerivative: (x: number) => number;
  /** At ends or beyond. */
  off: number[];
}

const softplusInverse = (a: number) => a + Math.log(-Math.expm1(-a));
const softplusLog = (a: number) => -Math.log(-Math.expm1(-a));

const cases: Record<string, Case> = {
  positive: {
    make: () => new Bounded({ inputShape: [1], low: 0 }),
    values: [1e-30, 1e-7, 0.01, 0.4999, 0.5, 0.5001, 1, 20, 1e5, 1e30],
    toLine: softplusInverse,
    logDerivative: softplusLog,
    off: [0, -1e-30, -1, -1e30],
  },
  'positive by logarithms': {
    make: () => new Bounded({ inputShape: [1], low: 0, map: 'log' }),
    values: [1e-30, 3, 1e30],
    toLine: Math.log,
    logDerivative: (x) => -Math.log(x),
    off: [0, -1],
  },
  'above 2': {
    make: () => new Bounded({ inputShape: [1], low: 2 }),
    values: [2 + 2 ** -21, 2.25, 1e6],
    toLine: (x) => softplusInverse(x - 2),
    logDerivative: (x) => softplusLog(x - 2),
    off: [2, 1.9, -1e30],
  },
  'below 2': {
    make: () => new Bounded({ inputShape: [1], high: 2 }),
    values: [2 - 2 ** -21, 1.75, -1e6, -1e30],
    toLine: (x) => -softplusInverse(2 - x),
    logDerivative: (x) => softplusLog(2 - x),
    off: [2, 3, 1e30],
  },
  'between 0 and 1': {
    make: () => new Bounded({ inputShape: [1], low: 0, high: 1 }),
    values: [1e-30, 1e-6, 0.25, 0.5, 0.9, 1 - 2 ** -24],
    toLine: (x) => Math.log(x) - Math.log1p(-x),
    logDerivative: (x) => -Math.log(x) - Math.log1p(-x),
    off: [0, 1, -1, 2, 1e30],
  },
  'between -2 and 6': {
    make: () => new Bounded({ inputShape: [1], low: -2, high: 6 }),
    values: [-1.99, 0.5, 2, 5.99],
    toLine: (x) => Math.log(x + 2) - Math.log(6 - x),
    logDerivative: (x) => Math.log(8) - Math.log(x + 2) - Math.log(6 - x),
    off: [-2, 6, 7],
  },
  asinh: {
    make: () => new HeavyTails({ inputShape: [1] }),
    values: [-1e30, -1e6, -1, -1e-30, 0, 1e-30, 0.3, 1, 1e6, 1e30],
    toLine: Math.asinh,
    logDerivative: (x) => -Math.log(Math.hypot(1, x)),
    off: [],
  },
  'Yeo-Johnson with power 1': {
    make: () => new HeavyTails({ inputShape: [1], map: 'yeoJohnson' }),
    values: [-100, -1, -1e-30, 0, 1e-30, 0.3, 100],
    toLine: (x) => x,
    logDerivative: () => 0,
    off: [],
  },
};

const column = (values: number[]) => tf.tensor2d(values, [values.length, 1]);

describe.each(['cpu', 'wasm'])('supports of single values on %s', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
  });

  it.each(Object.entries(cases))('%s: value and log-derivative of float64, from 1e-30 to 1e30', (_, each) => {
    const layer = each.make();
    const { value, logDet } = layer.forward(column(each.values));
    const x = Float32Array.from(each.values);
    // float32 of logs of differences: a few units in the last place of the largest term.
    value.dataSync().forEach((u, i) => {
      expect(Math.abs(u - each.toLine(x[i]))).toBeLessThan(2e-6 * (1 + Math.abs(each.toLine(x[i]))));
    });
    logDet.dataSync().forEach((log, i) => {
      expect(Math.abs(log - each.logDerivative(x[i]))).toBeLessThan(
        2e-6 * (1 + Math.abs(each.logDerivative(x[i])) + Math.abs(each.toLine(x[i])) * 1e-3),
      );
    });
  });

  it.each(Object.entries(cases))('%s: back from the line', (_, each) => {
    const layer = each.make();
    const { value } = layer.forward(column(each.values));
    const back = layer.inverse(value);
    // A unit in the last place of u moves x by as much of it, where x depends exponentially on u.
    back.value.dataSync().forEach((x, i) => {
      const wanted = Math.fround(each.values[i]);
      const allowed =
        2e-5 * Math.abs(wanted) + 1e-36 + (each.off.length === 0 ? 0 : 1e-6 * Math.min(2, Math.abs(wanted)));
      expect(Math.abs(x - wanted)).toBeLessThan(allowed);
    });
  });

  it.each(Object.entries(cases).filter(([, { off }]) => off.length > 0))(
    '%s: off the support and on its ends -Infinity, and no NaN for the others',
    (_, each) => {
      const layer = each.make();
      const x = column([...each.off, each.values[1]]);
      const { value, logDet } = layer.forward(x);
      const logs = Array.from(logDet.dataSync());
      expect(logs.slice(0, -1)).toEqual(each.off.map(() => Number.NEGATIVE_INFINITY));
      expect(Number.isFinite(logs.at(-1))).toBe(true);
      expect(Array.from(value.dataSync()).every(Number.isFinite)).toBe(true);
      const gradient = tf.grad((at) => {
        const result = layer.forward(at);
        return tf.add(tf.sum(tf.mul(result.value, 2)), tf.sum(result.logDet));
      })(x);
      const slopes = Array.from(gradient.dataSync());
      expect(slopes.every(Number.isFinite)).toBe(true);
      expect(slopes.at(-1)).not.toBe(0);
    },
  );

  it.each(Object.entries(cases).filter(([, { off }]) => off.length > 0))(
    '%s: however far out the line is, values stay inside',
    (_, each) => {
      const layer = each.make();
      const { value } = layer.inverse(column([-1e30, -200, -100, -30, 30, 80, 200]));
      const x = value.dataSync();
      expect(Array.from(x).filter(Number.isNaN)).toEqual([]);
      const { logDet } = layer.forward(column(Array.from(x).filter(Number.isFinite)));
      expect(Array.from(logDet.dataSync()).every(Number.isFinite)).toBe(true);
    },
  );
});

describe('supports of several values', () => {
  beforeAll(() => tf.setBackend('cpu'));

  it('order: a value that does not exceed the one before it is off the support', () => {
    const ordered = new Ordered({ inputShape: [3] });
    const x = tf.tensor2d([
      [1, 2, 4],
      [1, 1, 4],
      [1, 2, 1.5],
    ]);
    const logs = Array.from(ordered.forward(x).logDet.dataSync());
    expect(logs[0]).toBeCloseTo(-Math.log(-Math.expm1(-1)) - Math.log(-Math.expm1(-2)), 5);
    expect(logs.slice(1)).toEqual([-Infinity, -Infinity]);
    const far = ordered.inverse(tf.tensor2d([[-1e3, -200, 80]])).value.dataSync();
    expect(Array.from(far).every(Number.isFinite)).toBe(true);
  });

  it('shares of very different sizes keep their digits, and sum to 1', () => {
    const simplex = new Simplex({ inputShape: [4] });
    const shares = [1 - 3e-9, 1e-9, 1e-20, 2e-9];
    const { value, logDet } = simplex.forward(tf.tensor2d([shares]));
    const log = shares.reduce((sum, share) => sum - Math.log(share), 0);
    expect(Math.abs(logDet.dataSync()[0] - log)).toBeLessThan(1e-4);
    const back = Array.from(simplex.inverse(value).value.dataSync());
    back.forEach((share, i) => {
      expect(Math.abs(share / shares[i] - 1)).toBeLessThan(1e-5);
    });
    const far = Array.from(simplex.inverse(tf.tensor2d([[200, -200, 3]])).value.dataSync());
    expect(far.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
    expect(far.every((share) => share > 0)).toBe(true);
    const off = simplex.forward(
      tf.tensor2d([
        [0.5, 0, 0.5, 0],
        [-0.5, 0.5, 0.5, 0.5],
      ]),
    ).logDet;
    expect(Array.from(off.dataSync())).toEqual([-Infinity, -Infinity]);
  });

  it('heavy tails start in the middle of the data, with the power under which they are most nearly normal', () => {
    const skewed = Array.from(new RandomStream(1).normalArray(400), (z) => Math.exp(0.7 * z));
    const layer = new HeavyTails({ inputShape: [1], map: 'yeoJohnson' });
    const y = Array.from(layer.initialize(column(skewed)).dataSync());
    const skewness = (values: number[]) => {
      const mean = values.reduce((a, b) => a + b) / values.length;
      const moment = (k: number) => values.reduce((sum, v) => sum + (v - mean) ** k, 0) / values.length;
      return moment(3) / moment(2) ** 1.5;
    };
    expect(skewness(skewed)).toBeGreaterThan(1.5);
    expect(Math.abs(skewness(y))).toBeLessThan(0.3);
    const plain = new HeavyTails({ inputShape: [1] });
    plain.initialize(column([10, 11, 12, 13, 14]));
    expect(plain.forward(column([12])).value.dataSync()[0]).toBe(0);
  });

  it('quantiles make a column normal out to where its spline ends, and are straight beyond', () => {
    const z = Array.from(new RandomStream(2).normalArray(4000)).sort((a, b) => a - b);
    const layer = new MarginalQuantiles({ inputShape: [2] });
    // Each column for itself: powers of a normal one.
    const x = tf.tensor2d(z.map((value) => [Math.exp(value), 10 + value ** 3]));
    const made = layer.initialize(x).arraySync() as number[][];
    for (const share of [0.005, 0.05, 0.3, 0.5, 0.7, 0.95, 0.995]) {
      const at = Math.round(share * 4000);
      const wanted = z[at];
      // Between knots the spline is not the distribution's own curve.
      for (const value of made[at]) expect(Math.abs(value - wanted)).toBeLessThan(0.25);
    }
    const deviation = (column: number) =>
      Math.sqrt(made.reduce((sum, row) => sum + row[column] ** 2, 0) / 4000);
    expect(Math.abs(deviation(0) - 1)).toBeLessThan(0.05);
    expect(Math.abs(deviation(1) - 1)).toBeLessThan(0.08);
    const { logDet } = layer.forward(
      tf.tensor2d([
        [1e4, 1e4],
        [2e4, 2e4],
      ]),
    );
    expect(logDet.dataSync()[0]).toBe(logDet.dataSync()[1]);
  });

  it('a column without spread is centred and not scaled', () => {
    for (const map of ['asinh', 'yeoJohnson'] as const) {
      const layer = new HeavyTails({ inputShape: [1], map });
      layer.initialize(column([3, 3, 3]));
      const { value, logDet } = layer.forward(column([3, 3, 3]));
      expect(Array.from(value.dataSync())).toEqual([0, 0, 0]);
      expect(Array.from(logDet.dataSync())).toEqual([0, 0, 0].map(() => expect.closeTo(0, 5)));
    }
  });

  it('refuse what cannot be, and keep nothing', async () => {
    await leavesNoTensors(() => {
      expect(() => new Bounded({ inputShape: [1] })).toThrow(ConfigError);
      expect(() => new Bounded({ inputShape: [1], low: 1, high: 1 })).toThrow('low below high');
      expect(() => new Bounded({ inputShape: [1], low: 1, high: 1 + 1e-9 })).toThrow('low below high');
      expect(() => new Bounded({ inputShape: [1], lower: 1 } as never)).toThrow("Did you mean 'low'?");
      expect(() => new Ordered({ inputShape: [1] })).toThrow('two values or more');
      expect(() => new Simplex({ inputShape: [1] })).toThrow('two values or more');
    });
  });
});
