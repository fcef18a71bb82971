import * as tf from '@tensorflow/tfjs-core';
import { type AdaptiveStep, fusedAdaptiveStep, fusedAdaptiveStepBack, hasFused } from '../core/fused';
import { replaceEach } from './clipping';
import { CompactAdam } from './compactAdam';
import { claimAccumulators } from './optimizers';
import { type Slot, stopSharing, zeroSlot } from './slots';

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

/** Steps of Adam are a few learning rates long: up to this one, what taking one back rounds away is nothing to a weight. */
const LARGEST_UNDONE = 1;

/** Takes a step back, to rounding, as long as no other was taken. */
export type Undo = () => void;

/**
 * Whether a step can be taken back, so that nobody need hold the old weights: where a fused kernel changes them where they lie, and by
 * little enough.
 */
export function canUndo(optimizer: tf.Optimizer): boolean {
  const fused = takesBfloat16(optimizer) || hasFusedStep(optimizer);
  return fused && fieldsOf(optimizer).learningRate <= LARGEST_UNDONE;
}

/** Whether the optimizer's step takes gradients in bfloat16 too. */
export function takesBfloat16(optimizer: tf.Optimizer): boolean {
  return isCompact(optimizer) && hasFused('FlowCompactStep');
}

/* Any optimizer is an instance of every optimizer's class (tfjs redefines instanceof), and subclasses may compute something else. */

function isCompact(optimizer: tf.Optimizer): optimizer is CompactAdam {
  return optimizer.constructor === CompactAdam;
}

function hasFusedStep(optimizer: tf.Optimizer): boolean {
  const kind = optimizer.constructor;
  const adaptive = kind === tf.AdamOptimizer || kind === tf.AdamaxOptimizer;
  return adaptive && hasFused('FlowAdaptiveStep');
}

/**
 * One step of the optimizer: as `optimizer.applyGradients`, and for Adam and Adamax in one pass over all weights where the backend has
 * the fused kernel. The optimizer's state is the same either way.
 *
 * @param gradients one per variable, disposed here; null leaves it and its moments alone
 * @param scale factor of all gradients
 * @returns present where `canUndo`
 */
export function applyGradients(
  optimizer: tf.Optimizer,
  variables: readonly tf.Variable[],
  gradients: readonly (tf.Tensor | null)[],
  scale = 1,
): Undo | undefined {
  let undo: Undo | undefined;
  tf.tidy(() => {
    if (isCompact(optimizer)) undo = optimizer.step(variables, gradients, scale);
    else if (hasFusedStep(optimizer)) undo = applyAdaptive(fieldsOf(optimizer), variables, gradients, scale);
    else {
      // All weights, in order: tfjs optimizers find their accumulators by position and skip null.
      const scaled = scale === 1 ? gradients : replaceEach(gradients, (gradient) => tf.mul(gradient, scale));
      optimizer.applyGradients(
        variables.map((variable, i) => ({ name: variable.name, tensor: scaled[i] as tf.Tensor })),
      );
    }
  });
  claimAccumulators(optimizer, variables);
  tf.dispose(gradients.filter((gradient) => gradient !== null));
  return canUndo(optimizer) ? undo : undefined;
}

function fieldsOf(optimizer: tf.Optimizer): AdaptiveFields {
  return optimizer as unknown as AdaptiveFields;
}

function applyAdaptive(
  optimizer: AdaptiveFields,
  variables: readonly tf.Variable[],
  gradients: readonly (tf.Tensor | null)[],
  gradientScale: number,
): Undo {
  const firsts = optimizer.accumulatedFirstMoment;
  const seconds = (optimizer.accumulatedSecondMoment ?? optimizer.accumulatedWeightedInfNorm) as Slot[];
  variables.forEach((variable, i) => {
    firsts[i] ??= zeroSlot(variable, 'm');
    seconds[i] ??= zeroSlot(variable, 'v');
  });
  const chosen = variables.flatMap((_, i) => (gradients[i] === null ? [] : [i]));
  const state = () => {
    const weight = chosen.map((i) => variables[i]);
    const first = chosen.map((i) => firsts[i].variable);
    const second = chosen.map((i) => seconds[i].variable);
    stopSharing([...weight, ...first, ...second]);
    return { weight, first, second };
  };
  const constants = { ...constantsOf(optimizer), gradientScale };
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

function constantsOf(optimizer: AdaptiveFields): Omit<AdaptiveStep, 'gradientScale'> {
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
