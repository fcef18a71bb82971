import type * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint, DataError, ShapeError } from './errors';

/** An event shape, without the batch dimension: [h, w, c] or [d]. */
export type Shape = readonly number[];

/** Number of values in one event. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** `[batch, 4, 4, 12]`, the way a batch of events of this shape is written in errors. */
export function batchOf(shape: Shape): string {
  return `[${['batch', ...shape].join(', ')}]`;
}

/** Whether `x` is a batch of events of `shape`. */
export function isBatchOf(x: tf.Tensor, shape: Shape): boolean {
  return x.rank === shape.length + 1 && shape.every((length, axis) => length === x.shape[axis + 1]);
}

/** Throws a ShapeError unless `x` is a batch of events of `shape`. */
export function checkBatch(where: string, x: tf.Tensor, shape: Shape, hint = ''): void {
  if (!isBatchOf(x, shape)) throw new ShapeError(complaint(where, batchOf(shape), x.shape, hint));
}

/** Throws a ConfigError unless `value` is an integer of at least `least`. */
export function checkInteger(where: string, name: string, value: number, least = 1): void {
  if (!Number.isInteger(value) || value < least) {
    throw new ConfigError(complaint(where, `${name} to be an integer >= ${least}`, value));
  }
}

/** Throws a ConfigError unless `value` is one of `choices`. */
export function checkChoice(where: string, name: string, value: unknown, choices: readonly unknown[]): void {
  if (!choices.includes(value)) {
    throw new ConfigError(complaint(where, `${name} to be one of ${choices.join(', ')}`, value));
  }
}

/** Throws a ConfigError unless `shape` is an event shape of positive integers, with one of the given ranks where there are any. */
export function checkEventShape(where: string, shape: Shape, ranks?: readonly number[]): void {
  const valid =
    Array.isArray(shape) &&
    (ranks?.includes(shape.length) ?? shape.length > 0) &&
    shape.every((n) => Number.isInteger(n) && n > 0);
  if (!valid) {
    const kinds = (ranks ?? [1, 3]).map((rank) =>
      rank === 1 ? '[d]' : rank === 3 ? '[h, w, c]' : `rank ${rank}`,
    );
    throw new ConfigError(complaint(where, `inputShape ${kinds.join(' or ')} of positive integers`, shape));
  }
}

/** Throws a DataError that names the first NaN or infinity in `values`. */
export function checkFinite(where: string, values: ArrayLike<number>, hint = ''): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new DataError(complaint(where, 'finite values', `${values[i]} at index ${i}`, hint));
    }
  }
}
