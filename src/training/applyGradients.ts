import * as tf from '@tensorflow/tfjs-core';
import { type AdaptiveStep, fusedAdaptiveStep, hasFused } from '../core/fused';

/** What Adam and Adamax of tfjs keep; the second moment has a name of its own in each. */
interface AdaptiveFields {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  accBeta1: tf.Variable;
  accBeta2?: tf.Variable;
  iteration?: tf.Variable;
  decay?: number;
  accumulatedFirstMoment: Slot[];
  accumulatedSecondMoment?: Slot[];
  accumulatedWeightedInfNorm?: Slot[];
  incrementIterations(): void;
}

interface Slot {
  originalName: string;
  variable: tf.Variable;
}

/**
 * One step of the optimizer: as `optimizer.applyGradients`, and for Adam and Adamax in one pass over all weights where
 * the backend has the fused kernel. The optimizer's state is the same either way.
 *
 * @param gradients one per variable; null leaves it and its moments alone
 */
export function applyGradients(
  optimizer: tf.Optimizer,
  variables: readonly tf.Variable[],
  gradients: readonly (tf.Tensor | null)[],
): void {
  const plain = optimizer instanceof tf.AdamOptimizer || optimizer instanceof tf.AdamaxOptimizer;
  if (plain && hasFused('FlowAdaptiveStep')) {
    tf.tidy(() => {
      applyAdaptive(optimizer as unknown as AdaptiveFields, variables, gradients);
    });
    return;
  }
  // All weights, in order: tfjs optimizers find their accumulators by position and skip null.
  optimizer.applyGradients(
    variables.map((variable, i) => ({ name: variable.name, tensor: gradients[i] as tf.Tensor })),
  );
}

function applyAdaptive(
  optimizer: AdaptiveFields,
  variables: readonly tf.Variable[],
  gradients: readonly (tf.Tensor | null)[],
): void {
  const firsts = optimizer.accumulatedFirstMoment;
  const seconds = (optimizer.accumulatedSecondMoment ?? optimizer.accumulatedWeightedInfNorm) as Slot[];
  variables.forEach((variable, i) => {
    firsts[i] ??= emptySlot(variable, 'm');
    seconds[i] ??= emptySlot(variable, 'v');
  });
  const chosen = variables.flatMap((_, i) => (gradients[i] === null ? [] : [i]));
  const weight = chosen.map((i) => variables[i]);
  const first = chosen.map((i) => firsts[i].variable);
  const second = chosen.map((i) => seconds[i].variable);
  const gradient = chosen.map((i) => gradients[i] as tf.Tensor);
  const updated = fusedAdaptiveStep({ weight, gradient, first, second }, constantsOf(optimizer));
  const assign = (targets: tf.Variable[], values: tf.Tensor[]) =>
    targets.forEach((target, i) => {
      target.assign(values[i]);
    });
  assign(weight, updated.weight);
  assign(first, updated.first);
  assign(second, updated.second);
  optimizer.iteration?.assign(tf.add(optimizer.iteration, 1));
  optimizer.accBeta1.assign(tf.mul(optimizer.accBeta1, optimizer.beta1));
  optimizer.accBeta2?.assign(tf.mul(optimizer.accBeta2, optimizer.beta2));
  optimizer.incrementIterations();
}

function constantsOf(optimizer: AdaptiveFields): AdaptiveStep {
  const { learningRate, beta1, beta2, epsilon, accBeta1, accBeta2, iteration, decay = 0 } = optimizer;
  const steps = iteration?.dataSync()[0] ?? 0;
  return {
    kind: accBeta2 === undefined ? 'adamax' : 'adam',
    learningRate: learningRate / (1 + steps * decay),
    beta1,
    beta2,
    epsilon,
    bias1: 1 - accBeta1.dataSync()[0],
    bias2: accBeta2 === undefined ? 1 : 1 - accBeta2.dataSync()[0],
  };
}

function emptySlot(variable: tf.Variable, suffix: string): Slot {
  const zeros = tf.zerosLike(variable as tf.Tensor);
  return { originalName: `${variable.name}/${suffix}`, variable: tf.variable(zeros, false) };
}
