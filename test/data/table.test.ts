import { ConfigError, DataError, readTable, ShapeError, Table, type TableColumn } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';

const columns: TableColumn[] = [
  { name: 'age', kind: 'integer', values: Float64Array.of(31, 44, 29) },
  { name: 'height', kind: 'real', values: Float64Array.of(1.72, 1.6, 2) },
  {
    name: 'mood',
    kind: 'categorical',
    values: Float64Array.of(0, 1, 0),
    categories: ['glad', 'very, "sad"'],
  },
];
const table = new Table(columns);

describe('Table', () => {
  it('prints its columns with their kinds, ranges and categories', () => {
    expect(String(table).split('\n')).toEqual([
      'Table: 3 rows, 3 columns',
      '  age     integer      29 .. 44',
      '  height  real         1.6 .. 2',
      '  mood    categorical  glad, very, "sad"',
    ]);
    const wide = new Table(Array.from({ length: 30 }, (_, i) => ({ ...columns[0], name: `c${i}` })));
    expect(String(wide).split('\n')).toHaveLength(14);
    expect(String(wide)).toContain('... 18 more columns');
  });

  it('gives columns, some of them, and rows', () => {
    expect(table.column('height').values).toEqual(Float64Array.of(1.72, 1.6, 2));
    expect(table.select(['mood', 'age']).names).toEqual(['mood', 'age']);
    expect(table.take([2, 0, 2]).toRecords()).toEqual([
      { age: 29, height: 2, mood: 'glad' },
      { age: 31, height: 1.72, mood: 'glad' },
      { age: 29, height: 2, mood: 'glad' },
    ]);
    expect(table.toArray()).toEqual({
      shape: [3, 3],
      data: Float64Array.of(31, 1.72, 0, 44, 1.6, 1, 29, 2, 0),
    });
  });

  it('goes through CSV and back', async () => {
    expect((await readTable(table.toCsv())).columns).toEqual(table.columns);
  });

  it.each<[string, new (message: string) => Error, () => unknown, RegExp]>([
    [
      'an unknown column',
      ConfigError,
      () => table.column('hight'),
      /age, height, mood, got 'hight'\. Did you mean 'height'/,
    ],
    ['a row that is not there', ConfigError, () => table.take([0, 3]), /rows 0 \.\. 2, got 3/],
    ['half a row', ConfigError, () => table.take([0.5]), /got 0.5/],
    ['no rows', ConfigError, () => table.take([]), /at least one row/],
    ['no columns', ConfigError, () => new Table([]), /at least one column, got none/],
    ['a name twice', ConfigError, () => new Table([columns[0], columns[0]]), /got 'age' twice/],
    ['no name', ConfigError, () => new Table([{ ...columns[0], name: '' }]), /got ''/],
    [
      'two lengths',
      ShapeError,
      () => new Table([columns[0], { ...columns[1], values: new Float64Array(2) }]),
      /got 2 in 'height'/,
    ],
    [
      'no rows in columns',
      ShapeError,
      () => new Table([{ ...columns[0], values: new Float64Array(0) }]),
      /got 0 in 'age'/,
    ],
    ['a list', DataError, () => new Table([{ ...columns[0], values: [1] as never }]), /got an array of 1/],
    [
      'NaN',
      DataError,
      () => new Table([{ ...columns[1], values: Float64Array.of(1, Number.NaN) }]),
      /finite numbers in 'height', got NaN in row 1/,
    ],
    [
      'a fraction',
      DataError,
      () => new Table([{ ...columns[0], values: Float64Array.of(0.5) }]),
      /whole numbers .* in 'age', got 0.5 in row 0/,
    ],
    [
      'a category too many',
      DataError,
      () => new Table([{ ...columns[2], values: Float64Array.of(2) }]),
      /places of its 2 categories in 'mood', got 2/,
    ],
    [
      'no categories',
      ConfigError,
      () => new Table([{ ...columns[2], categories: undefined }]),
      /categories, each once, .* got none/,
    ],
    ['one twice', ConfigError, () => new Table([{ ...columns[2], categories: ['a', 'a'] }]), /got \[a, a\]/],
    [
      'categories of numbers',
      ConfigError,
      () => new Table([{ ...columns[0], categories: ['a'] }]),
      /no categories for the integer column/,
    ],
    [
      'another kind',
      ConfigError,
      () => new Table([{ ...columns[0], kind: 'text' as never }]),
      /kind of 'age' to be one of real/,
    ],
  ])('%s is refused', (_, kind, make, message) => {
    expect(make).toThrow(kind as never);
    expect(make).toThrow(message);
  });
});
