import * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError, FormatError } from '../core/errors';
import { named } from '../core/numbers';
import { checkOptions, type OptionNames } from '../core/options';
import { checkChoice } from '../core/shapes';
import { type Bytes, toBytes } from './bytes';
import { type CellReading, columnOf, type KindOption, type RawColumn } from './columnKinds';
import { gunzipIfNeeded } from './gzip';
import { latin1 } from './latin1';
import { type BadCell, badCells, isMissing } from './missing';
import type { NdArray } from './ndArray';
import { parseNpy } from './npy';
import { fromArray, fromColumns, fromCsv, type RawTable } from './rawTable';
import { isRecordSource, type RecordSource, readRecords } from './recordStream';
import { columnPlace, Table } from './table';

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
  checkOptions(WHERE, options, optionNames);
  checkChoice(WHERE, 'decimal', options.decimal ?? '.', ['.', ',']);
  checkChoice(WHERE, 'missing', options.missing ?? 'refuse', ['refuse', 'drop']);
  const raw = await open(source, options);
  const chosen = choose(raw.columns, options.columns);
  for (const name of Object.keys(options.kinds ?? {})) {
    columnPlace(
      `${WHERE} (kinds)`,
      chosen.map((column) => column.name),
      name,
    );
  }
  const { columns, rows, leftOut } = withoutMissing(chosen, raw.place, options);
  const reading: CellReading = {
    where: WHERE,
    decimal: options.decimal ?? '.',
    place: rows === undefined ? raw.place : (row) => raw.place(rows[row]),
  };
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

/** What begins files that are tables, and not one of those that are read. */
const OTHER_FILES: readonly (readonly [start: string, hint: string])[] = [
  ['PK', 'A workbook? Save it as CSV. Arrays of an npz: readNpz(bytes).x.'],
  ['PAR1', 'A Parquet file: write it as CSV, or give its records.'],
  ['ARROW1', 'An Arrow file: write it as CSV, or give its records.'],
];

function fromBytes(packed: Uint8Array, options: ReadTableOptions): RawTable {
  const bytes = gunzipIfNeeded(WHERE, packed);
  const start = latin1(bytes.subarray(0, 6));
  if (start === '\x93NUMPY') return fromArray(WHERE, parseNpy(WHERE, bytes), options.names);
  const other = OTHER_FILES.find(([mark]) => start.startsWith(mark));
  if (other !== undefined) {
    throw new FormatError(complaint(WHERE, 'a CSV or npy file', `'${other[0]}...'`, other[1]));
  }
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8';
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    const hint = 'Another encoding? Decode it: new TextDecoder("windows-1252").decode(bytes).';
    throw new FormatError(complaint(WHERE, 'text in UTF-8', 'bytes that are not', hint), { cause });
  }
  return fromCsv(WHERE, text, options);
}

function choose(columns: readonly RawColumn[], names: readonly string[] | undefined): RawColumn[] {
  const known = columns.map(({ name }) => name);
  if (names !== undefined) return names.map((name) => columns[columnPlace(WHERE, known, name)]);
  const unnamed = known.indexOf('');
  if (unnamed < 0) return [...columns];
  const hint = 'Choose by columns: [...]. (pandas writes its index so: to_csv(index=False).)';
  throw new FormatError(
    complaint(WHERE, 'a name for every column', `none for column ${unnamed + 1} of ${known.length}`, hint),
  );
}

/** Columns without the rows that lack a value, and the rows that are left where some are not. */
function withoutMissing(
  columns: readonly RawColumn[],
  place: (row: number) => string,
  { missing = 'refuse', missingMarks }: ReadTableOptions,
): { columns: readonly RawColumn[]; rows?: Int32Array; leftOut: number } {
  const marks = missingMarks && new Set(missingMarks);
  const found: BadCell[] = [];
  for (const { name, cells } of columns) {
    for (let row = 0; row < cells.length; row++) {
      if (isMissing(cells[row], marks)) found.push({ column: name, row, cell: cells[row] });
    }
  }
  if (found.length === 0) return { columns, leftOut: 0 };
  const count = columns[0].cells.length;
  const lacking = new Set(found.map(({ row }) => row));
  const rows = Int32Array.from({ length: count }, (_, row) => row).filter((row) => !lacking.has(row));
  if (missing === 'refuse') {
    const hint = `missing: 'drop' leaves out the ${lacking.size} of ${count} rows that lack one.`;
    throw badCells(WHERE, 'a value in every cell', found, place, hint);
  }
  if (rows.length === 0)
    throw new DataError(complaint(WHERE, 'rows without a missing value', `none of ${count}`));
  const kept = columns.map(({ name, cells }) => ({ name, cells: Array.from(rows, (row) => cells[row]) }));
  return { columns: kept, rows, leftOut: lacking.size };
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

const optionNames: OptionNames<ReadTableOptions> = {
  columns: true,
  kinds: ['types', 'dtypes'],
  names: true,
  header: 'boolean',
  delimiter: ['separator', 'sep'],
  decimal: true,
  missing: ['dropna'],
  missingMarks: ['naValues'],
};
