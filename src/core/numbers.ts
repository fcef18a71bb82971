import { ConfigError, complaint, DataError, ShapeError } from './errors';
import { type Shape, sizeOf } from './shapes';

/*
 * The one door for numbers from outside. Numbers are taken, and so are booleans (0 and 1) and whole numbers of 64 bits that a
 * float64 holds exactly; whatever else stands where a number belongs is refused with its place. Nothing becomes 0 in silence.
 */

/** Numbers in memory that fit in a tensor. */
export type NumericArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray;

/** Whole numbers of 64 bits, as readers of npy and parquet files give them. */
export type BigArray = BigInt64Array | BigUint64Array;

/** Nested arrays of numbers, all rows of one length; rows may be typed arrays. */
export type NestedNumbers =
  | readonly number[]
  | readonly (NumericArray | BigArray)[]
  | readonly NestedNumbers[];

/** Examples on the host. */
export interface HostArray {
  /** Row-major, one example after the other. */
  values: NumericArray;
  /** Number of examples. */
  count: number;
  /** Event shape. */
  shape: Shape;
  /** What the values are on the device. */
  dtype: 'float32' | 'int32';
}

/**
 * Plain numbers in float64.
 *
 * @param what name of the numbers in messages
 * @throws DataError for anything that is no number, with its index
 */
export function toFloat64(where: string, what: string, values: ArrayLike<unknown>): Float64Array {
  if (isNumeric(values)) return Float64Array.from(values);
  checkList(where, what, values);
  const result = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = toNumber(where, what, values[i], [i]);
  return result;
}

/**
 * Rows of one length as row-major float64 values.
 *
 * @throws DataError for anything that is no number, with row and column; ShapeError for rows of different lengths
 */
export function readRows(
  where: string,
  what: string,
  rows: readonly ArrayLike<unknown>[],
): { values: Float64Array; rows: number; columns: number } {
  checkList(where, what, rows);
  const columns = rows.length === 0 ? 0 : (rows[0]?.length ?? 0);
  const values = new Float64Array(rows.length * columns);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    if (!isList(row)) throw noRow(where, what, row, i);
    if (row.length !== columns) throw ragged(where, what, columns, row.length, [i]);
    for (let j = 0; j < columns; j++) values[i * columns + j] = toNumber(where, what, row[j], [i, j]);
  }
  return { values, rows: rows.length, columns };
}

/**
 * Examples from typed arrays with their event shape, or from nested arrays, which have one.
 *
 * @param shape event shape, needed beside a typed array
 * @throws DataError for anything that is no number, with its place; ShapeError for rows of different lengths; ConfigError for a
 * typed array without shape
 */
export function readArray(where: string, what: string, data: unknown, shape?: Shape): HostArray {
  if (isNumeric(data) || isBig(data)) return readFlat(where, what, data, shape);
  if (!Array.isArray(data)) {
    throw new DataError(
      complaint(where, `${what} to be a tensor, a typed array or nested arrays`, ...named(data)),
    );
  }
  const full = nestedShape(data);
  const values = new Float64Array(sizeOf(full));
  fill(where, what, data, full, values, 0, []);
  const event = full.slice(1);
  // Only flat rows have one order in another shape.
  const isFlat = event.length === 1 && shape !== undefined && sizeOf(shape) === event[0];
  return { values, count: full[0], shape: isFlat ? shape : event, dtype: 'float32' };
}

/** One number of a list; `place` is where it stands. */
export function toNumber(where: string, what: string, value: unknown, place: readonly number[]): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'bigint' && BigInt(Number(value)) === value) return Number(value);
  const [received, hint] = named(value);
  throw new DataError(complaint(where, `numbers in ${what}`, `${received} ${placeOf(place)}`, hint));
}

/** Whether no value is NaN or infinite. A loop: on the way of every batch a call per value would be felt. */
export function allFinite(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

/** What a value is, in words, and what to do about it. */
export function named(value: unknown): [received: string, hint: string] {
  if (value === null || value === undefined || value === '') {
    const shown = value === '' ? "''" : String(value);
    return [`a missing value (${shown})`, 'Leave such examples out, or fill them in.'];
  }
  if (typeof value === 'string') return [`the text '${value}'`, 'Convert texts to numbers first.'];
  if (typeof value === 'bigint') return [`${value}n`, 'float64 cannot hold it: subtract an offset first.'];
  if (typeof value === 'function') return ['a function', ''];
  if (typeof value !== 'object') return [String(value), ''];
  if (value instanceof Promise) return ['a Promise', 'await it first.'];
  if (Array.isArray(value)) return [`an array of ${value.length}`, ''];
  if (ArrayBuffer.isView(value)) return [`a ${value.constructor.name}`, ''];
  const names = Object.keys(value);
  if (names.length === 0) return ['an object without values', ''];
  const fields = `${names.slice(0, 4).join(', ')}${names.length > 4 ? ', ...' : ''}`;
  const hint = `Write rows as arrays: rows.map((row) => [row.${names.slice(0, 2).join(', row.')}]).`;
  return [`an object { ${fields} }`, hint];
}

function readFlat(where: string, what: string, data: NumericArray | BigArray, shape?: Shape): HostArray {
  if (shape === undefined) {
    const hint = 'Write { x: values, shape: [28, 28, 1] }.';
    throw new ConfigError(complaint(where, 'an event shape beside a typed array', 'none', hint));
  }
  checkPixels(where, what, data, shape);
  const size = sizeOf(shape);
  if (data.length % size !== 0) {
    const expected = `${what} to hold whole examples of ${size} values`;
    throw new DataError(complaint(where, expected, `${data.length} values`));
  }
  const values = isBig(data) ? toFloat64(where, what, data) : data;
  const dtype =
    isBig(data) || data instanceof Float32Array || data instanceof Float64Array ? 'float32' : 'int32';
  return { values, count: data.length / size, shape, dtype };
}

/** Only canvases give arrays of this kind, four values per pixel; read as anything else they are another picture. */
function checkPixels(where: string, what: string, data: NumericArray | BigArray, shape: Shape): void {
  const channels = shape[shape.length - 1];
  if (!(data instanceof Uint8ClampedArray) || shape.length !== 3 || channels === 4) return;
  const hint = `Keep ${channels === 3 ? 'the first three of every four values' : `${channels} of every four values`}: Uint8Array.from({ length: ... }, ...).`;
  throw new DataError(
    complaint(
      where,
      `${what} with ${channels} values per pixel`,
      'RGBA pixels of a canvas (Uint8ClampedArray)',
      hint,
    ),
  );
}

/** Lengths of nested arrays along their first entries. */
export function nestedShape(data: unknown): number[] {
  const shape: number[] = [];
  for (let level = data; isList(level); level = level[0]) shape.push(level.length);
  return shape;
}

/** Writes nested values of the given shape from `at` on. */
function fill(
  where: string,
  what: string,
  data: unknown,
  shape: Shape,
  values: Float64Array,
  at: number,
  place: readonly number[],
): void {
  const [length, ...rest] = shape;
  if (!isList(data)) throw noRow(where, what, data, place[place.length - 1] ?? 0);
  if (data.length !== length) throw ragged(where, what, length, data.length, place);
  const size = sizeOf(rest);
  for (let i = 0; i < length; i++) {
    if (rest.length > 0) fill(where, what, data[i], rest, values, at + i * size, [...place, i]);
    else values[at + i] = toNumber(where, what, data[i], [...place, i]);
  }
}

function ragged(
  where: string,
  what: string,
  expected: number,
  received: number,
  place: readonly number[],
): ShapeError {
  return new ShapeError(
    complaint(where, `${what} with rows of one length (${expected} values)`, `${received} ${placeOf(place)}`),
  );
}

function noRow(where: string, what: string, row: unknown, index: number): DataError {
  const [received, hint] = named(row);
  return new DataError(complaint(where, `${what} as rows of numbers`, `${received} in row ${index}`, hint));
}

function checkList(where: string, what: string, values: unknown): void {
  if (isList(values)) return;
  throw new DataError(complaint(where, `a list of numbers as ${what}`, ...named(values)));
}

/** Where a number stands, in words: its index, its row and column, or all coordinates. */
export function placeOf(place: readonly number[]): string {
  if (place.length === 1) return `at index ${place[0]}`;
  return place.length === 2 ? `in row ${place[0]}, column ${place[1]}` : `at [${place.join(', ')}]`;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function isBig(value: unknown): value is BigArray {
  return value instanceof BigInt64Array || value instanceof BigUint64Array;
}

function isNumeric(value: unknown): value is NumericArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView) && !isBig(value);
}
