import * as tf from '@tensorflow/tfjs-core';
import { isOwn } from '../core/overriding';
import { withoutTensors } from '../core/tensors';
import { type AdaptiveFields, adaptiveFieldsOf, fieldsOf, type Slot } from '../engine/optimizers';
import type { GradientStorage } from '../layers/reversePass';
import { bfloat16Storage } from './bfloat16';
import { replaceEach } from './clipping';
import { CompactAdam } from './compactAdam';
import {
  type AdaptiveStep,
  fusedAdaptiveStep,
  fusedAdaptiveStepBack,
  hasFusedAdaptiveStep,
} from './fusedAdaptiveStep';
import { hasFusedCompactStep } from './fusedCompactStep';
import { claimAccumulators } from './optimizers';
import { stopSharing, zeroSlot } from './slots';
import { hasStepScale } from './stepScale';

/** Steps of Adam are a few learning rates long: up to this one, what taking one back rounds away is nothing to a weight. */
const LARGEST_UNDONE = 1;

/** Takes a step back, to rounding, as long as no other was taken. */
export type Undo = () => void;

/** A step that the optimizer has not counted yet. */
export interface StepAhead {
  undo: Undo;
  /** To be called once it is known that the step was taken. */
  count(): void;
}

/**
 * Whether a step can be taken back, so that nobody need hold the old weights: where a fused kernel changes them where they lie, and by
 * little enough.
 */
export function canUndo(optimizer: tf.Optimizer): boolean {
  const fused = (isCompact(optimizer) && hasFusedCompactStep()) || hasFusedStep(optimizer);
  return fused && (fieldsOf(optimizer).learningRate ?? Number.POSITIVE_INFINITY) <= LARGEST_UNDONE;
}

/** How gradients for the optimizer's steps are best held until then; undefined for float32. */
export function storageFor(optimizer: tf.Optimizer): GradientStorage | undefined {
  return isCompact(optimizer) && hasFusedCompactStep() ? bfloat16Storage() : undefined;
}

/* Any optimizer is an instance of every optimizer's class (tfjs redefines instanceof), and subclasses may compute something else. */

function isCompact(optimizer: tf.Optimizer): optimizer is CompactAdam {
  return isOwn(optimizer, CompactAdam, 'applyGradients', 'step');
}

function hasFusedStep(optimizer: tf.Optimizer): boolean {
  const adaptive = [tf.AdamOptimizer, tf.AdamaxOptimizer].some((kind) =>
    isOwn(optimizer, kind, 'applyGradients'),
  );
  return adaptive && hasFusedAdaptiveStep();
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
    else if (hasFusedStep(optimizer)) {
      const step = applyAdaptive(adaptiveFieldsOf(optimizer), variables, gradients, scale);
      step.count();
      undo = step.undo;
    } else {
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

/** Whether a step of this optimizer can be on its way before anybody knows that it is sound: `stepAhead` takes it. */
export function canStepAhead(optimizer: tf.Optimizer): boolean {
  return hasStepScale() && canUndo(optimizer);
}

/**
 * One step of an optimizer that `canStepAhead`, by a scale that stays on the device: where that is not finite, nothing changes. The
 * gradients stay the caller's.
 */
export function stepAhead(
  optimizer: tf.Optimizer,
  variables: readonly tf.Variable[],
  gradients: readonly (tf.Tensor | null)[],
  scale: tf.Scalar,
): StepAhead {
  const step = withoutTensors(() =>
    isCompact(optimizer)
      ? optimizer.stepAhead(variables, gradients, scale)
      : applyAdaptive(adaptiveFieldsOf(optimizer), variables, gradients, scale),
  );
  claimAccumulators(optimizer, variables);
  return step;
}

function applyAdaptive(
  optimizer: AdaptiveFields,
  variables: readonly tf.Variable[],
  gradients: readonly (tf.Tensor | null)[],
  gradientScale: number | tf.Scalar,
): StepAhead {
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
  const constants = constantsOf(optimizer);
  fusedAdaptiveStep(
    state(),
    chosen.map((i) => gradients[i] as tf.Tensor),
    constants,
    gradientScale,
  );
  return { undo: () => fusedAdaptiveStepBack(state(), constants), count: () => countStep(optimizer) };
}

/** As the ordinary step does at its end. */
function countStep(optimizer: AdaptiveFields): void {
  tf.tidy(() => {
    optimizer.iteration?.assign(tf.add(optimizer.iteration, 1));
    optimizer.accBeta1.assign(tf.mul(optimizer.accBeta1, optimizer.beta1));
    optimizer.accBeta2?.assign(tf.mul(optimizer.accBeta2, optimizer.beta2));
  });
  optimizer.incrementIterations();
}

/**
 * All known on the host, from the number of steps: the running powers of beta, which tfjs keeps on the device, are not read. They are
 * those of beta in float32, of which 1 - 0.999 is another number.
 */
function constantsOf(optimizer: AdaptiveFields): AdaptiveStep {
  const { learningRate, beta1, beta2, epsilon, iterations, accBeta2, decay = 0 } = optimizer;
  return {
    kind: accBeta2 === undefined ? 'adamax' : 'adam',
    learningRate: learningRate / (1 + iterations * decay),
    beta1,
    beta2,
    epsilon,
    bias1: 1 - Math.fround(beta1) ** (iterations + 1),
    bias2: 1 - Math.fround(beta2) ** (iterations + 1),
  };
}
