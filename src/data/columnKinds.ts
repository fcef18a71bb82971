import { ConfigError, complaint, DataError } from '../core/errors';
import { checkFloat32 } from '../core/hostValues';
import { checkChoice } from '../core/shapes';
import { type BadCell, badCells } from './missing';
import { type ColumnKind, EXACT, someNames, type TableColumn } from './tableColumn';

/** What a column is said to be: its kind, or the names of its categories in their order. */
export type KindOption = ColumnKind | { categories: readonly string[] };

/** A column as it came. */
export interface RawColumn {
  name: string;
  /** Numbers, texts, booleans; nothing that is missing. */
  cells: ArrayLike<unknown>;
}

/** How cells are read. */
export interface CellReading {
  /** Name of the calling function. */
  where: string;
  decimal: '.' | ',';
  /** A row in words, as 'line 3'. */
  place: (row: number) => string;
}

/** Of more different texts nobody meant each to be a category. */
const MOST_CATEGORIES = 50;

const NUMBERS = {
  '.': /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i,
  ',': /^[+-]?(\d+,?\d*|,\d+)(e[+-]?\d+)?$/i,
} as const;
const INFINITE = /^([+-]?)inf(inity)?$/i;
/** What is a number to those who write decimals or thousands with commas. */
const WITH_COMMA = /^[+-]?\d+(,\d+)+(\.\d+)?(e[+-]?\d+)?$/i;

/**
 * A column of the kind that it is said to be, or that its values show: whole numbers are 'integer', other numbers 'real', few
 * different texts 'categorical'.
 *
 * @throws DataError that names cells which do not fit the kind, or in which no kind can be seen
 */
export function columnOf(raw: RawColumn, told: KindOption | undefined, reading: CellReading): TableColumn {
  const { where } = reading;
  if (typeof told === 'object') return categorical(raw, reading, toldCategories(where, raw.name, told));
  if (told !== undefined) {
    checkChoice(where, `kind of '${raw.name}'`, told, ['real', 'integer', 'categorical']);
    if (told === 'categorical') return categorical(raw, reading);
  }
  const { values, texts } = numbersOf(raw, reading);
  if (texts.length === 0) return numeric(raw.name, values, told, reading);
  checkCommas(texts, reading);
  if (told !== undefined || texts.length < raw.cells.length / 2) {
    const hint = told === undefined ? `Is it kinds: { '${raw.name}': 'categorical' }?` : '';
    throw badCells(where, `numbers in '${raw.name}'`, texts, reading.place, hint);
  }
  return categorical(raw, reading);
}

/** The numbers of a column, and the cells that are none. */
function numbersOf(
  { name, cells }: RawColumn,
  reading: CellReading,
): { values: Float64Array; texts: BadCell[] } {
  const values = new Float64Array(cells.length);
  const texts: BadCell[] = [];
  const strange: BadCell[] = [];
  for (let row = 0; row < cells.length; row++) {
    const cell = cells[row];
    if (typeof cell === 'number') values[row] = cell;
    else if (typeof cell === 'bigint' && BigInt(Number(cell)) === cell) values[row] = Number(cell);
    else if (typeof cell === 'boolean') texts.push({ column: name, row, cell });
    else if (typeof cell !== 'string') strange.push({ column: name, row, cell });
    else {
      values[row] = numberIn(cell, reading.decimal);
      if (Number.isNaN(values[row])) texts.push({ column: name, row, cell });
    }
  }
  if (strange.length === 0) return { values, texts };
  throw badCells(reading.where, 'numbers or texts', strange, reading.place, '');
}

/** The number that a text is, as it is written and nothing else: no hexadecimal, no empty text; NaN where it is none. */
function numberIn(cell: string, decimal: '.' | ','): number {
  const text = cell.trim();
  if (NUMBERS[decimal].test(text)) return Number(decimal === ',' ? text.replace(',', '.') : text);
  const infinite = INFINITE.exec(text);
  if (infinite === null) return Number.NaN;
  return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function numeric(
  name: string,
  values: Float64Array,
  told: 'real' | 'integer' | undefined,
  { where, place }: CellReading,
): TableColumn {
  const cellsThat = (bad: (value: number) => boolean) => {
    const found: BadCell[] = [];
    for (let row = 0; row < values.length; row++) {
      if (bad(values[row])) found.push({ column: name, row, cell: values[row] });
    }
    return found;
  };
  const infinite = cellsThat((value) => !Number.isFinite(value));
  if (infinite.length > 0) throw badCells(where, 'finite numbers', infinite, place, '');
  const isWhole = (value: number) => Number.isInteger(value) && Math.abs(value) <= EXACT;
  const isInteger = values.every(isWhole);
  if (told === 'integer' && !isInteger) {
    const odd = cellsThat((value) => !isWhole(value));
    throw badCells(where, 'whole numbers that float32 holds (up to 2^24)', odd, place, '');
  }
  checkFloat32(where, `a column '${name}'`, { values, count: values.length, shape: [], dtype: 'float32' });
  return { name, kind: told ?? (isInteger ? 'integer' : 'real'), values };
}

function categorical(
  { name, cells }: RawColumn,
  { where, place }: CellReading,
  told?: readonly string[],
): TableColumn {
  const names = Array.from(cells, (cell) => (typeof cell === 'string' ? cell.trim() : String(cell)));
  const categories = told ?? [...new Set(names)].sort(byNumberOrText);
  if (told === undefined && categories.length > MOST_CATEGORIES) {
    const expected = `numbers, or at most ${MOST_CATEGORIES} different texts, in '${name}'`;
    const received = `${categories.length}, as '${names[0]}' in ${place(0)}`;
    const hint = `Leave it out by columns: [...], or list them: kinds: { '${name}': { categories: [...] } }.`;
    throw new DataError(complaint(where, expected, received, hint));
  }
  const places = new Map(categories.map((category, i) => [category, i]));
  const values = Float64Array.from(names, (category) => places.get(category) ?? -1);
  const unknown: BadCell[] = [];
  values.forEach((value, row) => {
    if (value < 0) unknown.push({ column: name, row, cell: names[row] });
  });
  if (unknown.length > 0) throw badCells(where, `one of ${someNames(categories)}`, unknown, place, '');
  return { name, kind: 'categorical', values, categories };
}

function toldCategories(where: string, name: string, told: { categories: readonly string[] }) {
  const { categories } = told;
  const valid =
    Array.isArray(categories) &&
    categories.length > 0 &&
    categories.every((category) => typeof category === 'string') &&
    new Set(categories).size === categories.length;
  if (valid) return categories;
  throw new ConfigError(complaint(where, `categories of '${name}' as texts, each once`, `${categories}`));
}

/** Numbers by size, before texts. */
export function byNumberOrText(a: string, b: string): number {
  const [x, y] = [numberIn(a, '.'), numberIn(b, '.')];
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
  return a < b ? -1 : Number(a > b);
}

/** Throws a DataError where texts are numbers but for their commas: as categories they would be read wrong. */
function checkCommas(texts: readonly BadCell[], { where, decimal, place }: CellReading): void {
  if (decimal !== '.') return;
  const isNumber = ({ cell }: BadCell) => typeof cell === 'string' && WITH_COMMA.test(cell.trim());
  if (!texts.every(isNumber)) return;
  const hint = "Where a comma is the decimal mark, say decimal: ','; commas between thousands have to go.";
  throw badCells(where, 'numbers with a decimal point', texts, place, hint);
}
