import { ConfigError, complaint } from '../core/errors';
import { largest } from '../core/lists';
import { nearestName } from '../core/options';
import { printable } from '../core/printable';
import { recognizable } from '../core/recognizable';
import type { NdArray } from './ndArray';
import { checkColumns, contents, NAMED, someNames, type TableColumn, valueIn } from './tableColumn';

/**
 * Named columns of numbers, whole numbers and categories, one row per event; nothing in it is missing. `readTable` makes one.
 *
 * @throws DataError for a value that its column's kind does not have, NaN or infinity;
 * ConfigError for names that are empty or given twice; ShapeError for columns of different lengths
 * @example
 * const two = new Table([
 *   { name: 'age', kind: 'integer', values: Float64Array.of(31, 44) },
 *   { name: 'sex', kind: 'categorical', values: Float64Array.of(1, 0), categories: ['f', 'm'] },
 * ]);
 * two.toRecords(); // [{ age: 31, sex: 'm' }, { age: 44, sex: 'f' }]
 */
export class Table {
  readonly columns: readonly TableColumn[];
  /** Number of rows. */
  readonly rows: number;

  /**
   * @param leftOut rows of the source that are not in the table, as a value of theirs is missing. Default 0.
   */
  constructor(
    columns: readonly TableColumn[],
    readonly leftOut = 0,
  ) {
    checkColumns(columns);
    this.columns = columns.map((column) => Object.freeze({ ...column }));
    this.rows = columns[0].values.length;
  }

  /** Names of the columns, in order. */
  get names(): string[] {
    return this.columns.map(({ name }) => name);
  }

  /**
   * The column of a name.
   *
   * @throws ConfigError where there is none
   * @example
   * patients.column('age').values.length; // 40
   */
  column(name: string): TableColumn {
    return this.columns[columnPlace('Table.column', this.names, name)];
  }

  /**
   * A table of some columns, in the given order.
   *
   * @throws ConfigError for a name that no column has, or given twice
   * @example
   * patients.select(['sex', 'age']).names; // ['sex', 'age']
   */
  select(names: readonly string[]): Table {
    return new Table(
      names.map((name) => this.columns[columnPlace('Table.select', this.names, name)]),
      this.leftOut,
    );
  }

  /**
   * A table of some rows, in the given order; `shuffleSplit` chooses them.
   *
   * @param rows numbers of rows, from 0
   * @throws ConfigError for a row that is not there
   * @example
   * const [train, test] = shuffleSplit(40, [30, 10], new RandomStream(1)).map((rows) => patients.take(rows));
   * test.rows; // 10
   */
  take(rows: ArrayLike<number>): Table {
    const places = Int32Array.from(rows);
    const bad = places.findIndex((row, i) => row !== rows[i] || row < 0 || row >= this.rows);
    if (bad >= 0) throw new ConfigError(complaint('Table.take', `rows 0 .. ${this.rows - 1}`, rows[bad]));
    if (places.length === 0) throw new ConfigError(complaint('Table.take', 'at least one row', 'none'));
    return new Table(
      this.columns.map((column) => ({
        ...column,
        values: Float64Array.from(places, (row) => column.values[row]),
      })),
    );
  }

  /**
   * All values, row-major in float64, [rows, columns]: categories by their places.
   *
   * @example
   * patients.toArray().shape; // [40, 3]
   */
  toArray(): NdArray<Float64Array> {
    const width = this.columns.length;
    const data = new Float64Array(this.rows * width);
    this.columns.forEach(({ values }, j) => {
      for (let i = 0; i < values.length; i++) data[i * width + j] = values[i];
    });
    return { shape: [this.rows, width], data };
  }

  /**
   * One object per row: numbers, and categories by name.
   *
   * @example
   * const copy = await readTable(patients.toRecords());
   */
  toRecords(): Record<string, number | string>[] {
    return Array.from({ length: this.rows }, (_, row) =>
      Object.fromEntries(this.columns.map((column) => [column.name, valueIn(column, row)])),
    );
  }

  /**
   * The table as CSV: a header, then one line per row.
   *
   * @example
   * patients.select(['age']).take([0, 1]).toCsv(); // 'age\n20\n21\n'
   */
  toCsv(): string {
    const line = (cells: readonly (string | number)[]) => cells.map(csvCell).join(',');
    const rows = Array.from({ length: this.rows }, (_, row) =>
      line(this.columns.map((column) => valueIn(column, row))),
    );
    return `${[line(this.names), ...rows].join('\n')}\n`;
  }
}

recognizable(Table, 'Table');

printable(Table.prototype, ({ columns, rows, leftOut }) => {
  const shown = columns.slice(0, NAMED);
  const width = largest(shown.map(({ name }) => name.length));
  const without = leftOut === 0 ? '' : `, without ${leftOut} that lack a value`;
  return [
    `Table: ${rows} rows${without}, ${columns.length} columns`,
    ...shown.map(
      (column) => `  ${column.name.padEnd(width)}  ${column.kind.padEnd(11)}  ${contents(column)}`,
    ),
    ...(columns.length > NAMED ? [`  ... ${columns.length - NAMED} more columns`] : []),
  ];
});

/**
 * Place of a column among names.
 *
 * @throws ConfigError for a name that is not among them, with the nearest that is
 */
export function columnPlace(where: string, names: readonly string[], name: string): number {
  const place = names.indexOf(name);
  if (place >= 0) return place;
  const near =
    typeof name === 'string'
      ? nearestName(name, Object.fromEntries(names.map((known) => [known, true])))
      : undefined;
  const hint = near === undefined ? '' : `Did you mean '${near}'?`;
  throw new ConfigError(complaint(where, `a column among ${someNames(names)}`, `'${name}'`, hint));
}

function csvCell(cell: string | number): string {
  const text = String(cell);
  return /[",\n\r]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
