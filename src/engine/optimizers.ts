import * as tf from '@tensorflow/tfjs-core';
import { type Fields, requireFields } from './check';

/** A tfjs optimizer's accumulator of one weight. */
export interface Slot {
  originalName: string;
  variable: tf.Variable;
}

/** What optimizers of TensorFlow.js keep in (mostly protected) fields of their own; names survive in tf.min.js. */
export interface OptimizerFields {
  learningRate?: number;
  setLearningRate?: (learningRate: number) => void;
  /** Kept scalar -learningRate of SGD and Momentum; the latter forgets it in dispose(). */
  c?: tf.Tensor;
}

/** What Adam and Adamax keep; the second moment has a name of its own in each. */
export interface AdaptiveFields {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  accBeta1: tf.Variable;
  accBeta2?: tf.Variable;
  iteration?: tf.Variable;
  decay?: number;
  /** Steps that were taken. */
  readonly iterations: number;
  accumulatedFirstMoment: Slot[];
  accumulatedSecondMoment?: Slot[];
  accumulatedWeightedInfNorm?: Slot[];
  incrementIterations(): void;
}

const adaptive: Fields = {
  number: ['learningRate', 'beta1', 'beta2', 'epsilon', 'iterations'],
  object: ['accBeta1'],
};

/** Fields by class; only an instance shows them, and none can be made before there is a backend. */
const expected: [owner: { prototype: object }, name: string, fields: Fields[]][] = [
  [tf.SGDOptimizer, 'SGD', [{ number: ['learningRate'], object: ['c'] }]],
  [tf.MomentumOptimizer, 'Momentum', [{ array: ['accumulations'], object: ['c'] }]],
  [tf.AdagradOptimizer, 'Adagrad', [{ number: ['learningRate'], array: ['accumulatedGrads'] }]],
  [
    tf.AdadeltaOptimizer,
    'Adadelta',
    [{ number: ['learningRate'], array: ['accumulatedGrads', 'accumulatedUpdates'] }],
  ],
  [
    tf.AdamOptimizer,
    'Adam',
    [adaptive, { object: ['accBeta2'], array: ['accumulatedFirstMoment', 'accumulatedSecondMoment'] }],
  ],
  [
    tf.AdamaxOptimizer,
    'Adamax',
    [
      adaptive,
      {
        number: ['decay'],
        object: ['iteration'],
        array: ['accumulatedFirstMoment', 'accumulatedWeightedInfNorm'],
      },
    ],
  ],
  [
    tf.RMSPropOptimizer,
    'RMSProp',
    [{ number: ['learningRate'], array: ['accumulatedMeanSquares', 'accumulatedMoments'] }],
  ],
];

const checked = new Set<unknown>();

/** Checks the fields of an optimizer's class, once, where it is one of TensorFlow.js or made of one. */
function checkOptimizer(optimizer: object): void {
  if (checked.has(optimizer.constructor)) return;
  for (const [owner, name, fields] of expected) {
    // Not instanceof, which tfjs redefines: any optimizer is an instance of every optimizer's class.
    if (!Object.prototype.isPrototypeOf.call(owner.prototype, optimizer)) continue;
    for (const some of fields) requireFields(optimizer, name, some);
  }
  checked.add(optimizer.constructor);
}

/**
 * The fields of an optimizer.
 *
 * @throws BackendError where a class of TensorFlow.js lacks one
 */
export function fieldsOf(optimizer: tf.Optimizer): OptimizerFields {
  checkOptimizer(optimizer);
  return optimizer as unknown as OptimizerFields;
}

/** The fields of Adam or Adamax. */
export function adaptiveFieldsOf(optimizer: tf.Optimizer): AdaptiveFields {
  checkOptimizer(optimizer);
  return optimizer as unknown as AdaptiveFields;
}

/**
 * Sets the number of steps that it has taken.
 *
 * @throws BackendError where the optimizer does not say the same afterwards
 */
export function setIterations(optimizer: tf.Optimizer, iterations: number): void {
  (optimizer as unknown as { iterations_: number }).iterations_ = iterations;
  if (optimizer.iterations !== iterations) requireFields({}, 'an optimizer', { number: ['iterations_'] });
}

/** Its accumulators by the names of their fields: every array is a list of them, empty before the first step. */
export function slotFields(optimizer: tf.Optimizer): [string, Slot[]][] {
  checkOptimizer(optimizer);
  return Object.entries(optimizer).filter((entry): entry is [string, Slot[]] => Array.isArray(entry[1]));
}

/** Other accumulators in a field that `slotFields` gave. */
export function setSlots(optimizer: tf.Optimizer, field: string, slots: Slot[]): void {
  (optimizer as unknown as Record<string, Slot[]>)[field] = slots;
}

/** Its variables that are one for all weights. */
export function scalarFields(optimizer: tf.Optimizer): [string, tf.Variable][] {
  return Object.entries(optimizer).filter(
    (entry): entry is [string, tf.Variable] => entry[1] instanceof tf.Variable,
  );
}

/** All tensors that it holds in fields of their own. */
export function tensorFields(optimizer: tf.Optimizer): tf.Tensor[] {
  return Object.values(optimizer).filter((value): value is tf.Tensor => value instanceof tf.Tensor);
}
