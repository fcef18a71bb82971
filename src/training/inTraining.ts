import type * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import type { Trainable } from './trainable';

/** Variables and optimizers that a run changes at present, with the label of the model in it. */
const taken = new WeakMap<object, string>();

/**
 * Takes a model's weights and an optimizer given by the user for one run: two runs that share one would each undo what the other does,
 * and an optimizer's moments fit one model.
 *
 * @returns gives them free again
 * @throws ConfigError where another run has one of them
 */
export function takeForTraining(model: Trainable, optimizer: unknown): () => void {
  const { weights, label } = model;
  const variables: tf.Variable[] = weights.map(({ variable }) => variable);
  const shared = weights.find(({ variable }) => taken.has(variable));
  if (shared !== undefined) {
    const other = taken.get(shared.variable);
    const received = `${label}, whose '${shared.name}' is trained by the fit of ${other}`;
    throw inUse('a model that is not in training', received);
  }
  const given = typeof optimizer === 'object' && optimizer !== null ? [optimizer] : [];
  for (const instance of given) {
    if (!taken.has(instance)) continue;
    throw inUse('an optimizer of its own', `one that the fit of ${taken.get(instance)} uses`);
  }
  const objects: object[] = [...variables, ...given];
  for (const object of objects) taken.set(object, label);
  return () => {
    for (const object of objects) taken.delete(object);
  };
}

function inUse(expected: string, received: string): ConfigError {
  return new ConfigError(complaint('fit', expected, received, 'Await the first.'));
}
