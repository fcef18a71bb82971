import { ConfigError, complaint } from '../core/errors';
import { named, toFloat64 } from '../core/numbers';
import { type Shape, sizeOf } from '../core/shapes';

/** The kinds of typed arrays that files of numbers hold. */
export type NumericData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** Numbers with a shape, row-major (C order), on the host; `tf.tensor(Float32Array.from(data), shape)` makes a tensor. */
export interface NdArray<Data extends NumericData = NumericData> {
  shape: number[];
  data: Data;
}

/**
 * The given rows (entries of the first axis) of an array, in the given order, copied.
 *
 * Shapes: [n, ...] -> [rows.length, ...].
 *
 * @throws ConfigError for a row outside 0 .. n - 1
 * @example
 * const array = { shape: [3, 2], data: Float32Array.of(0, 1, 10, 11, 20, 21) };
 * gatherRows(array, [2, 0]); // { shape: [2, 2], data: [20, 21, 0, 1] }
 */
export function gatherRows<Data extends NumericData>(
  array: NdArray<Data>,
  rows: ArrayLike<number>,
): NdArray<Data> {
  checkNdArray('gatherRows', array);
  const [count, ...rowShape] = array.shape;
  const size = sizeOf(rowShape);
  const numbers = toFloat64('gatherRows', 'rows', rows);
  const data = emptyLike(array.data, numbers.length * size);
  for (let i = 0; i < numbers.length; i++) {
    const row = numbers[i];
    if (!Number.isInteger(row) || row < 0 || row >= count) {
      throw new ConfigError(complaint('gatherRows', `rows in 0..${count - 1}`, row));
    }
    data.set(array.data.subarray(row * size, (row + 1) * size), i * size);
  }
  return { shape: [numbers.length, ...rowShape], data };
}

/** A zeroed array of the same kind. */
export function emptyLike<Data extends NumericData>(data: Data, length: number): Data {
  return new (data.constructor as new (length: number) => Data)(length);
}

/** Throws a ConfigError unless shape and data belong together. */
export function checkNdArray(where: string, array: { shape: Shape; data: ArrayLike<number> }): void {
  if (!Array.isArray(array?.shape) || array.data?.length === undefined) {
    throw new ConfigError(complaint(where, 'an array { shape, data }', named(array)[0]));
  }
  const size = sizeOf(array.shape);
  if (array.data.length !== size) {
    throw new ConfigError(
      complaint(where, `${size} values for shape [${array.shape.join(', ')}]`, `${array.data.length}`),
    );
  }
}
