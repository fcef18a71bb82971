import { ConfigError, complaint, FormatError } from '../core/errors';
import type { RawColumn } from './columnKinds';
import { type CsvRow, readCsv } from './csv';
import { checkNdArray, type NdArray } from './ndArray';

/** Columns as they came, with a way to name their rows. */
export interface RawTable {
  columns: RawColumn[];
  /** A row in words, as 'line 3'. */
  place: (row: number) => string;
}

/** How a CSV text is laid out. */
export interface CsvLayout {
  names?: readonly string[];
  header?: boolean;
  delimiter?: string;
  /** Whether a line before the header may say how many rows there are, as in the table of CelebA. */
  countLine?: boolean;
}

/** Columns of a text, and the line that each row begins in, from 1. */
export interface CsvTable extends RawTable {
  lines: number[];
}

const rowPlace = (row: number) => `row ${row}`;

/**
 * Columns of a CSV text.
 *
 * @throws FormatError for lines of different lengths, columns without a name or with one that another has, and numbers in the header
 */
export function fromCsv(where: string, text: string, layout: CsvLayout): CsvTable {
  const rows = readCsv(where, text, layout.delimiter);
  const count = layout.countLine && isCount(rows) ? rows.shift() : undefined;
  const { header = layout.names === undefined } = layout;
  const first = header ? rows.shift() : undefined;
  if (header && first !== undefined && layout.header === undefined) checkHeader(where, first);
  if (rows.length === 0) {
    const received = first === undefined ? 'an empty text' : `one line, '${first.cells.join(' ')}'`;
    const isPath = first?.cells.length === 1 && /\.(csv|tsv|txt|npy|gz)$/i.test(first.cells[0]);
    const hint = isPath ? 'A path is read by readTableFile of tfjs-flows/node.' : '';
    throw new FormatError(complaint(where, 'a CSV text with a header and rows', received, hint));
  }
  const width = first?.cells.length ?? rows[0].cells.length;
  checkLengths(where, rows, width);
  if (count !== undefined && Number(count.cells[0]) !== rows.length) {
    const expected = `${count.cells[0]} rows, as line ${count.line} says`;
    throw new FormatError(complaint(where, expected, `${rows.length}`, 'Was the table cut short?'));
  }
  const names = layout.names ?? first?.cells ?? numberedNames(width);
  const columns = toColumns(where, names, width, (j) => rows.map(({ cells }) => cells[j]));
  const lines = rows.map(({ line }) => line);
  return { columns, lines, place: (row) => `line ${lines[row]}` };
}

/**
 * Columns of an array [n, d].
 *
 * @param names one per column. Default: x1, x2, ...
 * @throws FormatError for another rank
 */
export function fromArray(where: string, { shape, data }: NdArray, names?: readonly string[]): RawTable {
  checkNdArray(where, { shape, data });
  const [count, width] = shape;
  if (shape.length !== 2 || count === 0 || width === 0) {
    throw new FormatError(complaint(where, 'an array [n, d] with rows and columns', shape));
  }
  const cells = (j: number) => Array.from({ length: count }, (_, i): unknown => data[i * width + j]);
  return { columns: toColumns(where, names ?? numberedNames(width), width, cells), place: rowPlace };
}

/** Columns given one by one, by name. */
export function fromColumns(where: string, given: ReadonlyMap<string, ArrayLike<unknown>>): RawTable {
  const columns = [...given].map(([name, cells]) => ({ name, cells }));
  const odd = columns.find(({ cells }) => cells.length !== columns[0].cells.length);
  if (odd !== undefined || columns[0].cells.length === 0) {
    const expected = `columns of one length, 1 or more (${columns[0].cells.length} values in '${columns[0].name}')`;
    const { name, cells } = odd ?? columns[0];
    throw new FormatError(complaint(where, expected, `${cells.length} in '${name}'`));
  }
  return { columns, place: rowPlace };
}

/** Names of columns that have none. */
export function numberedNames(width: number): string[] {
  return Array.from({ length: width }, (_, j) => `x${j + 1}`);
}

function toColumns(
  where: string,
  names: readonly string[],
  width: number,
  cells: (j: number) => ArrayLike<unknown>,
): RawColumn[] {
  if (names.length !== width) {
    throw new ConfigError(complaint(where, `names of ${width} columns`, `${names.length}`));
  }
  const twice = names.find((name, j) => name !== '' && names.indexOf(name) !== j);
  if (twice !== undefined) {
    throw new FormatError(
      complaint(where, 'a name of its own for every column', `'${twice}' twice`, 'Give names: [...].'),
    );
  }
  return names.map((name, j) => ({ name, cells: cells(j) }));
}

/** Whether the first line is a number alone, above lines of several cells. */
function isCount([first, second]: readonly CsvRow[]): boolean {
  return first?.cells.length === 1 && /^\d+$/.test(first.cells[0]) && second?.cells.length > 1;
}

/** A number names no column: the table has no header, and its first row would be lost. */
function checkHeader(where: string, { cells, line }: CsvRow): void {
  const number = cells.find((cell) => cell !== '' && Number.isFinite(Number(cell.replace(',', '.'))));
  if (number === undefined) return;
  const expected = `a header with the names of the columns in line ${line}`;
  const hint = 'A table without one is read by header: false or names: [...]; header: true takes it as one.';
  throw new FormatError(complaint(where, expected, `the number ${number} in it`, hint));
}

function checkLengths(where: string, rows: readonly CsvRow[], width: number): void {
  const odd = rows.filter(({ cells }) => cells.length !== width);
  if (odd.length === 0) return;
  const more = odd.length === 1 ? '' : `, ${odd.length} such lines`;
  const received = `${odd[0].cells.length} in line ${odd[0].line}${more}`;
  const rowNames = odd.length === rows.length && odd[0].cells.length === width + 1;
  const hint = rowNames
    ? "Names of rows without a header? Write the table without them: R's write.csv(row.names = FALSE)."
    : 'A cell that holds the separator has to stand in quotes.';
  throw new FormatError(complaint(where, `${width} cells in every line`, received, hint));
}
