import * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError } from '../core/errors';
import { named } from '../core/numbers';
import { checkOptions, type OptionNames } from '../core/options';
import { type Bytes, toBytes } from './bytes';
import { columnOf, type KindOption } from './columnKinds';
import { gunzipIfNeeded } from './gzip';
import { latin1 } from './latin1';
import type { NdArray } from './ndArray';
import { parseNpy } from './npy';
import { fromArray, fromColumns, fromCsv, type RawTable } from './rawTable';
import { isRecordSource, type RecordSource, readRecords } from './recordStream';
import { Table } from './table';
import { tableText } from './tableText';
import { checkKindNames, checkReading, chooseColumns, wholeRows } from './wholeRows';

/** Options of {@link readTable}. */
export interface ReadTableOptions {
  /** Columns to read, in this order. Default: all. */
  columns?: readonly string[];
  /** Kinds of columns by name, or the categories of a column in their order. Default: as the values show. */
  kinds?: Readonly<Record<string, KindOption>>;
  /** Names of the columns where the source has none; a CSV text then has no header. Default: x1, x2, ... */
  names?: readonly string[];
  /** Whether the first line of a CSV text names the columns. Default: it does, and numbers in it are an error. */
  header?: boolean;
  /** What separates the cells of a CSV text. Default: the comma, semicolon or tab that its first line has most of. */
  delimiter?: string;
  /** Mark before the decimals of numbers in texts. Default '.'. */
  decimal?: '.' | ',';
  /** What to do where a value is missing: 'refuse' names them in an error, 'drop' leaves out their rows. Default 'refuse'. */
  missing?: 'refuse' | 'drop';
  /** Texts that stand for a missing value beside an empty one. Default: NA, N/A, NaN, null, None, ?, - and the like in any case. */
  missingMarks?: readonly string[];
}

/**
 * What a table can be read from: a CSV text, the bytes of a CSV or npy file (packed by gzip or not), numbers [n, d], columns by name,
 * records in an array, an (async) iterable or a tf.data dataset.
 */
export type TableSource =
  | string
  | Bytes
  | NdArray
  | tf.Tensor
  | RecordSource
  | Readonly<Record<string, ArrayLike<unknown>>>;

/** The options of `readTable`, for those that take them too. */
export const readTableOptionNames: OptionNames<ReadTableOptions> = {
  columns: true,
  kinds: ['types', 'dtypes'],
  names: true,
  header: 'boolean',
  delimiter: ['separator', 'sep'],
  decimal: true,
  missing: ['dropna'],
  missingMarks: ['naValues'],
};

const WHERE = 'readTable';

/**
 * Reads a table: named columns of numbers, whole numbers and categories.
 *
 * Kinds are seen in the values unless they are given: whole numbers are 'integer', other numbers 'real', at most 50 different texts
 * 'categorical'. `String(table)` tells them. A value that is missing is never a category or 0: such rows are named, or left out.
 *
 * @param source tensors that a dataset yields are disposed; everything else stays the caller's
 * @throws DataError for missing values, texts among numbers, decimal commas, infinite values, numbers that float32 cannot tell apart,
 * each with line or row and column; FormatError for a table without header, lines of different lengths, names given twice; ConfigError
 * @see Shafranovich, "Common Format and MIME Type for Comma-Separated Values (CSV) Files" (2005), RFC 4180
 * @example
 * const two = await readTable('age;height;sex\n31;1,72;m\n44;1,6;f\n', { decimal: ',' });
 * two.columns.map(({ kind }) => kind); // ['integer', 'real', 'categorical']
 */
export async function readTable(source: TableSource, options: ReadTableOptions = {}): Promise<Table> {
  checkOptions(WHERE, options, readTableOptionNames);
  checkReading(WHERE, options);
  const raw = await open(source, options);
  const chosen = chooseColumns(WHERE, raw.columns, options.columns);
  checkKindNames(WHERE, chosen, options.kinds);
  const { columns, place, leftOut } = wholeRows(WHERE, chosen, raw.place, options);
  const reading = { where: WHERE, decimal: options.decimal ?? '.', place };
  return new Table(
    columns.map((column) => columnOf(column, options.kinds?.[column.name], reading)),
    leftOut,
  );
}

async function open(source: TableSource, options: ReadTableOptions): Promise<RawTable> {
  const { names } = options;
  if (typeof source === 'string') return fromCsv(WHERE, source, options);
  if (source instanceof tf.Tensor) {
    if (source.dtype === 'string' || source.dtype === 'complex64') {
      throw new DataError(complaint(WHERE, 'a tensor of numbers', `one of ${source.dtype}`));
    }
    return fromArray(WHERE, { shape: source.shape, data: await source.data<'float32' | 'int32'>() }, names);
  }
  if (source instanceof Promise || typeof source !== 'object' || source === null) throw noTable(source);
  if (ArrayBuffer.isView(source) || source instanceof ArrayBuffer) {
    return fromBytes(toBytes(WHERE, source as Bytes), options);
  }
  if (isArray(source)) return fromArray(WHERE, source, names);
  if (isRecordSource(source)) return fromColumns(WHERE, await readRecords(WHERE, source, names));
  const columns = Object.entries(source);
  const isList = (cells: unknown) => Array.isArray(cells) || ArrayBuffer.isView(cells);
  if (columns.length === 0 || !columns.every(([, cells]) => isList(cells))) throw noTable(source);
  return fromColumns(WHERE, new Map(columns));
}

function fromBytes(packed: Uint8Array, options: ReadTableOptions): RawTable {
  const bytes = gunzipIfNeeded(WHERE, packed);
  const start = latin1(bytes.subarray(0, 6));
  if (start === '\x93NUMPY') return fromArray(WHERE, parseNpy(WHERE, bytes), options.names);
  return fromCsv(WHERE, tableText(WHERE, bytes), options);
}

function isArray(source: object): source is NdArray {
  return 'shape' in source && 'data' in source && Array.isArray(source.shape);
}

function noTable(source: unknown): DataError {
  const [received, hint] = named(source);
  const expected = 'a CSV text, bytes, numbers [n, d], columns by name, records or a dataset';
  const advice = source instanceof Promise ? hint : '';
  return new DataError(complaint(WHERE, expected, received, advice));
}
