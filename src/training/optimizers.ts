import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint, DisposedError } from '../core/errors';
import { checkChoice, sameShape } from '../core/shapes';
import {
  fieldsOf,
  type Slot,
  scalarFields,
  setIterations,
  setSlots,
  slotFields,
  tensorFields,
} from '../engine/optimizers';
import { CompactAdam } from './compactAdam';

/** Optimizers that `fit` builds by name, with the defaults of tf.train. */
export type OptimizerName =
  | 'sgd'
  | 'momentum'
  | 'adagrad'
  | 'adadelta'
  | 'adam'
  | 'compactAdam'
  | 'adamax'
  | 'rmsprop';

const builders: Record<OptimizerName, (learningRate: number) => tf.Optimizer> = {
  sgd: (learningRate) => tf.train.sgd(learningRate),
  momentum: (learningRate) => tf.train.momentum(learningRate, 0.9),
  adagrad: (learningRate) => tf.train.adagrad(learningRate),
  adadelta: (learningRate) => tf.train.adadelta(learningRate),
  adam: (learningRate) => tf.train.adam(learningRate),
  compactAdam: (learningRate) => new CompactAdam(learningRate),
  adamax: (learningRate) => tf.train.adamax(learningRate),
  rmsprop: (learningRate) => tf.train.rmsprop(learningRate),
};

/** Builds an optimizer by name; Momentum gets 0.9, everything else the defaults of tf.train. */
export function makeOptimizer(name: OptimizerName, learningRate: number): tf.Optimizer {
  checkChoice('fit', 'optimizer', name, Object.keys(builders));
  return builders[name](learningRate);
}

/** The optimizer's current learning rate. */
export function getLearningRate(optimizer: tf.Optimizer): number {
  const { learningRate } = fieldsOf(optimizer);
  if (typeof learningRate !== 'number') {
    throw new ConfigError(
      complaint(
        'fit',
        'an optimizer with a numeric learningRate',
        optimizer.getClassName(),
        'Use a tf.train optimizer.',
      ),
    );
  }
  return learningRate;
}

/** Sets the learning rate of any tf.train optimizer: SGD and Momentum hold it on the device, the others as a number. */
export function setLearningRate(optimizer: tf.Optimizer, learningRate: number): void {
  if (getLearningRate(optimizer) === learningRate) return;
  const fields = fieldsOf(optimizer);
  if (fields.setLearningRate !== undefined) fields.setLearningRate(learningRate);
  else fields.learningRate = learningRate;
}

/** Frees everything that the optimizer holds, the scalar that Momentum's own dispose() leaves behind included. */
export function disposeOptimizer(optimizer: tf.Optimizer): void {
  optimizer.dispose();
  const { c } = fieldsOf(optimizer);
  if (c !== undefined && !c.isDisposed) c.dispose();
}

/** Throws a DisposedError for an optimizer whose state is gone. */
export function checkOptimizerUsable(optimizer: tf.Optimizer): void {
  const tensors = [
    ...tensorFields(optimizer),
    ...slotFields(optimizer).flatMap(([, slots]) => slots.map(({ variable }) => variable)),
  ];
  if (tensors.some(({ isDisposed }) => isDisposed)) {
    throw new DisposedError(`fit: the ${optimizer.getClassName()} optimizer was disposed. Make a new one.`);
  }
}

/** The weight of each accumulator that came to be in a step of ours; one that was set from elsewhere, a file for one, has none. */
const weightOf = new WeakMap<tf.Variable, tf.Variable>();

/** Remembers, after a step, whose accumulators the optimizer holds. */
export function claimAccumulators(optimizer: tf.Optimizer, variables: readonly tf.Variable[]): void {
  for (const [, slots] of slotFields(optimizer)) {
    // All come to be in one step.
    if (slots.length === 0 || weightOf.has(slots[slots.length - 1].variable)) continue;
    slots.forEach(({ variable }, i) => {
      weightOf.set(variable, variables[i]);
    });
  }
}

/** Throws a ConfigError if the optimizer carries accumulators of other weights, by what it has trained and by shape. */
export function checkOptimizerFits(optimizer: tf.Optimizer, variables: readonly tf.Variable[]): void {
  const belongs = ({ variable }: Slot, i: number) =>
    (weightOf.get(variable) ?? variables[i]) === variables[i] &&
    sameShape(variable.shape, variables[i].shape);
  for (const [field, slots] of slotFields(optimizer)) {
    if (slots.length === 0 || (slots.length === variables.length && slots.every(belongs))) continue;
    throw new ConfigError(
      complaint(
        'fit',
        'an optimizer that is new or has trained this model',
        `${optimizer.getClassName()} whose ${field} belong to other weights`,
        'Make a new optimizer for each model.',
      ),
    );
  }
}

/**
 * The optimizer's whole state as named tensors: `accumulatedFirstMoment/<weight>`, `accBeta1`.
 *
 * The fields are read directly, because tf.Optimizer.getWeights() leaves out Adam's running powers of beta (setWeights
 * recomputes them in another rounding, so a run would not continue exactly) and is missing in Adamax.
 */
export function optimizerTensors(
  optimizer: tf.Optimizer,
  weightNames: readonly string[],
): { name: string; tensor: tf.Tensor }[] {
  const slots = slotFields(optimizer).flatMap(([field, entries]) =>
    entries.map((slot, i) => ({ name: `${field}/${weightNames[i]}`, tensor: slot.variable as tf.Tensor })),
  );
  return [
    ...slots,
    ...scalarFields(optimizer).map(([name, tensor]) => ({ name, tensor: tensor as tf.Tensor })),
  ];
}

/** Puts a state that `optimizerTensors` gave back into an optimizer of the same class; copies the tensors. */
export function restoreOptimizer(
  optimizer: tf.Optimizer,
  tensors: ReadonlyMap<string, tf.Tensor>,
  weightNames: readonly string[],
  iterations: number,
): void {
  setIterations(optimizer, iterations);
  for (const [name, variable] of scalarFields(optimizer)) variable.assign(tensors.get(name) as tf.Tensor);
  for (const [field, entries] of slotFields(optimizer)) {
    for (const slot of entries) slot.variable.dispose();
    const restored = weightNames.flatMap((name): Slot[] => {
      const tensor = tensors.get(`${field}/${name}`);
      return tensor === undefined
        ? []
        : [{ originalName: `${name}/${field}`, variable: tf.variable(tensor, false) }];
    });
    setSlots(optimizer, field, restored);
  }
}
