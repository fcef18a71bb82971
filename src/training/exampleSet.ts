import * as tf from '@tensorflow/tfjs-core';
import { type ContextShape, isNamed } from '../core/context';
import { ConfigError, complaint, DataError } from '../core/errors';
import { type BigArray, type NestedNumbers, type NumericArray, named } from '../core/numbers';
import { checkOptions, type OptionNames } from '../core/options';
import type { Shape } from '../core/shapes';
import type { Table } from '../data';

/** One array of examples: a tensor [n, ...], nested arrays, or a typed array with its event shape given beside it. */
export type ExampleArray = tf.Tensor | NumericArray | BigArray | NestedNumbers;

/** What examples are conditioned on: one array, or several by name for a flow whose context has named parts. */
export type ContextArrays = ExampleArray | Readonly<Record<string, ExampleArray>>;

/** Examples with what they are conditioned on. */
export interface ExampleSet {
  /** [n, ...eventShape], or a table where the model knows its columns. */
  x: ExampleArray | Table;
  /** Event shape of `x`, needed where it is a typed array. */
  shape?: Shape;
  /** Conditioning, [n, ...], or such arrays by name: class numbers, `{ labels: [0, 1], pose: [[0.1, 2], [0.3, 1]] }`. */
  context?: ContextArrays;
  /** The same under the name that tfjs-layers uses. */
  y?: ContextArrays;
  /** Event shape of a context given as typed array, or of such parts by name. Default: [], one number per example. */
  contextShape?: ContextShape;
  /** Places of the examples in their data set, as batches of `imageBatches` have them; nothing here reads them. */
  indices?: readonly number[];
}

/** Examples under the names that tf.data uses. */
export interface ExamplePair {
  /** [n, ...eventShape] */
  xs: ExampleArray;
  /** Conditioning, [n, ...], or such arrays by name. */
  ys?: ContextArrays;
}

/** One array of an example set, not read yet. */
export interface GivenArray {
  /** Name of a part of the context; '' for `x` and a context without names. */
  name: string;
  data: unknown;
  shape: Shape | undefined;
}

/** An example set by its parts, whatever they were called. */
export interface GivenParts {
  x: GivenArray;
  context: GivenArray[] | undefined;
}

const names: OptionNames<ExampleSet & ExamplePair> = {
  x: ['images', 'data'],
  shape: ['eventShape', 'inputShape'],
  context: ['contexts', 'labels', 'conditions', 'cond'],
  y: true,
  contextShape: ['contextShapes'],
  indices: true,
  xs: true,
  ys: true,
};

/** Whether a value is an example set, and not something that gives batches. */
export function isExampleSet(value: unknown): value is ExampleSet | ExamplePair {
  if (typeof value !== 'object' || value === null || isArrayLike(value)) return false;
  return 'x' in value || 'xs' in value;
}

/**
 * Takes an example set apart.
 *
 * @throws ConfigError for a name that nothing reads, or two names of one thing
 */
export function partsOf(where: string, set: ExampleSet | ExamplePair): GivenParts {
  const { x, xs, context, y, ys, shape, contextShape } = set as Partial<ExampleSet & ExamplePair>;
  checkOptions(`${where} (data)`, set as ExampleSet & ExamplePair, names);
  const condition = one(where, { context, y, ys });
  const parts = condition === undefined ? undefined : contextParts(where, condition, contextShape);
  return { x: { name: '', data: one(where, { x, xs }), shape }, context: parts };
}

function contextParts(where: string, context: unknown, shape: ContextShape | undefined): GivenArray[] {
  const shapes = shape !== undefined && isNamed(shape) ? shape : {};
  if (!isNamedContext(context)) {
    if (shape !== undefined && isNamed(shape)) {
      throw new ConfigError(complaint(where, 'one contextShape for one context', 'shapes by name'));
    }
    return [{ name: '', data: context, shape }];
  }
  if (Object.keys(context).length === 0) {
    throw new DataError(complaint(where, 'a context with at least one part', '{}'));
  }
  const unknown = Object.keys(shapes).find((name) => !(name in context));
  if (unknown !== undefined || (shape !== undefined && !isNamed(shape))) {
    const received = unknown === undefined ? 'one shape' : `one for '${unknown}'`;
    const expected = `contextShape by part (${Object.keys(context).join(', ')})`;
    throw new ConfigError(complaint(where, expected, received));
  }
  return Object.entries(context).map(([name, data]) => ({ name, data, shape: shapes[name] }));
}

/** The one thing that was given under any of these names. */
function one(where: string, given: Record<string, unknown>): unknown {
  const [first, second] = Object.keys(given).filter((name) => given[name] !== undefined);
  if (second === undefined) return given[first];
  throw new ConfigError(complaint(where, `${first} or ${second}`, 'both', 'They are names of one thing.'));
}

function isNamedContext(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !isArrayLike(value) && !(value instanceof Promise);
}

function isArrayLike(value: object): boolean {
  return value instanceof tf.Tensor || Array.isArray(value) || ArrayBuffer.isView(value);
}

/** Throws a DataError for a tensor that holds no numbers. */
export function checkNumeric(where: string, what: string, tensor: tf.Tensor): void {
  if (tensor.isDisposed)
    throw new DataError(complaint(where, `${what} as a tensor`, 'one that was disposed'));
  if (['float32', 'int32', 'bool'].includes(tensor.dtype)) return;
  throw new DataError(complaint(where, `numbers in ${what}`, `a tensor of ${tensor.dtype}`));
}

/** The error for what is no data at all. */
export function noData(where: string, expected: string, value: unknown): DataError {
  const [received, hint] = named(value);
  if (typeof value === 'string')
    return new DataError(complaint(where, expected, received, 'Read the file first.'));
  if (value === null || value === undefined) return new DataError(complaint(where, expected, value));
  const advice = value instanceof Promise ? hint : 'Examples go in as { x }.';
  return new DataError(complaint(where, expected, received, advice));
}
