import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  AffineCoupling,
  Chain,
  evaluate,
  type FitOptions,
  Flow,
  fit,
  Invert,
  MaskedAutoregressive,
  MaskedPerceptron,
  MaskedResidualPerceptron,
  MultilayerPerceptron,
  RandomStream,
  RationalQuadraticSpline,
  ResidualPerceptron,
  reversibleGradients,
  storedGradients,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { inTrainingStep, noiseInStep } from '../../src/core/trainingStep';
import { distance, perturb } from '../layers/networks/helpers';
import { memoryHandler, weightsOf } from './toys';

const d = 4;

/** A flow with dropout in every kind of perceptron, an embedding among them; relu, so that fused kernels would take it. */
function makeFlow(dropout: number): Flow {
  const options = { dropout, seed: 3, context: 2 } as const;
  const transformer = new RationalQuadraticSpline({ bins: 3, bound: 4 });
  const bijector = Chain.from(
    [d],
    [
      (inputShape) => new ActNorm({ inputShape }),
      (inputShape) =>
        new AffineCoupling({
          inputShape,
          network: (shape, [units]) =>
            new MultilayerPerceptron({ inputShape: shape, units, hiddenUnits: [16, 16], dropout, seed: 3 }),
        }),
      (inputShape) =>
        new AffineCoupling({
          inputShape,
          name: 'coupling1',
          network: (shape, [units]) =>
            new ResidualPerceptron({ inputShape: shape, units, hiddenUnits: 12, ...options }),
        }),
      (inputShape) =>
        new MaskedAutoregressive({
          inputShape,
          transformer,
          network: (adjacency, outputsPerValue) =>
            new MaskedPerceptron({ adjacency, outputsPerValue, hiddenUnits: [12], ...options }),
        }),
      (inputShape) =>
        new Invert({
          bijector: new MaskedAutoregressive({
            inputShape,
            transformer,
            network: (adjacency, outputsPerValue) =>
              new MaskedResidualPerceptron({ adjacency, outputsPerValue, hiddenUnits: 12, ...options }),
          }),
        }),
    ],
  );
  const embed = new MultilayerPerceptron({
    inputShape: [3],
    units: 2,
    hiddenUnits: [8],
    dropout,
    seed: 5,
    name: 'embedding',
  });
  return new Flow({ bijector, embed, seed: 1 });
}

const data = (n: number) => {
  const random = new RandomStream(8);
  return { x: random.normal([n, d]), context: random.normal([n, 3]) };
};

describe.each(['cpu', 'wasm'])('dropout on %s', (backend) => {
  beforeAll(async () => {
    await (backend === 'wasm' ? prepareWasm({ threads: 1 }) : tf.setBackend(backend));
  });

  it('drops the share that is asked for, and raises the rest', () => {
    const network = new MultilayerPerceptron({
      inputShape: [1],
      units: 1,
      hiddenUnits: [400],
      dropout: 0.25,
    });
    tf.tidy(() => {
      const [kernel0, bias0, kernel1] = network.trainableWeights;
      kernel0.assign(tf.zeros(kernel0.shape));
      bias0.assign(tf.ones(bias0.shape));
      kernel1.assign(tf.ones(kernel1.shape));
      const x = tf.zeros([50, 1]);
      const sums = [...inTrainingStep(new RandomStream(1), () => network.apply(x)).dataSync()];
      // Each of 400 units counts 4/3 with probability 3/4: a mean of 400, and a deviation of sqrt(400 / 3) = 11.5 a row.
      const mean = sums.reduce((sum, value) => sum + value, 0) / 50;
      expect(Math.abs(mean - 400)).toBeLessThan(4 * (11.5 / Math.sqrt(50)));
      const deviation = Math.sqrt(sums.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 49);
      expect(deviation).toBeGreaterThan(8);
      expect(deviation).toBeLessThan(16);
      for (const sum of sums) expect(Math.abs(sum * 0.75 - Math.round(sum * 0.75))).toBeLessThan(1e-3);
      expect([...network.apply(x).dataSync()]).toEqual(new Array(50).fill(400));
    });
    network.dispose();
  });

  it('stored and reversible gradients of a step are the same, whatever is kept or recomputed', () => {
    const flow = perturb(makeFlow(0.3), 0.2);
    tf.tidy(() => {
      const batch = data(6);
      const stored = storedGradients(flow, batch, new RandomStream(1));
      for (const anchorEvery of [1, 2, 100]) {
        const reversible = reversibleGradients(flow, batch, new RandomStream(1), { anchorEvery });
        expect(distance(stored.loss, reversible.loss)).toBeLessThan(1e-5);
        stored.gradients.forEach((gradient, i) => {
          const size = 1 + tf.max(tf.abs(gradient as tf.Tensor)).dataSync()[0];
          // Rounding of the inverses.
          expect(distance(gradient as tf.Tensor, reversible.gradients[i] as tf.Tensor)).toBeLessThan(
            2e-4 * size,
          );
        });
      }
      const other = storedGradients(flow, batch, new RandomStream(2));
      expect(distance(stored.loss, other.loss)).toBeGreaterThan(1e-3);
      const without = tf.neg(tf.mean(flow.logProb(batch.x, { context: batch.context })));
      expect(distance(stored.loss, without)).toBeGreaterThan(1e-3);
    });
    flow.dispose();
  });

  it('is off outside of steps: densities, latents, samples and initialization are those without it', () => {
    const [flow, without] = [makeFlow(0.5), makeFlow(0)].map((made) => perturb(made, 0.2));
    tf.tidy(() => {
      const { x, context } = data(5);
      for (const made of [flow, without]) made.initializeFrom({ x, context }, new RandomStream(1));
      const pairs = [flow, without].map((made) => [
        made.logProb(x, { context }),
        made.encode(x, { context }),
        made.sample(5, { context, seed: 1 }),
        ...made.trainableWeights,
      ]);
      pairs[0].forEach((tensor, i) => {
        expect(distance(tensor, pairs[1][i])).toBe(0);
      });
      expect(flow.loss({ x, context }, new RandomStream(1)).loss.dataSync()).toEqual(
        without.loss({ x, context }, new RandomStream(1)).loss.dataSync(),
      );
    });
    for (const made of [flow, without]) made.dispose();
  });
});

describe('dropout in a run', () => {
  beforeAll(() => tf.setBackend('cpu'));
  const quiet: FitOptions = { progress: 'none', seed: 5, epochs: 3, batchSize: 8, learningRate: 0.01 };
  const examples = () => {
    const { x, context } = data(20);
    return { x, context };
  };

  it.each(['stored', 'reversible', 'auto'] as const)(
    'a resumed run with %s gradients gives the numbers of one that went on',
    async (gradients) => {
      const options = { ...quiet, gradients };
      const whole = makeFlow(0.3);
      const expected = await fit(whole, examples(), options);
      const location = memoryHandler();
      const controller = new AbortController();
      let steps = 0;
      await fit(makeFlow(0.3), examples(), {
        ...options,
        checkpoint: { location },
        signal: controller.signal,
        callbacks: { onBatchEnd: () => void (++steps === 4 && controller.abort()) },
      });
      const resumed = makeFlow(0.3);
      expect(await fit(resumed, examples(), { ...options, seed: 99, resume: location })).toEqual(expected);
      expect(weightsOf(resumed)).toEqual(weightsOf(whole));
      const other = await fit(makeFlow(0.3), examples(), { ...options, seed: 6, shuffle: false });
      expect(other.losses[1]).not.toBe(expected.losses[1]);
    },
  );

  it('differs from step to step, and validation does not see it', async () => {
    const flow = perturb(makeFlow(0.3), 0.2);
    const all = examples();
    const history = await fit(flow, all, {
      ...quiet,
      epochs: 2,
      batchSize: 20,
      learningRate: 1e-12,
      validationData: all,
    });
    // The weights stand still; what is dropped does not.
    expect(Math.abs(history.losses[0] - history.losses[1])).toBeGreaterThan(1e-3);
    const [first, second] = history.epochs.map((epoch) => epoch.val_loss as number);
    expect(Math.abs(first - second)).toBeLessThan(1e-5);
    expect((await evaluate(flow, all)).loss).toBeCloseTo(first, 4);
  });

  it('takes no number from the stream of a model without it', () => {
    const flow = makeFlow(0);
    tf.tidy(() => {
      const random = new RandomStream(1);
      const before = JSON.stringify(random.state());
      storedGradients(flow, data(3), random);
      reversibleGradients(flow, data(3), random);
      expect(JSON.stringify(random.state())).toBe(before);
    });
  });

  it('leaves no tensor behind', () => {
    const flow = makeFlow(0.3);
    const batch = data(3);
    const before = tf.memory().numTensors;
    for (const compute of [storedGradients, reversibleGradients]) {
      const { loss, gradients } = compute(flow, batch, new RandomStream(1));
      tf.dispose([loss, ...(gradients as tf.Tensor[])]);
    }
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('inTrainingStep', () => {
  it('gives every layer a stream that begins anew, other ones to other layers and in other steps', () => {
    const [a, b] = [{}, {}];
    const draw = (layer: object) => noiseInStep(layer)?.uniformNumber();
    expect(draw(a)).toBeUndefined();
    const random = new RandomStream(1);
    const [first, second] = [1, 2].map(() =>
      inTrainingStep(random, () => [
        draw(a),
        draw(b),
        draw(a),
        inTrainingStep(new RandomStream(2), () => draw(a)),
        draw(a),
      ]),
    );
    expect(first[0]).toBe(first[2]);
    expect(first[0]).toBe(first[4]);
    expect(new Set([first[0], first[1], first[3], second[0], second[1]]).size).toBe(5);
    expect(() =>
      inTrainingStep(random, () => {
        throw new Error('lost');
      }),
    ).toThrow('lost');
    expect(draw(a)).toBeUndefined();
  });
});
