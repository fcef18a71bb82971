import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  type ContextOption,
  type Embed,
  type Flow,
  loadFlow,
  MultilayerPerceptron,
  RandomStream,
  ResidualPerceptron,
  realNvp,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { distance } from '../layers/networks/helpers';
import { memoryHandler } from '../training/toys';

beforeAll(() => tf.setBackend('cpu'));

const series = [8, 2];
const image = [4, 4, 3];

const cases: Record<
  string,
  { context: ContextOption; embed: () => Embed; draw: (n: number) => tf.Tensor | Record<string, tf.Tensor> }
> = {
  'a series': {
    context: series,
    embed: () =>
      new MultilayerPerceptron({
        inputShape: series,
        units: 3,
        hiddenUnits: [16],
        activation: 'silu',
        seed: 1,
      }),
    draw: (n) => new RandomStream(3).normal([n, ...series]),
  },
  'an image': {
    context: image,
    embed: () => new ResidualPerceptron({ inputShape: image, units: 3, hiddenUnits: 16, blocks: 1, seed: 1 }),
    draw: (n) => new RandomStream(3).normal([n, ...image]),
  },
  'both by name, beside a part that passes as it is': {
    context: { series, image, pose: 1 },
    embed: () => ({
      series: new MultilayerPerceptron({ inputShape: series, units: 3, hiddenUnits: [16], seed: 1 }),
      image: new ResidualPerceptron({ inputShape: image, units: 2, hiddenUnits: 16, blocks: 1, seed: 1 }),
    }),
    draw: (n) => {
      const random = new RandomStream(3);
      return {
        image: random.normal([n, ...image]),
        pose: random.normal([n, 1]),
        series: random.normal([n, ...series]),
      };
    },
  },
};

describe.each(Object.entries(cases))(
  'a flow that reads %s through perceptrons',
  (_, { context, embed, draw }) => {
    const make = () =>
      realNvp({ dimensions: 2, layers: 2, hiddenUnits: [16], context, embed: embed(), seed: 1 });

    it('learns what depends on it, and is saved with it', async () => {
      const n = 64;
      const given = draw(n);
      const parts = given instanceof tf.Tensor ? [given] : [given.series, given.image];
      // The mean of x is the mean of what is read.
      const x = tf.tidy(() => {
        const means = parts.map((part) => tf.mean(tf.reshape(part, [n, -1]), 1, true));
        return tf.add(tf.mul(tf.addN(means), [[4, -4]]), new RandomStream(4).normal([n, 2], 0, 0.1));
      });
      const flow = make();
      const history = await flow.fit(
        { x, context: given },
        { epochs: 60, batchSize: 32, learningRate: 5e-3, progress: 'none', seed: 1 },
      );
      const loss = (epoch: number) => history.epochs.at(epoch)?.loss as number;
      // Read right, x has deviations of .1 and is worth -1.8 nats; unread, those of .1 and of four means.
      expect(loss(-1)).toBeLessThan(loss(0) - 1);
      const location = memoryHandler();
      await flow.save(location);
      const copy = await loadFlow<Flow>(location);
      expect(distance(copy.logProb(x, { context: given }), flow.logProb(x, { context: given }))).toBe(0);
      const other = tf.tidy(() => draw(n + 1));
      expect(() => flow.logProb(x, { context: other })).toThrow();
    });
  },
);
