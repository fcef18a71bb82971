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
 * @param gradients one per variable, disposed here; null leaves it and its moments alone
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
  tf.dispose(gradients.filter((gradient) => gradient !== null));
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
  const constants = constantsOf(optimizer);
  for (const group of groupsBySize(chosen, (i) => variables[i].size)) {
    const weight = group.map((i) => variables[i]);
    const first = group.map((i) => firsts[i].variable);
    const second = group.map((i) => seconds[i].variable);
    const gradient = group.map((i) => gradients[i] as tf.Tensor);
    for (const moment of [...first, ...second]) stopSharing(moment);
    const updated = fusedAdaptiveStep({ weight, gradient, first, second }, constants);
    weight.forEach((target, i) => {
      target.assign(updated[i]);
    });
    tf.dispose([updated, gradient]);
  }
  optimizer.iteration?.assign(tf.add(optimizer.iteration, 1));
  optimizer.accBeta1.assign(tf.mul(optimizer.accBeta1, optimizer.beta1));
  optimizer.accBeta2?.assign(tf.mul(optimizer.accBeta2, optimizer.beta2));
  optimizer.incrementIterations();
}

/** The fused step changes moments where they lie: a value that somebody else holds too, a clone for one, becomes a copy. */
function stopSharing(variable: tf.Variable): void {
  if (tf.backend().refCount(variable.dataId) === 1) return;
  const copy = tf.tensor(variable.dataSync(), variable.shape);
  variable.assign(copy);
  copy.dispose();
}

/** Values of a group: old and new weights of one group alone stand side by side. */
const GROUP = 2 ** 21;

function groupsBySize(indices: readonly number[], sizeOf: (index: number) => number): number[][] {
  const groups: number[][] = [];
  let room = 0;
  for (const index of indices) {
    if (room < sizeOf(index)) {
      groups.push([]);
      room = GROUP;
    }
    groups[groups.length - 1].push(index);
    room -= sizeOf(index);
  }
  return groups;
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
  const slot = { originalName: `${variable.name}/${suffix}`, variable: tf.variable(zeros, false) };
  // The zeros share their data with the slot, which the first step frees: as long as nothing else holds them.
  zeros.dispose();
  return slot;
}
