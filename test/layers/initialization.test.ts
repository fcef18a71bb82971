import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  AffineCoupling,
  Chain,
  Conditioner,
  type ConditionerBuilder,
  ConvolutionNetwork,
  RandomStream,
  Split,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';

/** Log-scale of each column of a table after an actnorm saw it. */
function logScales(rows: number[][]): number[] {
  return tf.tidy(() => {
    const actnorm = new ActNorm({ inputShape: [rows[0].length] });
    actnorm.initialize(tf.tensor2d(rows));
    const [, logScale] = actnorm.weights;
    const result = Array.from(logScale.variable.dataSync());
    actnorm.dispose();
    return result as never;
  }) as unknown as number[];
}

describe.each(['cpu', 'wasm'])('ActNorm on %s', (backend) => {
  beforeAll(async () => {
    if (backend === 'wasm') await prepareWasm({ threads: 1 });
    else await tf.setBackend(backend);
  });

  it('leaves the scale of constant channels, whatever their constant', () => {
    const random = new RandomStream(8);
    const constants = Array.from(random.normalArray(300), (value, i) => value * 10 ** ((i % 13) - 6));
    constants.push(123.4, 1e6, 1e-9, 1e30, 0, -0.1);
    const rows = Array.from({ length: 100 }, () => constants);
    expect(logScales(rows).filter((value) => value !== 0)).toEqual([]);
  });

  it.each([
    ['a mean of 1e6 and a deviation of 1', 1e6, 1],
    ['values near 1e-8', 0, 1e-8],
    ['values near 1e-25, whose squares are no float32', 0, 1e-25],
    ['values near 1e25, whose squares are none either', 0, 1e25],
  ])('scales what varies: %s', (_, mean, deviation) => {
    const noise = new RandomStream(5).normalArray(512);
    const rows = Array.from(noise, (value) => [Math.fround(mean + deviation * value)]);
    const [logScale] = logScales(rows);
    const average = rows.reduce((sum, [value]) => sum + value, 0) / rows.length;
    const squares = rows.reduce((sum, [value]) => sum + (value - average) ** 2, 0);
    // 1e-3: float32 holds values near 1e6 in steps of 1/16.
    expect(logScale).toBeCloseTo(-0.5 * Math.log(squares / rows.length), 3);
  });

  it('takes rounding in the last place for a constant', () => {
    const value = Math.fround(1234.567);
    const next = value + 2 ** -13;
    expect(logScales([[value], [next], [value], [next]])[0]).toBeCloseTo(0, 6);
  });
});

describe('initialize', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('touches only what is not initialized: one new actnorm before two that were trained', () => {
    tf.tidy(() => {
      const random = new RandomStream(2);
      const x = tf.add(tf.mul(random.normal([64, 4, 4, 2]), 3), 5);
      const network: ConditionerBuilder = (inputShape, [, , filters]) =>
        new ConvolutionNetwork({ inputShape, filters, hiddenChannels: 4, seed: 1 });
      const trained = Chain.from(
        [4, 4, 2],
        [
          (inputShape) => new ActNorm({ inputShape }),
          (inputShape) => new AffineCoupling({ inputShape, network }),
        ],
        'trained',
      );
      trained.initialize(x);
      const before = trained.weights.map(({ variable }) => Array.from(variable.dataSync()));
      const first = new ActNorm({ inputShape: [4, 4, 2], name: 'new' });
      const chain = new Chain({ bijectors: [first, trained] });
      expect(chain.initialized).toBe(false);
      const value = chain.initialize(x);
      expect(chain.initialized).toBe(true);
      expect(trained.weights.map(({ variable }) => Array.from(variable.dataSync()))).toEqual(before);
      expect(Math.abs(first.weights[0].variable.dataSync()[0] + 5)).toBeLessThan(0.5);
      const gap = tf.max(tf.abs(tf.sub(value, chain.forward(x).value))).dataSync()[0];
      expect(gap).toBeLessThan(1e-5);
      chain.dispose();
    });
  });

  it('of a network that sets weights of its own from data does so once', () => {
    class Centred extends Conditioner {
      static className = 'TestCentred';
      private readonly mean = this.addWeight('mean', tf.zeros([1]));
      private isSet = false;
      override get initialized() {
        return this.isSet;
      }
      protected override computeInitialize(x: tf.Tensor) {
        this.isSet = true;
        this.mean.assign(tf.mean(x, 0));
        return this.compute(x);
      }
      protected compute(x: tf.Tensor) {
        return tf.sub(x, this.mean);
      }
      getConfig() {
        return {};
      }
    }
    tf.tidy(() => {
      const network = new Centred('network', [1], [1]);
      expect(Array.from(network.initialize(tf.tensor2d([[1], [3]])).dataSync())).toEqual([-1, 1]);
      expect(Array.from(network.initialize(tf.tensor2d([[10], [30]])).dataSync())).toEqual([8, 28]);
      network.dispose();
    });
  });

  it('reaches the network of a split', () => {
    tf.tidy(() => {
      const network: ConditionerBuilder = (inputShape, [, , filters]) =>
        new ConvolutionNetwork({ inputShape, filters, hiddenChannels: 4, seed: 1 });
      const split = new Split({ inputShape: [4, 4, 2], network });
      split.initialize(new RandomStream(2).normal([8, 4, 4, 2]));
      expect(split.initialized).toBe(true);
      const norm = split.weights.find(({ name }) => name === 'network/firstNorm/logScale');
      expect(norm?.variable.dataSync().some((value) => value !== 0)).toBe(true);
      split.dispose();
    });
  });
});
