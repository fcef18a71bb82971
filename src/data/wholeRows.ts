import { complaint, DataError, FormatError } from '../core/errors';
import { checkChoice } from '../core/shapes';
import type { KindOption, RawColumn } from './columnKinds';
import { type BadCell, badCells, isMissing } from './missing';
import { columnPlace } from './table';

/** How the cells of a table are read, and what becomes of rows that lack one. */
export interface RowReading {
  decimal?: '.' | ',';
  missing?: 'refuse' | 'drop';
  missingMarks?: readonly string[];
}

/** Columns without the rows that lack a value. */
export interface WholeRows {
  columns: readonly RawColumn[];
  /** A row that is left in words, as 'line 3'. */
  place: (row: number) => string;
  /** Where each row that is left stood; undefined where all are left. */
  rows?: Int32Array;
  /** How many rows lack a value. */
  leftOut: number;
}

/** Throws a ConfigError for a way to read that there is not. */
export function checkReading(where: string, { decimal, missing }: RowReading): void {
  checkChoice(where, 'decimal', decimal ?? '.', ['.', ',']);
  checkChoice(where, 'missing', missing ?? 'refuse', ['refuse', 'drop']);
}

/** Throws a ConfigError for kinds of columns that are not read. */
export function checkKindNames(
  where: string,
  columns: readonly RawColumn[],
  kinds: Readonly<Record<string, KindOption>> = {},
): void {
  const names = columns.map(({ name }) => name);
  for (const name of Object.keys(kinds)) columnPlace(`${where} (kinds)`, names, name);
}

/** The columns that are named, in that order, or all: then each must have a name. */
export function chooseColumns(
  where: string,
  columns: readonly RawColumn[],
  names: readonly string[] | undefined,
): RawColumn[] {
  const known = columns.map(({ name }) => name);
  if (names !== undefined) return names.map((name) => columns[columnPlace(where, known, name)]);
  const unnamed = known.indexOf('');
  if (unnamed < 0) return [...columns];
  const hint = 'Choose by columns: [...]. (pandas writes its index so: to_csv(index=False).)';
  throw new FormatError(
    complaint(where, 'a name for every column', `none for column ${unnamed + 1} of ${known.length}`, hint),
  );
}

/**
 * Rows that have a value in every column.
 *
 * @throws DataError that names missing values, unless their rows are to be dropped; or where none is left
 */
export function wholeRows(
  where: string,
  columns: readonly RawColumn[],
  place: (row: number) => string,
  { missing = 'refuse', missingMarks }: RowReading,
): WholeRows {
  const marks = missingMarks && new Set(missingMarks);
  const found: BadCell[] = [];
  for (const { name, cells } of columns) {
    for (let row = 0; row < cells.length; row++) {
      if (isMissing(cells[row], marks)) found.push({ column: name, row, cell: cells[row] });
    }
  }
  if (found.length === 0) return { columns, place, leftOut: 0 };
  const count = columns[0].cells.length;
  const lacking = new Set(found.map(({ row }) => row));
  if (missing === 'refuse') {
    const hint = `missing: 'drop' leaves out the ${lacking.size} of ${count} rows that lack one.`;
    throw badCells(where, 'a value in every cell', found, place, hint);
  }
  const rows = Int32Array.from({ length: count }, (_, row) => row).filter((row) => !lacking.has(row));
  if (rows.length === 0)
    throw new DataError(complaint(where, 'rows without a missing value', `none of ${count}`));
  const kept = columns.map(({ name, cells }) => ({ name, cells: Array.from(rows, (row) => cells[row]) }));
  return { columns: kept, place: (row) => place(rows[row]), rows, leftOut: lacking.size };
}
