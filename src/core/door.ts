import * as tf from '@tensorflow/tfjs-core';
import { type ContextShape, type ContextTensors, checkContext, mapContext, partOf } from './context';
import { complaint, ShapeError } from './errors';
import { batchOf, isBatchOf, type Shape } from './shapes';

/** What a public method takes. */
export interface Expected {
  /** Event shape of the tensor. */
  shape: Shape;
  /** What it is conditioned on; undefined where nothing. */
  contextShape: ContextShape | undefined;
  /** What to look at where the shape does not fit. Default: nothing. */
  hint?: (received: Shape) => string;
}

/**
 * The one door of bijectors, networks and distributions: what comes in at a public method is checked, integers and booleans become
 * float32, and a hook computes with them inside `tf.tidy`. Parts of the context come to it in the order in which they are declared.
 *
 * @throws ShapeError for a tensor, or a context, of another shape or dtype than expected
 */
export function enter<T>(
  where: string,
  x: tf.Tensor,
  context: ContextTensors | undefined,
  expected: Expected,
  hook: (x: tf.Tensor, context: ContextTensors | undefined) => T,
): T {
  checkTensor(where, x, expected);
  return enterContext(where, x.shape[0], context, expected.contextShape, (given) =>
    hook(asFloat32(where, x), given),
  );
}

/** As `enter`, for methods that take a context alone, for n examples. */
export function enterContext<T>(
  where: string,
  n: number,
  context: ContextTensors | undefined,
  contextShape: ContextShape | undefined,
  hook: (context: ContextTensors | undefined) => T,
): T {
  checkContext(where, context, contextShape, n);
  const declared = partOf(context, contextShape);
  const compute = () => hook(mapContext(declared, (part) => asFloat32(where, part)));
  return tf.tidy(compute as never) as T;
}

function checkTensor(where: string, x: tf.Tensor, { shape, hint }: Expected): void {
  if (!(x instanceof tf.Tensor)) {
    throw new ShapeError(complaint(where, `a tensor ${batchOf(shape)}`, kindOf(x)));
  }
  if (isBatchOf(x, shape)) return;
  throw new ShapeError(complaint(where, batchOf(shape), x.shape, hint?.(x.shape.slice(1))));
}

/** Layers compute in float32; a kernel that reads integers as such would read other numbers. */
function asFloat32(where: string, x: tf.Tensor): tf.Tensor {
  if (x.dtype === 'float32') return x;
  if (x.dtype === 'int32' || x.dtype === 'bool') return tf.cast(x, 'float32');
  throw new ShapeError(complaint(where, 'numbers (float32, int32 or bool)', `a tensor of ${x.dtype}`));
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
