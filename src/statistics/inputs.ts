import * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError, ShapeError } from '../core/errors';
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
 * @throws ShapeError unless rank 2 and rectangular; DataError for NaN, infinity, no columns or too few samples
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

/** One vector in float64, checked to be finite and, where `length` is given, of that length. */
export function toVector(where: string, input: VectorInput, length?: number): Float64Array {
  const values = Float64Array.from(input instanceof tf.Tensor ? input.dataSync() : input);
  if (length !== undefined && values.length !== length) {
    throw new ShapeError(complaint(where, `a vector of ${length} values`, `${values.length}`));
  }
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new DataError(complaint(where, 'finite values', `${values[i]} at index ${i}`));
    }
  }
  return values;
}

function readMatrix(where: string, input: LatentsInput): Matrix {
  if (input instanceof Matrix) return input;
  if (input instanceof tf.Tensor) {
    if (input.rank !== 2) {
      throw new ShapeError(
        complaint(where, 'a tensor [n, d]', input.shape, 'Flatten every sample to one row first.'),
      );
    }
    return new Matrix(Float64Array.from(input.dataSync()), input.shape[0], input.shape[1]);
  }
  if (Array.isArray(input)) {
    const cols = input.length === 0 ? 0 : input[0].length;
    input.forEach((row: ArrayLike<number>, i) => {
      if (row?.length === undefined || row.length !== cols) {
        throw new ShapeError(complaint(where, `rows of ${cols} values`, `${row?.length} in row ${i}`));
      }
    });
    return Matrix.fromRows(input);
  }
  const { data, shape } = (input ?? {}) as Partial<ShapedArray>;
  if (data === undefined || shape === undefined || shape.length !== 2) {
    throw new ShapeError(
      complaint(where, 'a tensor [n, d], an array of rows or { data, shape: [n, d] }', typeof input),
    );
  }
  if (data.length !== shape[0] * shape[1]) {
    throw new ShapeError(complaint(where, `${shape[0]} x ${shape[1]} values`, `${data.length}`));
  }
  return new Matrix(Float64Array.from(data), shape[0], shape[1]);
}
