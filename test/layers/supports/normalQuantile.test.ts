import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { pointOf, sharesOf } from '../../../src/layers/supports/normalQuantile';
import { normalCdf, normalPdf, normalQuantile } from '../../../src/statistics/special';

const points = [-12, -9, -5.1, -4.9, -3, -1.44, -1.43, -0.5, -1e-4, 0, 1e-4, 0.5, 1.43, 1.44, 3, 5.1, 9, 12];

describe.each(['cpu', 'wasm'])('shares of the normal distribution on %s', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
  });

  it('are those of float64 in both tails (rounding of z^2 / 2 grows with z)', () => {
    const { below, above } = sharesOf(tf.tensor1d(points));
    const [low, high] = [below.dataSync(), above.dataSync()];
    Float32Array.from(points).forEach((z, i) => {
      const allowed = 1e-6 + 1e-6 * z * z;
      expect(Math.abs(low[i] / normalCdf(z) - 1)).toBeLessThan(allowed);
      expect(Math.abs(high[i] / normalCdf(-z) - 1)).toBeLessThan(allowed);
    });
  });

  it('lead back to their point, which is that of float64', () => {
    const tails = [0.5, 0.4999, 0.3, 0.076, 0.074, 1e-3, 1e-8, 2e-12, 1e-20, 1e-30, 1e-37];
    const share = tf.tensor1d(tails);
    const rest = tf.tensor1d(tails.map((tail) => 1 - tail));
    const lower = pointOf({ below: share, above: rest }).dataSync();
    const upper = pointOf({ below: rest, above: share }).dataSync();
    Float32Array.from(tails).forEach((tail, i) => {
      expect(Math.abs(lower[i] - normalQuantile(tail))).toBeLessThan(2e-6);
      expect(upper[i] + lower[i]).toBe(0);
    });
  });

  it('have the density as gradient, and points its inverse', () => {
    const z = tf.tensor1d(points);
    const ofBelow = tf
      .grad((at) => tf.sum(sharesOf(at).below))(z)
      .dataSync();
    const ofAbove = tf
      .grad((at) => tf.sum(sharesOf(at).above))(z)
      .dataSync();
    const { below, above } = sharesOf(z);
    const ofPoint = tf.grads((a, b) => tf.sum(pointOf({ below: a, above: b })))([below, above]);
    const [byBelow, byAbove] = ofPoint.map((gradient) => gradient.dataSync());
    Float32Array.from(points).forEach((at, i) => {
      const density = normalPdf(at);
      const near = (value: number, wanted: number) =>
        expect(Math.abs(value / wanted - 1)).toBeLessThan(1e-5 + 1e-5 * at * at);
      near(ofBelow[i], density);
      near(ofAbove[i], -density);
      // The smaller share says the point.
      near(byBelow[i] - byAbove[i], 1 / density);
    });
  });

  it('that are 0 are points far out, not infinity', () => {
    const none = tf.tensor1d([0, 1]);
    const z = Array.from(pointOf({ below: none, above: tf.sub(1, none) }).dataSync());
    expect(z[0]).toBeLessThan(-12.5);
    expect(z[1]).toBe(-z[0]);
    const gradient = tf.grad((at) => tf.sum(pointOf({ below: at, above: tf.sub(1, at) })))(none);
    expect(Array.from(gradient.dataSync()).filter(Number.isNaN)).toEqual([]);
  });
});
