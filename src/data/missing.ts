import { complaint, DataError } from '../core/errors';
import { figure } from '../core/printable';

/** What stands in tables where a value is missing, in small letters. */
const MARKS = new Set(['', 'na', 'n/a', '#n/a', '<na>', 'nan', 'null', 'none', 'nil', '?', '-', '--', '.']);
/** Of many, so many are named. */
const NAMED = 4;

/** Whether nothing is in a cell, or one of the marks that say so; `marks` takes the place of the usual ones. */
export function isMissing(cell: unknown, marks?: ReadonlySet<string>): boolean {
  if (typeof cell === 'string') {
    const text = cell.trim();
    return text === '' || (marks?.has(text) ?? MARKS.has(text.toLowerCase()));
  }
  return cell === null || cell === undefined || Number.isNaN(cell);
}

/** Cells of a table that cannot be what they ought to be. */
export interface BadCell {
  column: string;
  row: number;
  cell: unknown;
}

/**
 * A DataError that counts cells and names the first few.
 *
 * @param place a row in words, as 'line 3'
 */
export function badCells(
  where: string,
  expected: string,
  cells: readonly BadCell[],
  place: (row: number) => string,
  hint: string,
): DataError {
  const first = [...cells].sort((a, b) => a.row - b.row).slice(0, NAMED);
  const named = first.map(({ column, row, cell }) => `${shown(cell)} in ${place(row)} of '${column}'`);
  const more = cells.length > NAMED ? `, ... (${cells.length} in all)` : '';
  return new DataError(complaint(where, expected, named.join(', ') + more, hint));
}

function shown(cell: unknown): string {
  if (typeof cell === 'string') return `'${cell.length > 40 ? `${cell.slice(0, 40)}...` : cell}'`;
  if (typeof cell === 'number') return figure(cell);
  if (typeof cell === 'bigint') return `${cell}n`;
  return typeof cell === 'object' && cell !== null ? `a ${cell.constructor?.name}` : String(cell);
}
