import type * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint, DataError } from '../core/errors';
import type { Shape } from '../core/shapes';
import { Table, type TableColumn } from '../data';
import { someNames } from '../data/tableColumn';
import type { Column } from '../layers/supports/columns';

/**
 * The rows of a table in the order of a flow's columns, which are found by name; categories by theirs.
 *
 * @throws DataError for columns that only one of them has, categories that the flow does not know, and names where numbers belong
 */
export function rowsOfTable(
  where: string,
  columns: readonly Column[],
  table: Table,
): { x: Float64Array; shape: Shape } {
  const names = columns.map(({ name }) => name);
  const missing = names.filter((name) => !table.names.includes(name));
  const unknown = table.names.filter((name) => !names.includes(name));
  if (missing.length + unknown.length > 0) {
    const without = missing.length > 0 ? [`one without ${someNames(missing)}`] : [];
    const beyond = unknown.length > 0 ? [`one with ${someNames(unknown)}`] : [];
    const received = [...without, ...beyond].join(' and ');
    const hint =
      missing.length === 0
        ? 'Choose those of the flow: table.select(flow.columns.map(({ name }) => name)).'
        : '';
    throw new DataError(complaint(where, `a table with the columns ${someNames(names)}`, received, hint));
  }
  const x = new Float64Array(table.rows * columns.length);
  columns.forEach((column, j) => {
    const values = numbersOf(where, column, table.column(column.name));
    for (let i = 0; i < values.length; i++) x[i * columns.length + j] = values[i];
  });
  return { x, shape: [columns.length] };
}

/**
 * Rows of a flow as a table: categories by name, whole numbers as such.
 *
 * @param rows [n, d], at least one row; disposed
 */
export async function tableOfRows(columns: readonly Column[], rows: tf.Tensor): Promise<Table> {
  const values = await rows.data().finally(() => rows.dispose());
  const width = columns.length;
  const count = values.length / width;
  return new Table(
    columns.map((column, j): TableColumn => {
      const { kind } = column.support;
      const own = Float64Array.from({ length: count }, (_, i) => values[i * width + j]);
      if (kind !== 'categorical')
        return { name: column.name, kind: kind === 'integer' ? kind : 'real', values: own };
      return { name: column.name, kind, values: own, categories: categoriesOf(column) };
    }),
  );
}

/** Names of a column's categories; their numbers where they have none. */
export function categoriesOf({ support, categories }: Column): readonly string[] {
  if (categories !== undefined || support.kind !== 'categorical') return categories ?? [];
  return Array.from({ length: support.categories }, (_, category) => String(category));
}

/**
 * The number by which a flow knows one value of a column: a number, or the name of a category.
 *
 * @throws ConfigError for another category, or a name where a number belongs
 */
export function numberOf(where: string, column: Column, value: number | string): number {
  if (column.support.kind !== 'categorical') {
    if (typeof value === 'number') return value;
    throw new ConfigError(complaint(where, `a number as '${column.name}'`, `'${value}'`));
  }
  const categories = categoriesOf(column);
  const place = categories.indexOf(String(value));
  if (place >= 0) return place;
  throw new ConfigError(
    complaint(where, `'${column.name}' to be one of ${someNames(categories)}`, `'${value}'`),
  );
}

function numbersOf(where: string, column: Column, own: TableColumn): Float64Array {
  const { name } = column;
  if (column.support.kind !== 'categorical') {
    if (own.kind !== 'categorical') return own.values;
    const received = `the categories ${someNames(own.categories ?? [])}`;
    throw new DataError(complaint(where, `numbers in '${name}'`, received));
  }
  const categories = categoriesOf(column);
  const places = new Map(categories.map((category, i) => [category, i]));
  const nameIn = (value: number) => (own.kind === 'categorical' ? own.categories![value] : String(value));
  const unknown = new Set<string>();
  const values = own.values.map((value) => {
    const category = nameIn(value);
    const place = places.get(category);
    if (place === undefined) unknown.add(category);
    return place ?? -1;
  });
  if (unknown.size === 0) return values;
  throw new DataError(
    complaint(where, `'${name}' to be one of ${someNames(categories)}`, someNames([...unknown])),
  );
}
