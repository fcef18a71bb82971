import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  ActNorm,
  AffineCoupling,
  Chain,
  Dequantize,
  InvConv1x1,
  LayersNetwork,
  LearnedPrior,
  RandomStream,
  Split,
  Squeeze,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../support/leaks';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const values = (x: tf.Tensor) => Array.from(x.dataSync());

describe('ActNorm', () => {
  it('starts as the identity and is set to mean 0 and variance 1 by the first batch (1e-4: float32)', () => {
    tf.tidy(() => {
      const actnorm = new ActNorm({ inputShape: [4, 4, 3] });
      expect(actnorm.initialized).toBe(false);
      const x = tf.add(tf.mul(new RandomStream(1).normal([8, 4, 4, 3]), [1, 5, 0.2]), [3, -2, 0]);
      expect(values(actnorm.forward(x).value)).toEqual(values(x));
      const { mean, variance } = tf.moments(actnorm.initialize(x), [0, 1, 2]);
      expect(actnorm.initialized).toBe(true);
      for (const value of values(mean)) expect(Math.abs(value)).toBeLessThan(1e-4);
      for (const value of values(variance)) expect(Math.abs(value - 1)).toBeLessThan(1e-4);
      actnorm.dispose();
    });
  });

  it('centres a constant channel and leaves its scale, so nothing becomes NaN', async () => {
    const actnorm = new ActNorm({ inputShape: [2] });
    tf.tidy(() => {
      const y = actnorm.initialize(
        tf.tensor2d([
          [7, 1],
          [7, 3],
        ]),
      );
      expect(values(y)).toEqual([0, -1, 0, 1]);
    });
    expect((await actnorm.conditioning()).smallestScale).toBeCloseTo(1, 6);
    actnorm.dispose();
  });
});

describe('InvConv1x1', () => {
  it('starts as a rotation in both forms: log-det 0, condition number small, and the two forms agree', async () => {
    const [full, lu] = (['full', 'lu'] as const).map(
      (parameterization) => new InvConv1x1({ inputShape: [3, 3, 8], parameterization, seed: 5 }),
    );
    tf.tidy(() => {
      const x = new RandomStream(3).normal([2, 3, 3, 8]);
      const [a, b] = [full.forward(x), lu.forward(x)];
      // 1e-5: the LU factors are rounded to float32 one by one.
      expect(tf.max(tf.abs(tf.sub(a.value, b.value))).dataSync()[0]).toBeLessThan(1e-5);
      for (const { logDet } of [a, b])
        for (const value of values(logDet)) expect(Math.abs(value)).toBeLessThan(1e-4);
      const length = (y: tf.Tensor) => tf.norm(y).dataSync()[0];
      expect(length(a.value)).toBeCloseTo(length(x), 4);
    });
    for (const layer of [full, lu]) {
      // A rotation of n dimensions has 1-norm condition at most n.
      expect((await layer.conditioning()).conditionNumber).toBeLessThanOrEqual(8);
      layer.dispose();
    }
  });
});

describe('Squeeze', () => {
  it('orders channels as c * 4 + fy * 2 + fx', () => {
    tf.tidy(() => {
      const squeeze = new Squeeze({ inputShape: [4, 6, 3] });
      const x = tf.reshape(tf.range(0, 72), [1, 4, 6, 3]);
      const input = x.arraySync() as number[][][][];
      const output = squeeze.forward(x).value.arraySync() as number[][][][];
      for (let i = 0; i < 2; i++) {
        for (let j = 0; j < 3; j++) {
          for (let c = 0; c < 3; c++) {
            for (const [fy, fx] of [
              [0, 0],
              [0, 1],
              [1, 0],
              [1, 1],
            ]) {
              expect(output[0][i][j][c * 4 + fy * 2 + fx]).toBe(input[0][2 * i + fy][2 * j + fx][c]);
            }
          }
        }
      }
    });
  });
});

describe('conditional layers', () => {
  it('Split standardizes the second half by what it reads in the first, and only that half', () => {
    tf.tidy(() => {
      const split = new Split({ inputShape: [4] });
      const [kernel, bias] = split.weights.map((weight) => weight.variable);
      kernel.assign(
        tf.tensor2d([
          [1, 0, 0.5, 0],
          [0, 1, 0, 0.5],
        ]),
      );
      bias.assign(tf.tensor1d([0, 0, 0, 0]));
      const { value, logDet } = split.forward(tf.tensor2d([[1, 2, 3, 4]]));
      const expected = [1, 2, 2 * Math.exp(-0.5), 2 * Math.exp(-1)];
      values(value).forEach((entry, i) => {
        expect(entry).toBeCloseTo(expected[i], 5);
      });
      expect(values(logDet)[0]).toBeCloseTo(-1.5, 5);
      split.dispose();
    });
  });

  it('LearnedPrior adds the labels of an example that has several', () => {
    tf.tidy(() => {
      const prior = new LearnedPrior({ inputShape: [1], kind: 'constant', classes: 3 });
      prior.weights[0].variable.assign(
        tf.tensor2d([
          [1, 0],
          [10, 0.5],
          [100, 0.25],
        ]),
      );
      const { value, logDet } = prior.forward(tf.tensor2d([[0]]), tf.tensor2d([[1, 1, 0]]));
      expect(values(value)[0]).toBeCloseTo(-11 * Math.exp(-0.5), 4);
      expect(values(logDet)[0]).toBeCloseTo(-0.5, 6);
      prior.dispose();
    });
  });
});

describe('Dequantize', () => {
  it('adds noise within the bin, finds the level again, and checks levels', () => {
    tf.tidy(() => {
      const dequantize = new Dequantize({ inputShape: [2, 2, 1], nBits: 2 });
      const levels = tf.tensor4d([0, 1, 2, 3], [1, 2, 2, 1]);
      const noisy = dequantize.addNoise(levels, new RandomStream(1));
      expect(values(noisy)).not.toEqual(values(levels));
      expect(values(dequantize.quantize(noisy))).toEqual([0, 1, 2, 3]);
      expect(values(dequantize.quantize(tf.tensor4d([-3, 1.5, 3.99, 9], [1, 2, 2, 1])))).toEqual([
        0, 1, 3, 3,
      ]);
      dequantize.checkLevels('test', levels);
      expect(() => dequantize.checkLevels('test', tf.add(levels, 0.5))).toThrow(
        'expected whole numbers 0 .. 3',
      );
    });
  });
});

describe('networks that users bring', () => {
  it('takes a bare tfjs-layers layer, trains its weights and frees them', async () => {
    await leavesNoTensors(() =>
      tf.tidy(() => {
        const layer = tfl.layers.dense({ units: 4, kernelInitializer: 'zeros' });
        const coupling = new AffineCoupling({
          inputShape: [4],
          network: new LayersNetwork({ model: layer, inputShape: [2] }),
        });
        expect(coupling.weights.map(({ name }) => name.replace(/dense_\w+\//, ''))).toEqual([
          'network/kernel',
          'network/bias',
        ]);
        const loss = () => tf.sum(tf.square(coupling.forward(tf.ones([3, 4])).value)) as tf.Scalar;
        const { grads } = tf.variableGrads(loss, coupling.trainableWeights);
        expect(Object.keys(grads)).toHaveLength(2);
        coupling.dispose();
      }),
    );
  });

  it('says what a bare layer or an open shape lacks', () => {
    expect(() => new LayersNetwork({ model: tfl.layers.dense({ units: 4 }) })).toThrow(
      'LayersNetwork: expected inputShape beside a bare layer, got none.',
    );
    const model = tfl.sequential({
      layers: [tfl.layers.conv2d({ inputShape: [null, null, 2], filters: 2, kernelSize: 1 })],
    });
    expect(() => new LayersNetwork({ model })).toThrow('expected a model with a fixed input shape');
    tf.disposeVariables();
  });
});

describe('weights', () => {
  it('have stable hierarchical names, also with two models of one kind', () => {
    const build = () =>
      Chain.from(
        [4],
        [
          (inputShape) => new ActNorm({ inputShape }),
          (inputShape) => new InvConv1x1({ inputShape, seed: 1 }),
        ],
      );
    const [a, b] = [build(), build()];
    const names = a.weights.map(({ name }) => name);
    expect(names).toEqual(['actnorm/bias', 'actnorm/logScale', 'invconv/kernel']);
    expect(b.weights.map(({ name }) => name)).toEqual(names);
    expect(a.dispose()).toEqual({ disposedTensors: 3 });
    expect(() => a.dispose()).toThrow("Chain.dispose: 'chain' was disposed.");
    b.dispose();
  });
});
