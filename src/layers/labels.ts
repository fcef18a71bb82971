import type * as tf from '@tensorflow/tfjs-core';
import { type ContextShape, type ContextTensors, contextTensors } from '../core/context';
import { ConfigError, complaint } from '../core/errors';
import { checkInteger } from '../core/shapes';

/**
 * Number of classes whose labels, one-hot or multi-hot, come as the context [n, classes]; 0 for none. With a name, as in
 * `{ labels: 3 }`, they come as the part of that name, so that others may read other parts.
 */
export type ClassOption = number | Readonly<Record<string, number>>;

/**
 * How many classes there are, and what of the context their labels are.
 *
 * @throws ConfigError for anything but a whole number, with or without one name
 */
export function labelsOf(
  where: string,
  classes: ClassOption,
): { classes: number; contextShape: ContextShape | undefined } {
  const parts = typeof classes === 'object' && classes !== null ? Object.entries(classes) : [['', classes]];
  if (parts.length !== 1) {
    throw new ConfigError(complaint(where, 'classes under one name: { labels: 3 }', `${parts.length} names`));
  }
  const [[name, count]] = parts as [string, number][];
  checkInteger(where, 'classes', count, 0);
  const shape = name === '' ? [count] : { [name]: [count] };
  return { classes: count, contextShape: count === 0 ? undefined : shape };
}

/** The labels [n, classes] in a context that was checked. */
export function labelTensor(context: ContextTensors | undefined): tf.Tensor2D {
  return contextTensors(context)[0] as tf.Tensor2D;
}
