import { ConfigError, complaint, DataError, FormatError } from '../../core/errors';
import { checkOptions } from '../../core/options';
import { type CsvRow, readCsv } from '../../data/csv';
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

/**
 * Reads a CSV table of images: a header, then per line an image file and what is known of it.
 *
 * A column of 1 or yes or true, and 0 or -1 or no or false, is an attribute; other numbers are a measurement; text with at most 12 values
 * becomes one attribute per value, named 'column=value'. Commas, semicolons or tabs separate, as the header shows.
 *
 * @throws FormatError that names the line or the column; ConfigError for a column that is not there
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
  checkOptions(WHERE, options, { fileColumn: ['file'], classColumn: ['class', 'label'], columns: true });
  const [header, ...rows] = readCsv(WHERE, text);
  const names = header?.cells ?? [];
  checkNames(names);
  if (rows.length === 0)
    throw new FormatError(complaint(WHERE, 'a header and lines of images', `${rows.length} images`));
  const { fileColumn = names[0], classColumn = names.find((name) => name === 'class') } = options;
  const place = (column: string) => {
    const found = names.indexOf(column);
    if (found >= 0) return found;
    throw new ConfigError(complaint(WHERE, `columns ${names.join(', ')}`, `'${column}'`));
  };
  const column = (name: string) => cellsOf(rows, name, place(name), names.length);

  const files = column(fileColumn);
  checkOnce(files, rows);
  const others = names.filter((name) => name !== fileColumn && name !== classColumn);
  const kinds = (options.columns ?? others).map((name) => columnOf(name, column(name), rows));
  return {
    files,
    lines: rows.map(({ line }) => line),
    ...(classColumn !== undefined && { labels: labelsOf(column(classColumn)) }),
    ...together(
      'attributes',
      kinds.flatMap(({ attributes = [] }) => attributes),
      Int8Array,
    ),
    ...together(
      'measurements',
      kinds.flatMap(({ measurement = [] }) => measurement),
      Float64Array,
    ),
  };
}

function checkNames(names: readonly string[]): void {
  const odd = names.find((name, i) => name === '' || names.indexOf(name) !== i);
  if (names.length === 0 || odd !== undefined) {
    const received = odd === undefined ? 'an empty table' : odd === '' ? 'one without' : `'${odd}' twice`;
    throw new FormatError(complaint(WHERE, 'a name of its own for every column, in line 1', received));
  }
}

/** Cells of one column, all filled. */
function cellsOf(rows: readonly CsvRow[], name: string, place: number, width: number): string[] {
  return rows.map(({ cells, line }) => {
    if (cells.length !== width) {
      throw new FormatError(complaint(WHERE, `${width} cells in line ${line}`, `${cells.length}`));
    }
    if (cells[place] !== '') return cells[place];
    throw new FormatError(
      complaint(
        WHERE,
        `a value of '${name}' in line ${line}`,
        'an empty cell',
        'Fill it, or remove the line.',
      ),
    );
  });
}

/** An image that is listed twice could be trained on and held out at once. */
function checkOnce(files: readonly string[], rows: readonly CsvRow[]): void {
  const first = new Map<string, number>();
  files.forEach((file, i) => {
    const before = first.get(file);
    if (before !== undefined) {
      const received = `'${file}' in lines ${before} and ${rows[i].line}`;
      throw new FormatError(complaint(WHERE, 'every image once', received));
    }
    first.set(file, rows[i].line);
  });
}

/** A column that is read: its name and a number per image. */
interface NumberColumn {
  name: string;
  values: number[];
}

function columnOf(
  name: string,
  cells: readonly string[],
  rows: readonly CsvRow[],
): { attributes?: NumberColumn[]; measurement?: NumberColumn } {
  const words = cells.map((cell) => cell.toLowerCase());
  if (words.every((word) => YES.has(word) || NO.has(word))) {
    return { attributes: [{ name, values: words.map((word) => (YES.has(word) ? 1 : -1)) }] };
  }
  const numbers = cells.map(Number);
  const odd = numbers.findIndex((value) => !Number.isFinite(value));
  if (odd < 0) return { measurement: { name, values: numbers } };
  const values = [...new Set(cells)].sort();
  if (values.length <= MOST_VALUES) {
    return {
      attributes: values.map((value) => ({
        name: `${name}=${value}`,
        values: cells.map((cell) => (cell === value ? 1 : -1)),
      })),
    };
  }
  const received = `${values.length}, as '${cells[odd]}' in line ${rows[odd].line}`;
  throw new FormatError(
    complaint(
      WHERE,
      `numbers, or at most ${MOST_VALUES} different values, in column '${name}'`,
      received,
      'Make it the classColumn, or name the columns to read.',
    ),
  );
}

function labelsOf(cells: readonly string[]): ImageDataset['labels'] {
  const classes = [...new Set(cells)].sort();
  return { classes, values: Int32Array.from(cells, (cell) => classes.indexOf(cell)) };
}

/** Columns side by side under a name, or nothing where there are none. */
function together<Name extends string, Data>(
  name: Name,
  columns: readonly NumberColumn[],
  kind: { from(values: number[]): Data },
): { [key in Name]?: { names: string[]; values: Data } } {
  if (columns.length === 0) return {};
  const values = columns[0].values.flatMap((_, i) => columns.map((column) => column.values[i]));
  return { [name]: { names: columns.map((column) => column.name), values: kind.from(values) } } as never;
}
