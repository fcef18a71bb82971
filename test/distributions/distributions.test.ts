import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { DiagonalNormal, deserializeModule, RandomStream, StandardNormal, serializeModule } from 'tfjs-flows';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let before = 0;
beforeEach(async () => {
  await tf.setBackend('cpu');
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

/** log N(z; mean, exp(logScale)^2) in float64. */
function reference(z: ArrayLike<number>, mean: ArrayLike<number>, logScale: ArrayLike<number>): number {
  return Array.from(z).reduce((sum, value, i) => {
    const standardized = (value - mean[i]) / Math.exp(logScale[i]);
    return sum - 0.5 * standardized ** 2 - logScale[i] - 0.5 * Math.log(2 * Math.PI);
  }, 0);
}

const moments = (values: ArrayLike<number>) => {
  const mean = Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  const variance = Array.from(values).reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
};

describe('StandardNormal', () => {
  it('has the density of N(0, I) (1e-5: float32)', () => {
    tf.tidy(() => {
      const base = new StandardNormal({ eventShape: [2, 3] });
      const z = new RandomStream(1).normal([4, 2, 3]);
      const zeros = new Float64Array(6);
      const received = base.logProb(z).dataSync();
      const values = z.dataSync();
      for (let i = 0; i < 4; i++) {
        expect(received[i]).toBeCloseTo(reference(values.slice(i * 6, i * 6 + 6), zeros, zeros), 4);
      }
    });
  });

  it('samples with a temperature for all or one per value (4 standard errors)', () => {
    tf.tidy(() => {
      const base = new StandardNormal({ eventShape: [2] });
      const n = 4000;
      const values = base
        .sample(n, { random: new RandomStream(2), temperature: Float32Array.of(0.5, 2) })
        .dataSync();
      const column = (j: number) => moments(Array.from(values).filter((_, i) => i % 2 === j));
      expect(Math.abs(column(0).deviation - 0.5)).toBeLessThan((4 * 0.5) / Math.sqrt(2 * n));
      expect(Math.abs(column(1).deviation - 2)).toBeLessThan((4 * 2) / Math.sqrt(2 * n));
      const mode = base.sample(3, { random: new RandomStream(2), temperature: 0 });
      expect(tf.max(tf.abs(mode)).dataSync()[0]).toBe(0);
    });
  });

  it('refuses other events and temperatures', () => {
    const base = new StandardNormal({ eventShape: [2] });
    const random = new RandomStream(1);
    tf.tidy(() => {
      expect(() => base.logProb(tf.zeros([1, 3]))).toThrow(
        'StandardNormal.logProb: expected [batch, 2], got [1, 3].',
      );
      expect(() => base.sample(1, { random, temperature: -1 })).toThrow(
        'expected temperatures >= 0, got -1.',
      );
      expect(() => base.sample(1, { random, temperature: new Float32Array(3) })).toThrow(
        '1 or 2 temperatures',
      );
    });
    base.dispose();
    expect(() => base.logProb(tf.zeros([1, 2]))).toThrow('was disposed');
    tf.disposeVariables();
    before = tf.memory().numTensors;
  });
});

describe('DiagonalNormal', () => {
  it('has the density it says, fixed and per class (1e-4: float32)', () => {
    tf.tidy(() => {
      const mean = [1, -2];
      const logScale = [0.3, -0.7];
      const fixed = new DiagonalNormal({ eventShape: [2], mean, logScale, trainable: false });
      expect(fixed.trainableWeights).toHaveLength(0);
      const z = [0.2, 0.4];
      expect(fixed.logProb(tf.tensor2d([z])).dataSync()[0]).toBeCloseTo(reference(z, mean, logScale), 4);

      const byClass = new DiagonalNormal({ eventShape: [2], mean, logScale, classes: 2 });
      const [classMean, classLogScale] = byClass.weights.slice(2).map((weight) => weight.variable);
      classMean.assign(
        tf.tensor2d([
          [0, 0],
          [5, 6],
        ]),
      );
      classLogScale.assign(
        tf.tensor2d([
          [0, 0],
          [0.1, 0.2],
        ]),
      );
      const labels = tf.tensor2d([
        [1, 0],
        [0, 1],
      ]);
      const received = byClass.logProb(tf.tensor2d([z, z]), labels).dataSync();
      expect(received[0]).toBeCloseTo(reference(z, mean, logScale), 4);
      expect(received[1]).toBeCloseTo(reference(z, [6, 4], [0.4, -0.5]), 4);
      const modes = byClass
        .sample(2, { random: new RandomStream(1), temperature: 0, context: labels })
        .dataSync();
      expect([...modes]).toEqual([1, -2, 6, 4]);
      expect(() => byClass.logProb(tf.tensor2d([z]))).toThrow(
        'DiagonalNormal.logProb: expected a context [2] for 1 example, got none.',
      );
      fixed.dispose();
      byClass.dispose();
    });
  });

  it('learns: its gradient is that of the density', () => {
    tf.tidy(() => {
      const base = new DiagonalNormal({ eventShape: [1], mean: [0.5], logScale: [0.2] });
      const loss = () => tf.neg(tf.mean(base.logProb(tf.tensor2d([[2], [0]])))) as tf.Scalar;
      const { grads } = tf.variableGrads(loss, base.trainableWeights as tf.Variable[]);
      const [mean, logScale] = base.trainableWeights.map((weight) => grads[weight.name].dataSync()[0]);
      const variance = Math.exp(0.4);
      expect(mean).toBeCloseTo(-(1.5 - 0.5) / 2 / variance, 5);
      expect(logScale).toBeCloseTo(1 - (1.5 ** 2 + 0.5 ** 2) / 2 / variance, 5);
      base.dispose();
    });
  });

  it('comes back from its configuration and refuses bad means', () => {
    const base = new DiagonalNormal({ eventShape: [2], classes: 3, trainable: false });
    const copy = deserializeModule<DiagonalNormal>(JSON.parse(JSON.stringify(serializeModule(base))));
    expect(copy.weights.map(({ name, trainable }) => [name, trainable])).toEqual(
      base.weights.map(({ name, trainable }) => [name, trainable]),
    );
    base.dispose();
    copy.dispose();
    expect(() => new DiagonalNormal({ eventShape: [2], mean: [1] })).toThrow(
      'expected 2 values of mean, got 1.',
    );
  });

  it('refuses starting values beyond float32', () => {
    expect(() => new DiagonalNormal({ eventShape: [2], mean: [0, 1e39] })).toThrow(
      'DiagonalNormal: expected finite values, got 1e+39 at index 1 of mean. float32 holds values up to 3.4e38.',
    );
  });
});
