import * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError, ShapeError } from '../core/errors';
import { named, readRows, toFloat64 } from '../core/numbers';
import { readAtOnce } from '../core/reads';
import { Matrix } from '../linalg';

/** Numbers with their shape: row-major, one row per sample. */
export interface ShapedArray {
  data: ArrayLike<number>;
  /** [n, d] */
  shape: readonly [number, number];
}

/** Latents or features, [n, d]: a tensor, nested arrays, numbers with a shape, or a host matrix. */
export type LatentsInput = tf.Tensor2D | readonly ArrayLike<number>[] | ShapedArray | Matrix;

/** One vector: plain numbers or a tensor [d]. */
export type VectorInput = tf.Tensor1D | ArrayLike<number>;

/**
 * Latents as a float64 host matrix. Reads a tensor back; a float64 `Matrix` is passed on without a copy.
 *
 * @param where name of the calling function, for messages
 * @param minimumRows fewest samples that the caller can use
 * @throws ShapeError unless rank 2 and rectangular; DataError for what is no number, NaN, infinity, no columns or too few samples
 */
export function toLatents(where: string, input: LatentsInput, minimumRows = 1): Matrix {
  const matrix = readMatrix(where, input);
  if (matrix.rows < minimumRows) {
    throw new DataError(complaint(where, `at least ${minimumRows} samples`, `${matrix.rows}`));
  }
  if (matrix.cols < 1) {
    throw new DataError(complaint(where, 'at least one value per sample', 'rows of length 0'));
  }
  for (let i = 0; i < matrix.data.length; i++) {
    if (!Number.isFinite(matrix.data[i])) {
      const place = `${matrix.data[i]} in row ${Math.floor(i / matrix.cols)}, column ${i % matrix.cols}`;
      throw new DataError(complaint(where, 'finite values', place));
    }
  }
  return matrix;
}

/** The same where one value per sample may come as a flat list, [n], which is one column. */
export function toColumns(where: string, input: LatentsInput | VectorInput): Matrix {
  if (!isList(input)) return toLatents(where, input);
  const values = toVector(where, input);
  return new Matrix(values, values.length, 1);
}

/** Whether these are numbers one after the other, or a tensor [n], and no rows. */
export function isList(input: LatentsInput | VectorInput): input is VectorInput {
  return isFlat(input) || isVector(input);
}

/** One vector in float64, checked to be finite and, where `length` is given, of that length. */
export function toVector(where: string, input: VectorInput, length?: number): Float64Array {
  const values = toMeasured(where, input, length);
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new DataError(complaint(where, 'finite values', `${values[i]} at index ${i}`));
    }
  }
  return values;
}

/** The same where not every value need be finite, as what is measured on a blank image. */
export function toMeasured(where: string, input: VectorInput, length?: number): Float64Array {
  const values = toFloat64(where, 'values', input instanceof tf.Tensor ? readVector(where, input) : input);
  if (length === undefined || values.length === length) return values;
  throw new ShapeError(complaint(where, `a vector of ${length} values`, `${values.length}`));
}

function readVector(where: string, input: tf.Tensor): ArrayLike<unknown> {
  if (input.rank !== 1) throw new ShapeError(complaint(where, 'a tensor [n]', input.shape, 'Reshape it.'));
  return readAtOnce(where, input);
}

function readMatrix(where: string, input: LatentsInput): Matrix {
  if (input instanceof Matrix) return input;
  if (input instanceof tf.Tensor) {
    if (input.rank !== 2) {
      throw new ShapeError(
        complaint(where, 'a tensor [n, d]', input.shape, 'Flatten every sample to one row first.'),
      );
    }
    return shaped(where, readAtOnce(where, input), input.shape);
  }
  if (isFlat(input)) {
    const hint = 'One sample is [values]; one value per sample is Array.from(values, (value) => [value]).';
    throw new ShapeError(complaint(where, 'rows [n, d]', `a flat list of ${input.length} numbers`, hint));
  }
  if (Array.isArray(input)) {
    const { values, rows, columns } = readRows(where, 'samples', input);
    return new Matrix(values, rows, columns);
  }
  const { data, shape } = (input ?? {}) as Partial<ShapedArray>;
  if (data === undefined || shape?.length !== 2) {
    const expected = 'a tensor [n, d], an array of rows or { data, shape: [n, d] }';
    throw new ShapeError(complaint(where, expected, named(input)[0]));
  }
  return shaped(where, data, shape);
}

function shaped(where: string, data: ArrayLike<unknown>, [rows, cols]: readonly [number, number]): Matrix {
  const values = toFloat64(where, 'data', data);
  if (values.length !== rows * cols) {
    throw new ShapeError(complaint(where, `${rows} x ${cols} values`, `${values.length}`));
  }
  return new Matrix(values, rows, cols);
}

function isVector(input: LatentsInput | VectorInput): input is tf.Tensor1D {
  return input instanceof tf.Tensor && input.rank === 1;
}

/** Whether these are numbers one after the other, not rows. */
function isFlat(input: unknown): input is ArrayLike<number> {
  if (ArrayBuffer.isView(input)) return true;
  return Array.isArray(input) && input.length > 0 && typeof input[0] !== 'object';
}
