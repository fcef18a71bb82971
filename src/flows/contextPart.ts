import * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError, ShapeError } from '../core/errors';
import { checkFinite32, checkFloat32 } from '../core/hostValues';
import { type HostArray, nestedShape, readArray, toFloat64, toNumber } from '../core/numbers';
import { batchOf, isBatchOf, type Shape, sameShape, sizeOf } from '../core/shapes';
import { hostValues } from '../engine/hostValues';
import { asFloat32 } from './events';
import { spoilRows } from './fusedRowVerdicts';

/** Rows of one part of a context: one per event, or one for all. */
export interface PartRows {
  rows: number;
  /** Rows start .. end - 1 on the device, float32. */
  slice(start: number, end: number): tf.Tensor;
}

/** Reads one part of a context, of this shape; `isLabels` says that class numbers may stand for rows of labels. */
export function readPart(
  where: string,
  what: string,
  shape: Shape,
  isLabels: boolean,
  value: unknown,
): PartRows {
  if (isLabels && value instanceof tf.Tensor && isClasses(value.shape, shape[0])) {
    const values = hostValues(value);
    return values === undefined
      ? oneHotThere(shape[0], value)
      : oneHot(where, shape[0], Float64Array.from(values));
  }
  const numbers = isLabels ? classNumbers(where, what, shape[0], value) : undefined;
  if (numbers !== undefined) return oneHot(where, shape[0], numbers);
  if (value instanceof tf.Tensor) return tensorRows(where, what, shape, value);
  const host = hostRows(where, what, shape, value);
  checkFinite32(where, what, host);
  checkFloat32(where, what, host);
  const size = sizeOf(shape);
  const slice = (start: number, end: number) =>
    tf.tensor(Float32Array.from(host.values.subarray(start * size, end * size)), [end - start, ...shape]);
  return { rows: host.count, slice };
}

/** Whether these are class numbers by their shape, in a list or a column. */
function isClasses(shape: Shape, classes: number): boolean {
  return shape.length < 2 || (shape.length === 2 && shape[1] === 1 && classes > 1);
}

/** Rows of labels for class numbers on a device that has to be waited for: NaN for what is no class. */
function oneHotThere(classes: number, numbers: tf.Tensor): PartRows {
  const slice = (start: number, end: number) =>
    tf.tidy(() => {
      const some = tf.cast(tf.slice(tf.reshape(numbers, [-1]), [start], [end - start]), 'float32');
      const rows = tf.cast(tf.oneHot(tf.cast(some, 'int32'), classes), 'float32');
      return spoilRows(rows, some, { low: [0], high: [classes - 1], whole: [true] });
    });
  return { rows: numbers.size, slice };
}

/** Class numbers, where that is what was given: one number, a list, or a column of them. */
function classNumbers(
  where: string,
  what: string,
  classes: number,
  value: unknown,
): Float64Array | undefined {
  if (isScalar(value)) return Float64Array.of(toNumber(where, what, value, [0]));
  if (ArrayBuffer.isView(value)) return toFloat64(where, what, value as unknown as ArrayLike<unknown>);
  if (!Array.isArray(value) || !isClasses(nestedShape(value), classes)) return undefined;
  return toFloat64(where, what, readArray(where, what, value).values);
}

function oneHot(where: string, classes: number, numbers: Float64Array): PartRows {
  const bad = numbers.find((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
  if (bad !== undefined) throw new DataError(complaint(where, `classes 0 .. ${classes - 1}`, bad));
  const slice = (start: number, end: number) => {
    const indices = tf.tensor1d(Int32Array.from(numbers.subarray(start, end)), 'int32');
    return tf.cast(tf.oneHot(indices, classes), 'float32');
  };
  return { rows: numbers.length, slice };
}

function tensorRows(where: string, what: string, shape: Shape, value: tf.Tensor): PartRows {
  const isRows = isBatchOf(value, shape) || (value.rank === 1 && sizeOf(shape) === 1);
  const isOne = sameShape(value.shape, shape) || (value.rank === 0 && sizeOf(shape) === 1);
  if (!isRows && !isOne) throw misshapen(where, what, shape, value.shape);
  const rows = isRows ? value.shape[0] : 1;
  const slice = (start: number, end: number) => {
    const part = isRows && end - start < rows ? tf.slice(value, [start], [end - start]) : value;
    const full = [end - start, ...shape];
    return asFloat32(where, sameShape(part.shape, full) ? part : tf.reshape(part, full));
  };
  return { rows, slice };
}

function hostRows(where: string, what: string, shape: Shape, value: unknown): HostArray {
  const size = sizeOf(shape);
  if (isScalar(value)) {
    if (size !== 1) throw misshapen(where, what, shape, `the number ${value}`);
    return { values: Float64Array.of(toNumber(where, what, value, [0])), count: 1, shape, dtype: 'float32' };
  }
  const isNested = Array.isArray(value);
  const host = readArray(where, what, value, isNested ? undefined : shape);
  if (!isNested) return host;
  const full = [host.count, ...host.shape];
  if (sameShape(host.shape, shape) || (full.length === 1 && size === 1)) return { ...host, shape };
  if (sameShape(full, shape)) return { ...host, count: 1, shape };
  throw misshapen(where, what, shape, full);
}

function misshapen(where: string, what: string, shape: Shape, received: unknown): ShapeError {
  const one = `[${shape.join(', ')}]`;
  return new ShapeError(complaint(where, `${what} to be ${batchOf(shape)}, or one row ${one}`, received));
}

function isScalar(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
}
