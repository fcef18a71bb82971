import * as tf from '@tensorflow/tfjs-core';
import { type AdaptiveStep, fusedAdaptiveStep, fusedAdaptiveStepBack, hasFused } from '../core/fused';

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

/** Steps of Adam are a few learning rates long: up to this one, what taking one back rounds away is nothing to a weight. */
const LARGEST_UNDONE = 1;

/**
 * Whether a step changes the weights where they lie, and can be taken back: Adam and Adamax with the fused kernel. Everywhere else
 * new values take the place of old ones, which whoever holds them keeps.
 */
export function updatesInPlace(optimizer: tf.Optimizer): boolean {
  const plain = optimizer instanceof tf.AdamOptimizer || optimizer instanceof tf.AdamaxOptimizer;
  return plain && hasFused('FlowAdaptiveStep') && fieldsOf(optimizer).learningRate <= LARGEST_UNDONE;
}

/**
 * One step of the optimizer: as `optimizer.applyGradients`, in one pass over all weights where it is made in place. The optimizer's
 * state is the same either way.
 *
 * @param gradients one per variable, disposed here; null leaves it and its moments alone
 * @returns takes a step back that was made in place, to rounding, as long as no other was taken
 */
export function applyGradients(
  optimizer: tf.Optimizer,
  variables: readonly tf.Variable[],
  gradients: readonly (tf.Tensor | null)[],
): (() => void) | undefined {
  let undo: (() => void) | undefined;
  if (updatesInPlace(optimizer)) {
    tf.tidy(() => {
      undo = applyAdaptive(fieldsOf(optimizer), variables, gradients);
    });
  } else {
    // All weights, in order: tfjs optimizers find their accumulators by position and skip null.
    optimizer.applyGradients(
      variables.map((variable, i) => ({ name: variable.name, tensor: gradients[i] as tf.Tensor })),
    );
  }
  tf.dispose(gradients.filter((gradient) => gradient !== null));
  return undo;
}

function fieldsOf(optimizer: tf.Optimizer): AdaptiveFields {
  return optimizer as unknown as AdaptiveFields;
}

function applyAdaptive(
  optimizer: AdaptiveFields,
  variables: readonly tf.Variable[],
  gradients: readonly (tf.Tensor | null)[],
): () => void {
  const firsts = optimizer.accumulatedFirstMoment;
  const seconds = (optimizer.accumulatedSecondMoment ?? optimizer.accumulatedWeightedInfNorm) as Slot[];
  variables.forEach((variable, i) => {
    firsts[i] ??= emptySlot(variable, 'm');
    seconds[i] ??= emptySlot(variable, 'v');
  });
  const chosen = variables.flatMap((_, i) => (gradients[i] === null ? [] : [i]));
  const state = () => {
    const weight = chosen.map((i) => variables[i]);
    const first = chosen.map((i) => firsts[i].variable);
    const second = chosen.map((i) => seconds[i].variable);
    for (const variable of [...weight, ...first, ...second]) stopSharing(variable);
    return { weight, first, second };
  };
  const constants = constantsOf(optimizer);
  fusedAdaptiveStep(
    state(),
    chosen.map((i) => gradients[i] as tf.Tensor),
    constants,
  );
  optimizer.iteration?.assign(tf.add(optimizer.iteration, 1));
  optimizer.accBeta1.assign(tf.mul(optimizer.accBeta1, optimizer.beta1));
  optimizer.accBeta2?.assign(tf.mul(optimizer.accBeta2, optimizer.beta2));
  optimizer.incrementIterations();
  return () => fusedAdaptiveStepBack(state(), constants);
}

/** What changes in place is copied first where somebody else, a clone for one, holds its values too. */
function stopSharing(variable: tf.Variable): void {
  if (tf.backend().refCount(variable.dataId) === 1) return;
  const copy = tf.tensor(variable.dataSync(), variable.shape);
  variable.assign(copy);
  copy.dispose();
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
