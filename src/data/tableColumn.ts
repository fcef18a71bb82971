import { ConfigError, complaint, DataError, ShapeError } from '../core/errors';
import { named } from '../core/numbers';
import { figure } from '../core/printable';
import { checkChoice } from '../core/shapes';

/** What the values of a column are: any numbers, whole numbers, or one of a few names. */
export type ColumnKind = 'real' | 'integer' | 'categorical';

/** One column of a `Table`. */
export interface TableColumn {
  name: string;
  kind: ColumnKind;
  /** One number per row; of a categorical column the place of its name in `categories`. */
  values: Float64Array;
  /** Names of a categorical column. */
  categories?: readonly string[];
}

/** Of the whole numbers up to here float32 holds each. */
export const EXACT = 2 ** 24;
/** Columns and categories that are named where there are many. */
export const NAMED = 12;

/** Names for a message: all, or the first few. */
export function someNames(names: readonly string[]): string {
  return names.length <= NAMED
    ? names.join(', ')
    : `${names.slice(0, NAMED).join(', ')}, ... (${names.length})`;
}

/** The range of a column, or its categories, for people. */
export function contents({ kind, values, categories = [] }: TableColumn): string {
  if (kind === 'categorical') return someNames(categories);
  let [low, high] = [values[0], values[0]];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return `${figure(low)} .. ${figure(high)}`;
}

/** One value: a number, or the name of a category. */
export function valueIn({ kind, values, categories }: TableColumn, row: number): number | string {
  return kind === 'categorical' ? categories![values[row]] : values[row];
}

/** Throws a ConfigError, DataError or ShapeError for what is no columns of one table. */
export function checkColumns(columns: readonly TableColumn[]): void {
  if (!Array.isArray(columns) || columns.length === 0) {
    const received = Array.isArray(columns) ? 'none' : named(columns)[0];
    throw new ConfigError(complaint('Table', 'at least one column', received));
  }
  const names = new Set<string>();
  for (const { name, values } of columns) {
    if (typeof name !== 'string' || name === '' || names.has(name)) {
      const received = names.has(name) ? `'${name}' twice` : `'${name}'`;
      throw new ConfigError(complaint('Table', 'a name of its own for every column', received));
    }
    names.add(name);
    if (!(values instanceof Float64Array)) {
      const expected = `values of '${name}' as a Float64Array`;
      throw new DataError(complaint('Table', expected, named(values)[0], 'Float64Array.from makes one.'));
    }
    if (values.length !== columns[0].values.length || values.length === 0) {
      const expected = `columns of one length, 1 or more (${columns[0].values.length} values in the first)`;
      throw new ShapeError(complaint('Table', expected, `${values.length} in '${name}'`));
    }
  }
  for (const column of columns) checkValues(column);
}

function checkValues({ name, kind, values, categories }: TableColumn): void {
  checkChoice('Table', `kind of '${name}'`, kind, ['real', 'integer', 'categorical']);
  const count = categories?.length ?? 0;
  const distinct = new Set(categories).size === count;
  if (kind === 'categorical' ? count === 0 || !distinct : categories !== undefined) {
    const expected = kind === 'categorical' ? 'categories, each once,' : 'no categories';
    const received = categories === undefined ? 'none' : `[${categories.join(', ')}]`;
    throw new ConfigError(complaint('Table', `${expected} for the ${kind} column '${name}'`, received));
  }
  const fits = {
    real: Number.isFinite,
    integer: (value: number) => Number.isInteger(value) && Math.abs(value) <= EXACT,
    categorical: (value: number) => Number.isInteger(value) && value >= 0 && value < count,
  }[kind];
  for (let row = 0; row < values.length; row++) {
    if (fits(values[row])) continue;
    const expected = {
      real: 'finite numbers',
      integer: 'whole numbers that float32 holds (up to 2^24)',
      categorical: `places of its ${count} categories`,
    }[kind];
    throw new DataError(complaint('Table', `${expected} in '${name}'`, `${values[row]} in row ${row}`));
  }
}
