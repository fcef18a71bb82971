import { complaint, DataError, FormatError } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { byNumberOrText, type CellReading, columnOf, type RawColumn } from '../../data/columnKinds';
import { fromCsv } from '../../data/rawTable';
import { readTableOptionNames } from '../../data/readTable';
import { checkKindNames, checkReading, chooseColumns, wholeRows } from '../../data/wholeRows';
import { isImageName } from '../decoding/format';
import { classesOf } from './imageClasses';
import type { ImageDataset, ImageTableOptions } from './imageDataset';

/** What a table says of image files, in its order. */
export interface ImageTable extends Pick<ImageDataset, 'labels' | 'attributes' | 'measurements'> {
  /** Image files, as written in the table. */
  files: string[];
  /** Line of the text that each file stands in, from 1. */
  lines: number[];
}

const WHERE = 'readImageTable';
const YES = new Set(['1', 'yes', 'true']);
const NO = new Set(['0', '-1', 'no', 'false']);
/** Text with more values than this names the images rather than says something of them. */
const MOST_VALUES = 12;

/** The options of `readImageTable`. */
export const imageTableOptionNames: OptionNames<ImageTableOptions> = {
  ...readTableOptionNames,
  fileColumn: ['file'],
  classColumn: ['class', 'label'],
  folder: ['root', 'path'],
};

/**
 * Reads a CSV table of images: a header, then per line an image file and what is known of it.
 *
 * A column of 1 or yes or true, and 0 or -1 or no or false, is an attribute; other numbers are a measurement; text with at most 12 values
 * becomes one attribute per value, named 'column=value'. Cells are read as `readTable` reads them, with the same options: a value that is
 * missing (an empty cell, NA, NaN, null, ?) is never a category or 0. A line before the header may say how many images there are.
 *
 * @throws DataError that names missing values, decimal commas and texts among numbers by line and column; FormatError that names the line
 * or the column; ConfigError for a column that is not there
 * @see Shafranovich, "Common Format and MIME Type for Comma-Separated Values (CSV) Files" (2005), RFC 4180
 * @example
 * const { files, attributes, measurements } = readImageTable('file,glasses,age\na.png,yes,31\nb.png,no,44\n');
 * attributes?.values; // [1, -1]
 * measurements?.values; // [31, 44]
 */
export function readImageTable(text: string, options: ImageTableOptions = {}): ImageTable {
  if (typeof text !== 'string') {
    throw new DataError(complaint(WHERE, 'the text of a table', typeof text, "Read the file as 'utf8'."));
  }
  checkOptions(WHERE, options, imageTableOptionNames);
  checkReading(WHERE, options);
  const raw = fromCsv(WHERE, text, { ...options, countLine: true });
  const names = raw.columns.map(({ name }) => name);
  if (options.header === undefined && options.names === undefined) checkHeader(names);
  const {
    fileColumn = names.find((name) => name !== ''),
    classColumn = names.find((name) => name === 'class'),
  } = options;
  const ends = [fileColumn, classColumn].filter((name) => name !== undefined);
  const wanted = options.columns && [...new Set([...ends, ...options.columns])];
  const chosen = chooseColumns(WHERE, raw.columns, wanted);
  const known = chosen.filter(({ name }) => !ends.includes(name));
  checkKindNames(WHERE, known, options.kinds);

  const { columns, rows, place } = wholeRows(WHERE, chosen, raw.place, options);
  const reading = { where: WHERE, decimal: options.decimal ?? '.', place };
  const textsOf = (name: string) => chooseColumns(WHERE, columns, [name])[0].cells as string[];
  const files = textsOf(fileColumn!);
  checkOnce(files, place);
  const found = columns
    .filter(({ name }) => !ends.includes(name))
    .map((column) => numbersOf(column, options.kinds?.[column.name], reading));
  return {
    files,
    lines: rows === undefined ? raw.lines : Array.from(rows, (row) => raw.lines[row]),
    ...(classColumn !== undefined && { labels: classesOf(textsOf(classColumn), byNumberOrText) }),
    ...together(
      'attributes',
      found.flatMap(({ attributes = [] }) => attributes),
      Int8Array,
    ),
    ...together(
      'measurements',
      found.flatMap(({ measurement = [] }) => measurement),
      Float64Array,
    ),
  };
}

/** An image file names no column: the table has no header, and its first image would be lost. */
function checkHeader(names: readonly string[]): void {
  const image = names.find(isImageName);
  if (image === undefined) return;
  const hint = 'A table without one is read by header: false or names: [...].';
  const received = `the image '${image}' in the first line`;
  throw new FormatError(complaint(WHERE, 'a header with the names of the columns', received, hint));
}

/** An image that is listed twice could be trained on and held out at once. */
function checkOnce(files: readonly string[], place: (row: number) => string): void {
  const first = new Map<string, number>();
  files.forEach((file, row) => {
    const before = first.get(file);
    if (before !== undefined) {
      const received = `'${file}' in ${place(before)} and ${place(row)}`;
      throw new FormatError(complaint(WHERE, 'every image once', received));
    }
    first.set(file, row);
  });
}

/** A column that is read: its name and a number per image. */
interface NumberColumn {
  name: string;
  values: ArrayLike<number>;
}

function numbersOf(
  raw: RawColumn,
  told: Parameters<typeof columnOf>[1],
  reading: CellReading,
): { attributes?: NumberColumn[]; measurement?: NumberColumn } {
  const { name } = raw;
  const yesOrNo = told === undefined ? answersOf(raw) : undefined;
  if (yesOrNo !== undefined) return { attributes: [{ name, values: yesOrNo }] };
  const { kind, values, categories = [] } = columnOf(raw, told, reading);
  if (kind !== 'categorical') return { measurement: { name, values } };
  if (categories.length > MOST_VALUES && typeof told !== 'object') {
    const expected = `numbers, or at most ${MOST_VALUES} different values, in column '${name}'`;
    const received = `${categories.length}, as '${raw.cells[0]}' in ${reading.place(0)}`;
    const hint = 'Make it the classColumn, or name the columns to read.';
    throw new FormatError(complaint(WHERE, expected, received, hint));
  }
  return {
    attributes: categories.map((category, c) => ({
      name: `${name}=${category}`,
      values: Int8Array.from(values, (value) => (value === c ? 1 : -1)),
    })),
  };
}

/** 1 for yes and -1 for no; nothing where a cell says something else, or where 0 and -1 both stand and so mean different things. */
function answersOf({ cells }: RawColumn): Int8Array | undefined {
  const answers = new Int8Array(cells.length);
  const noes = new Set<string>();
  for (let row = 0; row < cells.length; row++) {
    const word = (cells[row] as string).toLowerCase();
    if (NO.has(word)) noes.add(word);
    else if (!YES.has(word)) return undefined;
    answers[row] = YES.has(word) ? 1 : -1;
  }
  return noes.has('0') && noes.has('-1') ? undefined : answers;
}

/** Columns side by side under a name, or nothing where there are none. */
function together<Name extends string, Data extends Int8Array | Float64Array>(
  name: Name,
  columns: readonly NumberColumn[],
  Values: new (length: number) => Data,
): { [key in Name]?: { names: string[]; values: Data } } {
  if (columns.length === 0) return {};
  const width = columns.length;
  const values = new Values(width * columns[0].values.length);
  columns.forEach((column, j) => {
    for (let row = 0; row < column.values.length; row++) values[row * width + j] = column.values[row];
  });
  return { [name]: { names: columns.map((column) => column.name), values } } as never;
}
