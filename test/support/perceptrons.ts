import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { inTrainingStep } from '../../src/core/trainingStep';
import {
  type Adjacency,
  type Conditioner,
  MaskedPerceptron,
  MaskedResidualPerceptron,
  MultilayerPerceptron,
  ResidualPerceptron,
} from '../../src/layers';

const ordered = (d: number): Adjacency =>
  Array.from({ length: d }, (_, i) => Array.from({ length: d }, (_, j) => j < i));
/** Values that read others in no order, and one that nobody reads. */
const scattered: Adjacency = [
  [0, 0, 1, 0, 0],
  [0, 0, 0, 0, 0],
  [0, 1, 0, 0, 0],
  [1, 1, 1, 0, 0],
  [0, 1, 0, 0, 0],
];

/** Perceptrons of every kind, of sizes that are no multiples of anything. */
export const kinds: Record<string, (options: object) => Conditioner> = {
  plain: (options) =>
    new MultilayerPerceptron({ inputShape: [3], units: 7, hiddenUnits: [20, 9], seed: 1, ...options }),
  'one layer': (options) =>
    new MultilayerPerceptron({ inputShape: [3], units: 5, hiddenUnits: [], seed: 1, ...options }),
  residual: (options) =>
    new ResidualPerceptron({ inputShape: [5], units: 23, hiddenUnits: 18, seed: 1, ...options }),
  masked: (options) =>
    new MaskedPerceptron({
      adjacency: ordered(6),
      outputsPerValue: 3,
      hiddenUnits: [33, 16],
      seed: 1,
      ...options,
    }),
  scattered: (options) =>
    new MaskedPerceptron({
      adjacency: scattered,
      outputsPerValue: 2,
      hiddenUnits: [24],
      seed: 1,
      ...options,
    }),
  'masked residual': (options) =>
    new MaskedResidualPerceptron({
      adjacency: ordered(4),
      outputsPerValue: 11,
      hiddenUnits: 32,
      seed: 1,
      ...options,
    }),
  'masked residual, plain blocks': (options) =>
    new MaskedResidualPerceptron({ adjacency: scattered, hiddenUnits: 21, blocks: 1, seed: 1, ...options }),
};

interface Inputs {
  x: tf.Tensor;
  context?: tf.Tensor;
}

/**
 * Output and the gradients in x, the context and every weight, by name, in a training step on the active backend, all weights drawn
 * from a seed.
 */
export function perceptronResults(
  network: Conditioner,
  rows: number,
  spread: number,
): Record<string, tf.Tensor> {
  const random = new RandomStream(7);
  for (const weight of network.trainableWeights) {
    const noise = random.normal(weight.shape, 0, spread);
    weight.assign(noise);
    noise.dispose();
  }
  const compute = () => {
    const draw = (shape: readonly number[]) => random.normal([rows, ...shape]);
    const given: Inputs = { x: draw(network.inputShape) };
    if (network.contextShape !== undefined) given.context = draw(network.contextShape as number[]);
    const weighting = draw(network.outputShape);
    const output = network.apply(given.x, given.context);
    const loss = (x: tf.Tensor, context?: tf.Tensor) =>
      tf.sum(tf.mul(network.apply(x, context), weighting)) as tf.Scalar;
    const inputs = given.context === undefined ? [given.x] : [given.x, given.context];
    const ofInputs = tf.grads(loss as never)(inputs);
    const { grads } = tf.variableGrads(() => loss(given.x, given.context));
    return {
      output,
      ...Object.fromEntries(ofInputs.map((tensor, i) => [`input ${i}`, tensor])),
      ...Object.fromEntries(network.trainableWeights.map(({ name }, i) => [`weight ${i}`, grads[name]])),
    };
  };
  return tf.tidy(() => inTrainingStep(new RandomStream(5), compute));
}
