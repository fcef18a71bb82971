import * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError } from '../core/errors';
import { named } from '../core/numbers';
import { numberedNames } from './rawTable';

/** A tf.data dataset, by what it offers; tfjs-data itself is not needed. */
export interface RecordDataset {
  iterator(): Promise<{ next(): Promise<{ value: unknown; done?: boolean }> }>;
}

/** Anything that gives records one after the other. */
export type RecordSource = RecordDataset | Iterable<unknown> | AsyncIterable<unknown>;

/** Whether records can be read from a value. */
export function isRecordSource(value: unknown): value is RecordSource {
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.asyncIterator in value || Symbol.iterator in value || 'iterator' in value;
}

/**
 * Columns of records: objects of values, or batches of them as tf.data makes them, `{ xs, ys }` too; or rows without names.
 * Tensors are disposed once they are read, but for those in an array.
 *
 * @throws DataError for what is no record
 */
export async function readRecords(
  where: string,
  source: RecordSource,
  names: readonly string[] | undefined,
): Promise<Map<string, unknown[]>> {
  const columns = new Map<string, unknown[]>();
  let rows = 0;
  for await (const element of elementsOf(source)) {
    const values = await fromDevice(element, !Array.isArray(source));
    rows = append(where, columns, rows, fieldsOf(where, values, rows, names ?? namesOf(columns)));
  }
  if (rows === 0) throw new DataError(complaint(where, 'at least one record', 'none'));
  return columns;
}

/** Names that rows without names have got; undefined before the first. */
function namesOf(columns: ReadonlyMap<string, unknown>): string[] | undefined {
  return columns.size === 0 ? undefined : [...columns.keys()];
}

async function* elementsOf(source: RecordSource): AsyncGenerator<unknown, void, undefined> {
  if (!('iterator' in source)) {
    yield* source;
    return;
  }
  const iterator = await source.iterator();
  for (;;) {
    const { value, done } = await iterator.next();
    if (done) return;
    yield value;
  }
}

/** An element with arrays in place of its tensors. */
async function fromDevice(element: unknown, dispose: boolean): Promise<unknown> {
  if (element instanceof tf.Tensor) {
    try {
      return await element.array();
    } finally {
      if (dispose) element.dispose();
    }
  }
  if (!isRecord(element) || !Object.values(element).some(holdsTensors)) return element;
  const parts = Object.entries(element).map(async ([name, value]) => [
    name,
    await fromDevice(value, dispose),
  ]);
  return Object.fromEntries(await Promise.all(parts));
}

function holdsTensors(value: unknown): boolean {
  return value instanceof tf.Tensor || (isRecord(value) && Object.values(value).some(holdsTensors));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !isList(value);
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

/** The values of one element by name: one each, or as many as a batch has. */
function fieldsOf(
  where: string,
  element: unknown,
  row: number,
  names: readonly string[] | undefined,
): [string, ArrayLike<unknown>][] {
  if (isList(element)) {
    const rows = isList(element[0]) ? (element as ArrayLike<ArrayLike<unknown>>) : [element];
    return rowFields(where, Array.from(rows), row, names);
  }
  if (!isRecord(element)) {
    const hint = "Records are objects, { age: 31, mood: 'glad' }.";
    throw new DataError(complaint(where, 'records', `${named(element)[0]} as row ${row}`, hint));
  }
  const { xs, ys } = element;
  const isPair = xs !== undefined && ys !== undefined && Object.keys(element).length === 2;
  if (isPair) return [xs, ys].flatMap((part) => fieldsOf(where, part, row, undefined));
  return Object.entries(element).map(([name, value]) => [name, batched(value)]);
}

/** The values of a field; batches have columns [n] or [n, 1]. */
function batched(value: unknown): ArrayLike<unknown> {
  if (!isList(value)) return [value];
  return isList(value[0]) && value[0].length === 1 ? (value as unknown[][]).map(([one]) => one) : value;
}

/** Values of rows without names. */
function rowFields(
  where: string,
  rows: readonly ArrayLike<unknown>[],
  row: number,
  names: readonly string[] | undefined,
): [string, unknown[]][] {
  const known = names ?? numberedNames(rows[0]?.length ?? 0);
  const odd = rows.findIndex(({ length }) => length !== known.length);
  if (odd >= 0) {
    const received = `${rows[odd].length} in row ${row + odd}`;
    throw new DataError(complaint(where, `rows of ${known.length} values`, received));
  }
  return known.map((name, j) => [name, rows.map((values) => values[j])]);
}

/** Adds values to their columns; a name that is new has none before, one that is left out none here. */
function append(
  where: string,
  columns: Map<string, unknown[]>,
  rows: number,
  fields: readonly [string, ArrayLike<unknown>][],
): number {
  const count = fields[0]?.[1].length ?? 0;
  for (const [name, values] of fields) {
    if (values.length !== count) {
      const expected = `one value of every field in row ${rows} (${count} of '${fields[0][0]}')`;
      throw new DataError(complaint(where, expected, `${values.length} of '${name}'`));
    }
    let column = columns.get(name);
    if (column === undefined) {
      column = [];
      columns.set(name, column);
    }
    while (column.length < rows) column.push(undefined);
    for (let i = 0; i < count; i++) column.push(values[i]);
  }
  for (const column of columns.values()) while (column.length < rows + count) column.push(undefined);
  return rows + count;
}
