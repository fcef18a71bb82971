import * as tf from '@tensorflow/tfjs-core';
import { append } from '../core/lists';
import { readTogether } from '../core/reads';

/** What the host works out in float64 once the values of some tensors are read. */
export interface HostMeasure {
  /** float32 */
  of: readonly tf.Tensor[];
  /** @param values those of the tensors, in their order */
  compute(values: readonly Float32Array[]): number;
}

/** A number of a layer that may have to be read yet. */
export type Measure = number | tf.Scalar | HostMeasure;

/** Numbers in place of measures, at any depth. */
type Read<T> = T extends Measure ? number : { [Name in keyof T]: Read<T[Name]> };

/**
 * The numbers of measures in objects and lists, by one read for all.
 *
 * @param make runs inside `tf.tidy`: nothing that it makes stays
 */
export async function readMeasures<T extends object>(make: () => T): Promise<Read<T>> {
  let read: (values: readonly Float32Array[]) => unknown = () => undefined;
  const values = await readTogether(() => {
    const tensors: tf.Tensor[] = [];
    read = reader(make(), tensors);
    return tensors;
  });
  return read(values) as Read<T>;
}

/** One of several measures, as the host chooses. */
export function choiceOf(
  measures: readonly Measure[],
  choose: (numbers: readonly number[]) => number,
): HostMeasure {
  const of: tf.Tensor[] = [];
  const read = reader(measures, of);
  return { of, compute: (values) => choose(read(values) as number[]) };
}

/** Adds to the tensors what has to be read, and finds it again in the values. */
function reader(given: unknown, tensors: tf.Tensor[]): (values: readonly Float32Array[]) => unknown {
  if (typeof given !== 'object' || given === null) return () => given;
  const at = tensors.length;
  if (given instanceof tf.Tensor) {
    tensors.push(given);
    return (values) => values[at][0];
  }
  if (isOfHost(given)) {
    append(tensors, given.of);
    return (values) => given.compute(values.slice(at, at + given.of.length));
  }
  if (Array.isArray(given)) {
    const parts = given.map((part) => reader(part, tensors));
    return (values) => parts.map((read) => read(values));
  }
  const parts = Object.entries(given).map(([name, part]) => [name, reader(part, tensors)] as const);
  return (values) => Object.fromEntries(parts.map(([name, read]) => [name, read(values)]));
}

function isOfHost(given: object): given is HostMeasure {
  return 'of' in given && 'compute' in given;
}
