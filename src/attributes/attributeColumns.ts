import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint, DataError, ShapeError } from '../core/errors';
import { Matrix } from '../linalg';
import { type LatentsInput, toColumns, toVector, type VectorInput } from '../statistics/inputs';

/**
 * What is known of every sample: columns [n, a], a flat list [n] of one, or lists by name as in `{ sunglasses, pose }`. Values are
 * real, or > 0 and <= 0 for present and absent; booleans are 1 and 0.
 */
export type AttributesInput = LatentsInput | VectorInput | Readonly<Record<string, VectorInput>>;

/** An attribute: its name, or its column from 0. */
export type AttributeName = number | string;

/** Attributes in float64, with the names that they came by. */
export interface AttributeColumns {
  /** [n, a] */
  values: Matrix;
  /** Name of every column; undefined where they came without. */
  names: readonly string[] | undefined;
}

/**
 * Attributes of n samples, checked.
 *
 * @throws ShapeError where there are not n; DataError for values that are no finite numbers, with row and column or name
 */
export function toAttributes(where: string, input: AttributesInput, n: number): AttributeColumns {
  const columns = isNamed(input)
    ? namedColumns(where, input)
    : { values: toColumns(where, input), names: undefined };
  if (columns.values.rows !== n) {
    throw new ShapeError(complaint(where, `attributes for ${n} samples`, `${columns.values.rows} rows`));
  }
  return columns;
}

/** One attribute of all samples. */
export interface Attribute {
  /** Its name where it has one, else its column. */
  name: AttributeName;
  /** [n] */
  values: Float64Array;
}

/** All attributes, one by one. */
export function attributesOf({ values, names }: AttributeColumns): Attribute[] {
  return Array.from({ length: values.cols }, (_, j) => ({ name: names?.[j] ?? j, values: values.column(j) }));
}

/**
 * One of the attributes, by its name or its column.
 *
 * @throws DataError where there are no attributes; ConfigError where there is none of that name
 */
export function attributeOf(
  where: string,
  columns: AttributeColumns | undefined,
  attribute: AttributeName,
): Attribute {
  if (columns === undefined) {
    const hint = 'Give them beside the latents: { z, subclass, attributes }.';
    throw new DataError(complaint(where, 'attributes [n, a]', 'none', hint));
  }
  const all = attributesOf(columns);
  const found =
    all.find(({ name }) => name === String(attribute)) ??
    (typeof attribute === 'number' ? all[attribute] : undefined);
  if (found !== undefined) return found;
  const known = columns.names?.join(', ') ?? `columns 0 .. ${all.length - 1}`;
  throw new ConfigError(complaint(where, `attribute to be one of ${known}`, attribute));
}

function namedColumns(where: string, input: Readonly<Record<string, VectorInput>>): AttributeColumns {
  const names = Object.keys(input);
  if (names.length === 0)
    throw new DataError(complaint(where, 'at least one attribute', 'an object without values'));
  const columns = names.map((name) => toVector(`${where} (${name})`, input[name]));
  const n = columns[0].length;
  const values = Matrix.zeros(n, names.length);
  columns.forEach((column, j) => {
    if (column.length !== n) {
      const expected = `${n} values of ${names[j]}, as of ${names[0]}`;
      throw new ShapeError(complaint(where, expected, `${column.length}`));
    }
    for (let i = 0; i < n; i++) values.data[i * names.length + j] = column[i];
  });
  return { values, names };
}

/** Whether these are lists by name; numbers with their shape are not. */
function isNamed(input: AttributesInput): input is Readonly<Record<string, VectorInput>> {
  if (typeof input !== 'object' || input === null) return false;
  if (input instanceof Matrix || input instanceof tf.Tensor || input instanceof Promise) return false;
  if (Array.isArray(input) || ArrayBuffer.isView(input)) return false;
  return !('data' in input && 'shape' in input);
}
