import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint, ShapeError } from './errors';
import { batchOf, isBatchOf, type Shape, sameShape, sizeOf } from './shapes';

/*
 * What flows are conditioned on: one tensor, or tensors by name. Whoever reads a context declares its shape; whoever holds such
 * members declares all of theirs and hands each its own part.
 */

/** Event shape of a context, or of its parts by name. */
export type ContextShape = Shape | Readonly<Record<string, Shape>>;

/** A context on the device: [batch, ...shape], or such tensors by name. */
export type ContextTensors = tf.Tensor | Readonly<Record<string, tf.Tensor>>;

/** How options declare a context: a number of values, an event shape, or either by name. */
export type ContextOption = number | Shape | Readonly<Record<string, number | Shape>>;

/** Whether a declared context has parts with names. */
export function isNamed(shape: ContextShape): shape is Readonly<Record<string, Shape>> {
  return !Array.isArray(shape);
}

/**
 * The shape that an option declares; undefined where nothing is declared.
 *
 * @throws ConfigError for lengths that are no positive integers
 */
export function contextShapeOf(where: string, option: ContextOption | undefined): ContextShape | undefined {
  if (option === undefined) return undefined;
  if (typeof option === 'number' || Array.isArray(option)) return oneShape(where, option as number | Shape);
  const parts = Object.entries(option).map(([name, part]) => [name, oneShape(where, part)] as const);
  if (parts.length === 0) throw new ConfigError(complaint(where, 'a context with at least one part', '{}'));
  return Object.fromEntries(parts);
}

function oneShape(where: string, given: number | Shape): Shape {
  const shape = typeof given === 'number' ? [given] : given;
  const valid = Array.isArray(shape) && shape.length > 0 && shape.every((n) => Number.isInteger(n) && n > 0);
  if (valid) return [...shape];
  throw new ConfigError(
    complaint(where, 'a context of positive integers: 3, [8, 8, 1] or { name: 3 }', given),
  );
}

/**
 * What several members together are conditioned on.
 *
 * @throws ConfigError where two members want different things by one name, or one has names and the other has not
 */
export function mergeContextShapes(
  where: string,
  shapes: readonly (ContextShape | undefined)[],
): ContextShape | undefined {
  let merged: ContextShape | undefined;
  for (const shape of shapes) {
    if (shape === undefined) continue;
    merged = merged === undefined ? shape : mergeTwo(where, merged, shape);
  }
  return merged;
}

function mergeTwo(where: string, one: ContextShape, other: ContextShape): ContextShape {
  if (isNamed(one) && isNamed(other)) {
    for (const [name, part] of Object.entries(other)) {
      if (name in one && !sameShape(one[name], part)) {
        throw conflict(where, { [name]: one[name] }, { [name]: part });
      }
    }
    return { ...one, ...other };
  }
  if (!isNamed(one) && !isNamed(other) && sameShape(one, other)) return one;
  throw conflict(where, one, other, 'Give each part a name: context: { pose: 3, light: 2 }.');
}

function conflict(where: string, one: ContextShape, other: ContextShape, hint = ''): ConfigError {
  const expected = `members that agree on their context, ${showContext(one)}`;
  return new ConfigError(complaint(where, expected, showContext(other), hint));
}

/** `[3]` or `{ pose: [3], image: [8, 8, 1] }`, for messages. */
export function showContext(shape: ContextShape | undefined): string {
  if (shape === undefined) return 'no context';
  if (!isNamed(shape)) return `[${shape.join(', ')}]`;
  return `{ ${Object.entries(shape)
    .map(([name, part]) => `${name}: [${part.join(', ')}]`)
    .join(', ')} }`;
}

/** The part of a context that a member with this declaration reads; the tensors are the same ones. */
export function partOf(
  context: ContextTensors | undefined,
  shape: ContextShape | undefined,
): ContextTensors | undefined {
  if (context === undefined || shape === undefined) return undefined;
  if (context instanceof tf.Tensor || !isNamed(shape)) return context;
  const parts = context as Readonly<Record<string, tf.Tensor>>;
  return Object.fromEntries(Object.keys(shape).map((name) => [name, parts[name]]));
}

/** The tensors of a context in the order of their names in it. */
export function contextTensors(context: ContextTensors | undefined): tf.Tensor[] {
  if (context === undefined) return [];
  return context instanceof tf.Tensor ? [context] : Object.values(context);
}

/** Number of values of a context for one event; 0 for none. */
export function contextSize(shape: ContextShape | undefined): number {
  if (shape === undefined) return 0;
  return isNamed(shape) ? Object.values(shape).reduce((sum, part) => sum + sizeOf(part), 0) : sizeOf(shape);
}

/** A context as one row of values for each example, parts in the order of their names in it; undefined where there is none. */
export function flatContext(context: ContextTensors | undefined): tf.Tensor | undefined {
  const parts = contextTensors(context).map((part) =>
    part.rank === 2 ? part : tf.reshape(part, [part.shape[0], sizeOf(part.shape.slice(1))]),
  );
  return parts.length > 1 ? tf.concat(parts, 1) : parts[0];
}

/** A context of changed tensors, under the same names. */
export function mapContext<T extends ContextTensors | undefined>(
  context: T,
  change: (tensor: tf.Tensor, name?: string) => tf.Tensor,
): T {
  if (context === undefined) return context;
  if (context instanceof tf.Tensor) return change(context) as unknown as T;
  return Object.fromEntries(
    Object.entries(context as Readonly<Record<string, tf.Tensor>>).map(([name, tensor]) => [
      name,
      change(tensor, name),
    ]),
  ) as unknown as T;
}

/**
 * Throws a ShapeError unless the context is what was declared, for so many examples: missing, unwanted, misnamed and misshapen
 * contexts alike.
 */
export function checkContext(
  where: string,
  context: ContextTensors | undefined,
  shape: ContextShape | undefined,
  batch: number,
): void {
  if (shape === undefined) {
    if (context === undefined) return;
    const hint = 'Nothing here reads one. Declare it where the flow is built: context: 3.';
    throw new ShapeError(complaint(where, 'no context', 'one', hint));
  }
  const expected = `a context ${showContext(shape)} for ${batch} ${batch === 1 ? 'example' : 'examples'}`;
  if (context === undefined) throw new ShapeError(complaint(where, expected, 'none'));
  if (isNamed(shape) === context instanceof tf.Tensor) {
    const received = context instanceof tf.Tensor ? `a tensor [${context.shape}]` : 'parts with names';
    throw new ShapeError(complaint(where, expected, received));
  }
  const declared = isNamed(shape) ? shape : { '': shape };
  const given = (context instanceof tf.Tensor ? { '': context } : context) as Record<string, tf.Tensor>;
  for (const name of new Set([...Object.keys(declared), ...Object.keys(given)])) {
    const of = name === '' ? '' : ` for '${name}'`;
    if (!(name in declared)) throw new ShapeError(complaint(where, expected, `a part '${name}'`));
    if (given[name] === undefined) throw new ShapeError(complaint(where, expected, `none${of}`));
    if (!isBatchOf(given[name], declared[name]) || given[name].shape[0] !== batch) {
      const wanted = batchOf(declared[name]).replace('batch', String(batch));
      throw new ShapeError(complaint(where, `a context ${wanted}${of}`, given[name].shape));
    }
  }
}
