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

/** Name of a subclass. */
export type SubclassName = number | string;

/** Subclass of every sample: numbers or strings, one per row. */
export type SubclassLabels = ArrayLike<number> | readonly string[];

/** Samples that know their subclass, and what else is known of them. */
export interface Labeled {
  /** [n, d], latents or features. */
  z: LatentsInput;
  /** Subclass of every row: numbers or strings, length n. */
  subclass: SubclassLabels;
  /** [n, a], one column per attribute; real-valued, or > 0 and <= 0 for present and absent. */
  attributes?: LatentsInput;
}

/** `Labeled`, checked and in float64. */
export interface LabeledLatents {
  /** [n, d] */
  z: Matrix;
  /** Position in `names` of every row's subclass. */
  subclass: Int32Array;
  /** Distinct subclasses, sorted (numbers by value, strings by code unit). */
  names: SubclassName[];
  /** Rows of every subclass, in the order of `names`. */
  groups: Int32Array[];
  /** [n, a] */
  attributes?: Matrix;
}

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

/**
 * Labelled samples, checked, in float64 and grouped by subclass.
 *
 * @throws ShapeError where lengths differ; DataError for values that are not finite or labels that are missing
 */
export function toLabeled(where: string, labeled: Labeled, minimumClasses = 1): LabeledLatents {
  const z = toLatents(where, labeled.z);
  const labels = Array.from(labeled.subclass as ArrayLike<SubclassName>);
  if (labels.length !== z.rows) {
    throw new ShapeError(complaint(where, `${z.rows} subclass labels, one per sample`, `${labels.length}`));
  }
  labels.forEach((label, i) => {
    if (typeof label !== 'string' && !Number.isFinite(label)) {
      throw new DataError(complaint(where, 'a number or a string as subclass', `${label} in row ${i}`));
    }
  });
  const { names, index, groups } = groupBy(labels);
  if (names.length < minimumClasses) {
    throw new DataError(complaint(where, `samples of at least ${minimumClasses} subclasses`, names.length));
  }
  const result: LabeledLatents = { z, subclass: index, names, groups };
  if (labeled.attributes !== undefined) {
    result.attributes = toLatents(`${where} (attributes)`, labeled.attributes);
    if (result.attributes.rows !== z.rows) {
      throw new ShapeError(
        complaint(where, `attributes for ${z.rows} samples`, `${result.attributes.rows} rows`),
      );
    }
  }
  return result;
}

/** Distinct labels in order, the position of every row's label, and the rows of every label. */
export function groupBy(labels: readonly SubclassName[]): {
  names: SubclassName[];
  index: Int32Array;
  groups: Int32Array[];
} {
  const names = [...new Set(labels)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const position = new Map(names.map((name, c) => [name, c]));
  const rows: number[][] = names.map(() => []);
  const index = Int32Array.from(labels, (label, i) => {
    const c = position.get(label) as number;
    rows[c].push(i);
    return c;
  });
  return { names, index, groups: rows.map((group) => Int32Array.from(group)) };
}

/** The given rows of a matrix, copied, in the order given. */
export function selectRows(matrix: Matrix, rows: ArrayLike<number>): Matrix {
  const result = Matrix.zeros(rows.length, matrix.cols);
  for (let i = 0; i < rows.length; i++) result.row(i).set(matrix.row(rows[i]));
  return result;
}

/** Mean of the given rows (default: all), [d]. Throws a DataError on an empty group. */
export function meanOfRows(where: string, matrix: Matrix, rows?: ArrayLike<number>): Float64Array {
  const count = rows === undefined ? matrix.rows : rows.length;
  if (count === 0)
    throw new DataError(complaint(where, 'at least one sample in the group', 'an empty group'));
  const mean = new Float64Array(matrix.cols);
  for (let i = 0; i < count; i++) {
    const row = matrix.row(rows === undefined ? i : rows[i]);
    for (let j = 0; j < mean.length; j++) mean[j] += row[j];
  }
  for (let j = 0; j < mean.length; j++) mean[j] /= count;
  return mean;
}

/** Every row minus `center`, [n, d]. */
export function subtractFromRows(matrix: Matrix, center: ArrayLike<number>): Matrix {
  const result = Matrix.zeros(matrix.rows, matrix.cols);
  for (let i = 0; i < matrix.rows; i++) {
    const source = matrix.row(i);
    const target = result.row(i);
    for (let j = 0; j < target.length; j++) target[j] = source[j] - center[j];
  }
  return result;
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
